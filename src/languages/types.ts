import type { Language } from "../base/index.js";

/** What a function is to its surroundings. */
export type FunctionKind = "function" | "method" | "constructor";

/**
 * One function with a body, as found in a file. Every offset counts UTF-16 code units (JavaScript string indices).
 *
 * @example
 * // Python:                         code: "def area(r):\n    return PI * r ** 2\n"
 * // def area(r):                    docstring: "Area of a disc."
 * //     """Area of a disc."""       body: "" (the only statement is a return)
 * //     return PI * r ** 2
 */
export interface ExtractedFunction {
  /** The plain name, without receiver or class: `bar` for `Foo.prototype.bar = function () {}`. */
  readonly name: string;
  readonly kind: FunctionKind;
  /** The declaration with its decorators, annotations and modifiers: `text.slice(start, end)`. */
  readonly start: number;
  readonly end: number;
  /** 1-based lines of `start` and of the last character. */
  readonly startLine: number;
  readonly endLine: number;
  /** `text.slice(start, end)` without the docstring (which in Python sits inside). */
  readonly code: string;
  /** The documentation without comment marks and common indentation; undefined where there is none. */
  readonly docstring: string | undefined;
  /** Where the documentation stands in the file, marks included; undefined where there is none. */
  readonly docSpan: readonly [start: number, end: number] | undefined;
  /**
   * The hard-positive form of stage 2 (Zhang et al. 2024): no signature, decorators, docstring or return statements of its own;
   * nested functions keep theirs. Common indentation is removed.
   */
  readonly body: string;
  /** As `body`, with the return statements: what is left where there is nothing else. */
  readonly inner: string;
  /** Lines of the body that hold code (not blank, not only comment, docstring not counted). */
  readonly bodyLines: number;
}

export type IdentifierKind = "class" | "function" | "variable" | "attribute";

/** A name that the file defines, with every occurrence that is obfuscated together. */
export interface Identifier {
  readonly name: string;
  /** The kind of its first definition in the file. */
  readonly kind: IdentifierKind;
  /** [start, end) of each occurrence, ascending, in UTF-16 code units. */
  readonly spans: readonly (readonly [start: number, end: number])[];
}

/** A file with its own names replaced. */
export interface Obfuscated {
  readonly text: string;
  /** Placeholder to original name, in order of first appearance. */
  readonly map: Readonly<Record<string, string>>;
}

/** What a leaf of the syntax tree is; strings hold characters, regular expressions and symbols too. */
export type TokenKind = "identifier" | "keyword" | "operator" | "string" | "number" | "comment";

/** One leaf of the syntax tree: `text.slice(start, end)`. A string's quotes and its content may be several. */
export interface SyntaxToken {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
}

/** A grammar that has been loaded, and what its profile knows about it. */
export interface LanguageParser {
  readonly language: Language;
  /** Functions with a body, in order of their start. Unsound ones (cut by a parse error) are left out. */
  extractFunctions(text: string): ExtractedFunction[];
  /** The names defined in the file, not those of other files, in order of first appearance. */
  identifiers(text: string): Identifier[];
  /** Replaces them by `c_i`, `f_i` and `v_i`. */
  obfuscate(text: string): Obfuscated;
  /** The leaves of the text's syntax tree in text order, documentation among comments or (Python) strings. */
  tokens(text: string): SyntaxToken[];
  /** Number of parse errors (error and missing nodes) in the text. */
  countErrors(text: string): number;
}
