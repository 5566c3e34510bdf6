import { afterAll, afterEach, describe, expect, test } from "vitest";
import { Rng, UserError, float32, int32, type Tensor } from "../../src/base/index.js";
import {
  Graph,
  add,
  cast,
  dropout,
  gather,
  matmul,
  mul,
  reduceSum,
  reshape,
  scatterAddRows,
  sub,
} from "../../src/graph/index.js";
import type { Engine, EngineSession } from "../../src/engine/index.js";

/** Weight w [2, 3]: `predict` reads it, `learn` moves it by rate * x^T g and counts, `count` looks at the counter. */
function programs(): Record<"predict" | "learn" | "count", Graph> {
  const predict = new Graph("predict");
  predict.output("y", matmul(predict.input("x", "float32", ["B", 2]), predict.state("w", "float32", [2, 3])));

  const learn = new Graph("learn");
  const w = learn.state("w", "float32", [2, 3]);
  const steps = learn.state("steps", "int32", []);
  const x = learn.input("x", "float32", ["B", 2]);
  const g = learn.input("g", "float32", ["B", 3]);
  const rate = learn.input("rate", "float32", []);
  const change = mul(rate, matmul(x, g, { transposeA: true }));
  learn.update("w", sub(w, change));
  learn.update("steps", add(steps, 1));
  learn.output("size", reduceSum(mul(change, change)));
  learn.output("next", sub(w, change));

  const count = new Graph("count");
  count.output("count", count.state("steps", "int32", []));
  return { predict, learn, count };
}

const W = float32([2, 3], [1, 2, 3, 4, 5, 6]);
const state = (): Record<string, Tensor> => ({ w: W, steps: int32([], [0]) });
const BATCH = {
  x: float32([1, 2], [1, 2]),
  g: float32([1, 3], [1, 0, -1]),
  rate: float32([], [0.5]),
};

