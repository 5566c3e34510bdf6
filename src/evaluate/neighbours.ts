import { rowsOf, type Features } from "./features.js";
import { dotProducts } from "./similarity.js";

/**
 * k nearest neighbours by dot product of unit rows, one vote each; the lower class among equally many votes, and the
 * earlier row among equally near ones.
 */
export function nearestNeighbours(train: Features, labels: ArrayLike<number>, test: Features, k: number): number[] {
  const n = rowsOf(train);
  const scores = new Float32Array(n);
  return Array.from({ length: rowsOf(test) }, (_, row) => {
    dotProducts(test.data, train.data, train.width, row, row + 1, scores);
    const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
    const votes = new Map<number, number>();
    for (const i of order.slice(0, k)) votes.set(labels[i]!, (votes.get(labels[i]!) ?? 0) + 1);
    return [...votes].sort(([a, x], [b, y]) => y - x || a - b)[0]![0];
  });
}
