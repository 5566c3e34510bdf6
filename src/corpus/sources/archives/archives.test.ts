import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { debOf, tarOf, tgzOf, zipOf } from "../../../../test/helpers/archives.js";
import { decompress } from "./_decompress.js";
import { Budget, DEFAULT_LIMITS, type ArchiveLimits } from "./limits.js";
import { walkArchive, type ArchiveEvent } from "./walk.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-archives-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** A tar archive with `h.c`, "hello\n", packed by the reference programs (xz 5.4, bzip2 1.0, zstd 1.5). */
const PACKED = {
  "h.tar.xz":
    "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Cf/AGBdADQLiGAOUCcI/OcFvm95X2eW+58t6UhRDX1K9FDzpo3JUyqtWALVInP4FWv7aqcXHdhbB5XDOE/iJDiTkl1MmV0Bxofb2S6lAPAIIKVcTrLcpLJMOsqAF3PkTKu6TyPTAACB3/78EP3vpgABfIBQAAAAV6ZexbHEZ/sCAAAAAARZWg==",
  "h.tar.bz2":
    "QlpoOTFBWSZTWSq6/akAAHH7hMmQAERAAWUAAAJqRJ4AAACACCAAVDKhk0ekMT0CeoJKnlPUaDQBkFfuM3dCCUAJGhea4ygnYkgYKMPVqPCSVxCjYxSbzJUVsZEhMZTDODM8kgfi7kinChIFV1+1IA==",
  "h.tar.zst":
    "KLUv/WQAJ2UCANQCaC5jADAwMDA2NDQwMDAAMDEwMTA0ACAwAHVzdGFyICAAcm9vdABoZWxsbwoACwD2BfBGAxQMhQMg/ACk41b8fAhqBQDHymV6AkRKcA==",
};

async function walk(
  name: string,
  content: Uint8Array,
  options: { limits?: Partial<ArchiveLimits>; stripTop?: boolean; maxFileBytes?: number } = {},
): Promise<string[]> {
  const file = join(folder, name);
  await writeFile(file, content);
  const events = walkArchive(file, {
    accept: (path) => !path.endsWith(".skip"),
    nested: () => true,
    maxFileBytes: options.maxFileBytes ?? 1000,
    budget: new Budget({ ...DEFAULT_LIMITS, ...options.limits }),
    stripTop: options.stripTop ?? false,
  });
  const seen: string[] = [];
  for await (const event of events) seen.push(describeEvent(event));
  return seen;
}

function describeEvent(event: ArchiveEvent): string {
  return event.kind === "file"
    ? `${event.path}=${Buffer.from(event.bytes).toString()}`
    : `${event.path}!${event.reason}`;
}

const FILES = [
  { name: "top/a.c", content: "A" },
  { name: "top/sub/b.skip", content: "B" },
  { name: "top/sub/./c.c", content: "C" },
];

describe("formats", () => {
  test("tar, gzipped tar, zip and deb hold the same files", async () => {
    const expected = ["top/a.c=A", "top/sub/c.c=C"];
    expect(await walk("x.tar", await tarOf(FILES))).toEqual(expected);
    expect(await walk("x.tgz", await tgzOf(FILES))).toEqual(expected);
    expect(await walk("x.zip", zipOf(FILES))).toEqual(expected);
    expect(await walk("x.deb", debOf(await tgzOf(FILES)))).toEqual(expected);
    expect(await walk("y.deb", debOf(await tarOf(FILES), "data.tar"))).toEqual(expected);
  });

  test("the folder around everything can be left out", async () => {
    expect(await walk("x.tgz", await tgzOf(FILES), { stripTop: true })).toEqual(["a.c=A", "sub/c.c=C"]);
  });

  test.each(Object.entries(PACKED))("%s as the reference program packs it", async (name, base64) => {
    const packed = Buffer.from(base64, "base64");
    expect(await walk(name, packed)).toEqual(["h.c=hello\n"]);
    expect(await walk(name, packed.subarray(0, packed.length - 40))).toContain("!broken-archive");
  });

  test("tar of before POSIX, without a mark; one with a wrong checksum is broken", async () => {
    const old = await tarOf(FILES);
    for (let header = 0; header < 3 * 1024; header += 1024) {
      old.fill(0, header + 257, header + 265); // Mark and version.
      let sum = 8 * 32; // The checksum counts as spaces (tar(5)).
      for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 0 : old[header + i]!;
      old.write(`${sum.toString(8).padStart(6, "0")}\0 `, header + 148, "latin1");
    }
    expect(await walk("old.tar", old)).toEqual(["top/a.c=A", "top/sub/c.c=C"]);
    old[1024] = old[1024]! + 1;
    expect(await walk("bad.tar", old)).toEqual(["top/a.c=A", "!broken-archive"]);
  });

  test("xz and bzip2 without those programs", async () => {
    const path = process.env["PATH"];
    process.env["PATH"] = folder;
    try {
      for (const [name, base64] of Object.entries(PACKED)) {
        const packed = Buffer.from(base64, "base64");
        expect(await walk(name, packed)).toEqual(["h.c=hello\n"]);
        expect(await walk(name, packed.subarray(0, packed.length - 40))).toContain("!broken-archive");
      }
    } finally {
      process.env["PATH"] = path;
    }
  });

  test("archives in archives", async () => {
    const inner = await tgzOf([{ name: "in.c", content: "inner" }]);
    const outer = await tgzOf([
      {
        name: "src.zip",
        content: zipOf([
          { name: "z/z.c", content: "Z" },
          { name: "deep.tgz", content: inner },
        ]),
      },
      { name: "code.tar.gz", content: inner },
      { name: "after.c", content: "after" },
    ]);
    expect(await walk("x.tgz", outer)).toEqual([
      "src.zip/z/z.c=Z",
      "src.zip/deep.tgz/in.c=inner",
      "code.tar.gz/in.c=inner",
      "after.c=after",
    ]);
    expect(await walk("x.tgz", outer, { limits: { maxDepth: 1 } })).toContain("src.zip/deep.tgz!archive-depth");
  });
});

