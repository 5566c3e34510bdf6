import { expect, test } from "vitest";
import type { Change, FileRecord, NewChunk, Store } from "./store.js";

const MODEL = { hash: "m1", dim: 4, folder: "models/one" };
const META = { chunker: 1, models: { static: MODEL } };

function file(path: string, hash: string, more: Partial<FileRecord> = {}): FileRecord {
  return { path, size: 1, mtimeMs: 2.5, hash, racy: false, language: "python", generated: false, ...more };
}
function chunk(name: string, words: Record<string, number>, vector?: number[], more: Partial<NewChunk> = {}): NewChunk {
  const counts = Object.values(words);
  return {
    kind: "function",
    startLine: 1,
    endLine: 3,
    name,
    scope: [],
    hash: `h-${name}`,
    words: Object.keys(words),
    counts: Uint8Array.from(counts),
    length: counts.reduce((a, b) => a + b, 0),
    vectors: vector === undefined ? {} : { static: Float32Array.from(vector) },
    ...more,
  };
}
const FIRST: Change = {
  meta: META,
  put: [
    {
      file: file("a.py", "1"),
      chunks: [
        chunk("Alpha", { alpha: 2, common: 1 }, [1, 0, 0, 0]),
        chunk("beta", { beta: 1, common: 3 }, [0, 1, 0, 0], { startLine: 5, endLine: 9, scope: ["Alpha", "x y"] }),
      ],
    },
    {
      file: file("b.go", "2", { language: "go" }),
      chunks: [chunk("gamma", { gamma: 4 }, [0, 0, 1, 0], { kind: "class" })],
    },
    {
      file: file("odd\nname 'é'.md", "3", { language: "markdown" }),
      chunks: [chunk("Title", { titl: 1 }, [0, 0, 0, 1])],
    },
    { file: file("x.bin", "", { skipped: "binary" }), chunks: [] },
  ],
  remove: [],
};
const none = { words: new Map<string, number>(), vectors: {}, names: [], limit: 10 };

