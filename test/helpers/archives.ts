import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";

/** One file of an archive, or a link. */
export interface Packed {
  readonly name: string;
  readonly content?: string | Uint8Array;
  readonly linkTo?: string;
}

/** Of every file: the same files give the same bytes, in whichever second they are packed. */
const mtime = new Date(1e12);

/** A tar archive of files in their order. */
export async function tarOf(files: readonly Packed[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, content = "", linkTo } of files) {
    if (linkTo !== undefined) archive.entry({ name, mtime, type: "symlink", linkname: linkTo });
    else archive.entry({ name, mtime }, Buffer.from(content));
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A gzipped tar archive. */
export async function tgzOf(files: readonly Packed[]): Promise<Buffer> {
  return gzipSync(await tarOf(files));
}

/** A zip archive of stored files, after the format's description (APPNOTE): headers, then the directory at the end. */
export function zipOf(files: readonly Packed[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = "", linkTo } of files) {
    const data = Buffer.from(linkTo ?? content);
    const path = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt32LE(data.length, 18);
    local.writeUInt32LE(data.length, 22);
    local.writeUInt16LE(path.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(0x0314, 4); // Made on Unix: the attributes hold its mode.
    central.writeUInt32LE(data.length, 20);
    central.writeUInt32LE(data.length, 24);
    central.writeUInt16LE(path.length, 28);
    central.writeUInt32LE(((linkTo === undefined ? 0o100644 : 0o120777) << 16) >>> 0, 38);
    central.writeUInt32LE(offset, 42);
    parts.push(local, path, data);
    directory.push(central, path);
    offset += local.length + path.length + data.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, listed, end]);
}

/** A Debian binary package around the archive of its data, after deb(5). */
export function debOf(data: Uint8Array, name = "data.tar.gz"): Buffer {
  const member = (file: string, content: Uint8Array): Buffer =>
    Buffer.concat([
      Buffer.from(`${file.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}`),
      Buffer.from(`${String(content.length).padEnd(10)}\`\n`),
      content,
      Buffer.alloc(content.length % 2, "\n"),
    ]);
  const control = member("control.tar.gz", gzipSync(Buffer.alloc(1024)));
  return Buffer.concat([
    Buffer.from("!<arch>\n"),
    member("debian-binary", Buffer.from("2.0\n")),
    control,
    member(name, data),
  ]);
}
