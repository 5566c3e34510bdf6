import { nameParts, stem } from "../base/index.js";

/**
 * The words of code or prose that a lexical search compares: every name's parts (split at everything that is neither letter
 * nor digit, at snake_case bars, at camelCase humps, and between letters and digits), and a name of several parts once
 * more as a whole, which is rarer and so tells more. Lower case, English endings taken off.
 *
 * @example
 * codeWords("parseHTTPResponses2 of max_value");
 * // ["pars", "http", "respons", "2", "parsehttpresponses2", "of", "max", "valu", "maxvalu"]
 */
export function codeWords(text: string): string[] {
  const words: string[] = [];
  for (const name of text.match(/[\p{L}\p{M}\p{N}_]+/gu) ?? []) {
    const parts = nameParts(name);
    for (const part of parts) words.push(stem(part.toLowerCase()));
    if (parts.length > 1) words.push(stem(name.replaceAll("_", "").toLowerCase()));
  }
  return words;
}
