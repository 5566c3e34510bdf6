import type { Language } from "../base/index.js";

/** Folders that hold other people's or built files, wherever they stand inside a source. */
const FOLDERS: Readonly<Record<string, string>> = {
  node_modules: "vendored",
  bower_components: "vendored",
  jspm_packages: "vendored",
  vendor: "vendored",
  vendors: "vendored",
  third_party: "vendored",
  "third-party": "vendored",
  thirdparty: "vendored",
  externs: "vendored",
  dist: "built",
  __pycache__: "built",
  __generated__: "generated",
};

const COMPILED_NAME =
  /[.-](?:min|bundle|bundled|umd|iife|esm|cjs|prod|production\.min|pack|packed|global|amd|es5|es6|standalone|prelude)\.[cm]?js$/i;
const GENERATED_NAME =
  /(?:\.pb\.go|_pb2(?:_grpc)?\.py|_pb\.(?:js|d\.ts)|\.pb-c\.[ch]|\.designer\.cs|\.g(?:enerated)?\.(?:cs|ts|js|go)|_generated\.\w+|\.generated\.\w+|_string\.go|zz_generated\.\w+\.go|\.tab\.[ch]|lex\.yy\.c|parsetab\.py|-lock\.\w+)$/i;

/** Why a path is left out by its name alone; a folder's path ends with a slash. */
export function excludedByName(path: string): string | undefined {
  const names = path.split("/");
  if (path.endsWith("/")) {
    const name = names.at(-2) ?? "";
    return name.startsWith(".") ? "hidden" : FOLDERS[name.toLowerCase()];
  }
  const name = names.at(-1) ?? "";
  if (/\.d\.[cm]?ts$/i.test(name)) return "declarations";
  if (COMPILED_NAME.test(name)) return "minified";
  return GENERATED_NAME.test(name) ? "generated" : undefined;
}

/** Why a text is left out. */
export function excludedByText(text: string, lang: Language): string | undefined {
  if (text.trim() === "") return "empty";
  if (text.includes("\u0000")) return "binary";
  const lines = lineLengths(text);
  if (lines.longest > 5_000 || lines.mean > 140) return "long-lines";
  const head = text.slice(0, 3_000);
  if (GENERATED.test(head)) return "generated";
  if ((lang === "javascript" || lang === "typescript") && isCompiled(text)) return "compiled";
  return undefined;
}

/** Only in a comment near the top: a generator may well contain the words that it writes. */
const GENERATED =
  /^[ \t]*(?:\/\/|\/\*|\*|#|--|<!--|;)[^\n]*(?:@generated\b|\b(?:code|file|class|source) (?:is |was |has been )?(?:auto[- ]?|automatically )?generated\b|\bauto-?generated (?:by|from|file|code)|\bautomatically generated\b|\bdo not (?:edit|modify)\b|\bgenerated (?:by|from|with|using) (?:the )?[\w.-]+ ?(?:compiler|tool|generator|script|from|at|on|\.|$)|\bDO NOT EDIT\b)/im;

/** What compilers and bundlers leave in their output. */
const COMPILED = [
  /^Object\.defineProperty\(exports, ["']__esModule["']/m,
  /^(?:var|const|let) __(?:extends|assign|awaiter|generator|decorate|importDefault|createBinding|importStar|rest|spreadArray|commonJS|export|toESM|defProp) = /m,
  /\b__webpack_(?:require|exports|modules)__\b/,
  /\b_interopRequire(?:Default|Wildcard)\(/,
  /\bregeneratorRuntime\.(?:mark|wrap)\(/,
  /\b_(?:classCallCheck|createClass|inherits)\(/,
  /^System\.register\(\[/m,
  /\bparcelRequire\b/,
  /^\/\*! For license information please see /m,
];

function isCompiled(text: string): boolean {
  return COMPILED.some((mark) => mark.test(text));
}

function lineLengths(text: string): { longest: number; mean: number } {
  let longest = 0;
  let count = 0;
  let start = 0;
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
    longest = Math.max(longest, end - start);
    start = end + 1;
    count += 1;
  }
  longest = Math.max(longest, text.length - start);
  return { longest, mean: text.length / (count + 1) };
}

const LICENCE = /copyright|licen[sc]e[ds]?\b|spdx-|all rights reserved|@preserve/i;

/**
 * A text without the comments about its licence that stand at its top. What must stay first (`#!`, `<?php`, an encoding
 * line) and other comments stay.
 */
export function cutLicence(text: string, lang: Language): string {
  const kept =
    /^\ufeff?(?:#!.*\n)?(?:<\?php\b[^\S\n]*\n?)?(?:#.*coding[:=].*\n)?(?:# *frozen_string_literal:.*\n)?(?:\s*(?:"use strict"|'use strict');?[ \t]*\n)?/.exec(
      text,
    )![0];
  let rest = text.slice(kept.length);
  let wasCut = false;
  for (let round = 0; round < 4; round++) {
    const comment = (lang === "python" || lang === "ruby" ? HASHES : SLASHES).exec(rest)?.[0];
    if (comment === undefined || !LICENCE.test(comment)) break;
    rest = rest.slice(comment.length);
    wasCut = true;
  }
  return wasCut ? kept + rest.replace(/^\s*\n/, "") : text;
}
const SLASHES =
  /^\s*(?:\/\*[^]*?\*\/|(?:[^\S\n]*\/\/.*(?:\n|$))+|(?:[^\S\n]*#(?!\[|include|define|if|pragma).*(?:\n|$))+)/;
const HASHES = /^\s*(?:(?:[^\S\n]*#.*(?:\n|$))+|=begin\n[^]*?\n=end.*)/;
