import { UserError } from "../../../base/index.js";
import type { networkShapes } from "../../../graph/index.js";
import { broadcastDims, broadcastOffset, dense, eachIndex, empty, type Dense } from "../_dense.js";
import { columnHash, kept, maskSeed, rowHash } from "../_dropout.js";
import type { Kernels } from "../_kernel.js";

/** [rows, columns] of a matrix that may be read transposed, and where element (i, j) of it lies. */
function view(x: Dense, transposed: boolean): { rows: number; columns: number; at: (i: number, j: number) => number } {
  const [height, width] = x.dims.slice(-2) as [number, number];
  return transposed
    ? { rows: width, columns: height, at: (i, j) => j * width + i }
    : { rows: height, columns: width, at: (i, j) => i * width + j };
}

function matmul(a: Dense, b: Dense, transposeA: boolean, transposeB: boolean, alpha: number): Dense {
  const [left, right] = [view(a, transposeA), view(b, transposeB)];
  const [batchA, batchB] = [a.dims.slice(0, -2), b.dims.slice(0, -2)];
  const batch = broadcastDims(batchA, batchB);
  const result = empty(a.dtype, [...batch, left.rows, right.columns]);
  eachIndex(batch, (index, n) => {
    const fromA = broadcastOffset(batchA, index) * left.rows * left.columns;
    const fromB = broadcastOffset(batchB, index) * right.rows * right.columns;
    for (let i = 0; i < left.rows; i++) {
      for (let j = 0; j < right.columns; j++) {
        let sum = 0;
        for (let k = 0; k < left.columns; k++) sum += a.data[fromA + left.at(i, k)]! * b.data[fromB + right.at(k, j)]!;
        result.data[(n * left.rows + i) * right.columns + j] = alpha * sum;
      }
    }
  });
  return result;
}

/** The rows of the last axis. */
function rowsOf(x: Dense): Float64Array[] {
  const width = x.dims.at(-1)!;
  return Array.from({ length: width === 0 ? 0 : x.data.length / width }, (_, row) =>
    x.data.subarray(row * width, (row + 1) * width),
  );
}

/** Makes a tensor like `x` from its rows. */
function fromRows(x: Dense, rows: readonly ArrayLike<number>[]): Dense {
  const result = empty(x.dtype, x.dims);
  rows.forEach((row, index) => result.data.set(row, index * row.length));
  return result;
}

const total = (values: Iterable<number>): number => {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
};

function logSumExp(row: Float64Array): number {
  const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return most + Math.log(total(row.map((x) => Math.exp(x - most))));
}

const softmaxRow = (row: Float64Array): Float64Array => {
  const norm = logSumExp(row);
  return row.map((x) => Math.exp(x - norm));
};

/** Loss [M] and probabilities [M, V]. */
function crossEntropy(logits: Dense, labels: Dense): readonly [Dense, Dense] {
  const rows = rowsOf(logits);
  const loss = rows.map((row, m) => logSumExp(row) - row[labels.data[m]!]!);
  return [dense(logits.dtype, labels.dims, loss), fromRows(logits, rows.map(softmaxRow))];
}

export const networkKernels: Kernels<keyof typeof networkShapes> = {
  matmul: ([a, b], { transposeA, transposeB, alpha }) => [matmul(a, b, transposeA, transposeB, alpha)],
  softmax: ([x]) => [fromRows(x, rowsOf(x).map(softmaxRow))],
  softmaxGrad: ([y, gradient]) => {
    const gradients = rowsOf(gradient);
    const rows = rowsOf(y).map((p, row) => {
      const g = gradients[row]!;
      const mean = total(p.map((value, i) => value * g[i]!));
      return p.map((value, i) => value * (g[i]! - mean));
    });
    return [fromRows(y, rows)];
  },
  softmaxCrossEntropy: ([logits, labels]) => crossEntropy(logits, labels),
  softmaxCrossEntropyGrad: ([probabilities, labels, gradient]) => {
    const rows = rowsOf(probabilities).map((p, m) =>
      p.map((value, v) => (value - Number(v === labels.data[m])) * gradient.data[m]!),
    );
    return [fromRows(probabilities, rows)];
  },
  linearCrossEntropy: ([x, table, labels]) => {
    const logits = matmul(x, table, false, true, 1);
    const [loss, probabilities] = crossEntropy(logits, labels);
    const correct = rowsOf(logits).map((row, m) => Number(row.every((logit) => logit <= row[labels.data[m]!]!)));
    return [loss, dense(x.dtype, labels.dims, correct), probabilities];
  },
  layerNorm: ([x, scale, bias], { eps }) => {
    const stats = rowsOf(x).map((row) => {
      const mean = total(row) / row.length;
      const variance = total(row.map((value) => (value - mean) ** 2)) / row.length;
      return { mean, invStd: 1 / Math.sqrt(variance + eps) };
    });
    const rows = rowsOf(x).map((row, r) => {
      const { mean, invStd } = stats[r]!;
      return row.map((value, i) => (value - mean) * invStd * scale.data[i]! + bias.data[i]!);
    });
    const column = [...x.dims.slice(0, -1), 1];
    return [
      fromRows(x, rows),
      dense(
        x.dtype,
        column,
        stats.map(({ mean }) => mean),
      ),
      dense(
        x.dtype,
        column,
        stats.map(({ invStd }) => invStd),
      ),
    ];
  },
  layerNormGrad: ([x, scale, mean, invStd, gradient]) => {
    const [values, gradients] = [rowsOf(x), rowsOf(gradient)];
    const width = x.dims.at(-1)!;
    const [scaleGradient, biasGradient] = [empty(scale.dtype, scale.dims), empty(scale.dtype, scale.dims)];
    const rows = values.map((row, r) => {
      const g = gradients[r]!;
      const normed = row.map((value) => (value - mean.data[r]!) * invStd.data[r]!);
      normed.forEach((value, i) => {
        scaleGradient.data[i]! += g[i]! * value;
        biasGradient.data[i]! += g[i]!;
      });
      const scaled = g.map((value, i) => value * scale.data[i]!);
      const average = total(scaled) / width;
      const along = total(scaled.map((value, i) => value * normed[i]!)) / width;
      return scaled.map((value, i) => invStd.data[r]! * (value - average - normed[i]! * along));
    });
    return [fromRows(x, rows), scaleGradient, biasGradient];
  },
  dropoutMask: ([key, rows], { rate, place, shape }, { size }) => {
    const dims = shape.map(size);
    const result = empty("float32", dims);
    const seed = maskSeed(key.data[0]!, key.data[1]!);
    const width = dims.at(-1)!;
    eachIndex(dims.slice(0, -1), (index, at) => {
      const row = rowHash(seed, place, [rows.data[index[0]!]!, ...index.slice(1)]);
      for (let c = 0; c < width; c++) {
        if (kept(row, columnHash(seed, c), rate)) result.data[at * width + c] = 1 / (1 - rate);
      }
    });
    return [result];
  },
  allGather: ([x], { processes }) => [oneProcess(x, processes)],
  reduceScatter: ([x], { processes }) => [oneProcess(x, processes)],
};

/** This engine is one process; a graph for several needs one that talks to the others. */
function oneProcess(x: Dense, processes: number): Dense {
  if (processes !== 1) {
    throw new UserError(
      "engine.processes",
      `reference engine: expected a graph for 1 process, got one for ${processes}`,
    );
  }
  return x;
}
