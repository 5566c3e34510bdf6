import { access, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { errnoOf, parseConfig, readJsonl, UserError } from "../base/index.js";

/** One text of a set. */
export interface SetText {
  readonly id: string;
  readonly text: string;
  /** Empty where the set does not say. */
  readonly lang: string;
}

/** Queries, documents, and which belong together. */
export interface RetrievalSet {
  readonly kind: "retrieval";
  readonly name: string;
  readonly queries: readonly SetText[];
  readonly docs: readonly SetText[];
  /** Per query the indices of its relevant documents, ascending, at least one. */
  readonly relevant: readonly Int32Array[];
  /** A document with the query's own id is never a candidate. */
  readonly excludeSelf: boolean;
  /** Only documents of the query's language are candidates. */
  readonly sameLangOnly: boolean;
  /** Report every pair of query and document language as well. */
  readonly langMatrix: boolean;
}

/** Texts with labels, to learn from and to test on. */
export interface ClassificationSet {
  readonly kind: "classification";
  readonly name: string;
  readonly train: readonly LabelledText[];
  readonly test: readonly LabelledText[];
}
export type LabelledText = SetText & { readonly label: string | number };
export type EvaluationSet = RetrievalSet | ClassificationSet;

const TEXT = z.object({ id: z.string(), text: z.string(), lang: z.string().nullish() });
const LABELLED = TEXT.extend({ label: z.union([z.string(), z.number()]) });
const QREL = z.object({ query: z.string(), doc: z.string() });
const META = z.object({
  kind: z.enum(["retrieval", "classification"]).optional(),
  exclude_self: z.boolean().optional(),
  same_lang_only: z.boolean().optional(),
  lang_matrix: z.boolean().optional(),
});

/**
 * Reads a set's folder. Retrieval: `queries.jsonl {id, text, lang?}`, `corpus.jsonl {id, text, lang?}`, `qrels.jsonl
 * {query, doc}`. Classification: `train.jsonl`, `test.jsonl {id, text, lang?, label}`. `meta.json` (optional) says `kind`
 * and the flags `exclude_self`, `same_lang_only`, `lang_matrix`; other keys of any file are passed over.
 *
 * @throws UserError `evaluate.set-missing` (no such file), `evaluate.set-invalid` (what is in it), `jsonl.invalid`
 */
export async function loadSet(dir: string): Promise<EvaluationSet> {
  const meta = await readMeta(join(dir, "meta.json"));
  const name = basename(dir);
  const kind = meta.kind ?? ((await exists(join(dir, "train.jsonl"))) ? "classification" : "retrieval");
  if (kind === "classification") {
    const read = async (file: string): Promise<LabelledText[]> => {
      const rows = await readRows(join(dir, file), LABELLED);
      return rows.map(({ id, text, lang, label }) => ({ id, text, lang: lang ?? "", label }));
    };
    return { kind, name, train: await read("train.jsonl"), test: await read("test.jsonl") };
  }
  const readTexts = async (file: string): Promise<SetText[]> => {
    const rows = await readRows(join(dir, file), TEXT);
    return rows.map(({ id, text, lang }) => ({ id, text, lang: lang ?? "" }));
  };
  const queries = await readTexts("queries.jsonl");
  const docs = await readTexts("corpus.jsonl");
  const qrels = join(dir, "qrels.jsonl");
  const relevant = joinQrels(qrels, queries, docs, await readRows(qrels, QREL));
  const {
    exclude_self: excludeSelf = false,
    same_lang_only: sameLangOnly = false,
    lang_matrix: langMatrix = false,
  } = meta;
  return { kind, name, queries, docs, relevant, excludeSelf, sameLangOnly, langMatrix };
}

/** A retrieval set in memory: every query's own document is relevant, all documents are candidates. */
export function pairedSet(
  name: string,
  pairs: readonly { readonly id: string; readonly query: string; readonly document: string; readonly lang?: string }[],
): RetrievalSet {
  return {
    kind: "retrieval",
    name,
    queries: pairs.map(({ id, query }) => ({ id, text: query, lang: "" })),
    docs: pairs.map(({ id, document, lang = "" }) => ({ id, text: document, lang })),
    relevant: pairs.map((_, i) => Int32Array.of(i)),
    excludeSelf: false,
    sameLangOnly: false,
    langMatrix: false,
  };
}

function joinQrels(
  path: string,
  queries: readonly SetText[],
  docs: readonly SetText[],
  qrels: readonly z.output<typeof QREL>[],
): Int32Array[] {
  const queryIndex = new Map(queries.map(({ id }, i) => [id, i]));
  const docIndex = new Map(docs.map(({ id }, i) => [id, i]));
  const found = queries.map(() => new Set<number>());
  for (const { query, doc } of qrels) {
    const [q, d] = [queryIndex.get(query), docIndex.get(doc)];
    if (q === undefined) throw invalid(path, "ids of queries.jsonl", `query ${query}`);
    if (d === undefined) throw invalid(path, "ids of corpus.jsonl", `doc ${doc}`);
    found[q]!.add(d);
  }
  const without = found.findIndex((set) => set.size === 0);
  if (without !== -1) throw invalid(path, "a relevant document for every query", `none for ${queries[without]!.id}`);
  return found.map((set) => Int32Array.from(set).sort());
}

async function readRows<T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>[]> {
  if (!(await exists(path))) {
    throw new UserError("evaluate.set-missing", `${path}: expected a file of the set, found none`, {
      fix: "A retrieval set has queries.jsonl, corpus.jsonl and qrels.jsonl; a classification set train.jsonl and test.jsonl",
    });
  }
  const rows: z.output<T>[] = [];
  const ids = new Set<unknown>();
  for await (const value of readJsonl(path)) {
    const row = schema.safeParse(value);
    if (!row.success) {
      const [issue] = row.error.issues;
      throw invalid(
        path,
        "rows as the set's format has them",
        `row ${rows.length + 1}: ${issue!.path.join(".")}: ${issue!.message}`,
      );
    }
    const { id } = row.data as { id?: string };
    if (id !== undefined && ids.has(id)) throw invalid(path, "every id once", `${id} again in row ${rows.length + 1}`);
    ids.add(id);
    rows.push(row.data);
  }
  if (rows.length === 0) throw invalid(path, "at least one row", "none");
  return rows;
}

async function readMeta(path: string): Promise<z.output<typeof META>> {
  if (!(await exists(path))) return {};
  const text = await readFile(path, "utf8");
  try {
    return parseConfig(META, JSON.parse(text), path);
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid(path, "JSON", error.message);
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return false;
    throw new UserError("evaluate.set-missing", `${path}: expected a readable file, got ${errnoOf(error)}`, {
      cause: error,
    });
  }
}

function invalid(path: string, expected: string, got: string): UserError {
  return new UserError("evaluate.set-invalid", `${path}: expected ${expected}, got ${got}`, { fix: "Correct the set" });
}
