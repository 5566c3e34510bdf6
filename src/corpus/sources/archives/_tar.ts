import { pipeline, Readable } from "node:stream";
import { extract, type Entry as TarEntry } from "tar-stream";
import { decompress } from "./_decompress.js";
import type { Compression } from "./_format.js";
import type { Budget } from "./limits.js";
import type { Entry } from "./walk.js";

/**
 * The plain files of a tar stream and its symbolic links, in order.
 *
 * @throws ArchiveProblem; an error for broken or truncated data
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  budget: Budget,
): AsyncGenerator<Entry> {
  // Archives from before POSIX have no mark of their format; a header's checksum is looked at all the same.
  const tar = extract({ allowUnknownFormat: true });
  const input = Readable.from(decompress(source, compression, budget));
  pipeline(input, tar, () => undefined); // Its errors come out of the iteration.
  let last: TarEntry | undefined;
  try {
    for await (const entry of tar) {
      last = entry;
      const { type, name, size = 0 } = entry.header;
      const chunks = entry[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
      if (type === "file" || type === "contiguous-file") yield { name, size, open: () => unclosed(chunks) };
      else if (type === "symlink")
        yield { name, size: 0, linkTo: entry.header.linkname ?? "", open: () => Readable.from([]) };
      // What nobody read has to go by before the next header.
      while ((await chunks.next()).done !== true);
    }
  } catch (error) {
    throw input.errored ?? error; // Why the data ended, rather than that it did.
  } finally {
    last?.on("error", () => undefined);
    tar.destroy();
    input.destroy();
  }
}

/** Leaving a loop over this does not close what it reads from: a broken archive inside leaves the rest readable. */
async function* unclosed(chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
}
