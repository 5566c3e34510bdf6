import { chooser } from "./_choose.js";
import type { Gate } from "./_gate.js";
import { MAX_FILE_BYTES } from "./_gate.js";
import { Budget, DEFAULT_LIMITS, type ArchiveLimits } from "./archives/limits.js";
import { walkArchive } from "./archives/walk.js";
import type { DebianConfig, NpmConfig } from "./schema.js";
import type { ReadSourceOptions, SourceEvent } from "./types.js";

/** One archive of a package. */
export interface Part {
  /** Where it lies. */
  readonly file: string;
  /** Folder of the source that its files are in; empty or with a slash at its end. */
  readonly folder: string;
  readonly stripTop: boolean;
}

/** Archives that a package's own tests read hold no sources, and many are broken on purpose. */
const TEST_FOLDER = /(^|\/)(tests?|testing|testdata|test-data|fixtures?|__tests__|corpora|examples?)\//i;

/** The wanted files of a package's archives, in their order. */
export async function* archivedFiles(
  parts: readonly Part[],
  config: NpmConfig | DebianConfig,
  licenceOf: (path: string) => string,
  gate: Gate,
  options: ReadSourceOptions,
  limits: ArchiveLimits = DEFAULT_LIMITS,
): AsyncGenerator<SourceEvent> {
  const chosen = chooser(config);
  const excluded = chooser({ ...config, paths: [], languages: undefined });
  const budget = new Budget(limits);
  for (const { file, folder, stripTop } of parts) {
    const events = walkArchive(file, {
      accept: (path) => chosen(folder + path) && options.accept(folder + path),
      nested: (path) => excluded(folder + path) && !TEST_FOLDER.test(path),
      maxFileBytes: options.maxFileBytes ?? MAX_FILE_BYTES,
      budget,
      stripTop,
      signal: options.signal,
    });
    for await (const event of events) {
      const path = folder + event.path;
      if (event.kind === "file") yield gate.file(path, event.bytes, licenceOf(path));
      else yield gate.skipped(path, event.reason, event.detail);
    }
  }
}

/**
 * The first file of an archive that is wanted, as text; undefined if there is none, or the archive is broken before.
 *
 * @param link told of the links before it
 */
export async function firstFile(
  part: Part,
  accept: (path: string) => boolean,
  link: (path: string, target: string) => void = () => undefined,
): Promise<string | undefined> {
  const { file, stripTop } = part;
  const budget = new Budget(DEFAULT_LIMITS);
  const events = walkArchive(file, { accept, nested: () => false, maxFileBytes: 4_000_000, budget, stripTop, link });
  for await (const event of events) {
    if (event.kind === "file") return Buffer.from(event.bytes).toString("utf8");
  }
  return undefined;
}
