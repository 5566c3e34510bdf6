import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { errnoOf, messageOf, UserError } from "../../base/index.js";

/** What a packed run says of itself; the last file but the checksums. */
export const RUN_FILE = "run.json";
/** `SHA-256  path` of every file, as `sha256sum -c` reads it. */
export const CHECKSUMS = "checksums.txt";
/** The format of the folder. */
export const PACK_FORMAT = 1;

const place = z.record(z.string(), z.union([z.number(), z.string(), z.null()]));
const plan = z.strictObject({
  kind: z.enum(["whole", "accumulate", "gradient-cache"]),
  /** File of every program, by name. */
  programs: z.record(z.string(), z.string()),
  /** State that is zero between updates: dimensions by name, float32. */
  scratch: z.record(z.string(), z.array(z.int())),
});

const manifestSchema = z.strictObject({
  format: z.literal(PACK_FORMAT),
  stage: z.enum(["stage1", "stage2"]),
  /** Where the packed part begins. */
  from: z.strictObject({ step: z.int().min(0), position: place }),
  /** The update after which the packed part ends. */
  to: z.int().min(0),
  /** Updates of the whole run. */
  steps: z.int().min(1),
  /** Real tokens in the batches. */
  tokens: z.int().min(0),
  rngKey: z.tuple([z.int(), z.int()]),
  config: z.record(z.string(), z.unknown()),
  inputs: z.record(z.string(), z.string()),
  checkpoints: z.strictObject({
    everySteps: z.int().nullable(),
    everySeconds: z.number().nullable(),
    keep: z.int().min(1),
    best: z.boolean(),
  }),
  /** What the reader of the batches has to know. */
  shape: z.record(z.string(), z.union([z.string(), z.number()])),
  /** Rows or pairs computed at a time; null for all. The program of the other way is packed as well. */
  chunk: z.int().nullable(),
  plans: z.strictObject({ whole: plan, chunked: plan }),
  state: z.strictObject({
    file: z.string(),
    /** All names, in the order of a checkpoint. */
    names: z.array(z.string()),
    /** Tensors of zeros, which the file leaves out: dimensions by name, float32. */
    zeros: z.record(z.string(), z.array(z.int())),
  }),
  batches: z.string(),
});

/** What `run.json` of a packed run holds. */
export type PackManifest = Readonly<z.output<typeof manifestSchema>>;

/**
 * What a packed run says of itself.
 *
 * @throws UserError `pack.missing`, `pack.damaged`, `pack.newer`
 */
export async function readPackManifest(folder: string): Promise<PackManifest> {
  const path = join(folder, RUN_FILE);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new UserError("pack.missing", `${folder}: expected a packed run, got ${errnoOf(error) ?? "an error"}`, {
      fix: "Name a folder that lodestone pretrain pack wrote",
      cause: error,
    });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damagedPack(path, `it is not JSON (${messageOf(error)})`);
  }
  const format = typeof value === "object" && value !== null && "format" in value ? value.format : undefined;
  if (typeof format === "number" && format > PACK_FORMAT) {
    throw new UserError("pack.newer", `${path}: expected format ${PACK_FORMAT}, got ${format} of a newer version`, {
      fix: "Update Lodestone",
    });
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) throw damagedPack(path, "its content is not that of a packed run");
  return parsed.data;
}

function damagedPack(path: string, what: string): UserError {
  return new UserError("pack.damaged", `${path}: expected a file of a packed run, but ${what}`, {
    fix: "Copy the folder again, or pack the run again",
  });
}
