import { basename, resolve } from "node:path";
import { messageOf, UserError } from "../../base/index.js";
import { chooser, fingerprintOf } from "./_choose.js";
import { columnLicence, ENDINGS, findColumns, languageNamed, type Columns } from "./_columns.js";
import { dataFiles, sampledHash, type DataFile } from "./_data-files.js";
import { Gate, MAX_FILE_BYTES } from "./_gate.js";
import { jsonLines } from "./_json-lines.js";
import { ParquetRows } from "./_parquet.js";
import { unavailable } from "./_unavailable.js";
import { isAllowed, UNKNOWN, type LicenceRules } from "./licences/expression.js";
import type { StackConfig } from "./schema.js";
import type { ReadSourceOptions, Source, SourceEvent } from "./types.js";

const FORMATS = [".parquet", ".jsonl", ".jsonl.gz", ".json.gz"];

/**
 * The Stack, The Stack v2 (with contents) and their like. Each repository is an origin of its own where a column tells it:
 * `stack:owner/name`.
 *
 * @throws UserError `corpus.source` if a required one is not there
 */
export async function openStack(config: StackConfig, rules: LicenceRules): Promise<Source> {
  const origin = `stack:${config.name ?? basename(resolve(config.path))}`;
  let files: DataFile[];
  try {
    files = await dataFiles(config.path, FORMATS, origin);
  } catch (error) {
    if (config.required || !(error instanceof UserError)) throw error;
    return unavailable(config, origin, error.message);
  }
  return {
    origin,
    version: "",
    fingerprint: fingerprintOf(config, await sampledHash(files), JSON.stringify(config.columns)),
    required: config.required,
    config,
    items: (options) => allFiles(files, origin, config, rules, options),
  };
}

async function* allFiles(
  files: readonly DataFile[],
  origin: string,
  config: StackConfig,
  rules: LicenceRules,
  options: ReadSourceOptions,
): AsyncGenerator<SourceEvent> {
  const gate = new Gate(origin, "", rules, false);
  // Whether unknown licences pass is asked as for any file.
  const needsLicence = config.licence === undefined && !isAllowed(UNKNOWN, rules);
  for (const { file, name } of files) {
    options.signal?.throwIfAborted();
    try {
      const reader = new RowReader(origin, config, gate, options);
      const rows = file.endsWith(".parquet") ? fromParquet : fromJson;
      yield* rows(file, name, reader, (there) => findColumns(there, config, needsLicence));
    } catch (error) {
      options.signal?.throwIfAborted();
      yield gate.skipped(name, "broken-archive", messageOf(error));
    }
  }
}

type Find = (there: readonly string[]) => Columns | { readonly missing: string };

async function* fromJson(file: string, name: string, reader: RowReader, find: Find): AsyncGenerator<SourceEvent> {
  let columns: Columns | undefined;
  for await (const line of jsonLines(file)) {
    const where = `${name}:${line.line}`;
    if ("problem" in line || typeof line.value !== "object" || line.value === null || Array.isArray(line.value)) {
      yield reader.gate.skipped(where, "broken-record", "problem" in line ? line.problem : "expected an object");
      continue;
    }
    const row = line.value as Record<string, unknown>;
    if (columns === undefined) {
      const found = find(Object.keys(row));
      if ("missing" in found) {
        yield reader.gate.skipped(name, "columns", found.missing);
        return;
      }
      columns = found;
    }
    const wanted = reader.wanted(row, columns, where);
    if (wanted !== undefined) yield reader.event(wanted, row[columns.content], where);
  }
}

async function* fromParquet(file: string, name: string, reader: RowReader, find: Find): AsyncGenerator<SourceEvent> {
  const table = await ParquetRows.open(file);
  try {
    const columns = find(table.columns);
    if ("missing" in columns) {
      yield reader.gate.skipped(name, "columns", columns.missing);
      return;
    }
    const { content, ...others } = columns;
    for (const range of table.ranges(content)) {
      // Contents are read only where a row of the range is wanted.
      const rows = await table.read(range, Object.values(others), "text");
      const wanted = rows.map((row, i) => reader.wanted(row, columns, `${name}:${range.start + i + 1}`));
      if (!wanted.some((row) => row !== undefined)) continue;
      const contents = await table.read(range, [content], "bytes");
      for (const [i, row] of wanted.entries()) {
        if (row !== undefined) yield reader.event(row, contents[i]?.[content], `${name}:${range.start + i + 1}`);
      }
    }
  } finally {
    await table.close();
  }
}

interface WantedRow {
  readonly path: string;
  readonly lang: ReturnType<typeof languageNamed>;
  readonly licence: string;
  readonly origin: string;
}

/** Reads what a row says of its file. */
class RowReader {
  private readonly chosen: (path: string) => boolean;

  constructor(
    private readonly origin: string,
    private readonly config: StackConfig,
    readonly gate: Gate,
    private readonly options: ReadSourceOptions,
  ) {
    this.chosen = chooser({ ...config, languages: undefined });
  }

  /** Undefined if the row is not wanted. */
  wanted(row: Readonly<Record<string, unknown>>, columns: Columns, where: string): WantedRow | undefined {
    const lang = columns.lang === undefined ? undefined : languageNamed(row[columns.lang]);
    if (columns.lang !== undefined && lang === undefined) return undefined; // Of another language.
    if (lang !== undefined && this.config.languages?.includes(lang) === false) return undefined;
    const said = columns.path === undefined ? undefined : row[columns.path];
    const path =
      typeof said === "string" && said !== "" ? said : `${where}.${lang === undefined ? "txt" : ENDINGS[lang]}`;
    if (!this.chosen(path) || !this.options.accept(path)) return undefined;
    const repository = columns.repository === undefined ? undefined : row[columns.repository];
    const licence =
      this.config.licence ?? (columns.licence === undefined ? UNKNOWN : columnLicence(row[columns.licence]));
    const origin = typeof repository === "string" && repository !== "" ? `stack:${repository}` : this.origin;
    return { path, lang, licence, origin };
  }

  event({ path, lang, licence, origin }: WantedRow, content: unknown, where: string): SourceEvent {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    if (!(bytes instanceof Uint8Array)) return this.gate.skipped(where, "broken-record", "expected a text as content");
    if (bytes.length > (this.options.maxFileBytes ?? MAX_FILE_BYTES)) {
      return this.gate.skipped(path, "too-large", `${bytes.length} bytes`, origin);
    }
    return this.gate.file(path, bytes, licence, lang, origin);
  }
}
