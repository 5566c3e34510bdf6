/** What `npm run check:deobfuscation` holds every file to. Kept apart so that tests can hold other files to it. */
import { createHash } from "node:crypto";
import type { Language } from "../src/base/index.js";
import { restore, type LanguageParser, type SyntaxToken } from "../src/languages/index.js";

/** What one file shows. Offsets count UTF-16 code units. */
export interface FileFindings {
  /** Identifier tokens, `_` left out: it is nobody's name. */
  readonly tokens: number;
  /** Those that an obfuscated identifier covers. */
  readonly masked: number;
  /** Identifier tokens left as they are although a name of the same spelling is obfuscated. */
  readonly namesakes: number;
  /** The file parses without an error. */
  readonly whole: boolean;
  /**
   * A file that does not parse whole, with more errors once obfuscated (recovery depends on how long names are), or with
   * a name inside what recovery took for a string.
   */
  readonly shakier: boolean;
  /** Properties that do not hold, each a sentence. */
  readonly problems: readonly string[];
  /** Names of one spelling that look alike and of which only some are obfuscated, each a sentence. */
  readonly unlike: readonly string[];
}

/**
 * Obfuscates a text and holds the result to four properties: undoing the map gives the text back byte for byte; a text
 * that parses still does; no byte of a string or comment changes; every occurrence of an obfuscated identifier is
 * obfuscated: of the names of one spelling that look alike ({@link lookOf}) all are or none.
 */
export function checkFile(parser: LanguageParser, text: string): FileFindings {
  const problems: string[] = [];
  const unlike: string[] = [];
  const identifiers = parser.identifiers(text);
  const obfuscated = parser.obfuscate(text);
  if (!Buffer.from(restore(obfuscated)).equals(Buffer.from(text))) problems.push("undoing the map changes bytes");

  const errors = parser.countErrors(text);
  const errorsAfter = parser.countErrors(obfuscated.text);
  if (errors === 0 && errorsAfter > 0) problems.push(`${errorsAfter} new parse errors`);

  const tokens = parser.tokens(text);
  const spans = new Map<number, number>();
  for (const one of identifiers) for (const [start, end] of one.spans) spans.set(start, end);
  const touched = touchedLiterals(text, tokens, spans);
  if (errors === 0) problems.push(...touched);
  if (errors === 0 && literals(text, tokens) !== literals(obfuscated.text, parser.tokens(obfuscated.text)))
    problems.push("a string or comment differs afterwards");

  const names = new Set(Object.values(obfuscated.map));
  const [alikeMasked, alikeKept] = [new Map<string, number>(), new Map<string, number>()];
  let [count, masked, namesakes] = [0, 0, 0];
  let at = 0;
  for (const token of tokens) {
    const previous = at; // End of the token before, comments passed over.
    if (token.kind !== "comment") at = token.end;
    if (token.kind !== "identifier") continue;
    const start = nameStart(text, token);
    const name = text.slice(start, token.end);
    if (name === "_") continue;
    count += 1;
    const isMasked = spans.has(token.start) || spans.has(start);
    if (isMasked) masked += 1;
    else if (names.has(name)) namesakes += 1;
    if (!names.has(name) || errors > 0) continue;
    const look = lookOf(parser.language, text, token, previous);
    if (look === undefined) continue;
    const key = `${look} ${name}`;
    (isMasked ? alikeMasked : alikeKept).set(key, start);
  }
  for (const [key, at] of alikeKept) {
    if (alikeMasked.has(key))
      unlike.push(
        `line ${lineOf(text, at)}: ${key.trim()} stays, but not in line ${lineOf(text, alikeMasked.get(key)!)}`,
      );
  }
  return {
    tokens: count,
    masked,
    namesakes,
    whole: errors === 0,
    shakier: errors > 0 && (errorsAfter > errors || touched.length > 0),
    problems,
    unlike,
  };
}

