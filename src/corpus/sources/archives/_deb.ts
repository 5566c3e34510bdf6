import { ByteReader } from "../_reader.js";
import type { Compression } from "./_format.js";
import { ArchiveProblem } from "./limits.js";

const COMPRESSIONS: Readonly<Record<string, Compression>> = { "": "none", gz: "gz", xz: "xz", bz2: "bz2", zst: "zst" };

/**
 * Finds the files of a binary package in its `ar` archive: deb(5), a member `data.tar` with a compression.
 *
 * @throws ArchiveProblem `broken-archive`, `unknown-compression`
 */
export async function openDeb(
  source: AsyncIterable<Uint8Array>,
): Promise<{ stream: AsyncIterable<Uint8Array>; compression: Compression }> {
  const reader = new ByteReader(source);
  const magic = await reader.bytes(8);
  if (magic === undefined || Buffer.from(magic).toString("latin1") !== "!<arch>\n") {
    throw new ArchiveProblem("broken-archive", "expected an ar archive");
  }
  for (;;) {
    const header = await reader.bytes(60);
    if (header === undefined) throw new ArchiveProblem("broken-archive", "expected a member data.tar");
    const text = Buffer.from(header).toString("latin1");
    const name = text.slice(0, 16).trim().replace(/\/$/, "");
    const size = Number(text.slice(48, 58).trim());
    if (!text.endsWith("`\n") || !Number.isSafeInteger(size) || size < 0) {
      throw new ArchiveProblem("broken-archive", "expected the header of an ar member");
    }
    const data = /^data\.tar(?:\.(\w+))?$/.exec(name);
    if (data !== null) {
      const compression = COMPRESSIONS[data[1] ?? ""];
      if (compression === undefined) throw new ArchiveProblem("unknown-compression", name);
      return { stream: reader.take(size), compression };
    }
    await reader.skip(size + (size % 2));
  }
}
