import type { ScoreBlock } from "./retrieval.js";

/**
 * Two scores as one: `share` of the first and the rest of the second, each in standard deviations from its query's mean
 * over all documents (z-scores), so that their scales do not matter. Where a score is the same for all documents it says
 * nothing and counts 0.
 *
 * @param documents columns of a score block
 * @param share 0 .. 1
 */
export function hybrid(first: ScoreBlock, second: ScoreBlock, documents: number, share = 0.7): ScoreBlock {
  return (from, to, out) => {
    first(from, to, out);
    const others = new Float32Array((to - from) * documents);
    second(from, to, others);
    for (let start = 0; start < others.length; start += documents) {
      const [a, b] = [out, others].map((scores) => scores.subarray(start, start + documents)) as [
        Float32Array,
        Float32Array,
      ];
      const [za, zb] = [standardScore(a), standardScore(b)];
      for (let d = 0; d < documents; d++) a[d] = share * za(a[d]!) + (1 - share) * zb(b[d]!);
    }
  };
}

function standardScore(scores: Float32Array): (score: number) => number {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const deviation = Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length);
  return deviation > 1e-12 ? (score) => (score - mean) / deviation : () => 0;
}
