import { open, readFile } from "node:fs/promises";
import * as zlib from "node:zlib";
import { AtomicFile } from "../../base/index.js";

/** Why a file of the index cannot be used. It is made anew. */
export class Damaged extends Error {}

const MAGIC = "LODEIDX1";
const ALIGN = 16;

export type Sections = Readonly<Record<string, Uint8Array>>;

interface Header {
  readonly info: unknown;
  readonly sections: readonly { name: string; offset: number; bytes: number; crc: number }[];
}

/**
 * Named byte ranges in one file: a line of magic and header length, a JSON header with a checksum of each section, and the
 * sections, each at a multiple of 16 so that typed arrays can look at them in place. The header has a checksum of its own.
 */
export async function writeSections(path: string, info: unknown, sections: Sections): Promise<number> {
  let offset = 0;
  const list = Object.entries(sections).map(([name, bytes]) => {
    const entry = { name, offset, bytes: bytes.byteLength, crc: crc32(bytes) };
    offset += Math.ceil(bytes.byteLength / ALIGN) * ALIGN;
    return entry;
  });
  const header = Buffer.from(JSON.stringify({ info, sections: list } satisfies Header));
  const front = Buffer.alloc(Math.ceil((24 + header.length) / ALIGN) * ALIGN);
  front.write(MAGIC, 0, "latin1");
  front.writeUInt32LE(header.length, 8);
  front.writeUInt32LE(crc32(header), 12);
  header.copy(front, 24);
  const file = await AtomicFile.create(path);
  try {
    await file.write(front);
    for (const bytes of Object.values(sections)) {
      await file.write(bytes);
      const rest = (ALIGN - (bytes.byteLength % ALIGN)) % ALIGN;
      if (rest > 0) await file.write(new Uint8Array(rest));
    }
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
  return front.length + offset;
}

/** Reads such a file whole and compares every checksum. @throws Damaged */
export async function readSections(path: string): Promise<{ info: unknown; sections: Sections; bytes: number }> {
  const whole = await readWhole(path);
  const view = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength);
  if (whole.length < 24 || view.toString("latin1", 0, 8) !== MAGIC) throw new Damaged(`${path} is no index file`);
  const length = view.readUInt32LE(8);
  const headerBytes = view.subarray(24, 24 + length);
  if (headerBytes.length !== length || crc32(headerBytes) !== view.readUInt32LE(12)) {
    throw new Damaged(`${path}: its header does not match its checksum`);
  }
  const header = JSON.parse(headerBytes.toString("utf8")) as Header;
  const base = Math.ceil((24 + length) / ALIGN) * ALIGN;
  const sections: Record<string, Uint8Array> = {};
  for (const { name, offset, bytes, crc } of header.sections) {
    const section = whole.subarray(base + offset, base + offset + bytes);
    if (section.length !== bytes || crc32(section) !== crc) {
      throw new Damaged(`${path}: section ${name} does not match its checksum`);
    }
    sections[name] = section;
  }
  return { info: header.info, sections, bytes: whole.length };
}

/** Into one buffer of its own, so that sections are aligned. */
async function readWhole(path: string): Promise<Uint8Array> {
  const handle = await open(path, "r").catch(() => undefined);
  if (handle === undefined) throw new Damaged(`${path} is gone`);
  try {
    const { size } = await handle.stat();
    const whole = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const { bytesRead } = await handle.read(whole, at, Math.min(size - at, 2 ** 28), at);
      if (bytesRead === 0) throw new Damaged(`${path} is cut short`);
      at += bytesRead;
    }
    return whole;
  } finally {
    await handle.close();
  }
}

/** The JSON of a small file; undefined where there is none. @throws Damaged */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Damaged(`${path} is no JSON`);
  }
}

/** As a typed array in place. */
export function view<T>(
  type: new (buffer: ArrayBuffer, offset: number, length: number) => T,
  bytes: Uint8Array,
  size: number,
): T {
  return new type(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / size);
}

export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** CRC-32 as in zlib, which newer Nodes compute natively. */
function crc32(bytes: Uint8Array): number {
  const native = (zlib as { crc32?: (data: Uint8Array) => number }).crc32;
  if (native !== undefined) return native(bytes);
  let crc = -1;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

const TABLE = Int32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});
