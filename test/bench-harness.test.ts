import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  defineBench,
  instructionSets,
  interleave,
  measureProcess,
  Peer,
  runBench,
  summarise,
} from "../bench/harness/index.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-bench-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A peer written in JavaScript: the protocol is not about Python. */
async function fakePeer(source: string, job: unknown): Promise<Peer> {
  const path = join(folder, "peer.mjs");
  await writeFile(path, `import { createInterface } from "node:readline";\n${source}`);
  const interpreter = join(folder, "node");
  await writeFile(interpreter, `#!/bin/sh\nshift\nexec ${process.execPath} "$@"\n`, { mode: 0o755 }); // Drops `-u`.
  return Peer.start(interpreter, relative(fileURLToPath(new URL("../bench/peers/", import.meta.url)), path), job);
}

test("a round goes over all variants in turn, and the warm-up is not counted", async () => {
  const order: string[] = [];
  const variant = (name: string, seconds: number) => ({
    name,
    measure: () => {
      order.push(name);
      return Promise.resolve(seconds);
    },
  });
  const result = await interleave([variant("a", 2), variant("b", 3)], { repetitions: 2, warmUp: 1, seconds: 60 });
  expect(order).toEqual(["a", "b", "a", "b", "a", "b"]);
  expect(result.summaries["b"]?.samples).toEqual([3, 3]);
  expect(result.ratio("a", "b")).toBe(1.5); // a needs 2 s where b needs 3 s: 1.5 times its speed
  expect(result.shortened).toBeUndefined();
  expect(() => result.ratio("a", "c")).toThrow("expected one of a, b, got c");
});

test("repetitions stop before the bound, and the result says so", async () => {
  let clock = 0;
  const slow = { name: "slow", measure: () => Promise.resolve((clock += 10)) };
  const result = await interleave([slow], { repetitions: 7, warmUp: 1, seconds: 35 }, () => clock);
  expect(clock).toBe(30); // one warm-up and two counted rounds; a fourth would end at 40
  expect(result.repetitions).toBe(2);
  expect(result.shortened).toBe("2 of 7 repetitions fitted into 35 s");
});

test("median, least and greatest", () => {
  expect(summarise([3, 1, 2])).toMatchObject({ median: 2, min: 1, max: 3 });
  expect(summarise([4, 1, 2, 3])).toMatchObject({ median: 2.5 });
});

test("a peer answers its job and then every command, and ends with its input", async () => {
  const peer = await fakePeer(
    `for await (const line of createInterface({ input: process.stdin }))
       console.log(JSON.stringify({ got: JSON.parse(line) }));`,
    { threads: 2 },
  );
  expect(peer.ready).toEqual({ got: { threads: 2 } });
  expect(await peer.ask(3)).toEqual({ got: 3 });
  await peer.close();
  await expect(peer.ask(4)).rejects.toThrow("expected a line of JSON, got none");
});

test("a peer that dies or babbles is named", async () => {
  await expect(fakePeer("process.exit(3);", {})).rejects.toThrow("exit code 3");
  await expect(fakePeer("console.log('hello'); setTimeout(() => {}, 1000);", {})).rejects.toThrow('got "hello"');
});

test("a result carries name, date, machine and commit beside the findings, in five digits", async () => {
  const bench = defineBench({
    about: "a test",
    run: ({ quick }) =>
      Promise.resolve({ values: { x: 1.23456789 }, ratios: { peer: 2 / 3 }, settings: { quick }, versions: {} }),
  });
  const result = await runBench("sample", bench, { quick: true, log: () => undefined });
  expect(result).toMatchObject({ name: "sample", values: { x: 1.2346 }, ratios: { peer: 0.66667 } });
  expect(result.machine.cores).toBeGreaterThan(0);
  expect(Date.parse(result.date)).not.toBeNaN();
  expect(result.commit).toMatch(/^([0-9a-f]{40}\+?|unknown)$/);
});

test("flags are whole words of /proc/cpuinfo", () => {
  const text = "model name\t: X\nflags\t\t: fpu avx2 avx512f avx512_vnni amx_tile\n";
  expect(instructionSets(text)).toEqual({ avx2: true, avx512: true, vnni: true, bf16: false, amx: false });
  expect(instructionSets("")).toEqual({});
});

test("a process is measured up to its line, with its peak memory", async () => {
  const script = "const held = Buffer.alloc(2e8, 1); console.log('here', held.length); setTimeout(() => {}, 200)";
  const measure = await measureProcess(process.execPath, ["-e", script], { until: (line) => line.startsWith("here") });
  expect(measure.line).toBe("here 200000000");
  if (process.platform === "linux") expect(measure.peakBytes).toBeGreaterThan(2e8);
  await expect(measureProcess(process.execPath, ["-e", "process.exit(4)"])).rejects.toThrow("exit code 4");
});
