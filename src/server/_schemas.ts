import { z } from "zod";
import { CHUNK_KINDS } from "../search/index.js";

/** Requests and answers of `lodestone serve`. The OpenAPI document is made from these. */

/** Texts or token sequences in one request, at most. */
export const MAX_INPUTS = 2048;
/** UTF-16 code units of a query, at most. */
export const MAX_QUERY = 65_536;

const tokenIds = z.array(z.int().nonnegative());
const INPUT_TEXT = "expected a string, an array of strings, an array of token ids, or an array of such arrays";
const inputs = z.union([z.string(), z.array(z.string()), tokenIds, z.array(tokenIds)], { error: INPUT_TEXT });

export const EmbeddingsRequest = z
  .object({
    input: inputs.describe(
      `One text or at most ${MAX_INPUTS}; token ids are those of the model's tokenizer, without special tokens`,
    ),
    model: z.string().optional().describe("A name of /v1/models; the only model by default"),
    encoding_format: z.enum(["float", "base64"]).default("float").describe("base64: little-endian float32"),
    dimensions: z
      .int()
      .positive()
      .optional()
      .describe("The first so many numbers, brought to length 1 again; where the model was trained for it"),
    user: z.string().optional().describe("Not used"),
  })
  .meta({ id: "EmbeddingsRequest" });

export const EmbeddingsAnswer = z
  .object({
    object: z.literal("list"),
    data: z.array(
      z.object({
        object: z.literal("embedding"),
        index: z.int(),
        embedding: z.union([z.array(z.number()), z.string()]),
      }),
    ),
    model: z.string(),
    usage: z
      .object({ prompt_tokens: z.int(), total_tokens: z.int() })
      .describe("Tokens that the model read, the end-of-sequence token of each text among them"),
  })
  .meta({ id: "EmbeddingsAnswer" });

export const ModelsAnswer = z
  .object({
    object: z.literal("list"),
    data: z.array(
      z.object({ id: z.string(), object: z.literal("model"), created: z.int(), owned_by: z.string() }).strict(),
    ),
  })
  .meta({ id: "ModelsAnswer" });

export const EmbedRequest = z
  .object({
    inputs: inputs.describe(`One text or at most ${MAX_INPUTS}`),
    truncate: z.boolean().optional().describe("Cut what is too long instead of refusing it"),
    normalize: z.literal(true, { error: "expected true: vectors always have length 1" }).optional(),
    dimensions: z.int().positive().optional(),
  })
  .meta({ id: "EmbedRequest" });

export const EmbedAnswer = z.array(z.array(z.number())).meta({ id: "EmbedAnswer" });

export const InfoAnswer = z
  .object({
    model_id: z.string().nullable(),
    model_sha: z.string().nullable().describe("SHA-256 of the model folder's checksums"),
    model_dtype: z.literal("float32"),
    model_type: z.object({ embedding: z.object({ pooling: z.string() }) }).nullable(),
    dimensions: z.array(z.int()).describe("What may be asked for as dimensions"),
    max_input_length: z.int().nullable(),
    max_batch_tokens: z.int(),
    max_client_batch_size: z.int(),
    auto_truncate: z.boolean(),
    version: z.string(),
  })
  .meta({ id: "Info" });

export const SearchRequest = z
  .object({
    query: z.string().describe(`A question, a name, or code; at most ${MAX_QUERY} characters`),
    repository: z.string().optional().describe("A name of /repositories; all by default"),
    limit: z.int().min(1).max(100).default(10),
    languages: z.array(z.string().max(100)).max(50).optional(),
    paths: z.array(z.string().max(1000)).max(50).optional().describe("Patterns as in .gitignore"),
    types: z.array(z.enum(CHUNK_KINDS)).max(CHUNK_KINDS.length).optional(),
    text: z.boolean().default(true).describe("Also the lines of each hit"),
    explain: z.boolean().default(false).describe("Also how each score came about"),
  })
  .meta({ id: "SearchRequest" });
export type SearchRequest = z.output<typeof SearchRequest>;

const list = z
  .string()
  .max(10_000)
  .optional()
  .describe("Separated by commas")
  .transform((text) => text?.split(",").filter((part) => part.trim() !== ""));
const flag = (value: "true" | "false") => z.enum(["true", "false"]).default(value);

/** `GET /search`: the same as {@link SearchRequest} in a query string. */
export const SearchQuery = z.object({
  q: z.string().describe("The query"),
  repository: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(100).default(10),
  language: list,
  path: list,
  type: list,
  text: flag("true"),
  explain: flag("false"),
});

export const HitAnswer = z
  .object({
    repository: z.string(),
    path: z.string().describe("Relative to the repository"),
    startLine: z.int().describe("1-based, inclusive"),
    endLine: z.int(),
    score: z.number().describe("Comparable inside one repository's answer only"),
    name: z.string(),
    scope: z.array(z.string()),
    kind: z.enum(CHUNK_KINDS),
    language: z.string(),
    text: z.string().optional(),
    stale: z.boolean().optional().describe("The file has changed since it was indexed"),
    explanation: z.unknown().optional(),
  })
  .meta({ id: "Hit" });

export const SearchAnswer = z
  .object({
    hits: z.array(HitAnswer).describe("Best first; of several repositories in turns, since scores do not compare"),
    tier: z.enum(["full", "static", "lexical"]).describe("What ranked: the least of the repositories asked"),
    notes: z.array(z.string()).describe("What the reader should know, e.g. that indexing goes on"),
    milliseconds: z.number(),
  })
  .meta({ id: "SearchAnswer" });

export const RepositoryAnswer = z
  .object({
    name: z.string(),
    state: z.enum(["indexing", "refining", "ready", "failed"]),
    progress: z.object({ done: z.number(), total: z.number().nullable(), unit: z.string() }).nullable(),
    error: z.string().nullable(),
    files: z.int(),
    chunks: z.int(),
    languages: z.record(z.string(), z.int()),
    skipped: z.record(z.string(), z.int()).describe("Files passed over, by reason"),
    tiers: z.object({ static: z.int(), full: z.int() }).describe("Chunks with vectors"),
    answersFrom: z.enum(["full", "static", "lexical"]),
    notes: z.array(z.string()),
  })
  .meta({ id: "Repository" });

export const RepositoriesAnswer = z
  .object({ repositories: z.array(RepositoryAnswer) })
  .meta({ id: "RepositoriesAnswer" });

export const HealthAnswer = z.object({ status: z.enum(["ok", "draining"]) }).meta({ id: "Health" });

export const ErrorAnswer = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string(),
    }),
  })
  .meta({ id: "Error" });
