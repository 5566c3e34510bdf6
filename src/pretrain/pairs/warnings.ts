import { LANGUAGES, UserError, type Language } from "../../base/index.js";
import type { PairTokens, TextSide } from "../pair-tokens.js";

/** Something about the pairs that the reader may want to know. */
export interface PairWarning {
  readonly code: string;
  readonly message: string;
}

/** @see pairWarnings */
export interface ExpectedPairs {
  readonly text: TextSide;
  /** Languages that the configuration names. */
  readonly wanted: readonly Language[] | undefined;
  /** Languages that the corpus should have. */
  readonly expected: readonly Language[];
}

/**
 * What was left out of the pairs, with numbers. A language that the configuration names must have pairs; the lack of one
 * that only the corpus promises is told.
 *
 * @throws UserError `corpus.language-missing`
 */
export function pairWarnings(
  { languages, counts, count }: Pick<PairTokens, "languages" | "counts" | "count">,
  { text, wanted, expected }: ExpectedPairs,
): PairWarning[] {
  const there = new Set(Array.from(languages, (language) => LANGUAGES[language]));
  const missing = (wanted ?? expected).filter((language) => !there.has(language));
  if (wanted !== undefined && missing.length > 0) {
    throw new UserError(
      "corpus.language-missing",
      `stage 2: expected training pairs of ${wanted.join(", ")}, got none of ${missing.join(", ")}`,
      { fix: "Take these out of training.languages, or build the corpus with them" },
    );
  }
  const warnings: PairWarning[] = [];
  const warn = (code: string, message: string): void => void warnings.push({ code, message });
  if (missing.length > 0 && there.size > 0) {
    warn(
      "pairs.language-missing",
      `the corpus has no training pairs of ${missing.join(", ")}; training goes on without`,
    );
  }
  if (counts.leaking > 0) {
    warn("pairs.leaking", `left out ${counts.leaking} pairs whose code repeats the summary word for word`);
  }
  if (counts.empty > 0) warn("pairs.empty", `left out ${counts.empty} pairs whose summary or code has no token`);
  if (typeof text === "object" && (text.docstring ?? 0) > 0 && counts.withoutDocstring > 0) {
    warn(
      "pairs.without-docstring",
      `${counts.withoutDocstring} of ${count} pairs have no docstring beyond their summary, which is shown instead`,
    );
  }
  if (typeof text === "object" && (text.name ?? 0) > 0 && counts.withoutName > 0) {
    warn(
      "pairs.without-name",
      `${counts.withoutName} of ${count} pairs have no name to ask for (one word, said by the body, or another pair's ` +
        "as well), so that their summary is shown instead",
    );
  }
  return warnings;
}

/** Languages whose pairs fill no batch of their own. */
export function leftOutWarnings(leftOut: Readonly<Record<string, number>>, batch: number): PairWarning[] {
  return Object.entries(leftOut).map(([language, pairs]) => ({
    code: "pairs.small-language",
    message: `${pairs} pairs of ${language} fill no batch of ${batch} of their own and are left out`,
  }));
}
