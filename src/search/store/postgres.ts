import { internalError, messageOf, UserError } from "../../base/index.js";
import type { ChunkKind } from "../chunks/types.js";
import {
  BM25,
  TIERS,
  type Candidate,
  type Change,
  type ChunkFilter,
  type ChunkRow,
  type FileRecord,
  type IndexMeta,
  type ModelInfo,
  type NewChunk,
  type Store,
  type StoreCounts,
  type StoreQuery,
  type Tier,
} from "./store.js";

/** What this store needs of a client: `pg.Client` is one. One connection, since changes are transactions. */
export interface PostgresClient {
  query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

const TABLES = `
create extension if not exists vector;
create table if not exists lodestone_indexes (
  repository text primary key, meta jsonb not null, generation bigint not null);
create table if not exists lodestone_files (
  repository text not null, path text not null, hash text not null, record jsonb not null, primary key (repository, path));
create table if not exists lodestone_chunks (
  id bigserial primary key, repository text not null, path text not null, language text not null,
  generated boolean not null, kind text not null, start_line int not null, end_line int not null,
  name text not null, scope jsonb not null, hash text not null, length int not null,
  vector_static vector, vector_full vector);
create index if not exists lodestone_chunks_path on lodestone_chunks (repository, path);
create index if not exists lodestone_chunks_hash on lodestone_chunks (repository, hash);
create index if not exists lodestone_chunks_name on lodestone_chunks (repository, lower(name));
create table if not exists lodestone_words (
  repository text not null, word text not null, chunk bigint not null references lodestone_chunks on delete cascade,
  count int not null);
create index if not exists lodestone_words_word on lodestone_words (repository, word);
create index if not exists lodestone_words_chunk on lodestone_words (chunk);
`;

/** Chunks of one insert. */
const BATCH = 500;
const COLUMNS = "id, path, language, generated, kind, start_line, end_line, name, scope, hash";

interface Row {
  readonly id: string | number;
  readonly path: string;
  readonly language: string;
  readonly generated: boolean;
  readonly kind: ChunkKind;
  readonly start_line: number;
  readonly end_line: number;
  readonly name: string;
  readonly scope: readonly string[];
  readonly hash: string;
  readonly [other: string]: unknown;
}

/**
 * An index in PostgreSQL with pgvector, so that a team shares one. Many repositories live side by side, told apart by
 * name. Vectors are searched exactly; a change is one transaction.
 */
export class PostgresStore implements Store {
  readonly kind = "postgres";

  private constructor(
    private readonly client: PostgresClient,
    private readonly repository: string,
    private readonly end: () => Promise<void>,
  ) {}

  /** On a connected client, which stays its owner's. Makes the tables where there are none. */
  static async over(client: PostgresClient, repository: string): Promise<PostgresStore> {
    await client.query(TABLES);
    return new PostgresStore(client, repository, () => Promise.resolve());
  }

  /**
   * Connects through the `pg` package, which must be installed beside ours.
   *
   * @throws UserError `search.postgres`
   */
  static async connect(url: string, repository: string): Promise<PostgresStore> {
    const name = "pg"; // Not ours: whoever uses this store installs it.
    try {
      const { default: pg } = (await import(name)) as {
        default: {
          Client: new (options: object) => PostgresClient & { connect(): Promise<void>; end(): Promise<void> };
        };
      };
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(TABLES);
      return new PostgresStore(client, repository, () => client.end());
    } catch (error) {
      throw new UserError("search.postgres", `expected PostgreSQL with pgvector, got ${messageOf(error)}`, {
        fix: "Install the package pg, and check the server's address and that it offers the extension vector",
        cause: error,
      });
    }
  }

  private async rows<T>(text: string, ...values: unknown[]): Promise<readonly T[]> {
    return (await this.client.query(text, [this.repository, ...values])).rows as readonly T[];
  }

  async meta(): Promise<IndexMeta | undefined> {
    const [row] = await this.rows<{ meta: IndexMeta }>("select meta from lodestone_indexes where repository = $1");
    return row === undefined || Object.keys(row.meta).length === 0 ? undefined : row.meta;
  }

