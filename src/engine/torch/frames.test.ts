import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { float32, int32, tensor } from "../../base/index.js";
import { readFrames, writeFrame, type Frame } from "./_frames.js";

const TENSORS = {
  a: float32([2, 2], [1, -2, 3.5, 0]),
  empty: int32([0, 4], []),
  flags: tensor("bool", [3], Uint8Array.of(1, 0, 1)),
  wide: tensor("int64", [1], BigInt64Array.of(-5n)),
};

/** The bytes of two messages. */
function bytes(): Buffer {
  const stream = new PassThrough();
  writeFrame(stream, { id: 1, call: "run" }, TENSORS);
  writeFrame(stream, { id: 2, text: "größer" });
  return stream.read() as Buffer;
}

test.each([1, 7, 16, 1000])("messages arrive whole from pieces of %i bytes", (size) => {
  const stream = new PassThrough();
  const frames: Frame[] = [];
  readFrames(
    stream,
    (frame) => frames.push(frame),
    (why) => expect.fail(why),
  );
  const all = bytes();
  for (let at = 0; at < all.length; at += size) stream.emit("data", all.subarray(at, at + size));
  expect(frames.map(({ header }) => header["id"])).toEqual([1, 2]);
  expect(frames[0]!.tensors).toEqual(TENSORS);
  expect(frames[1]!.header["text"]).toBe("größer");
});

test("the layout: sizes, header, bytes as they are", () => {
  const stream = new PassThrough();
  writeFrame(stream, { id: 3 }, { x: int32([2], [1, 258]) });
  const all = stream.read() as Buffer;
  const header = '{"id":3,"tensors":[["x","int32",[2],8]]}';
  expect([all.readUInt32LE(0), all.readUInt32LE(4), all.readBigUInt64LE(8)]).toEqual([header.length, 0, 8n]);
  expect(all.toString("utf8", 16, 16 + header.length)).toBe(header);
  expect([...all.subarray(16 + header.length)]).toEqual([1, 0, 0, 0, 2, 1, 0, 0]);
});

test("bytes that are no message are told, once", () => {
  const stream = new PassThrough();
  const complaints: string[] = [];
  readFrames(
    stream,
    () => expect.fail("no frame came"),
    (why) => complaints.push(why),
  );
  stream.emit("data", Buffer.from("Loading module torch...\n"));
  expect(complaints).toEqual([expect.stringContaining("Loading module")]);
});
