import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { openPromise, type Entry as ZipEntry } from "yauzl";
import { ArchiveProblem, type Budget } from "./limits.js";
import type { Entry } from "./walk.js";

const TYPE = 0o170000;
const LINK = 0o120000;
/** Deflated data are of this method; others are rare and not opened. */
const STORED = 0;
const DEFLATED = 8;

/**
 * The plain files of a zip archive, in the order of its directory.
 *
 * @throws ArchiveProblem; an error for a broken archive
 */
export async function* readZip(path: string, budget: Budget): AsyncGenerator<Entry> {
  // Names are decoded and judged by us: one bad name must not end the reading.
  const zip = await openPromise(path, { lazyEntries: true, autoClose: false, decodeStrings: false });
  try {
    for await (const entry of zip.eachEntry() as AsyncIterable<ZipEntry>) {
      const name = (entry.fileName as unknown as Buffer).toString("utf8").replaceAll("\\", "/");
      const isLink = ((entry.externalFileAttributes >>> 16) & TYPE) === LINK;
      if (isLink || name.endsWith("/") || entry.isEncrypted()) continue;
      if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) continue;
      yield {
        name,
        size: entry.uncompressedSize,
        open: async function* () {
          budget.checkRatio(entry.compressedSize, entry.uncompressedSize); // Before anything is unpacked.
          const stream = await zip.openReadStreamPromise(entry);
          for await (const chunk of stream as AsyncIterable<Uint8Array>) {
            budget.spendBytes(chunk.length);
            yield chunk;
          }
        },
      };
    }
  } finally {
    zip.close();
  }
}

/** {@link readZip} of a stream, by way of a temporary file: a zip archive is read from its end. */
export async function* readZipStream(source: AsyncIterable<Uint8Array>, budget: Budget): AsyncGenerator<Entry> {
  const folder = await mkdtemp(join(tmpdir(), "lodestone-zip-"));
  try {
    const path = join(folder, "nested.zip");
    let size = 0;
    await pipeline(async function* () {
      for await (const chunk of source) {
        size += chunk.length;
        if (size > budget.limits.maxTotalBytes)
          throw new ArchiveProblem("archive-bomb", "a nested zip is too large", true);
        yield chunk;
      }
    }, createWriteStream(path));
    yield* readZip(path, budget);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
