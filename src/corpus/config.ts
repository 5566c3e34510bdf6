import { z } from "zod";
import { LANGUAGES } from "../base/index.js";
import { SPLITS } from "./types.js";

const share = z.number().min(0).max(1);

/** One folder of source code. */
export const sourceSchema = z.strictObject({
  path: z.string().min(1),
  /** What the records call it; the folder's name by default. */
  name: z.string().min(1).optional(),
  /** Fixed for all its files; else drawn by hash (`config.split`). */
  split: z.enum(SPLITS).optional(),
  languages: z.array(z.enum(LANGUAGES)).optional(),
  /** Globs over the path inside the source: `*`, `?`, `**`. */
  exclude: z.array(z.string()).default([]),
});

export const corpusSchema = z.strictObject({
  sources: z.array(sourceSchema).min(1),
  languages: z.array(z.enum(LANGUAGES)).optional(),
  /** Larger files are passed over (bytes). */
  maxFileBytes: z.number().int().positive().default(1_000_000),
  /** Sources without a split of their own: shares of held-out data, drawn by hash of the source's name or the file. */
  split: z
    .strictObject({
      by: z.enum(["source", "file"]).default("file"),
      validation: share.default(0),
      test: share.default(0),
    })
    .refine((split) => split.validation + split.test <= 1, "validation + test: expected at most 1")
    .default({ by: "file", validation: 0, test: 0 }),
  /** A summary is kept this often per language. */
  maxRepeats: z.number().int().positive().default(10),
  minTokens: z.number().int().nonnegative().default(3),
  maxTokens: z.number().int().positive().default(256),
  /** Records a shard holds at most. */
  shardRecords: z.number().int().positive().default(20_000),
});

export type CorpusInput = z.input<typeof corpusSchema>;
export type CorpusConfig = z.output<typeof corpusSchema>;
export type SourceConfig = CorpusConfig["sources"][number];