describe("bad input", () => {
  const escapes = ["../up.c", "a/../../up.c", "/abs.c", "C:\\abs.c", "a\\..\\..\\up.c"];

  test("paths that lead out are passed over, and the rest is read", async () => {
    const files = [...escapes.map((name) => ({ name, content: "x" })), { name: "ok.c", content: "ok" }];
    for (const seen of [await walk("x.tar", await tarOf(files)), await walk("x.zip", zipOf(files))]) {
      expect(seen.filter((one) => one.endsWith("!path-escape"))).toHaveLength(escapes.length);
      expect(seen.filter((one) => !one.endsWith("!path-escape"))).toEqual(["ok.c=ok"]);
    }
  });

  test("links are ignored, a link to itself too", async () => {
    const files = [
      { name: "loop.c", linkTo: "loop.c" },
      { name: "out.c", linkTo: "/etc/passwd" },
      { name: "ok.c", content: "ok" },
    ];
    expect(await walk("x.tar", await tarOf(files))).toEqual(["ok.c=ok"]);
    expect(await walk("x.zip", zipOf(files))).toEqual(["ok.c=ok"]);
  });

  test("a truncated gzip gives what came before its end", async () => {
    // Random content does not pack: the cut falls into the last file.
    const noise = Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * i * 2_654_435_761) >>> 13));
    const whole = await tgzOf([
      { name: "first.c", content: "first" },
      { name: "last.c", content: noise },
    ]);
    const seen = await walk("x.tgz", whole.subarray(0, whole.length - 500), { maxFileBytes: 1e6 });
    expect(seen).toEqual(["first.c=first", "!broken-archive"]);
  });

  test("a truncated tar, zip and deb, and files that are none of these", async () => {
    const tar = await tarOf([{ name: "a.c", content: "x".repeat(900) }]);
    expect(await walk("x.tar", tar.subarray(0, 700))).toEqual(["!broken-archive"]);
    const zip = zipOf(FILES);
    expect(await walk("x.zip", zip.subarray(0, zip.length - 30))).toEqual(["!broken-archive"]);
    expect(await walk("x.deb", Buffer.from("!<arch>\nshort"))).toEqual(["!broken-archive"]);
    for (const name of ["n.tar", "n.tgz", "n.tar.xz", "n.tar.bz2", "n.tar.zst", "n.zip", "n.deb"]) {
      expect(await walk(name, Buffer.from("this is no archive at all. ".repeat(60))), name).toEqual([
        "!broken-archive",
      ]);
    }
  });

  test("a broken archive inside leaves the rest of the outer one", async () => {
    const outer = await tgzOf([
      { name: "bad.zip", content: "no zip" },
      { name: "bad.tgz", content: (await tgzOf(FILES)).subarray(0, 60) },
      { name: "ok.c", content: "ok" },
    ]);
    expect(await walk("x.tgz", outer)).toEqual(["bad.zip!broken-archive", "bad.tgz!broken-archive", "ok.c=ok"]);
  });

  test("bombs: ratio, size, number of entries", async () => {
    const zeros = await tgzOf([{ name: "big.c", content: Buffer.alloc(40_000_000) }]);
    expect(await walk("x.tgz", zeros)).toContain("!archive-bomb");
    expect(
      await walk(
        "y.tgz",
        await tgzOf([
          { name: "in.tgz", content: zeros },
          { name: "ok.c", content: "ok" },
        ]),
      ),
    ).toEqual(["in.tgz/big.c!too-large", "in.tgz!archive-bomb", "ok.c=ok"]);
    const many = Array.from({ length: 50 }, (_, i) => ({ name: `${i}.skip` }));
    expect(await walk("m.tgz", await tgzOf(many), { limits: { maxEntries: 20 } })).toEqual(["!archive-bomb"]);
    const some = [
      { name: "a.c", content: "x".repeat(900) },
      { name: "b.c", content: "y".repeat(900) },
    ];
    const tooMuch = await walk("s.tgz", await tgzOf(some), { limits: { maxTotalBytes: 1500 } });
    expect(tooMuch.at(-1)).toBe("!archive-bomb");
  });

  test("a zip entry that lies about its size", async () => {
    const zip = zipOf([{ name: "a.c", content: "x".repeat(100) }]);
    zip.writeUInt32LE(99_000_000, zip.indexOf("PK\x01\x02") + 24); // Unpacked size in the directory.
    expect(await walk("x.zip", zip, { maxFileBytes: 1e9 })).toEqual(["!broken-archive"]);
  });

  test("a file over the limit is not kept", async () => {
    expect(await walk("x.tgz", await tgzOf([{ name: "a.c", content: "x".repeat(1001) }]))).toEqual(["a.c!too-large"]);
  });
});

test("unpacking never runs far ahead of its reader", async () => {
  const packed = gzipSync(Buffer.alloc(50_000_000));
  let taken = 0;
  const source = Readable.from([packed.subarray(0, 1000), packed.subarray(1000)]);
  const limits = { ...DEFAULT_LIMITS, maxRatio: 1e9 };
  for await (const chunk of decompress(source as AsyncIterable<Uint8Array>, "gz", new Budget(limits))) {
    taken += chunk.length;
    if (taken > 100_000) break;
  }
  expect(taken).toBeLessThan(300_000);
});
