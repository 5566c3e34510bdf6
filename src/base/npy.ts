import { open } from "node:fs/promises";
import { UserError } from "./errors.js";
import { AtomicFile } from "./files.js";

/** Writes rows of float32 as a NumPy `.npy` file (format 1.0, C order, shape `[rows, width]`), streaming. */
export async function writeNpy(
  path: string,
  rows: number,
  width: number,
  data: AsyncIterable<Float32Array>,
): Promise<void> {
  const file = await AtomicFile.create(path);
  try {
    await file.write(npyHeader(rows, width));
    let written = 0;
    for await (const piece of data) {
      await file.write(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
      written += piece.length;
    }
    if (written !== rows * width) {
      throw new UserError("npy.size", `${path}: expected ${rows} x ${width} numbers, got ${written}`);
    }
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
}

/**
 * {@link writeNpy} for rows that are counted as they come: the header is written again at the end.
 *
 * @returns the number of rows
 */
export async function writeNpyRows(path: string, width: number, rows: AsyncIterable<Float32Array>): Promise<number> {
  const file = await AtomicFile.create(path);
  let count = 0;
  try {
    await file.write(npyHeader(0, width));
    let pending: Buffer[] = [];
    let size = 0;
    for await (const row of rows) {
      if (row.length !== width) {
        throw new UserError("npy.size", `${path}: expected rows of ${width} numbers, got ${row.length}`);
      }
      pending.push(Buffer.from(row.buffer, row.byteOffset, row.byteLength));
      size += row.byteLength;
      count += 1;
      if (size > 2 ** 20) {
        await file.write(Buffer.concat(pending));
        pending = [];
        size = 0;
      }
    }
    await file.write(Buffer.concat(pending));
    await file.overwrite(npyHeader(count, width), 0);
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
  return count;
}

/** 128 bytes for any count of rows that a disk can hold. */
function npyHeader(rows: number, width: number): Uint8Array {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`;
  const length = Math.max(128, Math.ceil((10 + text.length + 1) / 64) * 64);
  const bytes = Buffer.alloc(length, " ");
  bytes.write("\x93NUMPY\x01\x00", 0, "latin1");
  bytes.writeUInt16LE(length - 10, 8);
  bytes.write(text, 10, "latin1");
  bytes.write("\n", length - 1, "latin1");
  return bytes;
}

/** Reads a two-dimensional little-endian float32 `.npy` file. @throws UserError `npy.format`, `npy.size` (cut short) */
export async function readNpy(path: string): Promise<{ rows: number; width: number; data: Float32Array }> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(size);
    for (let at = 0; at < size;) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(2 ** 30, size - at), at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    const version = bytes[6];
    const start = version === 1 ? 10 : 12;
    const headerLength = size < start ? 0 : version === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8);
    const header = bytes.toString("latin1", start, start + headerLength);
    const shape = /'shape': \((\d+), (\d+)\)/.exec(header);
    if (
      bytes.toString("latin1", 1, 6) !== "NUMPY" ||
      shape === null ||
      !header.includes("'<f4'") ||
      !header.includes("False")
    ) {
      throw new UserError(
        "npy.format",
        `${path}: expected a C-ordered float32 matrix, got ${JSON.stringify(header.slice(0, 80))}`,
      );
    }
    const [rows, width] = [Number(shape[1]), Number(shape[2])];
    const content = bytes.subarray(start + headerLength);
    if (content.length < 4 * rows * width) {
      throw new UserError("npy.size", `${path}: expected ${rows} x ${width} numbers, got ${content.length} bytes`);
    }
    const data = new Float32Array(rows * width);
    new Uint8Array(data.buffer).set(content.subarray(0, data.byteLength));
    return { rows, width, data };
  } finally {
    await handle.close();
  }
}
