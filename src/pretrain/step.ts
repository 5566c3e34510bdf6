import { tensor, zeros, type Tensor } from "../base/index.js";
import type { Graph } from "../graph/index.js";
import type { ModelConfig } from "../model/index.js";
import type { ContrastiveOptions } from "./losses/index.js";
import { accumulators } from "./optimizer/index.js";
import { maskedCapacity } from "./packing.js";
import {
  applyAccumulated,
  backwardChunk,
  embedChunk,
  lossGradient,
  stage1Accumulate,
  stage1Step,
  stage2Step,
  trainedShapes,
  type UpdateOptions,
} from "./programs/index.js";
import type { TrainSession } from "./types.js";

type Tensors = Readonly<Record<string, Tensor>>;

/** How one update is computed: programs over one state, and the order in which a batch goes through them. */
export interface Step {
  /** `whole`: one program; `accumulate`: chunks of rows; `gradient-cache`: chunks of pairs. */
  readonly kind: "whole" | "accumulate" | "gradient-cache";
  readonly programs: Readonly<Record<string, Graph>>;
  /** State that is zero between updates and so is no part of a checkpoint. */
  readonly scratch: Tensors;
  /** @param batch with `dropout_key` and `learning_rate`. @returns the metrics, as if the batch had gone through whole */
  run(session: TrainSession, batch: Tensors): Promise<Record<string, Tensor>>;
}

/** Stage 1: whole batches, or `chunk` rows at a time with the gradients added up, for a batch that does not fit. */
export function stage1Steps(model: ModelConfig, update: UpdateOptions, chunk: number | null): Step {
  if (chunk === null) return wholeStep(stage1Step(model, update));
  return {
    kind: "accumulate",
    programs: { accumulate: stage1Accumulate(model), apply: applyAccumulated(model, update, "stage1") },
    scratch: accumulators(trainedShapes(model, "stage1")),
    async run(session, batch) {
      const sums: Record<string, number> = {};
      const rows = batch["input_ids"]!.dims[0]!;
      for (let start = 0; start < rows; start += chunk) {
        const outputs = await session.run("accumulate", maskedChunk(batch, start, Math.min(rows, start + chunk)));
        for (const [name, { data }] of Object.entries(outputs)) sums[name] = (sums[name] ?? 0) + Number(data[0]);
      }
      return { ...scalars(sums), ...(await session.run("apply", { learning_rate: batch["learning_rate"]! })) };
    },
  };
}

/** Rows `[start, end)` of a stage 1 batch, with the masked places among them. Weights stay those of the whole batch. */
export function maskedChunk(batch: Tensors, start: number, end: number): Record<string, Tensor> {
  const length = batch["input_ids"]!.dims[1]!;
  const index = batch["masked_index"]!.data as Int32Array;
  const weight = batch["masked_weight"]!.data as Float32Array;
  const kept: number[] = [];
  index.forEach((at, i) => {
    if (weight[i]! > 0 && at >= start * length && at < end * length) kept.push(i);
  });
  const capacity = maskedCapacity(kept.length, (end - start) * length);
  const pick = (name: string, shift = 0): Tensor => {
    const { dtype, data } = batch[name]!;
    const out = zeros(dtype, [capacity]) as Tensor<"int32" | "float32">;
    kept.forEach((from, to) => (out.data[to] = Number(data[from]) - shift));
    return out;
  };
  return {
    ...rowsOf(batch, ["input_ids", "positions", "segments", "row_ids"], start, end),
    masked_index: pick("masked_index", start * length),
    masked_label: pick("masked_label"),
    masked_weight: pick("masked_weight"),
    objective: pick("objective"),
    dropout_key: batch["dropout_key"]!,
  };
}

/**
 * Stage 2: whole batches, or gradient caching in chunks of `chunk` pairs: embed all, gradient of the
 * loss by the vectors, then every chunk again. The loss still sees every pair of the batch.
 */
export function stage2Steps(
  model: ModelConfig,
  loss: ContrastiveOptions,
  update: UpdateOptions,
  chunk: number | null,
): Step {
  if (chunk === null) return wholeStep(stage2Step(model, loss, update));
  const sides = ["text", "code"] as const;
  return {
    kind: "gradient-cache",
    programs: {
      embed_text: embedChunk(model, "text"),
      embed_code: embedChunk(model, "code"),
      loss: lossGradient(model, loss),
      backward_text: backwardChunk(model, "text"),
      backward_code: backwardChunk(model, "code"),
      apply: applyAccumulated(model, update, "stage2"),
    },
    scratch: accumulators(trainedShapes(model, "stage2")),
    async run(session, batch) {
      const pairs = batch["row_ids"]!.dims[0]!;
      const vectors: Record<string, Tensor> = {};
      for (const side of sides) {
        const parts: Tensor[] = [];
        for (let start = 0; start < pairs; start += chunk) {
          const part = await session.run(
            `embed_${side}`,
            sideChunk(batch, side, start, Math.min(pairs, start + chunk)),
          );
          parts.push(part["vectors"]!);
        }
        vectors[`${side}_vectors`] = joinRows(parts);
      }
      const { text_gradient, code_gradient, ...metrics } = await session.run("loss", vectors);
      const gradients = { text: text_gradient!, code: code_gradient! };
      for (const side of sides) {
        for (let start = 0; start < pairs; start += chunk) {
          const end = Math.min(pairs, start + chunk);
          const vector_gradient = sliceRows(gradients[side], start, end);
          await session.run(`backward_${side}`, { ...sideChunk(batch, side, start, end), vector_gradient });
        }
      }
      return { ...metrics, ...(await session.run("apply", { learning_rate: batch["learning_rate"]! })) };
    },
  };
}

function wholeStep(program: Graph): Step {
  return {
    kind: "whole",
    programs: { step: program },
    scratch: {},
    run: (session, batch) => session.run("step", batch),
  };
}

function sideChunk(batch: Tensors, side: string, start: number, end: number): Record<string, Tensor> {
  return {
    input_ids: sliceRows(batch[`${side}_ids`]!, start, end),
    input_segments: sliceRows(batch[`${side}_segments`]!, start, end),
    row_ids: sliceRows(batch["row_ids"]!, start, end),
    dropout_key: batch["dropout_key"]!,
  };
}

function rowsOf(batch: Tensors, names: readonly string[], start: number, end: number): Record<string, Tensor> {
  return Object.fromEntries(names.map((name) => [name, sliceRows(batch[name]!, start, end)]));
}

/** Rows `[start, end)` along the first dimension. */
function sliceRows({ dtype, dims, data }: Tensor, start: number, end: number): Tensor {
  const width = data.length / dims[0]!;
  return tensor(dtype, [end - start, ...dims.slice(1)], data.slice(start * width, end * width));
}

function joinRows(parts: readonly Tensor[]): Tensor {
  const rows = parts.reduce((sum, { dims }) => sum + dims[0]!, 0);
  const joined = zeros("float32", [rows, ...parts[0]!.dims.slice(1)]);
  let at = 0;
  for (const { data } of parts) {
    joined.data.set(data as Float32Array, at);
    at += data.length;
  }
  return joined;
}

function scalars(values: Readonly<Record<string, number>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, tensor("float32", [], Float32Array.of(value))]),
  );
}
