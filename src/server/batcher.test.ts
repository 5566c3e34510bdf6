import { describe, expect, test } from "vitest";
import { Batcher } from "./_batcher.js";
import { Gate } from "./_gate.js";
import { Metrics } from "./_metrics.js";

const of = (...ids: number[]): Int32Array => Int32Array.from(ids);
const never = new AbortController().signal;

/** Embeds a sequence as [its first id, its length]; each batch waits until it is let go. */
function held(options: { batchTokens?: number; queueTokens?: number } = {}) {
  const batches: Int32Array[][] = [];
  const releases: ((error?: Error) => void)[] = [];
  const batcher = new Batcher(
    (sequences) => {
      batches.push([...sequences]);
      return new Promise((resolve, reject) => {
        releases.push((error) => {
          if (error !== undefined) reject(error);
          else resolve(Float32Array.from(sequences.flatMap((ids) => [ids[0]!, ids.length])));
        });
      });
    },
    { dim: 2, batchTokens: options.batchTokens ?? 4, waitMilliseconds: 1, queueTokens: options.queueTokens ?? 100 },
  );
  const release = async (error?: Error): Promise<void> => {
    while (releases.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    releases.shift()!(error);
  };
  return { batcher, batches, release };
}

describe("batches", () => {
  test("requests run together up to the budget, and each gets its own vectors back", async () => {
    const { batcher, batches, release } = held();
    const one = batcher.submit([of(1), of(2, 2)], never);
    const two = batcher.submit([of(3)], never);
    await release();
    expect([...(await one)]).toEqual([1, 1, 2, 2]);
    expect([...(await two)]).toEqual([3, 1]);
    expect(batches.map((batch) => batch.map((ids) => ids[0]))).toEqual([[1, 3, 2]]);
    expect(batcher.waitingTokens).toBe(0);
    expect(batcher.requests).toBe(0);
  });

  test("a long request does not hold up a short one", async () => {
    const { batcher, batches, release } = held({ batchTokens: 2 });
    const long = batcher.submit(
      [1, 2, 3, 4, 5, 6].map((id) => of(id)),
      never,
    );
    const short = batcher.submit([of(9)], never);
    await release(); // The long one had begun alone.
    await release();
    expect([...(await short)]).toEqual([9, 1]);
    expect(batches[1]!.map((ids) => ids[0])).toEqual([3, 9]);
    for (let i = 0; i < 2; i++) await release();
    expect([...(await long)].filter((_, i) => i % 2 === 0)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(batches.every((batch) => batch.length <= 2)).toBe(true);
  });

  test("a sequence above the budget runs alone", async () => {
    const { batcher, batches, release } = held({ batchTokens: 2 });
    const done = batcher.submit([of(7, 7, 7, 7, 7), of(8)], never);
    await release();
    await release();
    expect([...(await done)]).toEqual([7, 5, 8, 1]);
    expect(batches.map((batch) => batch.length)).toEqual([1, 1]);
  });

  test("a full queue refuses with 429 and when to come again; room that is free again is used", async () => {
    const { batcher, release } = held({ batchTokens: 1, queueTokens: 3 });
    const first = batcher.submit([of(1)], never); // At once in a batch, so that it does not wait.
    const second = batcher.submit([of(2), of(3)], never);
    await expect(batcher.submit([of(4), of(5)], never)).rejects.toMatchObject({ status: 429, code: "queue_full" });
    const refused = await batcher.submit([of(4), of(5)], never).catch((error: unknown) => error);
    expect(refused).toMatchObject({ details: { retryAfterSeconds: 1 } });
    for (let i = 0; i < 3; i++) await release();
    await Promise.all([first, second]);
    const later = batcher.submit([of(4), of(5)], never);
    for (let i = 0; i < 2; i++) await release();
    expect([...(await later)]).toEqual([4, 1, 5, 1]);
  });

  test("who leaves is taken out of the queue, and takes nobody along", async () => {
    const { batcher, batches, release } = held({ batchTokens: 1 });
    const first = batcher.submit([of(1)], never);
    const leaving = new AbortController();
    const gone = batcher.submit([of(2), of(3)], leaving.signal);
    const stays = batcher.submit([of(4)], never);
    leaving.abort(new Error("left"));
    await expect(gone).rejects.toThrow("left");
    await release();
    await release();
    await first;
    expect([...(await stays)]).toEqual([4, 1]);
    expect(batches.flat().map((ids) => ids[0])).toEqual([1, 4]);
    expect(batcher.waitingTokens).toBe(0);
    await expect(batcher.submit([of(1)], AbortSignal.abort(new Error("late")))).rejects.toThrow("late");
  });

  test("a failing model fails those who were in the batch; the next batch runs", async () => {
    const { batcher, release } = held({ batchTokens: 1 });
    const fails = batcher.submit([of(1), of(2)], never);
    const next = batcher.submit([of(3)], never);
    const failed = expect(fails).rejects.toThrow("broken");
    await release(new Error("broken"));
    await failed;
    await release();
    expect([...(await next)]).toEqual([3, 1]);
    expect(batcher.waitingTokens).toBe(0);
  });
});

test("the gate lets so many through, keeps so many waiting, and refuses the rest", async () => {
  const gate = new Gate(1, 1);
  let open = (): void => undefined;
  const inside = gate.pass(never, () => new Promise<string>((resolve) => (open = () => resolve("first"))));
  const waits = gate.pass(never, () => Promise.resolve("second"));
  await expect(gate.pass(never, () => Promise.resolve("third"))).rejects.toMatchObject({ status: 429 });
  expect(gate.length).toBe(1);
  open();
  expect(await Promise.all([inside, waits])).toEqual(["first", "second"]);
  const leaving = new AbortController();
  const again = gate.pass(never, () => new Promise<void>((resolve) => (open = resolve)));
  const left = gate.pass(leaving.signal, () => Promise.resolve());
  leaving.abort(new Error("left"));
  await expect(left).rejects.toThrow("left");
  open();
  await again;
  expect(await gate.pass(never, () => Promise.resolve(1))).toBe(1);
});

test("metrics in Prometheus' text format", () => {
  const metrics = new Metrics();
  metrics.describe("a_total", "Things");
  metrics.add("a_total", { kind: 'x"y' });
  metrics.add("a_total", { kind: 'x"y' }, 2);
  metrics.gauge("b", () => 7);
  metrics.observe("c_seconds", { route: "/" }, 0.3);
  metrics.observe("c_seconds", { route: "/" }, 100);
  const lines = metrics.text().split("\n");
  expect(lines.slice(0, 5)).toEqual([
    "# HELP a_total Things",
    "# TYPE a_total counter",
    'a_total{kind="x\\"y"} 3',
    "# TYPE b gauge",
    "b 7",
  ]);
  expect(lines).toContain('c_seconds_bucket{route="/",le="0.25"} 0');
  expect(lines).toContain('c_seconds_bucket{route="/",le="0.5"} 1');
  expect(lines).toContain('c_seconds_bucket{route="/",le="+Inf"} 2');
  expect(lines).toContain('c_seconds_count{route="/"} 2');
  expect(lines).toContain('c_seconds_sum{route="/"} 100.3');
});
