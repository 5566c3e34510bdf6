import { SPLITS, type Split } from "../types.js";
import type { RecordKind } from "./_part.js";

/** What becomes of a record, by number. A pair's reason and a document's have their own names. */
export const KEPT = 0;
export const DUPLICATE = 1;
export const NEAR_DUPLICATE = 2;
export const SUMMARY_HELD_OUT = 3;
export const REPEATED_SUMMARY = 4;
export const SOURCE_CAP = 5;
export const ORIGIN_CAP = 6;
export const HELD_OUT_CODE = 7;

const NAMES: Readonly<Record<RecordKind, readonly string[]>> = {
  pairs: [
    "",
    "duplicate-code",
    "near-duplicate",
    "summary-held-out",
    "repeated-summary",
    "source-cap",
    "origin-cap",
    "held-out-code",
  ],
  documents: ["", "duplicate", "near-duplicate", "", "", "", "", "held-out-code"],
};

/** Decisions on all records of a build: a few bytes for each. */
export class Decisions {
  private readonly fates: Readonly<Record<RecordKind, Uint8Array>>;
  private readonly splits: Readonly<Record<RecordKind, Uint8Array>>;
  /** Of a pair that repeats another: the one that is kept. */
  readonly keeper: Uint32Array;

  constructor(pairs: number, documents: number) {
    this.fates = { pairs: new Uint8Array(pairs), documents: new Uint8Array(documents) };
    this.splits = { pairs: new Uint8Array(pairs), documents: new Uint8Array(documents) };
    this.keeper = new Uint32Array(pairs);
  }

  isKept(kind: RecordKind, record: number): boolean {
    return this.fates[kind][record] === KEPT;
  }

  drop(kind: RecordKind, record: number, fate: number): void {
    this.fates[kind][record] = fate;
  }

  /** Why a record is dropped; undefined where it is kept. */
  reason(kind: RecordKind, record: number): string | undefined {
    const fate = this.fates[kind][record]!;
    return fate === KEPT ? undefined : NAMES[kind][fate]!;
  }

  assign(kind: RecordKind, record: number, split: Split): void {
    this.splits[kind][record] = SPLITS.indexOf(split);
  }

  /** 0 train, 1 validation, 2 test. */
  splitNumber(kind: RecordKind, record: number): number {
    return this.splits[kind][record]!;
  }

  split(kind: RecordKind, record: number): Split {
    return SPLITS[this.splits[kind][record]!]!;
  }
}
