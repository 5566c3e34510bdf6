import { basename, resolve } from "node:path";
import { messageOf, UserError } from "../../base/index.js";
import { chooser, fingerprintOf } from "./_choose.js";
import { languageNamed } from "./_columns.js";
import { dataFiles, sampledHash, type DataFile } from "./_data-files.js";
import { Gate, MAX_FILE_BYTES } from "./_gate.js";
import { jsonLines } from "./_json-lines.js";
import { unavailable } from "./_unavailable.js";
import { UNKNOWN, type LicenceRules } from "./licences/expression.js";
import type { CodeSearchNetConfig } from "./schema.js";
import type { ReadSourceOptions, Source, SourceEvent } from "./types.js";

/**
 * CodeSearchNet as distributed (Husain et al. 2019): `python_train_0.jsonl.gz` and so on, a function a line with its
 * documentation. Each repository is an origin of its own: `codesearchnet:owner/name`. The lines name no licence; the
 * authors took only repositories that may be redistributed, so they pass as `NOASSERTION`.
 *
 * @throws UserError `corpus.source` if a required one is not there
 */
export async function openCodeSearchNet(config: CodeSearchNetConfig, rules: LicenceRules): Promise<Source> {
  const origin = `codesearchnet:${config.name ?? basename(resolve(config.path))}`;
  let files: DataFile[];
  try {
    files = await dataFiles(config.path, [".jsonl.gz", ".jsonl"], origin);
  } catch (error) {
    if (config.required || !(error instanceof UserError)) throw error;
    return unavailable(config, origin, error.message);
  }
  return {
    origin,
    version: "",
    fingerprint: fingerprintOf(config, await sampledHash(files)),
    required: config.required,
    config,
    items: (options) => functions(files, origin, config, new Gate(origin, "", rules, true), options),
  };
}

async function* functions(
  files: readonly DataFile[],
  origin: string,
  config: CodeSearchNetConfig,
  gate: Gate,
  options: ReadSourceOptions,
): AsyncGenerator<SourceEvent> {
  const chosen = chooser({ ...config, languages: undefined });
  const largest = options.maxFileBytes ?? MAX_FILE_BYTES;
  const licence = config.licence ?? UNKNOWN;
  for (const { file, name: fileName } of files) {
    try {
      let isFirst = true;
      for await (const line of jsonLines(file)) {
        options.signal?.throwIfAborted();
        const where = `${fileName}:${line.line}`;
        const record = "problem" in line ? undefined : recordOf(line.value);
        if (record === undefined) {
          yield gate.skipped(where, "broken-record", "problem" in line ? line.problem : "expected an object");
          continue;
        }
        const { original_string: whole, code = whole, docstring, func_name: name, path, repo, sha, language } = record;
        const source = whole ?? code;
        if (source === undefined || docstring === undefined || language === undefined) {
          const detail = `expected code, docstring and language, got ${Object.keys(record).join(", ")}`;
          yield gate.skipped(isFirst ? fileName : where, isFirst ? "columns" : "broken-record", detail);
          if (isFirst) break;
          continue;
        }
        isFirst = false;
        const lang = languageNamed(language);
        if (lang === undefined || config.languages?.includes(lang) === false) continue;
        const from = repo === undefined ? origin : `codesearchnet:${repo}`;
        const inside = path ?? where;
        if (!chosen(inside) || !options.accept(inside)) continue;
        const bytes = Buffer.from(source);
        if (bytes.length > largest) yield gate.skipped(inside, "too-large", `${bytes.length} bytes`, from);
        else if (!gate.passes(licence)) yield gate.skipped(inside, "licence", licence, from);
        else {
          const item = { kind: "function", origin: from, version: sha ?? "", path: inside, licence, lang } as const;
          yield { kind: "item", item: { ...item, bytes, docstring, ...(name === undefined ? {} : { name }) } };
        }
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      yield gate.skipped(fileName, "broken-archive", messageOf(error));
    }
  }
}

/** The texts of a record. */
function recordOf(value: unknown): Readonly<Partial<Record<string, string>>> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
  );
}
