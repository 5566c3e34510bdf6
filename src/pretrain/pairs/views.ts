import type { Rng } from "../../base/index.js";
import type { PairTokens, Positives, TextSide } from "../pair-tokens.js";

/** What stands on the text side of a pair. */
export const TEXT_KINDS = ["summary", "docstring", "name"] as const;
export type TextKind = (typeof TEXT_KINDS)[number];

/** What of a pair is shown at one of its passes. */
export interface View {
  readonly text: TextKind;
  /** The code side: the body alone, or the whole function. */
  readonly body: boolean;
}

/** Every view there is; a plan keeps their numbers. */
export const VIEWS: readonly View[] = TEXT_KINDS.flatMap((text) => [
  { text, body: false },
  { text, body: true },
]);

/** @see viewsOf */
export interface ViewOptions {
  readonly positives: Positives;
  readonly text: TextSide;
}

/**
 * Draws what is shown of a pair: by the key, the pair's id and its pass (how often it was shown before) alone, so in
 * whatever order and corpus it comes. A pair without the docstring or name that was drawn shows its summary. A name is
 * always asked of the body, which does not say it.
 *
 * @returns a function that gives the number of a view in {@link VIEWS}
 */
export function viewsOf(
  pairs: PairTokens,
  { positives, text }: ViewOptions,
  rng: Rng,
): (pair: number, pass: number) => number {
  const mixed = typeof positives === "object" ? positives.mixed : undefined;
  const { name = 0, docstring = 0 } = typeof text === "object" ? text : {};
  const stream = (label: string): ((pass: number) => Rng) => {
    let [last, made] = [-1, rng];
    return (pass) => {
      if (pass !== last) [last, made] = [pass, rng.split(label, pass)];
      return made;
    };
  };
  const [ofText, ofPositive] = [stream("text"), stream("positive")];
  return (pair, pass) => {
    const id = pairs.ids[pair]!;
    if (name + docstring > 0) {
      const drawn = ofText(pass).split(id).uniform();
      if (drawn < name && pairs.names.lengthOf(pair) > 0) return numberOf("name", true);
      if (drawn >= name && drawn < name + docstring && pairs.docstrings.lengthOf(pair) > 0) {
        return numberOf("docstring", bodyOf(id, pass));
      }
    }
    return numberOf("summary", bodyOf(id, pass));
  };

  function bodyOf(id: number, pass: number): boolean {
    return mixed === undefined ? positives === "hard" : ofPositive(pass).split(id).uniform() < mixed;
  }
}

function numberOf(text: TextKind, body: boolean): number {
  return 2 * TEXT_KINDS.indexOf(text) + (body ? 1 : 0);
}
