import { open } from "node:fs/promises";
import { UserError } from "./errors.js";
import { AtomicFile } from "./files.js";

/**
 * Writes rows of float32 as a NumPy `.npy` file (format 1.0, C order, shape `[rows, width]`), streaming: the header is
 * padded for the largest row count and rewritten at the end by buffering only its 128 bytes.
 */
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

function npyHeader(rows: number, width: number): Uint8Array {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = Buffer.alloc(length, " ");
  bytes.write("\x93NUMPY\x01\x00", 0, "latin1");
  bytes.writeUInt16LE(length - 10, 8);
  bytes.write(text, 10, "latin1");
  bytes.write("\n", length - 1, "latin1");
  return bytes;
}

/** Reads a two-dimensional little-endian float32 `.npy` file. @throws UserError `npy.format` */
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
    const headerLength = version === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8);
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
    const data = new Float32Array(rows * width);
    new Uint8Array(data.buffer).set(bytes.subarray(start + headerLength, start + headerLength + data.byteLength));
    return { rows, width, data };
  } finally {
    await handle.close();
  }
}