/** What every engine has to do; each engine's test file calls this. */
export function describeEngine(engine: Engine): void {
  const sessions: EngineSession[] = [];
  const open = async (...args: Parameters<Engine["open"]>): Promise<EngineSession> => {
    const session = await engine.open(...args);
    sessions.push(session);
    return session;
  };
  afterEach(async () => {
    for (const session of sessions.splice(0)) await session.close();
  });
  // For tests that leave a session as it was: opening one starts a thread.
  let shared: Promise<EngineSession> | undefined;
  afterAll(async () => (await shared)?.close());
  const failure = async (promise: Promise<unknown>): Promise<UserError> => {
    const error: unknown = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  };

  describe(`engine ${engine.name}`, () => {
    test("worked by hand: a product, an update, the next run sees it, in every program", async () => {
      const session = await open(programs(), state());
      const before = await session.run("predict", { x: float32([1, 2], [1, 2]) });
      expect(before["y"]).toEqual(float32([1, 3], [9, 12, 15]));
      // rate * x^T g = 0.5 * [[1, 0, -1], [2, 0, -2]]
      const learned = await session.run("learn", BATCH);
      expect(learned["size"]).toEqual(float32([], [2.5]));
      expect(learned["next"]).toEqual(float32([2, 3], [0.5, 2, 3.5, 3, 5, 7]));
      expect(Object.keys(learned).sort()).toEqual(["next", "size"]);
      const after = await session.run("predict", { x: float32([2, 2], [1, 2, 0, 1]) });
      expect(after["y"]).toEqual(float32([2, 3], [6.5, 12, 17.5, 3, 5, 7]));
      expect((await session.run("count", {}))["count"]).toEqual(int32([], [1]));
    });

    test("read gives the state after the runs asked for, write replaces parts of it", async () => {
      const session = await open(programs(), state());
      void session.run("learn", BATCH);
      void session.run("learn", BATCH);
      expect(await session.read()).toEqual({ w: float32([2, 3], [0, 2, 4, 2, 5, 8]), steps: int32([], [2]) });
      await session.write({ w: W });
      expect(await session.read(["w"])).toEqual({ w: W });
      expect(await session.read(["steps"])).toEqual({ steps: int32([], [2]) });
    });

    test("what goes in stays the caller's, what comes out becomes the caller's", async () => {
      const weights = float32([2, 3], [1, 2, 3, 4, 5, 6]);
      const session = await open(programs(), { ...state(), w: weights });
      weights.data.fill(0);
      const x = float32([1, 2], [1, 2]);
      const { y } = await session.run("predict", { x });
      expect(y).toEqual(float32([1, 3], [9, 12, 15]));
      expect(x).toEqual(float32([1, 2], [1, 2]));
      const { w } = await session.read(["w"]);
      (w!.data as Float32Array).fill(7);
      expect(await session.read(["w"])).toEqual({ w: W });
      const { next } = await session.run("learn", BATCH);
      (next!.data as Float32Array).fill(7);
      expect((await session.read(["w"]))["w"]).toEqual(float32([2, 3], [0.5, 2, 3.5, 3, 5, 7]));
    });

    test("views into larger buffers go in as what they show", async () => {
      const session = await open(programs(), state());
      const large = Float32Array.from({ length: 100 }, (_, index) => index);
      const x: Tensor = { dtype: "float32", dims: [1, 2], data: large.subarray(1, 3) };
      expect((await session.run("predict", { x }))["y"]).toEqual(float32([1, 3], [9, 12, 15]));
    });

    test("the same runs give the same bits", async () => {
      const graph = dropoutProgram();
      const rng = Rng.fromSeed(3);
      const table = float32(
        [50, 8],
        Array.from({ length: 400 }, () => rng.normal()),
      );
      const ids = int32(
        [64],
        Array.from({ length: 64 }, (_, index) => (index * index) % 7),
      );
      const results = [];
      for (let repeat = 0; repeat < 2; repeat++) {
        const session = await open({ main: graph }, { table });
        for (let step = 0; step < 3; step++) await session.run("main", { ids, key: int32([2], [step, 5]) });
        results.push(await session.read());
        await session.close();
      }
      expect(results[1]).toEqual(results[0]);
      expect(results[0]!["table"]).not.toEqual(table);
    });

    test.each<[string, Record<string, Tensor>, RegExp]>([
      ["missing", { x: BATCH.x, rate: BATCH.rate }, /program "learn": expected input "g" float32\[B, 3\], got none/],
      ["superfluous", { ...BATCH, y: BATCH.x }, /program "learn": expected inputs "x", "g", "rate", got "y"/],
      [
        "wrong dtype",
        { ...BATCH, x: int32([1, 2], [1, 2]) },
        /expected float32\[B, 2\] for input "x", got int32\[1, 2\]/,
      ],
      ["wrong rank", { ...BATCH, x: float32([2], [1, 2]) }, /expected float32\[B, 2\] for input "x", got float32\[2\]/],
      [
        "wrong width",
        { ...BATCH, x: float32([1, 3], [1, 2, 3]) },
        /expected float32\[B, 2\].* "x", got float32\[1, 3\]/,
      ],
      [
        "symbols that differ",
        { ...BATCH, g: float32([2, 3], [1, 2, 3, 4, 5, 6]) },
        /\(here \[1, 3\]\) for input "g", got float32\[2, 3\]/,
      ],
      [
        "too few numbers",
        { ...BATCH, x: { dtype: "float32", dims: [1, 2], data: new Float32Array(1) } },
        /with 2 elements, but 1 came/,
      ],
    ])("a batch with a tensor %s is refused and changes nothing", async (_, batch, message) => {
      const session = await (shared ??= engine.open(programs(), state()));
      const error = await failure(session.run("learn", batch));
      expect(error.message).toMatch(message);
      expect(error.code).toBe("engine.batch");
      expect(await session.read()).toEqual(state());
      expect((await session.run("count", {}))["count"]).toEqual(int32([], [0]));
    });

    test("an unknown program is refused, naming those there are", async () => {
      const session = await open(programs(), state());
      const error = await failure(session.run("train", {}));
      expect(error.message).toBe('run: expected a program of "predict", "learn", "count", got "train"');
      expect((await failure(session.run("toString", {}))).code).toBe("engine.program");
    });

    test("a state that is missing, superfluous or of another type is refused", async () => {
      const messages = [
        (await failure(open(programs(), { w: W }))).message,
        (await failure(open(programs(), { ...state(), b: W }))).message,
        (await failure(open(programs(), { ...state(), w: float32([3, 2], [1, 2, 3, 4, 5, 6]) }))).message,
      ];
      expect(messages).toEqual([
        'open: expected state "w", "steps", got none for "steps"',
        'open: expected state "w", "steps", got "b"',
        'open: expected float32[2, 3] for state "w", got float32[3, 2]',
      ]);
      const session = await open(programs(), state());
      expect((await failure(session.write({ steps: W }))).message).toMatch(
        /write: expected int32\[\] for state "steps"/,
      );
      expect((await failure(session.read(["v"]))).message).toMatch(/read: expected state "w", "steps", got "v"/);
    });

    test("two programs that mean different tensors by one name are refused", async () => {
      const other = new Graph("other");
      other.output("w", other.state("w", "float32", [3, 2]));
      const error = await failure(open({ ...programs(), other }, state()));
      expect(error.message).toMatch(/state "w": expected float32\[2, 3\] .* got float32\[3, 2\] in program "other"/);
    });

    test("an index out of range names the program and changes nothing", async () => {
      const graph = new Graph("lookup");
      const table = graph.state("table", "float32", [4, 2]);
      graph.output("rows", gather(table, graph.input("ids", "int32", ["N"])));
      graph.update("table", add(table, 1));
      const session = await open({ lookup: graph }, { table: float32([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]) });
      const before = await session.read();
      const error = await failure(session.run("lookup", { ids: int32([1], [9]) }));
      expect(error.code).toBe("engine.run");
      expect(await session.read()).toEqual(before);
    });

    test("an unavailable provider is an error that lists those available", async () => {
      const error = await failure(open(programs(), state(), { provider: "abacus" }));
      expect(error.code).toBe("engine.provider");
      expect(error.message).toMatch(/expected one of (.*, )?cpu.*, got "abacus"/);
    });

    test.each([0, 1.5, Number.NaN])("%s threads are refused", async (threads) => {
      expect((await failure(open(programs(), state(), { threads }))).code).toBe("engine.threads");
    });

    test("closing rejects later calls, and may be repeated", async () => {
      const session = await open(programs(), state());
      await session.close();
      await session.close();
      for (const call of [() => session.run("count", {}), () => session.read(), () => session.write({ w: W })]) {
        expect((await failure(call())).code).toBe("engine.closed");
      }
    });
  });
}

/** Dropped rows of a table are looked up, and their sum by index is taken from the table: duplicates and randomness. */
function dropoutProgram(): Graph {
  const graph = new Graph("dropout");
  const table = graph.state("table", "float32", [50, 8]);
  const ids = graph.input("ids", "int32", [64]);
  const key = graph.input("key", "int32", [2]);
  const rows = gather(table, ids); // [64, 8]
  const dropped = dropout(rows, { rate: 0.5, key, rows: cast(ids, "int32"), place: 2 });
  graph.update("table", sub(table, mul(scatterAddRows(ids, reshape(dropped, [64, 8]), 50), 0.01)));
  return graph;
}
