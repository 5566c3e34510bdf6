import { deflateSync } from "node:zlib";

/** First bytes of a file of packed batches; the last one is the version of the format. */
export const MAGIC = Buffer.from("LODEPAK\u0001", "latin1");

/** What is known of an update beside its tokens. Plain data. */
export interface UpdateMeta {
  /** Number for the metrics: tokens, padding, ... */
  readonly stats: Readonly<Record<string, number>>;
  /** Where the batch after this one begins. */
  readonly next: Readonly<Record<string, number | string | null>>;
  readonly dropout_key: readonly [number, number];
  readonly learning_rate: number;
  /** Real tokens, padding not counted. */
  readonly real: number;
  /** Stage 1: masked places. */
  readonly masked?: number;
}

/** Columns of numbers by name; all updates of a block together. */
export type Columns = Readonly<Record<string, Uint8Array | Uint16Array | Uint32Array>>;

/**
 * A block of updates as bytes: `u32 length, u32 first update, u32 updates` (little-endian), then `length` bytes of zlib:
 * `u32 length, JSON {updates: UpdateMeta[], columns: [[name, width, count], ...]}` and the columns, one after another.
 *
 * Ids stay whole 16-bit numbers: deflate then finds the repetitions between neighbouring files, which it loses where low
 * and high bytes are kept apart.
 */
export function encodeBlock(first: number, updates: readonly UpdateMeta[], columns: Columns): Buffer {
  const entries = Object.entries(columns);
  const listed = entries.map(([name, values]) => [name, values.BYTES_PER_ELEMENT, values.length]);
  const meta = Buffer.from(JSON.stringify({ updates, columns: listed }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  const raw = entries.map(([, { buffer, byteOffset, byteLength }]) => Buffer.from(buffer, byteOffset, byteLength));
  const packed = deflateSync(Buffer.concat([length, meta, ...raw]), { level: 9, memLevel: 9 });
  const head = Buffer.alloc(12);
  head.writeUInt32LE(packed.length, 0);
  head.writeUInt32LE(first, 4);
  head.writeUInt32LE(updates.length, 8);
  return Buffer.concat([head, packed]);
}

/** Numbers that grow: typed arrays joined at the end. */
export class Column<T extends Uint8Array | Uint16Array | Uint32Array> {
  private readonly parts: T[] = [];

  constructor(private readonly make: (length: number) => T) {}

  push(part: T): void {
    this.parts.push(part);
  }

  /** All numbers so far; the column is empty afterwards. */
  take(): T {
    const parts = this.parts.splice(0);
    const joined = this.make(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }
}

/** A column of token ids: 2 bytes each where the vocabulary allows it. */
export function idColumn(vocabSize: number): { column: Column<Uint16Array> | Column<Uint32Array>; from: FromIds } {
  return vocabSize <= 2 ** 16
    ? { column: new Column((length) => new Uint16Array(length)), from: (ids) => Uint16Array.from(ids) }
    : { column: new Column((length) => new Uint32Array(length)), from: (ids) => Uint32Array.from(ids) };
}
type FromIds = (ids: ArrayLike<number> & Iterable<number>) => Uint16Array | Uint32Array;