/** What every store does. `make` gives an empty one; `reopen` the same data as another process would see it. */
export function storeContract(make: () => Promise<Store>, reopen?: (store: Store) => Promise<Store>): void {
  const names = async (store: Store, query: object): Promise<string[]> =>
    (await store.candidates({ ...none, ...query })).map(({ row }) => row.name).sort();

  test("empty: nothing is known, nothing is found", async () => {
    const store = await make();
    expect(await store.meta()).toBeUndefined();
    expect(await store.counts()).toMatchObject({ files: 0, chunks: 0, generation: 0 });
    expect(await names(store, { words: new Map([["alpha", 1]]) })).toEqual([]);
    await store.close();
  });

  test("what was put is there, as it was, also for another reader", async () => {
    const made = await make();
    await made.apply(FIRST);
    for (const store of [made, ...(reopen === undefined ? [] : [await reopen(made)])]) {
      expect(await store.meta()).toEqual(META);
      expect(await store.counts()).toMatchObject({ files: 4, skipped: 1, chunks: 4, vectors: { static: 4, full: 0 } });
      expect(new Map(await store.files())).toEqual(new Map(FIRST.put.map(({ file: one }) => [one.path, one])));
      const [alpha, beta] = await store.chunksOf("a.py");
      expect(alpha).toMatchObject({ path: "a.py", name: "Alpha", startLine: 1, endLine: 3, kind: "function" });
      expect(beta).toMatchObject({
        name: "beta",
        scope: ["Alpha", "x y"],
        startLine: 5,
        endLine: 9,
        language: "python",
      });
      const all = [];
      for await (const row of store.chunks()) all.push([row.path, row.name, row.hash]);
      expect(all).toEqual([
        ["a.py", "Alpha", "h-Alpha"],
        ["a.py", "beta", "h-beta"],
        ["b.go", "gamma", "h-gamma"],
        ["odd\nname 'é'.md", "Title", "h-Title"],
      ]);
    }
    await made.close();
  });

  test("BM25 and cosines, by hand", async () => {
    const store = await make();
    await store.apply(FIRST);
    const [found] = await store
      .candidates({
        ...none,
        words: new Map([["alpha", 2]]),
        vectors: { static: Float32Array.from([0.6, 0.8, 0, 0]) },
        limit: 1,
        filter: { languages: ["python"], path: (path) => path === "a.py" },
      })
      .then((list) => list.filter(({ row }) => row.name === "Alpha"));
    // Four chunks of lengths 3, 4, 4, 1, so 3 on average; one holds the word, twice.
    const idf = Math.log(1 + 3.5 / 1.5);
    expect(found!.lexical).toBeCloseTo((2 * idf * 2) / (2 + 1.2), 4);
    const [beta] = await store.candidates({
      ...none,
      vectors: { static: Float32Array.from([0.6, 0.8, 0, 0]) },
      limit: 1,
    });
    expect(beta!.row.name).toBe("beta");
    expect(beta!.cosines.static).toBeCloseTo(0.8, 1);
    await store.close();
  });

  test("each way of looking finds; filters hold for all", async () => {
    const store = await make();
    await store.apply(FIRST);
    const words = new Map([["common", 1]]);
    expect(await names(store, { words })).toEqual(["Alpha", "beta"]);
    expect(await names(store, { words, limit: 1 })).toEqual(["beta"]);
    expect(await names(store, { names: ["alpha", "title"] })).toEqual(["Alpha", "Title"]);
    const vectors = { static: Float32Array.from([0, 0, 1, 0]) };
    expect(await names(store, { vectors, limit: 1 })).toEqual(["gamma"]);
    expect(await names(store, { words, vectors, filter: { languages: ["go"] } })).toEqual(["gamma"]);
    expect(await names(store, { words, vectors, filter: { kinds: ["class"] } })).toEqual(["gamma"]);
    const path = (one: string): boolean => one.endsWith(".md");
    expect(await names(store, { words, vectors, names: ["alpha"], filter: { path } })).toEqual(["Title"]);
    await store.close();
  });

  test("changes: replaced, removed, known; vectors follow the content", async () => {
    const store = await make();
    await store.apply(FIRST);
    await store.setVectors(
      "full",
      { hash: "f1", dim: 2, folder: "" },
      new Map([["h-beta", Float32Array.from([1, 0])]]),
    );
    expect((await store.counts()).vectors).toEqual({ static: 4, full: 1 });
    expect((await store.missing("full", 2)).map(({ name }) => name)).toEqual(["Alpha", "gamma"]);
    expect(await store.holds("a.py", "1")).toBe(true);
    expect(await store.holds("a.py", "9")).toBe(false);
    const before = (await store.counts()).generation;
    const meta = (await store.meta())!;
    await store.apply({
      meta,
      put: [
        { file: file("a.py", "9"), chunks: [chunk("beta", { beta: 1 }), chunk("delta", { delta: 1 }, [1, 0, 0, 0])] },
        { file: file("b.go", "2", { mtimeMs: 7, language: "go" }), chunks: "known" },
      ],
      remove: ["x.bin", "odd\nname 'é'.md"],
    });
    const counts = await store.counts();
    expect(counts).toMatchObject({ files: 2, chunks: 3, vectors: { static: 3, full: 1 } });
    expect(counts.generation).toBeGreaterThan(before);
    expect((await store.files()).get("b.go")!.mtimeMs).toBe(7);
    expect(await names(store, { words: new Map([["common", 1]]) })).toEqual([]);
    expect(await names(store, { names: ["title", "beta", "gamma", "delta"] })).toEqual(["beta", "delta", "gamma"]);
    await store.close();
  });

  test("clear forgets everything", async () => {
    const store = await make();
    await store.apply(FIRST);
    await store.clear();
    expect(await store.counts()).toMatchObject({ files: 0, chunks: 0 });
    expect(await names(store, { words: new Map([["common", 1]]), names: ["alpha"] })).toEqual([]);
    await store.close();
  });
}