  async counts(): Promise<StoreCounts> {
    const [files] = await this.rows<{ files: number; skipped: number }>(
      `select count(*)::int as files, count(record->>'skipped')::int as skipped from lodestone_files where repository = $1`,
    );
    const [chunks] = await this.rows<{ chunks: number; static: number; full: number }>(
      `select count(*)::int as chunks, count(vector_static)::int as static, count(vector_full)::int as full
       from lodestone_chunks where repository = $1`,
    );
    const [index] = await this.rows<{ generation: string }>(
      "select generation from lodestone_indexes where repository = $1",
    );
    return {
      files: files!.files,
      skipped: files!.skipped,
      chunks: chunks!.chunks,
      vectors: { static: chunks!.static, full: chunks!.full },
      bytes: undefined,
      generation: Number(index?.generation ?? 0),
    };
  }

  async files(): Promise<ReadonlyMap<string, FileRecord>> {
    const rows = await this.rows<{ record: FileRecord }>(
      'select record from lodestone_files where repository = $1 order by path collate "C"',
    );
    return new Map(rows.map(({ record }) => [record.path, record]));
  }

  async holds(path: string, hash: string): Promise<boolean> {
    if (hash === "") return false;
    const rows = await this.rows(
      "select 1 from lodestone_files where repository = $1 and path = $2 and hash = $3",
      path,
      hash,
    );
    return rows.length > 0;
  }

  async apply({ meta, put, remove }: Change): Promise<void> {
    await this.transaction(async () => {
      const replaced = put.filter(({ chunks }) => chunks !== "known").map(({ file }) => file.path);
      const chunks = put.flatMap(({ file, chunks: own }) =>
        own === "known" ? [] : own.map((chunk) => ({ file, chunk })),
      );
      const known = await this.vectorsByHash(chunks.map(({ chunk }) => chunk.hash));
      const gone = [...remove, ...replaced];
      await this.rows("delete from lodestone_chunks where repository = $1 and path = any($2)", gone);
      await this.rows("delete from lodestone_files where repository = $1 and path = any($2)", [
        ...remove,
        ...put.map(({ file }) => file.path),
      ]);
      await this.rows(
        `insert into lodestone_files select $1, f.path, f.hash, f.record
         from jsonb_to_recordset($2) as f(path text, hash text, record jsonb)`,
        JSON.stringify(put.map(({ file }) => ({ path: file.path, hash: file.hash, record: file }))),
      );
      for (let at = 0; at < chunks.length; at += BATCH) await this.insert(chunks.slice(at, at + BATCH), known);
      await this.setMeta(meta);
    });
  }

  private async insert(
    chunks: readonly { file: FileRecord; chunk: NewChunk }[],
    known: ReadonlyMap<string, Partial<Record<Tier, string>>>,
  ): Promise<void> {
    const vectorOf = (chunk: NewChunk, tier: Tier): string | null =>
      chunk.vectors[tier] === undefined ? (known.get(chunk.hash)?.[tier] ?? null) : vectorText(chunk.vectors[tier]);
    const rows = await this.rows<{ id: string }>(
      `insert into lodestone_chunks (repository, path, language, generated, kind, start_line, end_line, name, scope, hash,
         length, vector_static, vector_full)
       select $1, path, language, generated, kind, start_line, end_line, name, scope, hash, length, vector_static::vector,
         vector_full::vector
       from rows from (jsonb_to_recordset($2) as (${RECORD})) with ordinality order by ordinality returning id`,
      JSON.stringify(
        chunks.map(({ file, chunk }) => ({
          path: file.path,
          language: file.language,
          generated: file.generated,
          kind: chunk.kind,
          start_line: chunk.startLine,
          end_line: chunk.endLine,
          name: chunk.name.replaceAll("\0", " "),
          scope: chunk.scope.map((one) => one.replaceAll("\0", " ")),
          hash: chunk.hash,
          length: Math.min(chunk.length, 2 ** 31 - 1),
          vector_static: vectorOf(chunk, "static"),
          vector_full: vectorOf(chunk, "full"),
        })),
      ),
    );
    const ids: string[] = [];
    const words: string[] = [];
    const counts: number[] = [];
    chunks.forEach(({ chunk }, i) => {
      chunk.words.forEach((word, w) => {
        ids.push(rows[i]!.id);
        words.push(word);
        counts.push(chunk.counts[w]!);
      });
    });
    await this.rows(
      `insert into lodestone_words (repository, chunk, word, count)
       select $1, * from unnest($2::bigint[], $3::text[], $4::int[])`,
      ids,
      words,
      counts,
    );
  }

