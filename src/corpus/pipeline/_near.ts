import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeError } from "../../base/index.js";
import { BANDS, PERMUTATIONS, similarity } from "./_minhash.js";
import type { Components } from "./_sort.js";
import { eachRun, sortedOrder } from "./_sort.js";

/** Records of one band that are sorted at a time (16 bytes each); with more the band is gone through several times. */
const SORTED_AT_ONCE = 2 ** 25;
/** Signatures up to this size are held in memory while candidates are compared; larger ones are read one by one. */
const SIGNATURES_IN_MEMORY = 2 ** 28;
/** Earlier records of a bucket that one is compared with. Buckets are large only where nearly all in them are alike. */
const COMPARED = 100;

/**
 * The band index of locality-sensitive hashing, on disk: one file for each band with 8 bytes a record, and one with the
 * signatures. `records` come in order and get the numbers 0, 1, 2, ...
 */
export class NearIndex {
  private readonly bands: Appender[];
  private readonly signatures: Appender;
  private count = 0;

  private constructor(private readonly folder: string) {
    this.bands = Array.from({ length: BANDS }, (_, band) => new Appender(join(folder, `band-${band}`)));
    this.signatures = new Appender(join(folder, "signatures"));
  }

  static async create(folder: string): Promise<NearIndex> {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    return new NearIndex(folder);
  }

  /** @param bands 8 bytes each; zeros for a record that is compared with none */
  add(band: (band: number) => Uint8Array, signature: Uint8Array): void {
    for (let b = 0; b < BANDS; b++) this.bands[b]!.append(band(b));
    this.signatures.append(signature);
    this.count += 1;
  }

  /**
   * Joins records that share a band and whose estimated similarity reaches the threshold.
   *
   * @param skip records that need no comparing, because an equal one is compared for them
   */
  join(components: Components, threshold: number, skip: (record: number) => boolean): void {
    for (const file of [...this.bands, this.signatures]) file.end();
    const signatures = new Signatures(join(this.folder, "signatures"));
    try {
      for (let band = 0; band < BANDS; band++) this.joinBand(band, components, threshold, skip, signatures);
    } finally {
      signatures.close();
    }
  }

  async remove(): Promise<void> {
    for (const file of [...this.bands, this.signatures]) file.end();
    await rm(this.folder, { recursive: true, force: true });
  }

  private joinBand(
    band: number,
    components: Components,
    threshold: number,
    skip: (record: number) => boolean,
    signatures: Signatures,
  ): void {
    let passes = 1;
    while (this.count / passes > SORTED_AT_ONCE) passes *= 2;
    for (let pass = 0; pass < passes; pass++) {
      const { records, hi, lo } = this.readBand(band, passes, pass, skip);
      const order = sortedOrder(hi, lo);
      eachRun(order, hi, lo, (start, end) => {
        for (let i = start + 1; i < end; i++) {
          const one = records[order[i]!]!;
          for (let j = i - 1; j >= Math.max(start, i - COMPARED); j--) {
            const other = records[order[j]!]!;
            if (components.root(one) === components.root(other)) continue;
            if (signatures.similarity(one, other) >= threshold) components.join(one, other);
          }
        }
      });
    }
  }

  /** The records of a band whose hash falls to this pass. */
  private readBand(
    band: number,
    passes: number,
    pass: number,
    skip: (record: number) => boolean,
  ): { records: Uint32Array; hi: Uint32Array; lo: Uint32Array } {
    const room = Math.min(this.count, Math.ceil((this.count / passes) * 1.2) + 1000);
    let [records, hi, lo] = [new Uint32Array(room), new Uint32Array(room), new Uint32Array(room)];
    let found = 0;
    let record = 0;
    readChunks(join(this.folder, `band-${band}`), 2 ** 23, (chunk) => {
      const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      for (let at = 0; at < chunk.byteLength; at += 8, record++) {
        const [upper, lower] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
        if (upper % passes !== pass || (upper === 0 && lower === 0) || skip(record)) continue;
        if (found === records.length) [records, hi, lo] = [larger(records), larger(hi), larger(lo)];
        records[found] = record;
        hi[found] = upper;
        lo[found] = lower;
        found += 1;
      }
    });
    return { records: records.subarray(0, found), hi: hi.subarray(0, found), lo: lo.subarray(0, found) };
  }
}

function larger(values: Uint32Array): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(2 * values.length);
  out.set(values);
  return out;
}

/** Appends to a file through a buffer. @throws UserError `output.full` and the like */
class Appender {
  private readonly buffer = Buffer.alloc(2 ** 16);
  private used = 0;
  private file: number | undefined;

  constructor(private readonly path: string) {
    this.file = openSync(path, "w");
  }

  append(bytes: Uint8Array): void {
    if (this.used + bytes.byteLength > this.buffer.length) this.flush();
    this.buffer.set(bytes, this.used);
    this.used += bytes.byteLength;
  }

  end(): void {
    if (this.file === undefined) return;
    this.flush();
    closeSync(this.file);
    this.file = undefined;
  }

  private flush(): void {
    try {
      for (let at = 0; at < this.used;) at += writeSync(this.file!, this.buffer, at, this.used - at);
    } catch (error) {
      throw writeError(this.path, error);
    }
    this.used = 0;
  }
}

function readChunks(path: string, bytes: number, visit: (chunk: Uint8Array) => void): void {
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(bytes);
    for (;;) {
      let filled = 0;
      for (let read = -1; filled < bytes && read !== 0; filled += read)
        read = readSync(file, buffer, filled, bytes - filled, null);
      if (filled === 0) return;
      visit(buffer.subarray(0, filled));
    }
  } finally {
    closeSync(file);
  }
}

/** Signatures by record: in memory where they fit, else read at need (the system's cache holds the busy ones). */
class Signatures {
  private readonly file: number;
  private readonly all: Buffer | undefined;
  private readonly pair = Buffer.alloc(2 * PERMUTATIONS);

  constructor(path: string) {
    this.file = openSync(path, "r");
    const { size } = fstatSync(this.file);
    if (size > SIGNATURES_IN_MEMORY) return;
    this.all = Buffer.alloc(size);
    for (let at = 0; at < size;) at += readSync(this.file, this.all, at, size - at, at);
  }

  similarity(a: number, b: number): number {
    if (this.all !== undefined) return similarity(this.all, this.all, a * PERMUTATIONS, b * PERMUTATIONS);
    readSync(this.file, this.pair, 0, PERMUTATIONS, a * PERMUTATIONS);
    readSync(this.file, this.pair, PERMUTATIONS, PERMUTATIONS, b * PERMUTATIONS);
    return similarity(this.pair, this.pair, 0, PERMUTATIONS);
  }

  close(): void {
    closeSync(this.file);
  }
}
