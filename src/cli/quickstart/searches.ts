import type { CorpusPair } from "../../corpus/index.js";
import type { ExampleSearch } from "./report.js";

/** Questions that nobody wrote documentation for. */
export const QUESTIONS = [
  "check whether two rectangles overlap",
  "turn a colour name or string into rgba numbers",
  "close the connection to the server",
  "how far apart are two points on the earth",
] as const;

const HITS = 3;
const CODE_LINES = 10;

/** The best hits for a query, given its score for every pair. `own` is the pair that it documents, if any. */
export function exampleSearch(
  query: string,
  scores: Float32Array,
  bm25Scores: Float32Array,
  pairs: readonly CorpusPair[],
  own: number | undefined,
): ExampleSearch {
  const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
  return {
    query,
    rank: own === undefined ? null : rankOf(scores, own),
    bm25Rank: own === undefined ? null : rankOf(bm25Scores, own),
    hits: order.slice(0, HITS).map((index) => {
      const { name, origin, path, startLine, code } = pairs[index]!;
      return {
        name,
        place: `${origin.replace(/^directory:/, "")}/${path}:${startLine}`,
        code: head(code),
        score: scores[index]!,
        correct: index === own,
      };
    }),
  };
}

/** 1-based; equal scores count as better, so that a tie never flatters. */
function rankOf(scores: Float32Array, own: number): number {
  let rank = 1;
  for (let i = 0; i < scores.length; i++) if (i !== own && scores[i]! >= scores[own]!) rank += 1;
  return rank;
}

function head(code: string): string {
  const lines = code.split("\n");
  return lines.length <= CODE_LINES ? code : [...lines.slice(0, CODE_LINES), "..."].join("\n");
}

/** One search as the terminal shows it. */
export function searchText({ query, rank, bm25Rank, hits }: ExampleSearch): string {
  const note = rank === null ? "" : `   (its own function: rank ${rank}; BM25 ${bm25Rank})`;
  const lines = hits.map(
    ({ score, name, place, correct }) =>
      `  ${score.toFixed(3)}  ${name}  ${place}${correct ? "  <- its own function" : ""}`,
  );
  return [`"${query}"${note}`, ...lines].join("\n");
}
