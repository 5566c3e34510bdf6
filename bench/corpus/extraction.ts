import type { Parser } from "web-tree-sitter";
import type { Language } from "../../src/base/index.js";
import { candidate } from "../../src/corpus/filters/index.js";
import { functionsOf, outlineOf } from "../../src/languages/_functions.js";
import { loadGrammar } from "../../src/languages/_grammar.js";
import { SyntaxTree } from "../../src/languages/_tree.js";
import { PROFILES } from "../../src/languages/profiles/index.js";
import type { BenchFile } from "./files.js";

/** Parsers of one language: the grammar's, and the second one that some profiles have. */
export interface Parsers {
  readonly main: Parser;
  readonly alternative: Parser | undefined;
}

/** What a run over files found and how long each language took. */
export interface Extracted {
  readonly seconds: Readonly<Partial<Record<Language, number>>>;
  readonly functions: Readonly<Partial<Record<Language, number>>>;
  readonly candidates: number;
}

/** The parsers of a language; `wrap` makes another kind of each. */
export async function parsersOf(
  lang: Language,
  wrap: (wasm: string, parser: Parser) => Promise<Parser> = (_, parser) => Promise.resolve(parser),
): Promise<Parsers> {
  const { grammar, alternative } = PROFILES[lang];
  return {
    main: await wrap(grammar, await loadGrammar(grammar)),
    alternative: alternative === undefined ? undefined : await wrap(alternative, await loadGrammar(alternative)),
  };
}

/** Texts in, functions, summaries and verdicts out: what a worker of `corpus build` does but for hashes. */
export function extractFiles(files: readonly BenchFile[], parsers: ReadonlyMap<Language, Parsers>): Extracted {
  const seconds: Partial<Record<Language, number>> = {};
  const functions: Partial<Record<Language, number>> = {};
  let candidates = 0;
  for (const { lang, text } of files) {
    const start = performance.now();
    const found = functionsOf(parse(text, lang, parsers.get(lang)!), PROFILES[lang]);
    for (const one of found) {
      if (typeof candidate(one, lang, { minTokens: 3, maxTokens: 256 }) !== "string") candidates += 1;
    }
    seconds[lang] = (seconds[lang] ?? 0) + (performance.now() - start) / 1000;
    functions[lang] = (functions[lang] ?? 0) + found.length;
  }
  return { seconds, functions, candidates };
}

/** As the languages room does it. */
function parse(text: string, lang: Language, { main, alternative }: Parsers): SyntaxTree {
  const outline = outlineOf(PROFILES[lang]);
  const tree = SyntaxTree.parse(main, text, outline);
  if (tree.errors.length === 0 || alternative === undefined) return tree;
  const other = SyntaxTree.parse(alternative, text, outline);
  return other.errors.length < tree.errors.length ? other : tree;
}
