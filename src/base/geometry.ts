import { dotProducts } from "./similarity.js";

/** How the unit vectors of pairs lie in their space. */
export interface Geometry {
  /** Mean squared distance of the two of a pair, 0 to 4 (Wang & Isola 2020, equation 1, alpha 2): low is good. */
  readonly alignment: number;
  /** log mean exp(-2 d^2) over distinct vectors of a side, 0 at worst (Wang & Isola 2020, equation 2, t = 2): low is good. */
  readonly uniformity: number;
  /** Mean cosine of distinct vectors of a side: near 1 where all point the same way. */
  readonly meanCosine: number;
  /**
   * exp of the entropy of the singular values, scaled to sum 1, of all vectors as rows (RankMe: Garrido et al. 2023): how
   * many directions are in use, at most the width.
   */
  readonly effectiveRank: number;
}

/** Counts of cosines in bins of equal width over [-1, 1]. */
export interface CosineHistograms {
  /** Lower ends of the bins. */
  readonly from: readonly number[];
  /** Of pairs. */
  readonly positive: readonly number[];
  /** Of every vector of one side with those of the other that it makes no pair with. */
  readonly random: readonly number[];
}

/**
 * Looks at pairs of vectors, row i of `a` with row i of `b`.
 *
 * @param a unit vectors [n, width], n at least 2
 * @param b unit vectors [n, width]
 */
export async function geometryOf(a: Float32Array, b: Float32Array, width: number): Promise<Geometry> {
  const n = a.length / width;
  const row = new Float32Array(n);
  let [kernel, cosine, distance] = [0, 0, 0];
  for (const side of [a, b]) {
    for (let i = 0; i < n; i++) {
      dotProducts(side, side, width, i, i + 1, row);
      for (let j = 0; j < i; j++) {
        cosine += row[j]!;
        kernel += Math.exp(-2 * (2 - 2 * row[j]!));
      }
    }
  }
  for (let i = 0; i < a.length; i++) distance += (a[i]! - b[i]!) ** 2;
  const distinct = n * (n - 1);
  return {
    alignment: distance / n,
    uniformity: Math.log(kernel / distinct),
    meanCosine: cosine / distinct,
    effectiveRank: await effectiveRank([a, b], width),
  };
}

/** Of the rows of some matrices together. */
async function effectiveRank(sides: readonly Float32Array[], width: number): Promise<number> {
  const gram = Array.from({ length: width }, () => new Float64Array(width));
  for (const side of sides) {
    for (let start = 0; start < side.length; start += width) {
      for (let i = 0; i < width; i++) {
        const x = side[start + i]!;
        const line = gram[i]!;
        for (let j = 0; j <= i; j++) line[j]! += x * side[start + j]!;
      }
    }
  }
  for (let i = 0; i < width; i++) for (let j = 0; j < i; j++) gram[j]![i] = gram[i]![j]!;
  const { EigenvalueDecomposition } = await import("ml-matrix");
  const { realEigenvalues } = new EigenvalueDecomposition(gram, { assumeSymmetric: true });
  const singular = realEigenvalues.map((value) => Math.sqrt(Math.max(0, value)));
  const sum = singular.reduce((total, value) => total + value, 0);
  const entropy = singular.reduce(
    (total, value) => (value > 0 ? total - (value / sum) * Math.log(value / sum) : total),
    0,
  );
  return Math.exp(entropy);
}

/**
 * Cosines of pairs beside those of vectors that make none.
 *
 * @param a unit vectors [n, width]
 * @param b unit vectors [n, width]
 */
export function cosineHistograms(a: Float32Array, b: Float32Array, width: number, bins = 40): CosineHistograms {
  const n = a.length / width;
  const row = new Float32Array(n);
  const positive = new Array<number>(bins).fill(0);
  const random = new Array<number>(bins).fill(0);
  for (let i = 0; i < n; i++) {
    dotProducts(a, b, width, i, i + 1, row);
    row.forEach((cosine, j) => {
      const bin = Math.min(bins - 1, Math.max(0, Math.floor(((cosine + 1) / 2) * bins)));
      (i === j ? positive : random)[bin]! += 1;
    });
  }
  return { from: positive.map((_, bin) => Number(((2 * bin) / bins - 1).toFixed(6))), positive, random };
}
