import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { errnoOf, messageOf, UserError } from "./errors.js";
import { AtomicFile } from "./files.js";
import { bytesPerElement, elementCount, fromBytes, toBytes, type DType, type Tensor } from "./tensor.js";

const NAMES: Record<DType, string> = {
  float32: "F32",
  float16: "F16",
  int32: "I32",
  int64: "I64",
  bool: "BOOL",
  uint8: "U8",
};

export interface SafetensorsFile {
  readonly tensors: Record<string, Tensor>;
  readonly metadata: Record<string, string>;
}

/**
 * Writes the safetensors format (8-byte little-endian header length, JSON header, raw data), atomically, tensors in the
 * given order. Returns the file's SHA-256.
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<string> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, value] of Object.entries(tensors)) {
    header[name] = {
      dtype: NAMES[value.dtype],
      shape: value.dims,
      data_offsets: [offset, offset + value.data.byteLength],
    };
    offset += value.data.byteLength;
  }
  let json = JSON.stringify(header);
  json += " ".repeat((8 - (Buffer.byteLength(json) % 8)) % 8);
  const head = Buffer.alloc(8 + Buffer.byteLength(json));
  head.writeBigUInt64LE(BigInt(head.length - 8), 0);
  head.write(json, 8);
  const hash = createHash("sha256");
  const file = await AtomicFile.create(path);
  try {
    for (const bytes of [head, ...Object.values(tensors).map(toBytes)]) {
      hash.update(bytes);
      await file.write(bytes);
    }
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
  return hash.digest("hex");
}

/**
 * Reads a safetensors file whole, tensor by tensor (no 2 GiB limit on the file).
 *
 * @throws UserError `input.unreadable`, `safetensors.invalid`
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  const handle = await open(path, "r").catch((error: unknown) => {
    throw new UserError("input.unreadable", `${path}: expected a readable file, got ${errnoOf(error) ?? "an error"}`, {
      fix: "Check the path",
      cause: error,
    });
  });
  try {
    const { size } = await handle.stat();
    const prefix = Buffer.alloc(8);
    await handle.read(prefix, 0, 8, 0);
    const headerLength = size >= 8 ? Number(prefix.readBigUInt64LE(0)) : Infinity;
    if (headerLength > size - 8) throw invalid(path, `a file of ${size} bytes is cut short`);
    const headerBytes = Buffer.alloc(headerLength);
    await handle.read(headerBytes, 0, headerLength, 8);
    const header = parseHeader(path, headerBytes.toString("utf8"));
    const tensors: Record<string, Tensor> = {};
    for (const [name, entry] of Object.entries(header.entries)) {
      if (!isEntry(entry)) throw invalid(path, `tensor ${name} has no type, shape and place`);
      const [begin, end] = entry.data_offsets;
      const dtype = (Object.keys(NAMES) as DType[]).find((key) => NAMES[key] === entry.dtype);
      if (dtype === undefined) throw invalid(path, `tensor ${name} has the unsupported type ${entry.dtype}`);
      const wanted = elementCount(entry.shape) * bytesPerElement(dtype);
      if (end - begin !== wanted) throw invalid(path, `tensor ${name} has ${end - begin} bytes instead of ${wanted}`);
      if (end > size - 8 - headerLength) throw invalid(path, `tensor ${name} is cut short`);
      const bytes = new Uint8Array(end - begin);
      for (let at = 0; at < bytes.length;) {
        const length = Math.min(2 ** 30, bytes.length - at);
        const { bytesRead } = await handle.read(bytes, at, length, 8 + headerLength + begin + at);
        if (bytesRead === 0) throw invalid(path, `tensor ${name} is cut short`);
        at += bytesRead;
      }
      tensors[name] = fromBytes(dtype, entry.shape, bytes);
    }
    return { tensors, metadata: header.metadata };
  } finally {
    await handle.close();
  }
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

function isEntry(value: unknown): value is Entry {
  const { dtype, shape, data_offsets: place } = (value ?? {}) as Partial<Record<keyof Entry, unknown>>;
  const counts = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((count) => Number.isSafeInteger(count) && count >= 0);
  return typeof dtype === "string" && counts(shape) && counts(place) && place.length === 2 && place[0]! <= place[1]!;
}

function parseHeader(
  path: string,
  text: string,
): { entries: Record<string, unknown>; metadata: Record<string, string> } {
  try {
    const { __metadata__: metadata = {}, ...entries } = JSON.parse(text) as Record<string, unknown>;
    return { entries, metadata: metadata as Record<string, string> };
  } catch (error) {
    throw invalid(path, `its header is not JSON (${messageOf(error)})`);
  }
}

function invalid(path: string, what: string): UserError {
  return new UserError("safetensors.invalid", `${path}: expected a safetensors file, but ${what}`, {
    fix: "Fetch or write the file again",
  });
}
