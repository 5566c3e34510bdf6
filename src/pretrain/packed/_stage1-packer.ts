import { internalError, type Tensor } from "../../base/index.js";
import { Column, idColumn, type Columns } from "./_block.js";

type Tensors = Readonly<Record<string, Tensor>>;

/** What the two packers have in common: batches go in, columns come out. */
export interface Packer {
  /** Adds a batch. @returns its real tokens and, in stage 1, its masked places */
  add(tensors: Tensors): { readonly real: number; readonly masked?: number };
  /** The columns of the batches since the last call. */
  take(): Columns;
}

/**
 * Stage 1: of every token its original id and one bit, whether it is masked; of every piece of a document its length and
 * objective. Positions, segments, labels, weights and what the encoder sees follow from these. Where a masked token was
 * not replaced by the mask token (80-10-10), `replaced` holds what stands at the masked places.
 */
export class Stage1Packer implements Packer {
  private readonly pieces = new Column((length) => new Uint16Array(length));
  private readonly lengths = new Column((length) => new Uint32Array(length));
  private readonly objectives = new Column((length) => new Uint8Array(length));
  private readonly masks = new Column((length) => new Uint8Array(length));
  private readonly ids;
  private readonly replaced;
  private replacing = false;

  constructor(
    vocabSize: number,
    private readonly maskId: number,
  ) {
    this.ids = idColumn(vocabSize);
    this.replaced = idColumn(vocabSize);
  }

  add(tensors: Tensors): { real: number; masked: number } {
    const [rows, length] = tensors["input_ids"]!.dims as [number, number];
    const seen = tensors["input_ids"]!.data as Int32Array;
    const segments = tensors["segments"]!.data as Int32Array;
    const index = tensors["masked_index"]!.data as Int32Array;
    const label = tensors["masked_label"]!.data as Int32Array;
    const weight = tensors["masked_weight"]!.data as Float32Array;
    const objective = tensors["objective"]!.data as Int32Array;
    const masked = weight.findLastIndex((value) => value > 0) + 1;

    const original = seen.slice();
    const isMasked = new Uint8Array(seen.length);
    const deobfuscated = new Uint8Array(seen.length);
    for (let i = 0; i < masked; i++) {
      const at = index[i]!;
      original[at] = label[i]!;
      isMasked[at] = 1;
      deobfuscated[at] = objective[i]!;
      if (seen[at] !== this.maskId) this.replacing = true;
    }
    const counts = new Uint16Array(rows);
    const lengths: number[] = [];
    const objectives: number[] = [];
    const ids: number[] = [];
    const bits: number[] = [];
    for (let row = 0; row < rows; row++) {
      for (let at = row * length; at < (row + 1) * length && segments[at]! > 0; at++) {
        if (segments[at]! > counts[row]!) {
          counts[row] = segments[at]!;
          lengths.push(0);
          objectives.push(0);
        }
        lengths[lengths.length - 1]! += 1;
        if (deobfuscated[at] === 1) objectives[objectives.length - 1] = 1;
        ids.push(original[at]!);
        bits.push(isMasked[at]!);
      }
    }
    if (bits.reduce((sum, bit) => sum + bit, 0) !== masked) throw internalError("pack: a masked place lies in padding");
    this.pieces.push(counts);
    this.lengths.push(Uint32Array.from(lengths));
    this.objectives.push(Uint8Array.from(objectives));
    this.masks.push(packBits(bits));
    this.ids.column.push(this.ids.from(ids) as never);
    const there = Array.from(index.subarray(0, masked), (at) => seen[at]!);
    this.replaced.column.push(this.replaced.from(there) as never);
    return { real: ids.length, masked };
  }

  take(): Columns {
    const replaced = this.replaced.column.take();
    const columns = {
      pieces: this.pieces.take(),
      lengths: this.lengths.take(),
      objectives: this.objectives.take(),
      masks: this.masks.take(),
      ids: this.ids.column.take(),
      ...(this.replacing ? { replaced } : {}),
    };
    this.replacing = false;
    return columns;
  }
}

/** Eight bits a byte, the first in the lowest place; every batch begins a new byte. */
function packBits(bits: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, i) => (bytes[i >> 3]! |= bit << (i & 7)));
  return bytes;
}
