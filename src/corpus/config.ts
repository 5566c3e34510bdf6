import { z } from "zod";
import { LANGUAGES } from "../base/index.js";
import { buildSourceSchema, licencesSchema, type SourceInput } from "./sources/schema.js";

const share = z.number().min(0).max(1);
const globs = z.array(z.string().min(1));

/** How held-out records are chosen among sources without a split of their own. */
const splitSchema = z
  .strictObject({
    /**
     * `origin`: whole packages, by hash, so that each language's share is met without a giant one among them (files are
     * drawn where a language has no package small enough). `file`: every file by hash.
     */
    by: z.enum(["origin", "file"]).default("origin"),
    validation: share.default(0),
    test: share.default(0),
    /** Origins (globs: `npm:three`, `git:apache/*`) held out whatever their size. */
    heldOut: z.strictObject({ validation: globs.default([]), test: globs.default([]) }).prefault({}),
  })
  .refine((split) => split.validation + split.test <= 1, "validation + test: expected at most 1");

/** Near duplicates: MinHash (Broder 1997) over 5-grams of tokens, candidates by banding (Leskovec et al., ch. 3). */
const dedupeSchema = z.strictObject({
  /** Estimated Jaccard similarity from which two functions count as one. */
  pairs: z.number().min(0.5).max(1).default(0.85),
  /** The same for whole files. */
  documents: z.number().min(0.5).max(1).default(0.85),
});

/** Settings of a corpus; `corpus build --config FILE` reads them as JSON. */
export const corpusSchema = z.strictObject({
  sources: z.array(buildSourceSchema).min(1),
  languages: z.array(z.enum(LANGUAGES)).optional(),
  licences: licencesSchema.prefault({}),
  /** Larger files are passed over (bytes). */
  maxFileBytes: z.number().int().positive().default(1_000_000),
  split: splitSchema.prefault({}),
  dedupe: dedupeSchema.prefault({}),
  /** Folders of evaluation sets whose functions and files are removed from everything. */
  exclude: z.array(z.string().min(1)).default([]),
  /** Origins left out: globs over `git:TheAlgorithms/Python` or what stands behind its colon. */
  excludeOrigins: globs.default([]),
  /** A summary is kept this often per language. */
  maxRepeats: z.number().int().positive().default(10),
  /** No origin gives more than this share of its language's pairs; 1: no limit. Needs three origins or more. */
  maxOriginShare: share.default(1),
  /** What the code side of a pair does with its documentation: `strip`, or keep it with a probability. */
  docstring: z.union([z.literal("strip"), z.strictObject({ keep: share })]).default("strip"),
  minTokens: z.number().int().nonnegative().default(3),
  maxTokens: z.number().int().positive().default(256),
  /** Seed of every draw by hash. */
  seed: z.number().int().nonnegative().default(0),
  /** Records a shard holds at most; its row groups hold at most 1,000. */
  shardRecords: z.number().int().positive().default(50_000),
});

/** As written: everything but the sources may be left out. */
export type CorpusInput = Omit<z.input<typeof corpusSchema>, "sources"> & { readonly sources: readonly SourceInput[] };
export type CorpusConfig = z.output<typeof corpusSchema>;
