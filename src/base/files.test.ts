import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UserError } from "./errors.js";
import { AtomicFile, lockFolder, writeFileAtomic } from "./files.js";
import { readJsonl, writeJsonl } from "./jsonl.js";
import { readNpy, writeNpy, writeNpyRows } from "./npy.js";
import { readSafetensors, writeSafetensors } from "./safetensors.js";
import { float32, int32 } from "./tensor.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-base-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

test("an aborted write leaves the old content and no debris", async () => {
  const path = join(folder, "a.txt");
  await writeFileAtomic(path, "old");
  const file = await AtomicFile.create(path);
  await file.write(Buffer.from("half of the new"));
  await file.abort();
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(folder)).toEqual(["a.txt"]);
});

test("a folder that cannot be written names the place and the fix", async () => {
  await writeFile(join(folder, "file"), "");
  const error = await writeFileAtomic(join(folder, "file", "x"), "content").catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).code).toBe("output.unwritable");
  expect((error as UserError).toLine()).toMatch(/expected a writable place, got (ENOTDIR|EEXIST)/);
});

test("a second lock is refused while the holder lives, and a dead holder's lock is taken over", async () => {
  const release = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toMatchObject({ code: "output.locked" });
  await release();
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  await writeFile(join(folder, ".lock"), `${child.pid} 12345\n`);
  await (
    await lockFolder(folder)
  )();
  expect(await readdir(folder)).toEqual([]);
});

test("JSON Lines come back in order; a bad line is named by its number", async () => {
  const path = join(folder, "a.jsonl");
  const values = [{ a: 1 }, "π\u2028", [null], 4.5];
  expect(await writeJsonl(path, values)).toBe(4);
  expect(await collect(readJsonl(path))).toEqual(values);
  await writeFile(path, '{"a":1}\n\n{oops\n');
  await expect(collect(readJsonl(path))).rejects.toThrow(`${path}:3: expected one JSON value a line, got "{oops"`);
});

test("a line of 20 MB parses in linear time", async () => {
  const path = join(folder, "long.jsonl");
  await writeJsonl(path, ["x".repeat(20_000_000)]);
  expect(((await collect(readJsonl(path)))[0] as string).length).toBe(20_000_000);
});

test("safetensors round trip, types and order kept", async () => {
  const path = join(folder, "s.safetensors");
  const tensors = { b: float32([2, 2], [1, -2, 3.5, NaN]), a: int32([3], [1, 2, -3]), scalar: float32([], [7]) };
  await writeSafetensors(path, tensors, { step: "12" });
  const read = await readSafetensors(path);
  expect(read.metadata).toEqual({ step: "12" });
  expect(Object.keys(read.tensors)).toEqual(["b", "a", "scalar"]);
  expect(read.tensors).toEqual(tensors);
});

test("a cut safetensors file is refused", async () => {
  const path = join(folder, "s.safetensors");
  await writeSafetensors(path, { a: float32([4], [1, 2, 3, 4]) });
  await writeFile(path, (await readFile(path)).subarray(0, -4));
  await expect(readSafetensors(path)).rejects.toThrow(/tensor a is cut short/);
  await writeFile(path, "hello");
  await expect(readSafetensors(path)).rejects.toMatchObject({ code: "safetensors.invalid" });
});

test.each([
  [{ a: { dtype: "F32", shape: [3], data_offsets: [0, 8] } }, /tensor a has 8 bytes instead of 12/],
  [{ a: { dtype: "F32", shape: [2], data_offsets: [8, 0] } }, /tensor a has no type, shape and place/],
  [{ a: { dtype: "F32", shape: [2] } }, /tensor a has no type, shape and place/],
  [{ a: null }, /tensor a has no type, shape and place/],
  [{ a: { dtype: "F32", shape: [2 ** 50], data_offsets: [0, 2 ** 52] } }, /tensor a is cut short/],
  [{ a: { dtype: "Q4", shape: [2], data_offsets: [0, 8] } }, /tensor a has the unsupported type Q4/],
])("a safetensors header that does not fit its data is refused: %j", async (header, message) => {
  const path = join(folder, "h.safetensors");
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  await writeFile(path, Buffer.concat([length, json, Buffer.alloc(8)]));
  await expect(readSafetensors(path)).rejects.toThrow(message);
  await expect(readSafetensors(path)).rejects.toMatchObject({ code: "safetensors.invalid" });
});

test("a safetensors file that is not there is the caller's error", async () => {
  await expect(readSafetensors(join(folder, "none"))).rejects.toMatchObject({ code: "input.unreadable" });
});

test("a cut npy file is refused, in its data and in its header", async () => {
  const path = join(folder, "cut.npy");
  async function* row(): AsyncGenerator<Float32Array> {
    yield Float32Array.of(1, 2, 3);
    await Promise.resolve();
  }
  await writeNpy(path, 1, 3, row());
  const whole = await readFile(path);
  await writeFile(path, whole.subarray(0, -4));
  await expect(readNpy(path)).rejects.toMatchObject({ code: "npy.size" });
  await writeFile(path, whole.subarray(0, 7));
  await expect(readNpy(path)).rejects.toMatchObject({ code: "npy.format" });
});

test("npy round trip with a 64-byte aligned header", async () => {
  const path = join(folder, "a.npy");
  async function* pieces(): AsyncGenerator<Float32Array> {
    yield Float32Array.of(1, 2, 3);
    yield Float32Array.of(4, 5, 6);
    await Promise.resolve();
  }
  await writeNpy(path, 2, 3, pieces());
  expect((await readFile(path)).length).toBe(128 + 24);
  expect(await readNpy(path)).toEqual({ rows: 2, width: 3, data: Float32Array.of(1, 2, 3, 4, 5, 6) });
  await expect(writeNpy(path, 3, 3, pieces())).rejects.toThrow(/expected 3 x 3 numbers, got 6/);
  expect((await readNpy(path)).rows).toBe(2);
});

test("npy rows are counted as they come, thousands and none", async () => {
  const path = join(folder, "rows.npy");
  async function* rows(count: number): AsyncGenerator<Float32Array> {
    for (let i = 0; i < count; i++) yield Float32Array.of(i, -i);
    await Promise.resolve();
  }
  expect(await writeNpyRows(path, 2, rows(200_000))).toBe(200_000);
  const { rows: count, data } = await readNpy(path);
  expect([count, data[2], data[399_998], data[399_999]]).toEqual([200_000, 1, 199_999, -199_999]);
  expect(await writeNpyRows(path, 2, rows(0))).toBe(0);
  expect(await readNpy(path)).toEqual({ rows: 0, width: 2, data: new Float32Array(0) });
  await expect(writeNpyRows(path, 3, rows(1))).rejects.toThrow(/expected rows of 3 numbers, got 2/);
});

test("a JSON Lines file of other bytes than UTF-8 is refused", async () => {
  const path = join(folder, "latin.jsonl");
  await writeFile(path, Buffer.concat([Buffer.from('"é"\n'), Buffer.from('"é"\n', "latin1")]));
  await expect(collect(readJsonl(path))).rejects.toMatchObject({ code: "jsonl.encoding" });
});

test("a JSON Lines file that is not there is the caller's error", async () => {
  await expect(collect(readJsonl(join(folder, "none.jsonl")))).rejects.toMatchObject({ code: "input.unreadable" });
  await expect(collect(readJsonl(folder))).rejects.toThrow(/expected a readable file, got EISDIR/);
});
