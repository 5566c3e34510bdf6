import { PLACEHOLDER } from "../../languages/index.js";
import type { PretrainTokenizer } from "../types.js";

/** A hole in a text: the mask written out, or a placeholder for a name. */
export interface Hole {
  /** `[start, end)` in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  /** Holes of one name stand for the same text. */
  readonly name: string;
}

/** A text's tokens with mask tokens where its holes are. */
export interface HoledTokens {
  readonly ids: Int32Array;
  /** For every hole the index of its first mask token; it has as many as `masks` said. */
  readonly places: readonly number[];
}

/** Every `<mask>` of a text, each a name of its own. */
export function findMasks(text: string, mask: string): Hole[] {
  const holes: Hole[] = [];
  for (let at = text.indexOf(mask); at >= 0; at = text.indexOf(mask, at + mask.length)) {
    holes.push({ start: at, end: at + mask.length, name: `${at}` });
  }
  return holes;
}

/** Placeholders as `obfuscate` writes them (`c_0`, `f_3`, `v_12`; `V_1` where the language asks for a capital). */
export function findPlaceholders(text: string): Hole[] {
  return [...text.matchAll(PLACEHOLDER)].map((found) => ({
    start: found.index,
    end: found.index + found[0].length,
    name: found[0],
  }));
}

/**
 * Tokenises what stands between the holes, each piece on its own as deobfuscation does in training, and puts mask tokens
 * or known text into the holes.
 *
 * @param holes in order, without overlap
 * @param masks how many mask tokens a hole gets
 * @param known text for a hole by its name, instead of masks
 */
export async function tokeniseHoles(
  text: string,
  holes: readonly Hole[],
  tokenizer: Pick<PretrainTokenizer, "encodeIds" | "maskId">,
  masks: (hole: Hole) => number,
  known: ReadonlyMap<string, string> = new Map(),
): Promise<HoledTokens> {
  const pieces: string[] = [];
  let at = 0;
  for (const hole of holes) {
    pieces.push(text.slice(at, hole.start), known.get(hole.name) ?? "");
    at = hole.end;
  }
  pieces.push(text.slice(at));
  const encoded = await tokenizer.encodeIds(pieces);
  const ids: number[] = [];
  const places: number[] = [];
  const add = (tokens: Int32Array): void => {
    for (const id of tokens) ids.push(id); // Spreading would overflow the stack on a large file.
  };
  holes.forEach((hole, i) => {
    add(encoded[2 * i]!);
    places.push(ids.length);
    if (known.has(hole.name)) add(encoded[2 * i + 1]!);
    else for (let mask = 0; mask < masks(hole); mask++) ids.push(tokenizer.maskId);
  });
  add(encoded[2 * holes.length]!);
  return { ids: Int32Array.from(ids), places };
}
