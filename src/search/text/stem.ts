import { stem } from "../../base/index.js";

/** What is left of a word keeps at least this many letters. */
const SHORTEST = 4;
const ENDINGS = [
  "ization",
  "isation",
  "ation",
  "ator",
  "ition",
  "ison",
  "ion",
  "ment",
  "er",
  "or",
  "able",
  "ible",
  "ive",
] as const;
const KEPT: Readonly<Partial<Record<(typeof ENDINGS)[number], string>>> = { ization: "iz", isation: "is" };

/**
 * A word's stem for search: after the endings of English inflection those by which names of things, doers and deeds are made
 * of each other, so that a question in one form finds the code in another. Stems are no words; rare words may share one.
 *
 * @param word lower case
 * @example
 * ["authentication", "authenticated", "authenticator"].map(searchStem); // "authentic", three times
 * ["parser", "parsing", "controllers", "formatting"].map(searchStem); // "pars", "pars", "control", "format"
 */
export function searchStem(word: string): string {
  let out = plainEnd(stem(word));
  if (/at(?:e[sd]?|ing)$/.test(word) && out.endsWith("at") && out.length - 2 >= SHORTEST) out = out.slice(0, -2);
  for (let before = ""; before !== out;) {
    before = out;
    const ending = ENDINGS.find((end) => out.endsWith(end) && out.length - end.length >= SHORTEST);
    if (ending !== undefined) out = plainEnd(out.slice(0, -ending.length) + (KEPT[ending] ?? ""));
  }
  return out;
}

/** `controll` is `control`, `manage` is `manag`. */
function plainEnd(word: string): string {
  if (word.endsWith("e") && word.length > SHORTEST) return word.slice(0, -1);
  const last = word.at(-1);
  const doubled = last !== undefined && word.at(-2) === last && /[bdglmnprt]/.test(last);
  return doubled && word.length > SHORTEST ? word.slice(0, -1) : word;
}
