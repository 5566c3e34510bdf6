import { describe, expect, test } from "vitest";
import { evaluatePairs, type HeldPair } from "./evaluate-pairs.js";

const pairs: HeldPair[] = ["alpha beta", "gamma delta", "zeta eta"].map((summary, i) => ({
  id: String(i),
  summary,
  code: `${summary} body`,
  lang: i === 0 ? "go" : "c",
}));

/** The first summary is right, the second takes the third's function, the third is right. */
const VECTORS: Readonly<Record<string, readonly [number, number]>> = {
  "alpha beta": [1, 0],
  "alpha beta body": [2, 0],
  "gamma delta": [0, 3],
  "gamma delta body": [-1, 0],
  "zeta eta": [0, 1],
  "zeta eta body": [0, 1],
};

async function* embed(texts: readonly string[]): AsyncGenerator<Float32Array> {
  for (const text of texts) yield await Promise.resolve(Float32Array.from(VECTORS[text]!));
}

describe("held-out pairs", () => {
  test("ranks, languages and geometry by hand", async () => {
    const report = await evaluatePairs({ pairs, embed, baseline: true });
    // The second query's own function is second or third: it ties with the first one's at cosine 0.
    expect(report.all.MRR).toBeLessThan(1);
    expect(report.languages["go"]).toEqual({ n: 1, MRR: 1 });
    expect(report.languages["c"]!.n).toBe(2);
    expect(report.bm25!.MRR).toBe(1);
    expect(report.geometry.alignment).toBeCloseTo((0 + 2 + 0) / 3, 4); // Unit vectors 0, 90 and 0 degrees apart.
    expect(report.cosines.positive.reduce((a, b) => a + b)).toBe(3);
    expect(report.cosines.random.reduce((a, b) => a + b)).toBe(6);
  });

  test("a single pair is refused", async () => {
    await expect(evaluatePairs({ pairs: pairs.slice(0, 1), embed })).rejects.toMatchObject({ code: "evaluate.pairs" });
  });
});
