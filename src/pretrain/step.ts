import { int32, tensor, zeros, type Tensor } from "../base/index.js";
import type { Graph } from "../graph/index.js";
import type { ModelConfig } from "../model/index.js";
import { lossParameters } from "./losses/index.js";
import { accumulators } from "./optimizer/index.js";
import { maskedCapacity } from "./packing.js";
import {
  applyAccumulated,
  backwardChunk,
  blockRows,
  embedChunk,
  lossRows,
  MODALITIES,
  modalitiesOf,
  stage1Accumulate,
  stage1Step,
  stage2Step,
  trainedShapes,
  VIEWS,
  viewsOf,
  type Stage2Loss,
  type UpdateOptions,
} from "./programs/index.js";
import type { TrainSession } from "./types.js";
import { chunksOf, pickRows, putRows, spans, viewChunk } from "./_view-chunks.js";

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
 * loss by the vectors, then every chunk again. The loss still sees every pair of the batch, a block of anchors at a time.
 * Without dropout a chunk is of texts of about the same length, and as wide as the longest of them: with it, the masks of
 * attention would depend on that width.
 */
export function stage2Steps(model: ModelConfig, loss: Stage2Loss, update: UpdateOptions, chunk: number | null): Step {
  if (chunk === null) {
    const program = stage2Step(model, loss, update);
    const step = wholeStep(program);
    return { ...step, run: (session, batch) => step.run(session, inputsOf(program, withGroups(batch, loss))) };
  }
  const views = viewsOf(loss);
  const modalities = modalitiesOf(loss);
  const named = <K extends string>(prefix: string, keys: readonly K[], make: (key: K) => Graph) =>
    keys.map((key) => [`${prefix}_${key}`, make(key)] as const);
  const programs = Object.fromEntries([
    ...named("embed", views, (view) => embedChunk(model, view)),
    ...named("loss", modalities, (modality) => lossRows(model, loss, modality)),
    ...named("backward", views, (view) => backwardChunk(model, view)),
    ["apply", applyAccumulated(model, update, "stage2", loss)] as const,
  ]);
  return {
    kind: "gradient-cache",
    programs,
    scratch: accumulators(trainedShapes(model, "stage2", lossParameters(loss.temperature))),
    async run(session, batch) {
      const pairs = batch["row_ids"]!.dims[0]!;
      const full = withGroups(batch, loss);
      const chunks = Object.fromEntries(
        views.map((view) => [view, chunksOf(batch[`${VIEWS[view].side}_segments`]!, chunk, model.dropout === 0)]),
      );
      const vectors: Record<string, Tensor> = {};
      for (const view of views) {
        for (const part of chunks[view]!) {
          const { vectors: found } = await session.run(`embed_${view}`, viewChunk(batch, view, part));
          vectors[view] ??= zeros("float32", [pairs, ...found!.dims.slice(1)]);
          putRows(vectors[view], part.rows, found!);
        }
      }
      const sums: Record<string, number> = {};
      const gradients: Record<string, Tensor<"float32">> = {};
      for (const view of views) gradients[view] = zeros("float32", vectors[view]!.dims);
      for (const modality of modalities) {
        const program = `loss_${modality}`;
        const [first, second] = MODALITIES[modality];
        const given = { ...full, first: vectors[first]!, second: vectors[second]! };
        for (const [start, end] of spans(2 * pairs, blockRows(pairs, loss.block))) {
          const anchors = int32(
            [end - start],
            Int32Array.from({ length: end - start }, (_, row) => start + row),
          );
          const inputs = inputsOf(programs[program]!, { ...given, anchors });
          const { first_gradient, second_gradient, ...parts } = await session.run(program, inputs);
          addTo(gradients[first]!, first_gradient!);
          addTo(gradients[second]!, second_gradient!);
          for (const [name, { data }] of Object.entries(parts)) sums[name] = (sums[name] ?? 0) + Number(data[0]);
        }
      }
      for (const view of views) {
        for (const part of chunks[view]!) {
          const vector_gradient = pickRows(gradients[view]!, part.rows);
          await session.run(`backward_${view}`, { ...viewChunk(batch, view, part), vector_gradient });
        }
      }
      return { ...scalars(sums), ...(await session.run("apply", { learning_rate: batch["learning_rate"]! })) };
    },
  };
}

/** With `text_group` and `code_group` where duplicates are masked: rows of equal tokens have equal numbers. */
function withGroups(batch: Tensors, { duplicates }: Stage2Loss): Tensors {
  if (duplicates !== "mask") return batch;
  return { text_group: equalRows(batch["text_ids"]!), code_group: equalRows(batch["code_ids"]!), ...batch };
}

/** int32 [rows]: for each row the first one that equals it. Padding is part of a row. */
export function equalRows({ dims, data }: Tensor): Tensor {
  const [rows, width] = dims as readonly [number, number];
  const known = new Map<string, number>();
  const ids = data as Int32Array;
  const bytes = Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength);
  const first = Int32Array.from({ length: rows }, (_, row) => {
    const key = bytes.toString("latin1", 4 * row * width, 4 * (row + 1) * width);
    const seen = known.get(key);
    if (seen === undefined) known.set(key, row);
    return seen ?? row;
  });
  return int32([rows], first);
}

/** The tensors that a program takes. */
function inputsOf({ inputs }: Graph, tensors: Tensors): Record<string, Tensor> {
  return Object.fromEntries([...inputs.keys()].flatMap((name) => (name in tensors ? [[name, tensors[name]!]] : [])));
}

function addTo(sum: Tensor<"float32">, part: Tensor): void {
  const values = part.data as Float32Array;
  for (let index = 0; index < values.length; index++) sum.data[index]! += values[index]!;
}

function wholeStep(program: Graph): Step {
  return {
    kind: "whole",
    programs: { step: program },
    scratch: {},
    run: (session, batch) => session.run("step", batch),
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

function scalars(values: Readonly<Record<string, number>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, tensor("float32", [], Float32Array.of(value))]),
  );
}