  private async vectorsByHash(hashes: readonly string[]): Promise<Map<string, Partial<Record<Tier, string>>>> {
    const rows = await this.rows<{ hash: string; static: string | null; full: string | null }>(
      `select hash, vector_static::text as static, vector_full::text as full from lodestone_chunks
       where repository = $1 and hash = any($2)`,
      hashes,
    );
    const known = new Map<string, Partial<Record<Tier, string>>>();
    for (const { hash, ...vectors } of rows) {
      const own = known.get(hash) ?? {};
      for (const tier of TIERS) if (vectors[tier] !== null) own[tier] = vectors[tier];
      known.set(hash, own);
    }
    return known;
  }

  async candidates({ words, vectors, names, limit, filter }: StoreQuery): Promise<Candidate[]> {
    const where = await this.whereOf(filter);
    const found = new Set<string>();
    const add = (rows: readonly { id: string | number }[]): void => rows.forEach(({ id }) => found.add(String(id)));
    if (words.size > 0) {
      const best = await this.lexical(
        words,
        `${where.text} order by score desc, id limit ${Number(limit)}`,
        where.values,
      );
      add(best);
    }
    for (const tier of TIERS) {
      const vector = vectors[tier];
      if (vector === undefined) continue;
      add(
        await this.rows<{ id: string }>(
          `select c.id from lodestone_chunks c where c.repository = $1 and vector_${tier} is not null ${where.text}
           order by vector_${tier} <=> $5::vector, id limit ${Number(limit)}`,
          ...where.values,
          vectorText(vector),
        ),
      );
    }
    if (names.length > 0) {
      add(
        await this.rows<{ id: string }>(
          `select c.id from lodestone_chunks c where c.repository = $1 and lower(name) = any($5) ${where.text}
           order by id limit 256`,
          ...where.values,
          names,
        ),
      );
    }
    return this.scored([...found], words, vectors);
  }

  /** Rows with BM25 and cosines, for some ids. */
  private async scored(
    ids: readonly string[],
    words: StoreQuery["words"],
    vectors: StoreQuery["vectors"],
  ): Promise<Candidate[]> {
    if (ids.length === 0) return [];
    const cosine = (tier: Tier, at: number): string =>
      vectors[tier] === undefined ? "null" : `coalesce(1 - (vector_${tier} <=> $${at}::vector), 0)`;
    const given = TIERS.flatMap((tier) => (vectors[tier] === undefined ? [] : [vectorText(vectors[tier])]));
    const rows = await this.rows<Row & { static: number | null; full: number | null }>(
      `select ${COLUMNS}, ${cosine("static", 3)} as static, ${cosine("full", vectors.static === undefined ? 3 : 4)} as full
       from lodestone_chunks where repository = $1 and id = any($2::bigint[])`,
      ids,
      ...given,
    );
    const scores =
      words.size === 0
        ? []
        : await this.lexical(words, "and c.id = any($5::bigint[]) and $6::text is null and $7::text is null", [
            ids,
            null,
            null,
          ]);
    const lexical = new Map(scores.map(({ id, score }) => [String(id), Number(score)]));
    return rows.map((row) => {
      const cosines: Partial<Record<Tier, number>> = {};
      for (const tier of TIERS) if (row[tier] !== null) cosines[tier] = Number(row[tier]);
      return { row: chunkRow(row), lexical: lexical.get(String(row.id)) ?? 0, cosines };
    });
  }

  /** BM25 by chunk. `rest` may narrow and order; its parameters begin at $5. */
  private async lexical(
    words: StoreQuery["words"],
    rest: string,
    values: readonly unknown[],
  ): Promise<readonly { id: string; score: number }[]> {
    const { k1, b } = BM25;
    const [narrow, order] = rest.split(/(?= order by )/) as [string, string | undefined];
    return this.rows(
      `with q as (select * from unnest($2::text[], $3::float8[]) as q(word, weight)),
       stats as (select count(*)::float8 as n, greatest(1, avg(length))::float8 as mean from lodestone_chunks
         where repository = $1 and $4::int is not null),
       df as (select word, count(*)::float8 as df from lodestone_words where repository = $1 and word in (select word from q)
         group by word)
       select c.id, sum(q.weight * ln(1 + (n - df + 0.5) / (df + 0.5)) * w.count
         / (w.count + ${k1} * (1 - ${b} + ${b} * c.length / mean))) as score
       from q join df using (word) join lodestone_words w on w.repository = $1 and w.word = q.word
         join lodestone_chunks c on c.id = w.chunk cross join stats
       where true ${shifted(narrow, 3)} group by c.id ${order ?? ""}`,
      [...words.keys()],
      [...words.values()],
      1,
      ...values,
    );
  }

