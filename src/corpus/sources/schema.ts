import { z } from "zod";
import { LANGUAGES } from "../../base/index.js";
import { SPLITS } from "../types.js";

const text = z.string().min(1);
const globs = z.array(text);

/** What every kind of source may say. */
const common = {
  /** Globs over the path inside the source (`*`, `?`, `**`; no slash: at any depth): only these. */
  paths: globs.default([]),
  /** Globs of what is passed over. */
  exclude: globs.default([]),
  /** Only these languages. */
  languages: z.array(z.enum(LANGUAGES)).optional(),
  /** SPDX expression that stands for what the source says of itself; headers in files still go first. */
  licence: text.optional(),
  /** Why `licence` is right: where it was read. */
  licenceNote: text.optional(),
  /** Fixed for all of it; else drawn by hash. */
  split: z.enum(SPLITS).optional(),
  /** Pairs kept of it at most. */
  maxPairs: z.number().int().positive().optional(),
};

/** A failure of it is a failure of the run; of others it is counted and reported. */
const optionalSource = { required: z.boolean().default(false) };
const requiredSource = { required: z.boolean().default(true) };

/** A name a client is given is never an option of it. */
const name = (pattern: RegExp, expected: string): z.ZodString => z.string().regex(pattern, `expected ${expected}`);
// Neither takes anything that a client would read as a URL, a path or another package.
const npmVersion = name(/^[\w^~<>=*][\w.^~<>=|*+ -]*$/, "a version or a range");
const debianVersion = name(/^[\w<>=*][\w.+:~<>=*, -]*$/, "a version or a range");

export const directorySchema = z.strictObject({
  kind: z.literal("directory"),
  path: text,
  /** What the records call it; the folder's name by default. */
  name: text.optional(),
  ...common,
  ...requiredSource,
});

export const gitSchema = z.strictObject({
  kind: z.literal("git"),
  /** `owner/name`, looked up among the mirrors; or a URL or folder that `git` understands. */
  repository: name(/^[^-\s][^\s]*$/, "owner/name, a URL or a folder"),
  /** A commit or another name for one. One that the repository lacks is replaced by its HEAD, with a note. */
  commit: name(/^[^-\s][^\s]*$/, "a commit, a tag or a branch").default("HEAD"),
  ...common,
  ...optionalSource,
});

export const npmSchema = z.strictObject({
  kind: z.literal("npm"),
  name: name(/^(@[a-z0-9~][\w.~-]*\/)?[a-zA-Z0-9~_][\w.~-]*$/, "a package name"),
  /** Exact, or a range as `npm` writes them. */
  version: npmVersion,
  /** Taken from if an exact version is gone; `^version` by default. */
  range: npmVersion.optional(),
  ...common,
  ...optionalSource,
});

export const debianSchema = z.strictObject({
  kind: z.literal("debian"),
  package: name(/^[a-z0-9][a-z0-9+.-]+$/, "a package name"),
  /** Exact, `*`, or constraints with commas between: `>= 1.9, << 2`. */
  version: debianVersion,
  /** Taken from if an exact version is gone; `>= version` by default. */
  range: debianVersion.optional(),
  form: z.enum(["source", "binary"]),
  ...common,
  ...optionalSource,
});

/** The Stack, The Stack v2 and their like: JSON Lines (also gzipped) or Parquet, a file of code a row. */
export const stackSchema = z.strictObject({
  kind: z.literal("stack"),
  /** A file or a folder of them. */
  path: text,
  name: text.optional(),
  /** Names of the columns, where they are not the usual ones. */
  columns: z
    .strictObject({
      content: text.optional(),
      lang: text.optional(),
      path: text.optional(),
      licence: text.optional(),
      repository: text.optional(),
    })
    .default({}),
  ...common,
  ...requiredSource,
});

/** CodeSearchNet as distributed: gzipped JSON Lines, a function a line. */
export const codeSearchNetSchema = z.strictObject({
  kind: z.literal("codesearchnet"),
  /** A `.jsonl.gz` file, or a folder of them. */
  path: text,
  name: text.optional(),
  ...common,
  ...requiredSource,
});

const fetchable = [npmSchema, debianSchema, gitSchema] as const;
const local = [directorySchema, stackSchema, codeSearchNetSchema] as const;
const anySource = z.discriminatedUnion("kind", [...fetchable, ...local]);

/** A list of sources in a file of its own. */
export const recipeReferenceSchema = z.strictObject({ kind: z.literal("recipe"), path: text });

/** An entry without a `kind` is a directory. */
function directoryByDefault(value: unknown): unknown {
  return typeof value === "object" && value !== null && !("kind" in value) ? { kind: "directory", ...value } : value;
}

/** One source of a recipe. */
export const sourceSchema = z.preprocess(directoryByDefault, anySource);

/** One source of a build config: as in a recipe, or a recipe. */
export const buildSourceSchema = z.preprocess(
  directoryByDefault,
  z.discriminatedUnion("kind", [...fetchable, ...local, recipeReferenceSchema]),
);

/** Which licences are let in; the default is {@link PERMISSIVE}. */
export const licencesSchema = z.strictObject({
  /** SPDX identifiers; an expression passes if it can be satisfied with these alone. */
  allow: z.array(text).optional(),
  /** Let everything in, whatever its licence; the records still name it. */
  includeOthers: z.boolean().default(false),
});

/** `recipes/*.json`: what `corpus fetch` downloads and a build reads. */
export const recipeSchema = z.strictObject({
  name: text,
  version: z.literal(1),
  description: z.string().optional(),
  /** SPDX identifiers let in; those of the build config go first, {@link PERMISSIVE} is the default. */
  licences: z.array(text).optional(),
  sources: z.array(sourceSchema).min(1),
});

export type SourceConfig = z.output<typeof anySource>;
export type BuildSourceConfig = z.output<typeof buildSourceSchema>;
/** As written; an entry without a `kind` is a directory. */
export type SourceInput =
  z.input<typeof anySource> | z.input<typeof recipeReferenceSchema> | Omit<z.input<typeof directorySchema>, "kind">;
export type LicencesConfig = z.output<typeof licencesSchema>;
export type Recipe = z.output<typeof recipeSchema>;
export type DirectoryConfig = z.output<typeof directorySchema>;
export type GitConfig = z.output<typeof gitSchema>;
export type NpmConfig = z.output<typeof npmSchema>;
export type DebianConfig = z.output<typeof debianSchema>;
export type StackConfig = z.output<typeof stackSchema>;
export type CodeSearchNetConfig = z.output<typeof codeSearchNetSchema>;
