import { createReadStream } from "node:fs";
import { errnoOf, messageOf } from "../../../base/index.js";
import type { SkipReason } from "../types.js";
import { openDeb } from "./_deb.js";
import { cleanPath, formatOf, type ArchiveFormat } from "./_format.js";
import { ArchiveProblem, type Budget } from "./limits.js";
import { readTar } from "./_tar.js";
import { readZip, readZipStream } from "./_zip.js";

export type ArchiveEvent =
  | { readonly kind: "file"; readonly path: string; readonly bytes: Uint8Array }
  | { readonly kind: "problem"; readonly path: string; readonly reason: SkipReason; readonly detail: string };

export interface WalkOptions {
  /** Whether a file is wanted, by its path; others are not kept. */
  accept(path: string): boolean;
  /** Whether an archive inside is to be opened, by its path. */
  nested(path: string): boolean;
  readonly maxFileBytes: number;
  readonly budget: Budget;
  /** Leave the folder out that the whole archive lies in (`package/` of npm, `name-1.0/` of a source package). */
  readonly stripTop: boolean;
  /** Told of every link of the outermost archive: its whole path, and what it says it leads to. None is followed. */
  link?(path: string, target: string): void;
  readonly signal?: AbortSignal | undefined;
}

/** A file or a link of an archive; folders and devices are left out. */
export interface Entry {
  readonly name: string;
  readonly size: number;
  /** What a link leads to, as it says; undefined for a file. */
  readonly linkTo?: string;
  /** To be called at most once, before the next entry is asked for. */
  open(): AsyncIterable<Uint8Array>;
}

/**
 * The wanted files of an archive and of the archives in it, one at a time, in the archive's order. Nothing is unpacked to
 * disk but a nested zip (its directory is at its end), to a temporary file. What is broken gives an event, not an error;
 * files before that place are there all the same.
 *
 * @param file on disk; its name tells the format
 * @throws the signal's reason
 */
export async function* walkArchive(file: string, options: WalkOptions): AsyncGenerator<ArchiveEvent> {
  const format = formatOf(file);
  if (format === undefined) {
    yield { kind: "problem", path: "", reason: "unknown-compression", detail: "not an archive that can be opened" };
    return;
  }
  const entries =
    format.container === "zip" ? readZip(file, options.budget) : open(createReadStream(file), format, options);
  yield* guarded(walk(entries, "", 0, options), "", options, true);
}

/** A stream's entries. Zip archives need a file. */
async function* open(
  source: AsyncIterable<Uint8Array>,
  format: ArchiveFormat,
  options: WalkOptions,
): AsyncGenerator<Entry> {
  if (format.container === "zip") yield* readZipStream(source, options.budget);
  else if (format.container === "tar") yield* readTar(source, format.compression, options.budget);
  else {
    const data = await openDeb(source);
    yield* readTar(data.stream, data.compression, options.budget);
  }
}

async function* walk(
  entries: AsyncIterable<Entry>,
  folder: string,
  depth: number,
  options: WalkOptions,
): AsyncGenerator<ArchiveEvent> {
  let top: string | undefined;
  for await (const entry of entries) {
    options.signal?.throwIfAborted();
    options.budget.spendEntries(1);
    const inner = cleanPath(entry.name);
    if (entry.linkTo !== undefined) {
      if (inner !== undefined && depth === 0) options.link?.(inner, entry.linkTo);
      continue;
    }
    if (inner === undefined) {
      yield { kind: "problem", path: folder + entry.name, reason: "path-escape", detail: "leads out of the archive" };
      continue;
    }
    top ??= inner.slice(0, inner.indexOf("/") + 1);
    const strip = depth === 0 && options.stripTop && top !== "" && inner.startsWith(top);
    const path = folder + (strip ? inner.slice(top.length) : inner);
    const format = formatOf(path);
    if (format !== undefined && options.nested(path)) {
      if (depth < options.budget.limits.maxDepth) {
        const inside = walk(open(entry.open(), format, options), `${path}/`, depth + 1, options);
        yield* guarded(inside, path, options, false);
      } else yield { kind: "problem", path, reason: "archive-depth", detail: `deeper than ${depth} archives` };
    } else if (options.accept(path)) yield await read(entry, path, options);
  }
}

async function read(entry: Entry, path: string, options: WalkOptions): Promise<ArchiveEvent> {
  if (entry.size > options.maxFileBytes) {
    return { kind: "problem", path, reason: "too-large", detail: `${entry.size} bytes` };
  }
  const parts: Uint8Array[] = [];
  for await (const part of entry.open()) parts.push(part);
  return { kind: "file", path, bytes: new Uint8Array(Buffer.concat(parts)) };
}

/** Errors of reading become events; those that end the whole source pass through to its outermost archive. */
async function* guarded(
  events: AsyncIterable<ArchiveEvent>,
  path: string,
  options: WalkOptions,
  outermost: boolean,
): AsyncGenerator<ArchiveEvent> {
  try {
    yield* events;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof ArchiveProblem) {
      if (error.fatal && !outermost) throw error;
      yield { kind: "problem", path, reason: error.reason, detail: error.message };
      return;
    }
    const onDisk = ["ENOENT", "EACCES", "EISDIR", "EIO", "ENOSPC"].includes(errnoOf(error) ?? "");
    yield { kind: "problem", path, reason: onDisk ? "unreadable" : "broken-archive", detail: messageOf(error) };
  }
}
