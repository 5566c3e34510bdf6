import type { Language } from "../../base/index.js";
import { doubtAbout } from "./doubt.js";
import { leaks } from "./leak.js";
import { extractFunctions, summarise, type ExtractedFunction } from "../../languages/index.js";

/** A function that may become a pair. */
export interface Candidate {
  readonly name: string;
  readonly summary: string;
  /** The documentation that the summary came from. */
  readonly docstring: string;
  readonly code: string;
  /** Without signature and return statements. */
  readonly body: string;
  /** True where there is nothing but returned values: `body` then holds the return statements. */
  readonly bodyIsReturn: boolean;
  readonly startLine: number;
  readonly endLine: number;
}

/** A function with documentation that gave no candidate. */
export interface Refusal {
  readonly reason: string;
  readonly name: string;
  readonly docstring: string;
  readonly code: string;
  readonly startLine: number;
}

/** What one file gives. Plain data: a worker thread can send it. */
export interface Extraction {
  readonly functions: number;
  readonly withDocstring: number;
  readonly candidates: readonly Candidate[];
  /** Candidates whose body is nothing but returned values. */
  readonly bodyIsReturn: number;
  /** Functions that gave no candidate, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Those with documentation; only where `explain` was asked for. */
  readonly refused: readonly Refusal[];
}

export interface ExtractOptions {
  readonly minTokens: number;
  readonly maxTokens: number;
  /** Also gives the documented functions that were dropped. */
  readonly explain?: boolean;
}

/** Functions and summaries of one text. Its language must have been loaded. */
export function extract(text: string, lang: Language, options: ExtractOptions): Extraction {
  const functions = extractFunctions(text, lang);
  const candidates: Candidate[] = [];
  const refused: Refusal[] = [];
  const dropped: Record<string, number> = {};
  let withDocstring = 0;
  for (const found of functions) {
    const { docstring, name, code, startLine } = found;
    if (docstring !== undefined) withDocstring += 1;
    const result = candidate(found, lang, options);
    if (typeof result !== "string") {
      candidates.push(result);
      continue;
    }
    dropped[result] = (dropped[result] ?? 0) + 1;
    if (options.explain === true && docstring !== undefined)
      refused.push({ reason: result, name, docstring, code, startLine });
  }
  const bodyIsReturn = candidates.filter((candidate) => candidate.bodyIsReturn).length;
  return { functions: functions.length, withDocstring, candidates, bodyIsReturn, dropped, refused };
}

/** The candidate that a function gives, or why it gives none. */
export function candidate(found: ExtractedFunction, lang: Language, options: ExtractOptions): Candidate | string {
  const { docstring } = found;
  if (docstring === undefined) return "no-docstring";
  const summary = summarise(docstring, lang, { ...options, name: found.name });
  if ("dropped" in summary) return summary.dropped;
  if (found.bodyLines <= 1) return "short-body";
  if (isAccessor(found)) return "accessor";
  if (isStub(found, lang) && !/\bthrows?\b|\balways\b|not (?:supported|implemented)/i.test(summary.summary))
    return "stub";
  const doubt = doubtAbout({ ...found, ...summary }, lang);
  if (doubt !== undefined) return doubt;
  const { name, code, startLine, endLine } = found;
  // Nothing but a returned expression: its text is kept, without signature it gives no name away either.
  const bodyIsReturn = found.body === "";
  const body = bodyIsReturn ? found.inner : found.body;
  if (body === "") return "empty-body";
  const made = { name, summary: summary.summary, docstring, code, body, bodyIsReturn, startLine, endLine };
  return leaks(made) === undefined ? made : "leak";
}

/**
 * True where all that the function does is to refuse, by a lone `throw` or the `ASSERT (FALSE)` of UEFI's null libraries:
 * its documentation tells of an implementation that stands elsewhere.
 */
function isStub(found: ExtractedFunction, lang: Language): boolean {
  if (found.inner.length > 1000) return false;
  if (lang === "python" || lang === "ruby")
    return RAISE_BODY.test(found.inner.replace(/^[ \t]*#.*\n|"[^"\n]*"|'[^'\n]*'/gm, ""));
  const refuses = lang === "c" ? NULL_BODY : BRACED.has(lang) ? THROW_BODY : undefined;
  return refuses !== undefined && refuses.test(found.inner.replace(/\/\/[^\n]*|\/\*[^]*?\*\//g, " "));
}
const BRACED: ReadonlySet<Language> = new Set<Language>(["java", "javascript", "typescript", "csharp", "php"]);
/** A function that begins so never gets further; Ruby may have a condition after it. */
const RAISE_BODY = /^\s*raise[ (]+NotImplementedError\b(?![^]*\b(?:if|unless|rescue|and|or)\b)/;
const NULL_BODY = /^\s*ASSERT\s*\(\s*(?:FALSE|0)\s*\)\s*;\s*(?:return\s+\(?\w+\)?\s*;\s*)?$/;
const THROW_BODY = /^\s*(?:=>\s*)?throw\b(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[^;{}"'])*;?\s*$/;

/** True for methods that only hand a field out or put it in, whatever their documentation says. */
function isAccessor(found: ExtractedFunction): boolean {
  return found.bodyLines <= 2 && ACCESSOR_NAME.test(found.name) && ACCESSOR_BODY.test(found.inner);
}
const ACCESSOR_NAME = /^_{0,2}(?:get|set|is|has|with)_?[A-Z\d_]|^(?:get|set|is|has)_|=$/;
/** `this.name = name; return this;`, `return self._name`, and a lone field. */
const ACCESSOR_BODY =
  /^\s*(?:(?:(?:this|self|\$this)(?:\.|->)|@|\w+\.)?[\w$]+\s*=\s*[\w$]+\s*;?\s*)?(?:return\s+(?:(?:this|self|\$this)(?:(?:\.|->)[\w$]+)?|@?[\w$]+)\s*;?)?\s*$/;