  /** Conditions on `c` with parameters $2 to $4. */
  private async whereOf(filter: ChunkFilter | undefined): Promise<{ text: string; values: readonly unknown[] }> {
    const paths =
      filter?.path === undefined ? null : [...(await this.files()).keys()].filter((path) => filter.path!(path));
    const text = `and ($2::text[] is null or c.language = any($2)) and ($3::text[] is null or c.kind = any($3))
      and ($4::text[] is null or c.path = any($4))`;
    return { text, values: [filter?.languages ?? null, filter?.kinds ?? null, paths] };
  }

  async chunksOf(path: string): Promise<ChunkRow[]> {
    const rows = await this.rows<Row>(
      `select ${COLUMNS} from lodestone_chunks where repository = $1 and path = $2 order by start_line, id`,
      path,
    );
    return rows.map(chunkRow);
  }

  async *chunks(): AsyncGenerator<ChunkRow & { readonly hash: string }> {
    const rows = await this.rows<Row>(
      `select ${COLUMNS} from lodestone_chunks where repository = $1 order by path collate "C", start_line, id`,
    );
    for (const row of rows) yield { ...chunkRow(row), hash: row.hash };
  }

  async missing(tier: Tier, limit: number): Promise<(ChunkRow & { readonly hash: string })[]> {
    const rows = await this.rows<Row>(
      `select ${COLUMNS} from lodestone_chunks where repository = $1 and vector_${tier} is null
       order by path collate "C", start_line, id ${Number.isFinite(limit) ? `limit ${Number(limit)}` : ""}`,
    );
    return rows.map((row) => ({ ...chunkRow(row), hash: row.hash }));
  }

  async setVectors(tier: Tier, model: ModelInfo, vectors: ReadonlyMap<string, Float32Array>): Promise<void> {
    await this.transaction(async () => {
      const meta = (await this.meta()) ?? { chunker: 0, models: {} };
      if (meta.models[tier]?.hash !== model.hash) {
        await this.rows(`update lodestone_chunks set vector_${tier} = null where repository = $1`);
      }
      await this.rows(
        `update lodestone_chunks c set vector_${tier} = v.vector::vector
         from unnest($2::text[], $3::text[]) as v(hash, vector) where c.repository = $1 and c.hash = v.hash`,
        [...vectors.keys()],
        [...vectors.values()].map(vectorText),
      );
      await this.setMeta({ ...meta, models: { ...meta.models, [tier]: model } });
    });
  }

  async clear(): Promise<void> {
    await this.transaction(async () => {
      await this.rows("delete from lodestone_chunks where repository = $1");
      await this.rows("delete from lodestone_files where repository = $1");
      await this.setMeta({});
    });
  }

  close(): Promise<void> {
    return this.end();
  }

  private async setMeta(meta: IndexMeta | Record<string, never>): Promise<void> {
    await this.rows(
      `insert into lodestone_indexes values ($1, $2, 1)
       on conflict (repository) do update set meta = $2, generation = lodestone_indexes.generation + 1`,
      JSON.stringify(meta),
    );
  }

  /** All or nothing, one writer of a repository at a time. */
  private async transaction(work: () => Promise<void>): Promise<void> {
    await this.client.query("begin");
    try {
      await this.rows("select pg_advisory_xact_lock(hashtext('lodestone ' || $1))");
      await work();
      await this.client.query("commit");
    } catch (error) {
      await this.client.query("rollback").catch(() => undefined);
      throw error instanceof Error ? error : internalError(messageOf(error));
    }
  }
}

const RECORD =
  "path text, language text, generated boolean, kind text, start_line int, end_line int, name text, scope jsonb, hash text, length int, vector_static text, vector_full text";

/** Parameters moved up by some places. */
function shifted(text: string, by: number): string {
  return text.includes("$5") ? text : text.replace(/\$(\d)/g, (_, number: string) => `$${Number(number) + by}`);
}

function vectorText(vector: Float32Array): string {
  return `[${vector.join(",")}]`;
}

function chunkRow(row: Row): ChunkRow {
  return {
    id: Number(row.id),
    path: row.path,
    language: row.language,
    generated: row.generated,
    kind: row.kind,
    startLine: row.start_line,
    endLine: row.end_line,
    name: row.name,
    scope: row.scope,
  };
}
