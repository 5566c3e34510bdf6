import { describe, expect, test } from "vitest";
import { Rng } from "../base/index.js";
import { UNMASKED } from "./masking.js";
import { maskedCapacity, packRows, shortestPiece, type Example, type PackedRows, type Reader } from "./packing.js";

/** A document of `size` tokens numbered from `first`; every third is masked (shown as 2). */
function example(first: number, size: number, objective: "R" | "D" = "R"): Example {
  const labels = Int32Array.from({ length: size }, (_, i) => (i % 3 === 0 ? first + i : UNMASKED));
  const input = Int32Array.from({ length: size }, (_, i) => (i % 3 === 0 ? 2 : first + i));
  return { input, labels, objective };
}

class ListReader implements Reader {
  offset = 0;
  private index = 0;
  constructor(private readonly examples: readonly Example[]) {}
  current(): Promise<Example | undefined> {
    return Promise.resolve(this.examples[this.index]);
  }
  advance(): void {
    this.index += 1;
    this.offset = 0;
  }
}

const matrix = (values: Int32Array, length: number): number[][] =>
  Array.from({ length: values.length / length }, (_, row) =>
    Array.from(values.slice(row * length, (row + 1) * length)),
  );

test("worked by hand: two rows of eight", async () => {
  const reader = new ListReader([example(100, 3), example(200, 7, "D"), example(300, 9)]);
  const packed = await packRows(() => reader, { rows: 2, length: 8, padId: 0 });
  // Row 1: the first document whole, five tokens of the second. Row 2: its other two, six of the third.
  expect(matrix(packed.inputIds, 8)).toEqual([
    [2, 101, 102, 2, 201, 202, 2, 204],
    [205, 2, 2, 301, 302, 2, 304, 305],
  ]);
  expect(matrix(packed.positions, 8)).toEqual([
    [0, 1, 2, 0, 1, 2, 3, 4],
    [0, 1, 0, 1, 2, 3, 4, 5],
  ]);
  expect(matrix(packed.segments, 8)).toEqual([
    [1, 1, 1, 2, 2, 2, 2, 2],
    [1, 1, 2, 2, 2, 2, 2, 2],
  ]);
  expect(packed.masked).toEqual({
    index: Int32Array.of(0, 3, 6, 9, 10, 13),
    label: Int32Array.of(100, 200, 203, 206, 300, 303),
    objective: Int32Array.of(0, 1, 1, 1, 0, 0),
  });
  expect(reader.offset).toBe(6);
});

test("rows may have readers of their own", async () => {
  const readers = [new ListReader([example(100, 9)]), new ListReader([example(200, 2), example(300, 5)])];
  const packed = await packRows((row) => readers[row]!, { rows: 2, length: 4, padId: 0 });
  expect(matrix(packed.inputIds, 4)).toEqual([
    [2, 101, 102, 2],
    [2, 201, 2, 301],
  ]);
  expect(readers.map(({ offset }) => offset)).toEqual([4, 2]);
});

test("a scrap of room is padded, the document goes on in the next row", async () => {
  // shortestPiece(8) is 2: with one place left the second document waits.
  const reader = new ListReader([example(100, 7), example(200, 8)]);
  const packed = await packRows(() => reader, { rows: 2, length: 8, padId: 0 });
  expect(matrix(packed.segments, 8)).toEqual([
    [1, 1, 1, 1, 1, 1, 1, 0],
    [1, 1, 1, 1, 1, 1, 1, 1],
  ]);
  expect(packed.inputIds[7]).toBe(0);
  // But a document that fits in a scrap takes it.
  const fitted = await packRows(() => new ListReader([example(100, 7), example(200, 1)]), {
    rows: 1,
    length: 8,
    padId: 0,
  });
  expect(fitted.segments[7]).toBe(2);
});

test("the end of the stream leaves padding", async () => {
  const end = new ListReader([example(100, 3)]);
  const packed = await packRows(() => end, { rows: 2, length: 4, padId: 9 });
  expect(matrix(packed.inputIds, 4)).toEqual([
    [2, 101, 102, 9],
    [9, 9, 9, 9],
  ]);
  expect(Array.from(packed.segments)).toEqual([1, 1, 1, 0, 0, 0, 0, 0]);
});

/** The slow obvious reading of packed rows: pieces in order, with their labels put back. */
function pieces(packed: PackedRows): number[][] {
  const restored = packed.inputIds.slice();
  packed.masked.index.forEach((at, i) => (restored[at] = packed.masked.label[i]!));
  const found: number[][] = [];
  for (let row = 0; row < packed.rows; row++) {
    for (let segment = 1; ; segment++) {
      const piece: number[] = [];
      for (let column = 0; column < packed.length; column++) {
        const at = row * packed.length + column;
        if (packed.segments[at] !== segment) continue;
        expect(packed.positions[at]).toBe(piece.length);
        piece.push(restored[at]!);
      }
      if (piece.length === 0) break;
      found.push(piece);
    }
  }
  return found;
}

describe("properties, over random documents", () => {
  test.each([8, 32, 100])("rows of %i: nothing is lost, repeated, reordered or mixed", async (length) => {
    const rng = Rng.fromSeed(length);
    for (let draw = 0; draw < 30; draw++) {
      const examples = Array.from({ length: 40 }, (_, i) => example(1000 * (i + 1), 1 + rng.int(2 * length)));
      const reader = new ListReader(examples);
      const restored: number[] = [];
      for (let batch = 0; batch < 3; batch++) {
        const packed = await packRows(() => reader, { rows: 4, length, padId: 0 });
        for (const piece of pieces(packed)) {
          expect(new Set(piece.map((id) => Math.floor(id / 1000))).size).toBe(1); // one document
          restored.push(...piece);
        }
        const padding = packed.segments.filter((segment) => segment === 0).length;
        expect(padding).toBeLessThanOrEqual(4 * (shortestPiece(length) - 1));
      }
      const all = examples.flatMap(({ input, labels }) =>
        Array.from(input, (id, i) => (labels[i] === UNMASKED ? id : labels[i]!)),
      );
      expect(restored).toEqual(all.slice(0, restored.length));
    }
  });
});

test("capacity holds every count, wastes under a sixteenth, and has at most 16 values", () => {
  expect(maskedCapacity(1270, 4096)).toBe(1280);
  expect(maskedCapacity(0, 4096)).toBe(256);
  const seen = new Set<number>();
  for (let count = 0; count <= 4096; count++) {
    const capacity = maskedCapacity(count, 4096);
    expect(capacity).toBeGreaterThanOrEqual(count);
    expect(capacity).toBeLessThan(Math.max(count, 1) + 256);
    seen.add(capacity);
  }
  expect(seen.size).toBe(16);
});
