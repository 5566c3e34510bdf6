import type { Language } from "../../base/index.js";
import { mix32 } from "./_hash.js";

/** Where comments begin and strings may span lines. */
interface Lexis {
  readonly slashes: boolean;
  readonly hash: boolean;
  readonly backtick: boolean;
  readonly triple: boolean;
}

const BRACE: Lexis = { slashes: true, hash: false, backtick: false, triple: false };
const LEXIS: Readonly<Record<Language, Lexis>> = {
  python: { slashes: false, hash: true, backtick: false, triple: true },
  ruby: { slashes: false, hash: true, backtick: false, triple: false },
  php: { slashes: true, hash: true, backtick: false, triple: false },
  javascript: { ...BRACE, backtick: true },
  typescript: { ...BRACE, backtick: true },
  go: { ...BRACE, backtick: true },
  java: BRACE,
  csharp: BRACE,
  c: BRACE,
};

/**
 * Hashes of a code's tokens: words (names, numbers, keywords) and single other characters. White space and the placing
 * of line breaks do not count; with `comments: false` neither do comments and Python docstrings. The lowest bit says
 * whether a token is a word that begins like a name.
 *
 * A scanner of a few rules, not a lexer: what it gets wrong (a regular expression that holds `//`) it gets wrong alike in
 * equal code, which is what it is for.
 */
export function tokenHashes(code: string, lang: Language, comments = false): Uint32Array {
  const lexis = LEXIS[lang];
  let tokens = new Uint32Array(Math.max(16, code.length >> 2));
  let count = 0;
  let quote = 0; // The character code that ends the string we are in; 0 outside.
  let statement = true; // Nothing but white space since the start of the line: a triple-quoted string is a docstring.
  const { length } = code;
  for (let at = 0; at < length;) {
    const c = code.charCodeAt(at);
    if (c <= 32) {
      if (c === NEWLINE) {
        statement = true;
        if (quote === DOUBLE || quote === SINGLE) quote = 0;
      }
      at += 1;
      continue;
    }
    if (quote === 0 && !comments) {
      const end = commentEnd(code, at, c, lexis, statement);
      if (end > at) {
        at = end;
        continue;
      }
    }
    if (count === tokens.length) {
      const larger = new Uint32Array(2 * count);
      larger.set(tokens);
      tokens = larger;
    }
    if (isWord(c)) {
      let h = 0x811c9dc5;
      const start = at;
      for (let code_ = c; isWord(code_); code_ = at < length ? code.charCodeAt(at) : 0) {
        h = Math.imul(h ^ code_, 0x01000193);
        at += 1;
      }
      tokens[count++] = ((mix32(h ^ (at - start)) & ~1) | (c >= 48 && c <= 57 ? 0 : 1)) >>> 0;
      statement = false;
      continue;
    }
    if (quote === 0) {
      if (c === DOUBLE || c === SINGLE || (c === BACKTICK && lexis.backtick)) {
        if (lexis.triple && code.charCodeAt(at + 1) === c && code.charCodeAt(at + 2) === c) at += 2;
        else quote = c;
      }
    } else if (c === BACKSLASH && quote !== 0) {
      tokens[count++] = mix32(BACKSLASH) & ~1;
      at += 2; // What is escaped does not end the string.
      continue;
    } else if (c === quote) quote = 0;
    tokens[count++] = (mix32(c) & ~1) >>> 0;
    statement = false;
    at += 1;
  }
  return tokens.subarray(0, count);
}

const [NEWLINE, DOUBLE, SINGLE, BACKTICK, BACKSLASH, SLASH, HASH] = [10, 34, 39, 96, 92, 47, 35];

/** Behind the comment that begins at `at`; `at` itself if none does. */
function commentEnd(code: string, at: number, c: number, lexis: Lexis, statement: boolean): number {
  if (c === SLASH && lexis.slashes) {
    const next = code.charCodeAt(at + 1);
    if (next === SLASH) return lineEnd(code, at);
    if (next === 42) {
      const end = code.indexOf("*/", at + 2);
      return end < 0 ? code.length : end + 2;
    }
  }
  // PHP writes attributes as #[...].
  if (c === HASH && lexis.hash && !(lexis.slashes && code.charCodeAt(at + 1) === 91)) return lineEnd(code, at);
  if (lexis.triple && statement && (c === DOUBLE || c === SINGLE)) {
    const mark = code.slice(at, at + 3);
    if (mark === '"""' || mark === "'''") {
      const end = code.indexOf(mark, at + 3);
      return end < 0 ? code.length : end + 3;
    }
  }
  return at;
}

function lineEnd(code: string, at: number): number {
  const end = code.indexOf("\n", at);
  return end < 0 ? code.length : end;
}

function isWord(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c === 95 || c === 36 || c >= 128;
}

/**
 * The tokens with every name replaced by the number of its first appearance: equal for two codes that differ in their
 * names only.
 */
export function anonymous(tokens: Uint32Array): Uint32Array {
  const numbers = new Map<number, number>();
  return tokens.map((token) => {
    if ((token & 1) === 0) return token;
    let number = numbers.get(token);
    if (number === undefined) numbers.set(token, (number = numbers.size));
    return mix32(number + 0x51ed270b) | 1;
  });
}

/** Index of the first opening brace (or bracket, where the language has no braces) among the tokens; 0 if none. */
export function bodyStart(tokens: Uint32Array, lang: Language): number {
  const brace = (mix32(lang === "python" || lang === "ruby" ? 40 : 123) & ~1) >>> 0;
  return Math.max(0, tokens.indexOf(brace));
}
