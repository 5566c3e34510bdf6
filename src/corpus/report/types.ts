import type { Language } from "../../base/index.js";
import type { TokenKind } from "../../languages/index.js";
import type { DroppedSample, ExclusionReport, LanguageCounts, Split } from "../types.js";
import type { Overlap } from "./_overlap.js";
import type { Lengths } from "./_tally.js";
import type { Precision } from "./precision.js";

export type { Lengths, Overlap, Precision };

/** What documents are made of, by tree-sitter's leaves; each leaf's text is counted in tokens of the report. */
export interface TokenSplit {
  /** Documents it was counted on. */
  readonly documents: number;
  readonly tokens: Readonly<Record<TokenKind, number>>;
  /** UTF-16 code units. */
  readonly characters: Readonly<Record<TokenKind, number>>;
  /** Identifiers, keywords and operators over all tokens. */
  readonly codeShare: number;
  /** Identifiers over those. */
  readonly identifiersOfCode: number;
  /** Strings, numbers and comments over all tokens; with `codeShare` 1. */
  readonly literalShare: number;
  /** Strings and comments, documentation included, over those. */
  readonly textOfLiterals: number;
}

/** One package or repository, and what it gave to a language. */
export interface OriginShare {
  readonly origin: string;
  readonly pairs: number;
  /** Of the language's pairs. */
  readonly share: number;
}

export interface LanguageStats extends LanguageCounts {
  /** Kept over marked samples of the audit; null where there is none. */
  readonly precision: number | null;
  readonly audit: Precision | null;
  readonly tokens: TokenSplit;
  /** Over all tokens and over words and numbers alone. */
  readonly overlap: {
    readonly tokens: { readonly summary: Overlap; readonly docstring: Overlap };
    readonly words: { readonly summary: Overlap; readonly docstring: Overlap };
  };
  readonly lengths: {
    /** Words and numbers. */
    readonly summary: Lengths;
    readonly docstring: Lengths;
    /** Tokens of the report. */
    readonly code: Lengths;
    readonly body: Lengths;
    /** Lines of the whole function. */
    readonly lines: Lengths;
    /** UTF-16 code units. */
    readonly document: Lengths;
  };
  readonly origins: {
    readonly count: number;
    readonly top: readonly OriginShare[];
    /** The largest share of one origin. */
    readonly largestShare: number;
  };
}

export interface LicenceShare {
  /** SPDX expression, `NOASSERTION` where none is known. */
  readonly licence: string;
  readonly documents: number;
  readonly pairs: number;
}

export interface SourceSize {
  readonly origin: string;
  readonly documents: number;
  readonly pairs: number;
  /** UTF-16 code units of its documents. */
  readonly characters: number;
}

/** One rule and what it dropped. */
export interface DroppedRule {
  readonly rule: string;
  /** Whether it looks at whole files or at functions. */
  readonly of: "files" | "functions";
  readonly total: number;
  /** Empty for rules on files, which are counted together. */
  readonly languages: Readonly<Partial<Record<Language, number>>>;
  /** At most ten. */
  readonly samples: readonly DroppedSample[];
}

/** What `lodestone corpus stats` measures. */
export interface CorpusStats {
  readonly format: "lodestone-corpus-stats";
  readonly version: 1;
  readonly functions: number;
  readonly pairs: number;
  readonly documents: number;
  readonly splits: Readonly<Record<Split, { readonly documents: number; readonly pairs: number }>>;
  readonly languages: Readonly<Partial<Record<Language, LanguageStats>>>;
  readonly dropped: readonly DroppedRule[];
  readonly licences: readonly LicenceShare[];
  /** What the excluded evaluation sets removed. */
  readonly excluded: readonly ExclusionReport[];
  /** By size, the largest first. */
  readonly sources: { readonly count: number; readonly top: readonly SourceSize[] };
}
