import type { Language, ProgressEvent, Tensor } from "../base/index.js";
import type { IdentifierSpans } from "./deobfuscation.js";

/** What pretraining asks of a tokenizer. */
export interface PretrainTokenizer {
  readonly vocabSize: number;
  readonly padId: number;
  readonly eosId: number;
  readonly maskId: number;
  /** Names the vocabulary: a checkpoint of one tokenizer is refused with another. */
  readonly hash: string;
  /** Tokens of whole texts, none added. Text never gives special tokens. */
  encodeIds(texts: readonly string[]): Promise<Int32Array[]>;
  /** At most `maxLength - 1` tokens of each text, then the end-of-sequence token. */
  encodeBatchForModel(texts: readonly string[], maxLength: number): Promise<Int32Array[]>;
}

/** A tokenizer that also writes tokens out. */
export interface DecodingTokenizer extends PretrainTokenizer {
  decode(ids: ArrayLike<number>): Promise<string>;
}

/** The names that a source file defines, with all their occurrences; comments and strings are never among them. */
export type FindIdentifiers = (
  text: string,
  lang: Language,
) => readonly IdentifierSpans[] | Promise<readonly IdentifierSpans[]>;

/** A source file of stage 1. */
export interface TrainingDocument {
  readonly lang: Language;
  readonly text: string;
}

/** A (summary, function) pair of stage 2; neither code side contains the summary's docstring. */
export interface TrainingPair {
  readonly summary: string;
  readonly code: string;
  /** Without signature and return statements. */
  readonly body: string;
  /** Names the pair; its place in the order, if not given. */
  readonly id?: string;
  readonly lang?: Language;
  /** The documentation that the summary is the first sentence of. */
  readonly docstring?: string;
  /** The function's name. */
  readonly name?: string;
}

/** Plain data that says where the next batch begins. Survives JSON. */
export type Position = Readonly<Record<string, number | string | null>>;

/** A batch, what to log of it, and where the next one begins. */
export interface PreparedBatch<P extends Position> {
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Numbers for the metrics: tokens, padding, ... */
  readonly stats: Readonly<Record<string, number>>;
  readonly next: P;
}

/**
 * Batches as a pure function of the data and a place in it: the same position gives the same batch, whatever was asked
 * before. `step` is the update it is for (an objective may depend on it).
 */
export interface BatchSource<P extends Position> {
  readonly start: P;
  prepare(position: P, step: number): Promise<PreparedBatch<P>>;
  /** Ends threads and closes files; batches still in preparation fail. */
  close?(): Promise<void>;
}

/** The part of an engine's session that training uses. */
export interface TrainSession {
  run(program: string, batch: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  /** Copies of the named tensors of the state; of all without names. */
  read(names?: readonly string[]): Promise<Record<string, Tensor>>;
}

/** A finished update. */
export interface StepEvent {
  readonly kind: "step";
  /** Updates done, so 1 after the first. */
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What a training run reports. */
export type TrainEvent =
  | StepEvent
  | ProgressEvent
  /** Before the first step. `resumedFrom` is the checkpoint that the run goes on from. */
  | {
      readonly kind: "start";
      readonly stage: string;
      readonly step: number;
      readonly steps: number;
      readonly resumedFrom?: string;
    }
  /** Something was put right that the reader may want to know. */
  | { readonly kind: "warning"; readonly code: string; readonly message: string }
  | { readonly kind: "checkpoint"; readonly step: number; readonly path: string }
  /** The signal came; `path` is the checkpoint to go on from, if training had begun. */
  | { readonly kind: "stopped"; readonly step: number; readonly path?: string }
  /** All steps are done; `path` is the last checkpoint. */
  | { readonly kind: "done"; readonly step: number; readonly path: string };
