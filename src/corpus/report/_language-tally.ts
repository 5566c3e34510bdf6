import type { Language } from "../../base/index.js";
import { syntaxTokens, type TokenKind } from "../../languages/index.js";
import type { CorpusDocument, CorpusPair, LanguageCounts } from "../types.js";
import { OverlapTally } from "./_overlap.js";
import { countPieces } from "./_pieces.js";
import { LengthTally, NameTally } from "./_tally.js";
import type { LanguageStats, Precision, TokenSplit } from "./types.js";

/** Origins shown by name. */
const TOP_ORIGINS = 15;
const WORD = /[\p{L}\p{N}]+/gu;

/** Everything that is counted for one language while its records stream by; constant memory. */
export class LanguageTally {
  private readonly tokens = noTokens();
  private readonly characters = noTokens();
  private sampled = 0;
  private readonly overlap = new OverlapTally();
  private readonly origins = new NameTally(() => ({ pairs: 0 }));
  private readonly lengths = {
    summary: new LengthTally(),
    docstring: new LengthTally(),
    code: new LengthTally(),
    body: new LengthTally(),
    lines: new LengthTally(),
    document: new LengthTally(),
  };
  private pairs = 0;

  constructor(private readonly language: Language) {}

  addPair(pair: CorpusPair): void {
    const { summary, docstring, code, body, startLine, endLine, origin } = pair;
    this.pairs += 1;
    this.origins.of(origin).pairs += 1;
    this.overlap.add(pair);
    this.lengths.summary.add(countWords(summary));
    this.lengths.docstring.add(countWords(docstring));
    this.lengths.code.add(countPieces(code));
    this.lengths.body.add(countPieces(body));
    this.lengths.lines.add(endLine - startLine + 1);
  }

  addDocument(document: CorpusDocument): void {
    this.lengths.document.add(document.text.length);
  }

  /** Counts what the document is made of. The language must have been loaded. */
  addTokens({ text }: CorpusDocument): void {
    this.sampled += 1;
    for (const { kind, start, end } of syntaxTokens(text, this.language)) {
      this.characters[kind] += end - start;
      this.tokens[kind] += countPieces(text.slice(start, end));
    }
  }

  summary(counts: LanguageCounts, audit: Precision | undefined): LanguageStats {
    const sorted = this.origins.sorted("pairs");
    const share = (pairs: number): number => (this.pairs === 0 ? 0 : pairs / this.pairs);
    const { summary, docstring, code, body, lines, document } = this.lengths;
    return {
      ...counts,
      precision: audit === undefined ? null : audit.precision,
      audit: audit ?? null,
      tokens: splitOf(this.sampled, this.tokens, this.characters),
      overlap: this.overlap.summary(),
      lengths: {
        summary: summary.summary(),
        docstring: docstring.summary(),
        code: code.summary(),
        body: body.summary(),
        lines: lines.summary(),
        document: document.summary(),
      },
      origins: {
        count: this.origins.size,
        top: sorted.slice(0, TOP_ORIGINS).map(({ name, counts: { pairs } }) => {
          return { origin: name, pairs, share: share(pairs) };
        }),
        largestShare: share(sorted[0]?.counts.pairs ?? 0),
      },
    };
  }
}

function noTokens(): Record<TokenKind, number> {
  return { identifier: 0, keyword: 0, operator: 0, string: 0, number: 0, comment: 0 };
}

/** The shares of METHOD's table on tokens. */
export function splitOf(
  documents: number,
  tokens: Readonly<Record<TokenKind, number>>,
  characters: Readonly<Record<TokenKind, number>>,
): TokenSplit {
  const code = tokens.identifier + tokens.keyword + tokens.operator;
  const literals = tokens.string + tokens.number + tokens.comment;
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  return {
    documents,
    tokens,
    characters,
    codeShare: share(code, code + literals),
    identifiersOfCode: share(tokens.identifier, code),
    literalShare: share(literals, code + literals),
    textOfLiterals: share(tokens.string + tokens.comment, literals),
  };
}

function countWords(text: string): number {
  return text.match(WORD)?.length ?? 0;
}
