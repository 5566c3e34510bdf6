import type { Language } from "../../base/index.js";
import { languageOfPath } from "../../languages/index.js";
import { excludedByName } from "../filters/index.js";
import { isFailure, type Source, type SourceItem } from "../sources/types.js";
import type { SkippedFile } from "../types.js";
import type { Batch } from "./_batch.js";

export interface ReadBatchesOptions {
  /** Place of the source in the config. */
  readonly place: number;
  readonly languages: ReadonlySet<Language>;
  readonly maxFileBytes: number;
  /** Bytes from which a batch is full. */
  readonly batchBytes: number;
  /** Origins left out, with and without what stands before their colon. */
  readonly isExcluded: (origin: string) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A source cut into batches: what they hold depends on the source alone. What the source and the rules on names pass
 * over is told by the batch in hand at that time. An error of the source ends it with a failure that is counted.
 */
export async function* readBatches(source: Source, options: ReadBatchesOptions): AsyncGenerator<Batch> {
  let pending = new Pending();
  let number = 0;
  const cut = (): Batch => {
    const { items, refused, skipped, failures } = pending;
    const batch = { source: options.place, number: number++, items, refused, skipped, failures };
    pending = new Pending();
    return batch;
  };
  const accept = (path: string): boolean => {
    const known = languageOfPath(path);
    // A row of a table may tell its language without a telling name: judged when the item is there.
    if (known === undefined || !options.languages.has(known)) return false;
    const reason = reasonAgainst(path);
    if (reason !== undefined) pending.refuse(reason);
    return reason === undefined;
  };
  const enter = (folder: string): boolean => {
    const reason = excludedByName(folder);
    if (reason !== undefined) pending.refuse(reason);
    return reason === undefined;
  };
  try {
    const { maxFileBytes, signal } = options;
    const events = source.items({ accept, enter, maxFileBytes, ...(signal === undefined ? {} : { signal }) });
    for await (const event of events) {
      signal?.throwIfAborted();
      if (event.kind === "skipped") {
        const { origin, path, reason, detail } = event;
        pending.skipped.push({ origin, path, reason, ...(detail === undefined ? {} : { detail }) });
        if (isFailure(event)) pending.failures += 1;
        continue;
      }
      const { item } = event;
      const lang = item.lang ?? languageOfPath(item.path);
      if (lang === undefined || !options.languages.has(lang)) continue;
      if (options.isExcluded(item.origin)) {
        pending.refuse("excluded-origin");
        continue;
      }
      if (item.bytes.byteLength > maxFileBytes) {
        pending.skipped.push({ origin: item.origin, path: item.path, reason: "too-large" });
        continue;
      }
      // A copy of its own: sending a view to a thread would send the whole buffer below it.
      pending.items.push({ ...item, bytes: Uint8Array.from(item.bytes) });
      pending.bytes += item.bytes.byteLength;
      if (pending.bytes >= options.batchBytes) yield cut();
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    const detail = (error instanceof Error ? error.message : String(error)).slice(0, 300);
    pending.skipped.push({ origin: source.origin, path: "", reason: "unreadable", detail });
    pending.failures += 1;
  }
  // Always one at the end, so that what was passed over last is told.
  if (!pending.isEmpty || number === 0) yield cut();
}

class Pending {
  readonly items: SourceItem[] = [];
  readonly refused: Record<string, number> = {};
  readonly skipped: SkippedFile[] = [];
  failures = 0;
  bytes = 0;

  get isEmpty(): boolean {
    return this.items.length + this.skipped.length + Object.keys(this.refused).length === 0;
  }

  refuse(reason: string): void {
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
  }
}

/** The rules on names for a path in an archive, where folders are not asked about one by one. */
function reasonAgainst(path: string): string | undefined {
  for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
    const reason = excludedByName(path.slice(0, slash + 1));
    if (reason !== undefined) return reason;
  }
  return excludedByName(path);
}
