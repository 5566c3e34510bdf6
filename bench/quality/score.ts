import { ndcgAt } from "../../src/evaluate/index.js";
import type { Hit } from "../../src/search/index.js";
import type { Place, Question } from "./questions.js";

/** NDCG@10 of an answer: each right place counts once, at the first hit that shows it. */
export function ndcgOf(
  { answers }: Pick<Question, "answers">,
  hits: readonly Pick<Hit, "path" | "startLine" | "endLine">[],
): number {
  const ranks = answers
    .map((place) => hits.findIndex((hit) => shows(hit, place)))
    .map((at) => (at < 0 ? Infinity : at + 1))
    .sort((a, b) => a - b);
  return ndcgAt(ranks, 10);
}

/** Whether a hit shows some of a place. */
export function shows(hit: Pick<Hit, "path" | "startLine" | "endLine">, { path, lines }: Place): boolean {
  if (hit.path !== path) return false;
  return lines === undefined || (hit.startLine <= lines[1] && hit.endLine >= lines[0]);
}