/** Where the name itself begins: behind `@`, `@@`, `$`, `#`. */
function nameStart(text: string, { start, end }: SyntaxToken): number {
  const marks = /^(?:@@?|[$#])(?=.)/.exec(text.slice(start, end));
  return start + (marks === null ? 0 : marks[0].length);
}

/** Ruby's symbols are literals that may name a method: `attr_reader :size`. */
const isSymbol = (raw: string): boolean => /^:[\p{L}_]/u.test(raw);

function touchedLiterals(text: string, tokens: readonly SyntaxToken[], spans: ReadonlyMap<number, number>): string[] {
  const starts = [...spans.keys()].sort((a, b) => a - b);
  const problems: string[] = [];
  let next = 0;
  for (const { kind, start, end } of tokens) {
    while (next < starts.length && spans.get(starts[next]!)! <= start) next += 1;
    const isHit = next < starts.length && starts[next]! < end;
    if (!isHit || (kind !== "string" && kind !== "comment") || isSymbol(text.slice(start, end))) continue;
    problems.push(`line ${lineOf(text, start)}: a name inside a ${kind}`);
  }
  return problems;
}

/** A digest of all strings and comments in their order, symbols left out. */
function literals(text: string, tokens: readonly SyntaxToken[]): string {
  const hash = createHash("sha256");
  for (const { kind, start, end } of tokens) {
    if (kind !== "string" && kind !== "comment") continue;
    const raw = text.slice(start, end);
    if (!isSymbol(raw)) hash.update(`${raw.length} ${raw}`);
  }
  return hash.digest("hex");
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** Statements whose names are those of files, packages and other files' contents. */
const ABOUT_FILES = /^[^\S\n]*(?:import|from|export|package|(?:global )?using|namespace|use|#|\[|require)/;
/** The name of an argument, a key, a label, what an import renames: it belongs elsewhere. */
const KEY = /^\s*(?:=(?![=>~])|:(?!:)|=>|as\b)/;
/** Words before a name that is being defined, or is no variable's. */
const INTRODUCES = /\b(struct|union|enum|def|func|function|fn|new|goto|break|continue|type|class)$/;

/**
 * What a name looks like from around it, by characters and without any syntax tree: its mark, whether it stands behind a
 * dot, an arrow or a word that introduces it, whether it is called, declared or a type. `undefined` where it belongs to
 * another file or to what it is handed to.
 *
 * @param previous where the token before ends
 *
 * Names that look alike are looked up alike, so of one spelling either all are obfuscated or none.
 */
function lookOf(language: Language, text: string, { start, end }: SyntaxToken, previous: number): string | undefined {
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const raw = text.slice(start, end);
  const before = text.slice(Math.max(0, previous - 200), previous);
  const after = text.slice(end, end + 2000);
  const line = text.slice(lineStart, start);
  if (ABOUT_FILES.test(text.slice(lineStart, end)) || KEY.test(after)) return undefined;
  if (language === "csharp" && raw === "value") return undefined; // In a setter it is the language's word.
  const mark = /^(?:@@?|[$#])/.exec(raw)?.[0] ?? (language === "php" && before.endsWith("$") ? "$" : "");
  const word = INTRODUCES.exec(before)?.[1] ?? (/\bfunc\s*\([^)]*\)$/.test(before) ? "func" : "");
  const isMember = /(?:(?<!\.\.)\.|->|::|\\)$/.test(before);
  if (isMember && language === "go" && isOfPackage(text, before)) return undefined;
  const called = /^\s*[(<]/.test(after) ? (isMethodHead(language, line, after) ? "{" : "(") : "";
  return `${word}${mark}${isMember ? "." : ""}${placeOf(language, line, after)}${called}`;
}

/** `strings.` where a path of an import ends with `strings`. */
function isOfPackage(text: string, before: string): boolean {
  const name = /(\w+)\s*\.$/.exec(before)?.[1];
  return name !== undefined && new RegExp(`"[^"\n]*\\b${name}(?:/v\\d+|\\.v\\d+)?"|\\b${name}\\s+"[^"\n]+"`).test(text);
}

function placeOf(language: Language, line: string, after: string): string {
  if (language === "go") return goPlace(line, after);
  // C: words and stars alone before a name declare it, perhaps as a member.
  return language === "c" && /^\s*(?!return|goto|case|else|sizeof)(?:\w+[\s*]+)+$/.test(line) ? " declared" : "";
}

/** Go: the beginning of a line declares a field, a name behind another is its type, a name before a dot a package. */
function goPlace(line: string, after: string): string {
  if (/\b(?:var|const|return|range|case|if|for|go|defer|else|switch|select)\s+$/.test(line)) return "";
  if (/^\s*(?:\w+,\s*)*$/.test(line) && /^(?:,\s*\w+)*\s+[\w*[(]/.test(after)) return " field";
  if (/^\s*\w+\s*$/.test(line)) return " type";
  if (/(?:\w\s+|\)\s*|[*\]&]|func \()$/.test(line)) return " type";
  return /^\./.test(after) ? " package" : "";
}

/** `name(a, b) {` or `name(a): T {` at the beginning of a line: where a method is defined. */
function isMethodHead(language: Language, line: string, after: string): boolean {
  if (language === "python" || language === "go" || language === "ruby") return false;
  if (!/^\s*(?:(?:public|private|protected|static|async|override|abstract|get|set)\s+)*$/.test(line)) return false;
  let depth = 0;
  for (let i = after.indexOf("("); i >= 0 && i < after.length; i++) {
    if (after[i] === "(") depth += 1;
    else if (after[i] === ")" && --depth === 0) return /^\s*[{:]/.test(after.slice(i + 1));
  }
  return false;
}
