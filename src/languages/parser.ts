import type { Parser } from "web-tree-sitter";
import { internalError, LANGUAGES, UserError, type Language } from "../base/index.js";
import { functionsOf, outlineOf, shifted } from "./_functions.js";
import { loadGrammar } from "./_grammar.js";
import { identifiersOf, obfuscateTree } from "./_identifiers.js";
import type { Profile } from "./_profile.js";
import { tokensOf } from "./_tokens.js";
import { SyntaxTree, type Outline } from "./_tree.js";
import { PROFILES } from "./profiles/index.js";
import type { ExtractedFunction, Identifier, LanguageParser, Obfuscated, SyntaxToken } from "./types.js";

const loaded = new Map<Language, LanguageParser>();

/**
 * Loads a language's grammar, once; later calls give the same parser. Grammars load only when asked for.
 *
 * @throws UserError `languages.grammar`
 */
export async function loadLanguage(language: Language): Promise<LanguageParser> {
  const known = loaded.get(language);
  if (known !== undefined) return known;
  const profile = PROFILES[language];
  const parser = await loadGrammar(profile.grammar);
  const alternative = profile.alternative === undefined ? undefined : await loadGrammar(profile.alternative);
  const made = new ProfiledParser(profile, parser, alternative);
  loaded.set(language, made);
  return made;
}

/** {@link loadLanguage} for several. */
export async function loadLanguages(languages: Iterable<Language>): Promise<void> {
  for (const language of languages) await loadLanguage(language);
}

/** The functions of a text, by {@link LanguageParser.extractFunctions}. The language must have been loaded. */
export function extractFunctions(text: string, language: Language): ExtractedFunction[] {
  return parserOf(language).extractFunctions(text);
}

/** The names that a text defines, by {@link LanguageParser.identifiers}. The language must have been loaded. */
export function identifiers(text: string, language: Language): Identifier[] {
  return parserOf(language).identifiers(text);
}

/** The tokens of a text, by {@link LanguageParser.tokens}. The language must have been loaded. */
export function syntaxTokens(text: string, language: Language): SyntaxToken[] {
  return parserOf(language).tokens(text);
}

/** A text with its own names replaced, by {@link LanguageParser.obfuscate}. The language must have been loaded. */
export function obfuscate(text: string, language: Language): Obfuscated {
  return parserOf(language).obfuscate(text);
}

/** The language of a file by its ending; undefined for others. `.h` counts as C. */
export function languageOfPath(path: string): Language | undefined {
  const dot = path.lastIndexOf(".");
  return dot < 0 ? undefined : BY_EXTENSION.get(path.slice(dot).toLowerCase());
}

/** @throws UserError `languages.unknown` */
export function parseLanguage(name: string): Language {
  const found = LANGUAGES.find((language) => language === name);
  if (found !== undefined) return found;
  throw new UserError("languages.unknown", `language: expected one of ${LANGUAGES.join(", ")}, got ${name}`, {
    fix: "Use one of these names",
  });
}

const BY_EXTENSION: ReadonlyMap<string, Language> = new Map(
  LANGUAGES.flatMap((language) => PROFILES[language].extensions.map((extension) => [extension, language] as const)),
);

function parserOf(language: Language): LanguageParser {
  const parser = loaded.get(language);
  if (parser === undefined) throw internalError(`await loadLanguage("${language}") before parsing it`);
  return parser;
}

class ProfiledParser implements LanguageParser {
  constructor(
    private readonly profile: Profile,
    private readonly parser: Parser,
    private readonly alternative: Parser | undefined,
  ) {}

  get language(): Language {
    return this.profile.language;
  }

  extractFunctions(text: string): ExtractedFunction[] {
    const { profile } = this;
    const tree = this.parse(text, outlineOf(profile));
    const found = functionsOf(tree, profile);
    if (tree.errors.length === 0 || profile.lost === undefined) return found;
    const again: ExtractedFunction[] = [];
    for (const { start, end, line } of profile.lost(text, found)) {
      const piece = functionsOf(this.parse(text.slice(start, end), outlineOf(profile)), profile);
      again.push(...piece.map((lost) => shifted(lost, start, line)));
    }
    return again.length === 0 ? found : [...found, ...again].sort((a, b) => a.start - b.start || b.end - a.end);
  }

  identifiers(text: string): Identifier[] {
    return identifiersOf(this.parse(text), this.profile);
  }

  obfuscate(text: string): Obfuscated {
    return obfuscateTree(this.parse(text), this.profile);
  }

  tokens(text: string): SyntaxToken[] {
    return tokensOf(this.parse(text), this.profile);
  }

  countErrors(text: string): number {
    return this.parse(text).errors.length;
  }

  private parse(text: string, outline?: Outline): SyntaxTree {
    const tree = SyntaxTree.parse(this.parser, text, outline);
    if (tree.errors.length === 0 || this.alternative === undefined) return tree;
    const other = SyntaxTree.parse(this.alternative, text, outline);
    return other.errors.length < tree.errors.length ? other : tree;
  }
}
