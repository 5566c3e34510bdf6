import type { Rng } from "../base/index.js";
import { drawRate, roundRandomly, UNMASKED, type MaskedTokens, type MaskVocabulary, type Rate } from "./masking.js";

/** A name defined in a document and every place it occurs, as `[start, end)` UTF-16 offsets. */
export interface IdentifierSpans {
  readonly name: string;
  readonly spans: readonly (readonly [number, number])[];
}

/** A document's tokens where every identifier was tokenised on its own. */
export interface SegmentedTokens {
  readonly ids: Int32Array;
  /** For each token the index of the identifier it belongs to, -1 outside identifiers. */
  readonly owner: Int32Array;
  /** How many identifiers own at least one token; owners are `0 .. identifiers - 1`. */
  readonly identifiers: number;
}

/**
 * Tokenises a document piece by piece: each occurrence of an identifier alone, and the text between two of them alone,
 * so that neighbouring punctuation and the space before stay outside (`name(` never becomes one token).
 *
 * @param encode tokens of texts, nothing added; asked once, for the distinct pieces
 * @example
 * // "f(x)" with identifiers f and x
 * // pieces "f", "(", "x", ")": ids [f, (, x, )], owner [0, -1, 1, -1]
 */
export async function segmentTokens(
  text: string,
  identifiers: readonly IdentifierSpans[],
  encode: (texts: readonly string[]) => Promise<Int32Array[]>,
): Promise<SegmentedTokens> {
  const pieces = cutPieces(text, identifiers);
  const distinct = [...new Set(pieces.map((piece) => piece.text))];
  const encoded = await encode(distinct);
  const tokensOf = new Map(distinct.map((piece, index) => [piece, encoded[index]!]));

  const length = pieces.reduce((sum, piece) => sum + tokensOf.get(piece.text)!.length, 0);
  const ids = new Int32Array(length);
  const owner = new Int32Array(length).fill(-1);
  const numbers = new Map<number, number>(); // An identifier without a token (a tokenizer may drop `_`) gets no number.
  let offset = 0;
  for (const piece of pieces) {
    const tokens = tokensOf.get(piece.text)!;
    if (piece.identifier >= 0 && tokens.length > 0) {
      if (!numbers.has(piece.identifier)) numbers.set(piece.identifier, numbers.size);
      owner.fill(numbers.get(piece.identifier)!, offset, offset + tokens.length);
    }
    ids.set(tokens, offset);
    offset += tokens.length;
  }
  return { ids, owner, identifiers: numbers.size };
}

interface Piece {
  readonly text: string;
  /** Index of the identifier, -1 for what stands between two. */
  readonly identifier: number;
}

/** The pieces of a text, in order; joined they are the text. */
function cutPieces(text: string, identifiers: readonly IdentifierSpans[]): Piece[] {
  const occurrences = identifiers
    .flatMap(({ spans }, identifier) => spans.map(([start, end]) => ({ start, end, identifier })))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  const pieces: Piece[] = [];
  let at = 0;
  for (const { start, end, identifier } of occurrences) {
    if (start < at || end <= start) continue; // An overlap would repeat text: the first one has it.
    if (start > at) pieces.push({ text: text.slice(at, start), identifier: -1 });
    pieces.push({ text: text.slice(start, end), identifier });
    at = end;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), identifier: -1 });
  return pieces;
}

/**
 * Identifier deobfuscation (D in the paper; DOBF): every occurrence of every chosen identifier becomes as many mask
 * tokens as it has tokens, each predicting its own. All occurrences go together, so that the name cannot be copied.
 *
 * @param share how many of the document's identifiers are chosen, at least one where there is any
 */
export function maskIdentifiers(
  tokens: SegmentedTokens,
  share: Rate,
  vocabulary: Pick<MaskVocabulary, "maskId" | "special">,
  rng: Rng,
): MaskedTokens {
  const chosen = chooseIdentifiers(tokens.identifiers, drawRate(share, rng), rng);
  const input = tokens.ids.slice();
  const labels = new Int32Array(input.length).fill(UNMASKED);
  let count = 0;
  for (let i = 0; i < input.length; i++) {
    const owner = tokens.owner[i]!;
    const id = input[i]!;
    if (owner < 0 || chosen[owner] !== 1 || vocabulary.special.has(id)) continue;
    labels[i] = id;
    input[i] = vocabulary.maskId;
    count += 1;
  }
  return { input, labels, count };
}

function chooseIdentifiers(total: number, share: number, rng: Rng): Uint8Array {
  const chosen = new Uint8Array(total);
  const count = Math.min(total, Math.max(1, roundRandomly(share * total, rng)));
  if (count === total) return chosen.fill(1);
  const order = rng.permutation(total);
  for (let i = 0; i < count; i++) chosen[order[i]!] = 1;
  return chosen;
}
