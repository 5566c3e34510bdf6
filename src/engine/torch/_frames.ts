import type { Readable, Writable } from "node:stream";
import { fromBytes, toBytes, type DType, type Tensor } from "../../base/index.js";

/** A header and tensors: what one message carries. */
export interface Frame {
  readonly header: Readonly<Record<string, unknown>>;
  readonly tensors: Record<string, Tensor>;
}

/** `u32 size of the header, u32 zero, u64 size of the body`, little endian. */
const HEAD_BYTES = 16;

/** Writes a message: the header as JSON that lists the tensors, then their bytes as they are. */
export function writeFrame(
  stream: Writable,
  header: Readonly<Record<string, unknown>>,
  tensors: Readonly<Record<string, Tensor>> = {},
): void {
  const entries = Object.entries(tensors).map(([name, value]) => ({ name, value, bytes: toBytes(value) }));
  const listed = entries.map(({ name, value, bytes }) => [name, value.dtype, value.dims, bytes.length]);
  const text = Buffer.from(JSON.stringify({ ...header, tensors: listed }));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(text.length, 0);
  head.writeBigUInt64LE(BigInt(entries.reduce((sum, { bytes }) => sum + bytes.length, 0)), 8);
  stream.cork();
  stream.write(head);
  stream.write(text);
  // Copies: the stream may write later, when the caller has changed its tensors.
  for (const { bytes } of entries) stream.write(Buffer.from(bytes));
  stream.uncork();
}

/** Reads messages from a stream and hands them on. Bytes that are no message end in `broken`. */
export function readFrames(stream: Readable, take: (frame: Frame) => void, broken: (why: string) => void): void {
  const head = Buffer.alloc(HEAD_BYTES);
  // What is being filled: the head, then header and body in one piece.
  let target: Buffer = head;
  let filled = 0;
  let headerSize = 0;
  stream.on("data", (chunk: Buffer) => {
    let at = 0;
    while (at < chunk.length) {
      const count = chunk.copy(target, filled, at);
      at += count;
      filled += count;
      if (filled < target.length) return;
      filled = 0;
      if (target !== head) {
        const message = target;
        target = head;
        take(decode(message, headerSize));
        continue;
      }
      headerSize = head.readUInt32LE(0);
      const size = headerSize + Number(head.readBigUInt64LE(8));
      if (head.readUInt32LE(4) !== 0 || size > 2 ** 40) {
        stream.destroy();
        broken(`bytes that are no frame (${head.toString("latin1").replaceAll(/[^ -~]/g, ".")})`);
        return;
      }
      // Fresh memory: tensors are views of it.
      target = Buffer.from(new ArrayBuffer(size));
    }
  });
}

function decode(message: Buffer, headerSize: number): Frame {
  const header = JSON.parse(message.toString("utf8", 0, headerSize)) as Record<string, unknown>;
  const tensors: Record<string, Tensor> = {};
  let at = headerSize;
  for (const [name, dtype, dims, size] of header["tensors"] as [string, DType, number[], number][]) {
    // A copy, so that each tensor owns its buffer and one that is kept does not keep the rest.
    tensors[name] = fromBytes(dtype, dims, Uint8Array.from(message.subarray(at, at + size)));
    at += size;
  }
  return { header, tensors };
}
