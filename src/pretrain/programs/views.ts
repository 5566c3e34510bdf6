import { add, mul, type Dim, type Graph, type Value } from "../../graph/index.js";
import {
  contrastiveLoss,
  distillationLoss,
  LOG_TEMPERATURE,
  type ContrastiveLoss,
  type ContrastiveOptions,
  type Distillation,
  type TeacherVectors,
} from "../losses/index.js";

/**
 * One pass of a side of the batch through the encoder, with dropout masks of its own: SimCSE's pairs (Gao et al. 2021)
 * are the same texts under two of them.
 */
export const VIEWS = {
  text: { side: "text", stream: 0 },
  code: { side: "code", stream: 1 },
  text_again: { side: "text", stream: 2 },
  code_again: { side: "code", stream: 3 },
} as const;
export type ViewName = keyof typeof VIEWS;

/** What is compared with what: summaries with code, or a side with itself. */
export const MODALITIES = {
  bimodal: ["text", "code"],
  code: ["code", "code_again"],
  text: ["text", "text_again"],
} as const satisfies Record<string, readonly [ViewName, ViewName]>;
export type Modality = keyof typeof MODALITIES;

/** The loss of stage 2. */
export interface Stage2Loss extends ContrastiveOptions {
  /** `both` is code and text, each with itself; of several the losses are added up. `bimodal` if not given. */
  readonly modality?: Modality | "both" | readonly Modality[] | undefined;
  /** Of a batch in chunks: anchors whose similarities to all vectors exist at a time; chosen by size if not given. */
  readonly block?: number | undefined;
  /** Added to the bimodal loss. */
  readonly teacher?: Distillation | undefined;
}

/** Similarities of a block of anchors that exist at a time, if nothing else is asked for: 32 MB a matrix. */
const BLOCK_NUMBERS = 2 ** 23;

/** How many of the 2N anchors the loss takes at a time: 512 of 16,384. */
export function blockRows(pairs: number, block?: number): number {
  return Math.min(2 * pairs, block ?? Math.max(1, Math.floor(BLOCK_NUMBERS / (2 * pairs))));
}

/** The losses that are added up. */
export function modalitiesOf({ modality = "bimodal" }: Pick<Stage2Loss, "modality">): readonly Modality[] {
  if (typeof modality !== "string") return modality;
  return modality === "both" ? ["code", "text"] : [modality];
}

/** The views that those compare. */
export function viewsOf(loss: Pick<Stage2Loss, "modality">): readonly ViewName[] {
  return [...new Set(modalitiesOf(loss).flatMap((modality) => MODALITIES[modality]))];
}

/** Declares the inputs `text_group` and `code_group`, int32 [N], as far as the losses mask duplicates by them. */
export function declareGroups(
  graph: Graph,
  { duplicates }: ContrastiveOptions,
  modalities: readonly Modality[],
  pairs: Dim,
): Partial<Record<"text" | "code", Value>> {
  if (duplicates !== "mask") return {};
  const sides = new Set(modalities.flatMap((modality) => MODALITIES[modality].map((view) => VIEWS[view].side)));
  return Object.fromEntries([...sides].map((side) => [side, graph.input(`${side}_group`, "int32", [pairs])]));
}

/** Declares the inputs `teacher_text` and `teacher_code`, float32 [N, D], where a bimodal loss learns from a teacher. */
export function declareTeacher(
  graph: Graph,
  { teacher }: Stage2Loss,
  modalities: readonly Modality[],
  pairs: Dim,
): TeacherVectors | undefined {
  if (teacher === undefined || !modalities.includes("bimodal")) return undefined;
  const side = (name: string): Value => graph.input(`teacher_${name}`, "float32", [pairs, teacher.dim]);
  return { text: side("text"), code: side("code") };
}

/** Loss and metrics by name; those of all modalities, and of all parts of the anchors, add up to the batch's. */
export type Parts = Readonly<Record<string, Value>> & { readonly loss: Value };

/**
 * One modality's part; `loss_teacher` is what is still to learn of a teacher. With several, `loss_MODALITY` and
 * `accuracy_MODALITY` tell them apart; the rest are means.
 */
export function modalityLoss(
  loss: Stage2Loss,
  modality: Modality,
  vectors: Readonly<Record<string, Value>>,
  given: {
    readonly groups: Partial<Record<"text" | "code", Value>>;
    readonly state: Readonly<Record<string, Value>>;
    readonly anchors?: Value;
    readonly teacher?: TeacherVectors | undefined;
  },
): Parts {
  const [first, second] = MODALITIES[modality];
  const [a, b] = [given.groups[VIEWS[first].side], given.groups[VIEWS[second].side]];
  const contrast = contrastiveLoss(vectors[first]!, vectors[second]!, loss, {
    anchors: given.anchors,
    groups: a === undefined || b === undefined ? undefined : [a, b],
    logTemperature: given.state[LOG_TEMPERATURE],
  });
  const found =
    modality === "bimodal" ? withTeacher(contrast, vectors[first]!, vectors[second]!, loss, given) : contrast;
  const { length } = modalitiesOf(loss);
  if (length === 1) return { loss: found.loss, ...found.metrics };
  const mean = (name: string, value: Value): Value =>
    name.startsWith("loss_") || name === "anchors_without_negatives" ? value : mul(value, 1 / length);
  return {
    loss: found.loss,
    ...Object.fromEntries(Object.entries(found.metrics).map(([name, value]) => [name, mean(name, value)])),
    [`loss_${modality}`]: found.loss,
    [`accuracy_${modality}`]: found.metrics["accuracy"]!,
  };
}

/** The loss and, times its weight, what is still to learn of the teacher. */
function withTeacher(
  found: ContrastiveLoss,
  text: Value,
  code: Value,
  { teacher }: Stage2Loss,
  given: { readonly anchors?: Value; readonly teacher?: TeacherVectors | undefined },
): ContrastiveLoss {
  if (teacher === undefined || given.teacher === undefined) return found;
  const rest = distillationLoss(text, code, given.teacher, teacher, given.anchors);
  return { loss: add(found.loss, mul(rest, teacher.weight)), metrics: { ...found.metrics, loss_teacher: rest } };
}

/** Parts added up by name. */
export function addParts(parts: readonly Parts[]): Parts {
  const sums: Record<string, Value> = {};
  for (const part of parts) {
    for (const [name, value] of Object.entries(part)) {
      sums[name] = sums[name] === undefined ? value : add(sums[name], value);
    }
  }
  return sums as Parts;
}
