import { UNMASKED } from "./masking.js";

/** A whole document ready for packing: masked, end-of-sequence token appended. */
export interface Example {
  readonly input: Int32Array;
  /** {@link UNMASKED} where nothing is predicted. */
  readonly labels: Int32Array;
  readonly objective: Objective;
}

/** Random masking, or deobfuscation. */
export type Objective = "R" | "D";

/** What the graphs call them. */
export const OBJECTIVE_CODE: Readonly<Record<Objective, number>> = { R: 0, D: 1 };

/** Rows of packed documents; matrices are `[rows, length]`, row-major. */
export interface PackedRows {
  readonly rows: number;
  readonly length: number;
  readonly inputIds: Int32Array;
  /** Restart at 0 with every piece of a document. */
  readonly positions: Int32Array;
  /** 0 is padding; 1, 2, ... number the pieces of a row. Tokens attend within their own only. */
  readonly segments: Int32Array;
  readonly masked: MaskedPositions;
  /** Tokens of documents under objective D. */
  readonly deobfuscated: number;
}

/** What is predicted, ascending. */
export interface MaskedPositions {
  /** Flat into `[rows, length]`. */
  readonly index: Int32Array;
  readonly label: Int32Array;
  readonly objective: Int32Array;
}

/** Where a packer stands in its stream of documents. */
export interface Reader {
  /** The document in hand, or the next one; undefined where there is none left. */
  current(): Promise<Example | undefined>;
  /** Tokens of it that earlier pieces took. */
  offset: number;
  /** The document in hand is used up. */
  advance(): void;
}

/**
 * A document that does not fit in what is left of a row is cut there, unless what is left is shorter than this: a
 * handful of tokens teaches little, so the row is padded and the document goes on in the next one.
 */
export function shortestPiece(length: number): number {
  return Math.min(16, Math.ceil(length / 4));
}

/**
 * Fills rows of fixed length with documents, one after another (as in the paper: concatenated, with block attention). A
 * document longer than what is left is cut into pieces, each a segment of its own. Stops early, with padding, where a
 * row's stream ends.
 *
 * @param readerOf where a row's documents come from; rows are filled one after the other and may share a reader
 */
export async function packRows(
  readerOf: (row: number) => Reader,
  shape: { rows: number; length: number; padId: number },
): Promise<PackedRows> {
  const { rows, length, padId } = shape;
  const inputIds = new Int32Array(rows * length).fill(padId);
  const positions = new Int32Array(rows * length);
  const segments = new Int32Array(rows * length);
  const index: number[] = [];
  const label: number[] = [];
  const objective: number[] = [];
  let deobfuscated = 0;
  for (let row = 0; row < rows; row++) {
    const reader = readerOf(row);
    let used = 0;
    for (let segment = 1; used < length; segment++) {
      const example = await reader.current();
      if (example === undefined) break;
      const left = example.input.length - reader.offset;
      const room = length - used;
      if (left > room && room < shortestPiece(length)) break;
      const size = Math.min(left, room);
      const start = row * length + used;
      for (let i = 0; i < size; i++) {
        const from = reader.offset + i;
        inputIds[start + i] = example.input[from]!;
        positions[start + i] = i;
        segments[start + i] = segment;
        if (example.labels[from] === UNMASKED) continue;
        index.push(start + i);
        label.push(example.labels[from]!);
        objective.push(OBJECTIVE_CODE[example.objective]);
      }
      if (example.objective === "D") deobfuscated += size;
      used += size;
      reader.offset += size;
      if (size === left) reader.advance();
    }
  }
  const masked = {
    index: Int32Array.from(index),
    label: Int32Array.from(label),
    objective: Int32Array.from(objective),
  };
  return { rows, length, inputIds, positions, segments, masked, deobfuscated };
}

/**
 * Room for masked positions: the smallest multiple of a sixteenth of the tokens that holds them. A batch so never has
 * more masked positions than room, whatever the objectives drew, nothing is dropped, and logits (the most expensive
 * part of a small model's step) are computed for few empty places. There are at most 16 different shapes.
 *
 * @example
 * maskedCapacity(1270, 4096) // 1280 = 5 * 256
 */
export function maskedCapacity(count: number, tokens: number): number {
  const unit = Math.max(1, Math.ceil(tokens / 16));
  return Math.max(1, Math.ceil(count / unit)) * unit;
}
