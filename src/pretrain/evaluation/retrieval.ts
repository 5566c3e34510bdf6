import { geometryOf, tensor, type Tensor } from "../../base/index.js";
import type { PretrainTokenizer, TrainSession } from "../types.js";
import type { ValidationPair } from "./data.js";

/** Texts of a batch of embeddings. */
const ROWS = 32;

/** Tokenised pairs. */
export interface RetrievalTexts {
  readonly queries: readonly Int32Array[];
  readonly codes: readonly Int32Array[];
}

/** Tokenises pairs, each side cut at a length. */
export async function tokeniseRetrieval(
  pairs: readonly ValidationPair[],
  tokenizer: PretrainTokenizer,
  { text, code }: { readonly text: number; readonly code: number },
): Promise<RetrievalTexts> {
  return {
    queries: await tokenizer.encodeBatchForModel(
      pairs.map(({ summary }) => summary),
      text,
    ),
    codes: await tokenizer.encodeBatchForModel(
      pairs.map((pair) => pair.code),
      code,
    ),
  };
}

/**
 * Mean reciprocal rank of each summary's function among all functions by cosine, a tie counting against, and how the vectors
 * lie ({@link geometryOf}).
 */
export async function retrievalMetrics(
  session: TrainSession,
  program: string,
  texts: RetrievalTexts,
  padId: number,
): Promise<Record<string, number>> {
  const queries = await embed(session, program, texts.queries, padId);
  const codes = await embed(session, program, texts.codes, padId);
  const metrics = { validation_mrr: meanReciprocalRank(queries, codes) };
  const [text, code] = [joined(queries), joined(codes)];
  if (!text.every(Number.isFinite) || !code.every(Number.isFinite)) return metrics; // Told of by the loss.
  const { alignment, uniformity, meanCosine, effectiveRank } = await geometryOf(text, code, queries[0]!.length);
  return {
    ...metrics,
    validation_alignment: alignment,
    validation_uniformity: uniformity,
    validation_mean_cosine: meanCosine,
    validation_effective_rank: effectiveRank,
  };
}

function joined(rows: readonly Float32Array[]): Float32Array {
  const width = rows[0]!.length;
  const matrix = new Float32Array(rows.length * width);
  rows.forEach((row, i) => matrix.set(row, i * width));
  return matrix;
}

/** Of unit vectors, the i-th query belonging to the i-th code. */
export function meanReciprocalRank(queries: readonly Float32Array[], codes: readonly Float32Array[]): number {
  let sum = 0;
  queries.forEach((query, own) => {
    const scores = codes.map((code) => code.reduce((dot, x, i) => dot + x * query[i]!, 0));
    sum += 1 / scores.filter((score) => !(score < scores[own]!)).length; // NaN ranks last.
  });
  return sum / queries.length;
}

async function embed(
  session: TrainSession,
  program: string,
  texts: readonly Int32Array[],
  padId: number,
): Promise<Float32Array[]> {
  const byLength = texts.map((_, i) => i).sort((a, b) => texts[a]!.length - texts[b]!.length || a - b);
  const vectors = new Array<Float32Array>(texts.length);
  for (let from = 0; from < byLength.length; from += ROWS) {
    const rows = byLength.slice(from, from + ROWS);
    const outputs = await session.run(
      program,
      sideOf(
        rows.map((row) => texts[row]!),
        padId,
      ),
    );
    const { dims, data } = outputs["vectors"]!;
    rows.forEach((row, i) => (vectors[row] = (data as Float32Array).slice(i * dims[1]!, (i + 1) * dims[1]!)));
  }
  return vectors;
}

function sideOf(texts: readonly Int32Array[], padId: number): Record<string, Tensor> {
  const length = 16 * Math.ceil(Math.max(...texts.map((text) => text.length)) / 16);
  const ids = new Int32Array(texts.length * length).fill(padId);
  const segments = new Int32Array(texts.length * length);
  texts.forEach((text, row) => {
    ids.set(text, row * length);
    segments.fill(1, row * length, row * length + text.length);
  });
  const dims = [texts.length, length];
  return { input_ids: tensor("int32", dims, ids), input_segments: tensor("int32", dims, segments) };
}
