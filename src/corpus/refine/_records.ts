import { closeSync, openSync, readSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { AtomicFile, UserError } from "../../base/index.js";

/** What is kept of a pair: keys of its texts, and a vector of either side. */
export interface VectorRecords {
  readonly summaryKeys: Float64Array;
  readonly codeKeys: Float64Array;
  /** Of the function's name. */
  readonly nameKeys: Float64Array;
  /** [rows, dim], unit vectors to 1.5e-5. */
  readonly texts: Float32Array;
  readonly codes: Float32Array;
}

/** Numbers of [-1, 1] as 16-bit integers. */
const SCALE = 32767;
/** Bytes of a record's keys. */
const KEYS = 24;

/**
 * Files of fixed-size records on disk, one for each row group, each whole or absent. A record is three float64 keys, then two
 * vectors of 16-bit integers.
 */
export class RecordFiles {
  private readonly bytes: number;

  constructor(
    private readonly folder: string,
    readonly dim: number,
  ) {
    this.bytes = KEYS + 4 * dim;
  }

  /** Whether group `number` is there, with `rows` rows. */
  async has(number: number, rows: number): Promise<boolean> {
    const size = await stat(this.path(number)).then(
      (info) => info.size,
      () => -1,
    );
    return size === rows * this.bytes;
  }

  /** @throws UserError `model.not-finite`, `output.*` */
  async write(number: number, { summaryKeys, codeKeys, nameKeys, texts, codes }: VectorRecords): Promise<void> {
    const bytes = Buffer.alloc(summaryKeys.length * this.bytes);
    for (let row = 0; row < summaryKeys.length; row++) {
      let at = row * this.bytes;
      for (const keys of [summaryKeys, codeKeys, nameKeys]) at = bytes.writeDoubleLE(keys[row]!, at);
      for (const side of [texts, codes]) {
        for (let i = row * this.dim; i < (row + 1) * this.dim; i++) at = bytes.writeInt16LE(quantised(side[i]!), at);
      }
    }
    await mkdir(this.folder, { recursive: true });
    const file = await AtomicFile.create(this.path(number));
    try {
      await file.write(bytes);
      await file.commit();
    } catch (error) {
      await file.abort();
      throw error;
    }
  }

  /**
   * Rows of one group, into places of `into`. Reads at once: a pool has a row or two in each of many files, and waiting for
   * thousands of small reads in turn costs far more than the reads.
   */
  read(number: number, rows: readonly { readonly row: number; readonly to: number }[], into: VectorRecords): void {
    const file = openSync(this.path(number), "r");
    try {
      const record = Buffer.alloc(this.bytes);
      const numbers = new Int16Array(record.buffer, record.byteOffset + KEYS, 2 * this.dim);
      for (const { row, to } of rows) {
        readSync(file, record, 0, this.bytes, row * this.bytes);
        into.summaryKeys[to] = record.readDoubleLE(0);
        into.codeKeys[to] = record.readDoubleLE(8);
        into.nameKeys[to] = record.readDoubleLE(16);
        for (let i = 0; i < this.dim; i++) {
          into.texts[to * this.dim + i] = numbers[i]! / SCALE;
          into.codes[to * this.dim + i] = numbers[this.dim + i]! / SCALE;
        }
      }
    } finally {
      closeSync(file);
    }
  }

  /** Records by their numbers, in that order. @param placeOf the group and row of a number */
  gather(
    numbers: ArrayLike<number>,
    placeOf: (number: number) => { readonly group: number; readonly row: number },
  ): VectorRecords {
    const into = emptyRecords(numbers.length, this.dim);
    const byGroup = new Map<number, { row: number; to: number }[]>();
    for (let to = 0; to < numbers.length; to++) {
      const { group, row } = placeOf(numbers[to]!);
      const rows = byGroup.get(group) ?? [];
      byGroup.set(group, rows);
      rows.push({ row, to });
    }
    for (const [group, rows] of byGroup) this.read(group, rows, into);
    return into;
  }

  private path(number: number): string {
    return join(this.folder, `${String(number).padStart(6, "0")}.bin`);
  }
}

function quantised(value: number): number {
  if (Number.isFinite(value)) return Math.round(SCALE * Math.max(-1, Math.min(1, value)));
  throw new UserError("model.not-finite", `encoder: expected finite vectors, got ${value}`, {
    fix: "The model is broken: take an earlier checkpoint of its run",
  });
}

/** Room for `rows` records. */
export function emptyRecords(rows: number, dim: number): VectorRecords {
  return {
    summaryKeys: new Float64Array(rows),
    codeKeys: new Float64Array(rows),
    nameKeys: new Float64Array(rows),
    texts: new Float32Array(rows * dim),
    codes: new Float32Array(rows * dim),
  };
}
