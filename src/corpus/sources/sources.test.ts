import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { debOf, tarOf, tgzOf, zipOf, type Packed } from "../../../test/helpers/archives.js";
import { gzipSync } from "node:zlib";
import { isFailure, openSources, type OpenOptions, type SourceEvent, type SourceInput } from "./index.js";
import { Lock, lockedFile, type FetchedConfig } from "./lock.js";
import { sourceSchema } from "./schema.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-sources-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

async function read(source: SourceInput, options: OpenOptions = {}): Promise<string[]> {
  const [opened] = await openSources([source], options);
  const seen: string[] = [];
  for await (const event of opened!.items({ accept: (path) => /\.(c|py|js)$/.test(path) })) seen.push(show(event));
  return seen;
}

function show(event: SourceEvent): string {
  if (event.kind === "skipped") return `${event.path}!${event.reason}`;
  return `${event.item.path} ${event.item.licence}`;
}

const MIT = "// SPDX-License-Identifier: MIT\n";
const GPL = "// SPDX-License-Identifier: GPL-2.0-only\n";

describe("directories", () => {
  test("the order is that of the whole paths; links and loops are left alone", async () => {
    for (const path of ["d/a0.c", "d/a/b.c", "d/a.c", "d/Z.c", "d/no.txt"]) await write(path, "x");
    await symlink(join(folder, "d"), join(folder, "d/a/loop"));
    await symlink(join(folder, "d/a.c"), join(folder, "d/link.c"));
    const paths = (await read({ path: join(folder, "d") })).map((one) => one.split(" ")[0]);
    expect(paths).toEqual(["Z.c", "a.c", "a/b.c", "a0.c"]);
  });

  test("globs, languages, folders not entered, size limit", async () => {
    for (const path of ["d/src/a.c", "d/src/a.py", "d/skip/a.c", "d/src/x.min.js"]) await write(path, "x");
    await write("d/src/big.c", "x".repeat(50));
    const config: SourceInput = { path: join(folder, "d"), exclude: ["*.min.js"], languages: ["c"] };
    const [source] = await openSources([config]);
    const seen: string[] = [];
    const events = source!.items({ accept: () => true, enter: (path) => path !== "skip/", maxFileBytes: 20 });
    for await (const event of events) seen.push(show(event));
    expect(seen).toEqual(["src/a.c NOASSERTION", "src/big.c!too-large"]);
    expect(await read({ ...config, paths: ["skip/**"] })).toEqual(["skip/a.c NOASSERTION"]);
  });

  test("unknown licences pass, known ones are asked about", async () => {
    await write("d/own.c", "x");
    await write("d/gpl.c", GPL);
    expect(await read({ path: join(folder, "d") })).toEqual(["gpl.c!licence", "own.c NOASSERTION"]);
    expect(await read({ path: join(folder, "d") }, { licences: { includeOthers: true } })).toEqual([
      "gpl.c GPL-2.0-only",
      "own.c NOASSERTION",
    ]);
    await write("d/package.json", '{"license": "GPL-3.0-only"}');
    await write("d/mit.c", MIT);
    expect(await read({ path: join(folder, "d") })).toEqual(["gpl.c!licence", "mit.c MIT", "own.c!licence"]);
  });

  test("bytes that are not UTF-8 pass on as they are", async () => {
    const bytes = Uint8Array.of(0x63, 0xff, 0xfe, 0x00, 0x0a);
    await write("d/a.c", bytes);
    const [source] = await openSources([{ path: join(folder, "d") }]);
    for await (const event of source!.items({ accept: () => true })) {
      expect(event.kind === "item" && Buffer.compare(event.item.bytes, bytes)).toBe(0);
    }
  });

  test("the fingerprint follows the content, not the place", async () => {
    const fingerprint = async (path: string): Promise<string> => {
      return (await openSources([{ path: join(folder, path), name: "same" }]))[0]!.fingerprint;
    };
    await write("d/a.c", "one");
    await write("e/a.c", "one");
    const first = await fingerprint("d");
    expect(await fingerprint("e")).toBe(first);
    await write("d/a.c", "two");
    expect(await fingerprint("d")).not.toBe(first);
  });

  test("one that is not there: an error, or an event where it is not required", async () => {
    const path = join(folder, "none");
    await expect(openSources([{ path }])).rejects.toMatchObject({ code: "corpus.source" });
    expect(await read({ kind: "directory", path, required: false })).toEqual(["!unavailable"]);
  });

  test("a folder that may not be read", async () => {
    await write("d/closed/a.c", "x");
    await write("d/open.c", "x");
    await chmod(join(folder, "d/closed"), 0);
    await chmod(folder, 0o755); // Nobody, who is asked below, must get as far as that.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid!(65534); // Root may read everything.
    try {
      expect(await read({ path: join(folder, "d") })).toEqual(["closed/!unreadable", "open.c NOASSERTION"]);
    } finally {
      if (isRoot) process.seteuid!(0);
      await chmod(join(folder, "d/closed"), 0o700);
    }
  });
});

describe("git repositories", () => {
  const env = {
    ...process.env,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_NAME: "a",
    GIT_AUTHOR_EMAIL: "a@example.org",
    GIT_COMMITTER_NAME: "a",
    GIT_COMMITTER_EMAIL: "a@example.org",
  };
  const run = (...args: string[]): string =>
    execFileSync("git", ["-C", join(folder, "work"), ...args], { env, encoding: "utf8" }).trim();

  async function repository(): Promise<string> {
    await write(
      "work/LICENSE",
      "Permission is hereby granted, free of charge, to any person obtaining a copy ...\nThe above copyright notice and this permission notice shall be included",
    );
    await write("work/src/a.c", "first");
    await write("work/gpl.c", GPL);
    await write("work/ünïcode.py", Uint8Array.of(0xff));
    await symlink("/etc/passwd", join(folder, "work/link.c"));
    run("init", "-q");
    run("add", ".");
    run("commit", "-qm", "one");
    const commit = run("rev-parse", "HEAD");
    await write("work/src/a.c", "second");
    run("commit", "-qam", "two");
    return commit;
  }

  test.each(["owner+name/repo", "owner+name", "owner/name.git", "owner+name.git"])("a mirror as %s", async (place) => {
    const commit = await repository();
    await mkdir(dirname(join(folder, "mirrors", place)), { recursive: true });
    run("clone", "-q", "--bare", ".", join(folder, "mirrors", place));
    const options = { mirrors: join(folder, "mirrors") };
    const [source] = await openSources([{ kind: "git", repository: "owner/name", commit }], options);
    expect(source).toMatchObject({ origin: "git:owner/name", version: commit });
    const items: SourceEvent[] = [];
    for await (const event of source!.items({ accept: (path) => /\.(c|py)$/.test(path) })) items.push(event);
    expect(items.map(show)).toEqual(["gpl.c!licence", "src/a.c MIT", "ünïcode.py MIT"]);
    const texts = items.map((event) => (event.kind === "item" ? Buffer.from(event.item.bytes).toString("latin1") : ""));
    expect(texts).toEqual(["", "first", "ÿ"]);
  });

  test("a folder of licences stands where the root has none; a notice in words keeps a file out", async () => {
    await repository();
    run("mv", "LICENSE", "MIT-LICENSE");
    const notice = "under the terms of the GNU General Public License, version 2";
    await write("work/notice.c", `/* x\n * ${notice}\n */`);
    await write("work/both.c", `/* SPDX-License-Identifier: ISC */\n/* ${notice} */`);
    run("add", ".");
    run("commit", "-qm", "three");
    const paths = ["src/**", "notice.c", "both.c"];
    const config = { kind: "git" as const, repository: join(folder, "work"), paths };
    expect(await read(config)).toEqual(["both.c ISC", "notice.c!licence", "src/a.c MIT"]);
    expect((await read({ ...config, licence: "ISC" })).slice(1)).toEqual(["notice.c!licence", "src/a.c ISC"]);
    await mkdir(join(folder, "work/licenses"));
    run("mv", "MIT-LICENSE", "licenses/MIT.txt");
    run("commit", "-qm", "four");
    expect((await read(config)).at(-1)).toBe("src/a.c MIT");
    await write("work/licenses/other.txt", "Server Side Public License\nVERSION 1, October 16, 2018");
    run("add", ".");
    run("commit", "-qm", "five");
    expect((await read(config)).at(-1)).toBe("src/a.c!licence");
  });

  test("many files come in order, whole", async () => {
    for (let i = 0; i < 300; i++) await write(`work/f${String(i).padStart(3, "0")}.c`, `${MIT}${"x".repeat(i * 50)}`);
    await repository();
    const [source] = await openSources([{ kind: "git", repository: join(folder, "work") }]);
    const sizes: number[] = [];
    for await (const event of source!.items({ accept: (path) => /^f\d+\.c$/.test(path) })) {
      if (event.kind === "item") sizes.push(event.item.bytes.length);
    }
    expect(sizes).toEqual(Array.from({ length: 300 }, (_, i) => MIT.length + i * 50));
  });

  test("a commit that is gone gives HEAD and says so; stopping early is no error", async () => {
    await repository();
    const gone = "0123456789012345678901234567890123456789";
    const [source] = await openSources([{ kind: "git", repository: join(folder, "work"), commit: gone }]);
    expect(source!.version).toBe(run("rev-parse", "HEAD"));
    expect(source!.note).toContain(gone);
    for await (const event of source!.items({ accept: () => true })) {
      expect(event.kind).toBeDefined();
      break;
    }
  });

  test("an object that is missing is one file passed over", async () => {
    await repository();
    const blob = run("rev-parse", "HEAD:src/a.c");
    await rm(join(folder, "work/.git/objects", blob.slice(0, 2), blob.slice(2)));
    const seen = await read({ kind: "git", repository: join(folder, "work") });
    expect(seen).toContain("src/a.c!missing");
    expect(seen).toContain("ünïcode.py MIT");
  });

  test("no mirrors, no mirror, no repository", async () => {
    expect(await read({ kind: "git", repository: "a/b" })).toEqual(["!unavailable"]);
    expect(await read({ kind: "git", repository: "a/b" }, { mirrors: folder })).toEqual(["!unavailable"]);
    expect(await read({ kind: "git", repository: folder })).toEqual(["!unavailable"]);
  });
});

describe("packages in a cache", () => {
  async function lock(config: unknown, files: Record<string, Uint8Array>): Promise<string> {
    const cache = join(folder, "cache");
    for (const [path, content] of Object.entries(files)) await write(`cache/${path}`, content);
    const locked = await Promise.all(Object.keys(files).map((path) => lockedFile(cache, path)));
    const entry = sourceSchema.parse(config) as FetchedConfig;
    await (await Lock.read(cache)).set(entry, { resolved: "1.0-1", files: locked });
    return cache;
  }

  test("npm: licence of package.json, headers go first, nested archives are opened", async () => {
    const config = { kind: "npm", name: "x", version: "^1.0.0" } as const;
    const tarball = await tgzOf([
      { name: "package/a.js", content: "a" },
      { name: "package/gpl.js", content: GPL },
      { name: "package/src.zip", content: zipOf([{ name: "in.c", content: "in" }]) },
      { name: "package/test/src.zip", content: "broken on purpose" },
      { name: "package/package.json", content: '{"license": "ISC"}' },
    ]);
    const cache = await lock(config, { "npm/x.tgz": tarball });
    expect(await read(config, { cache })).toEqual(["a.js ISC", "gpl.js!licence", "src.zip/in.c ISC"]);
    expect(await read({ ...config, licence: "MPL-2.0" }, { cache })).toEqual([
      "a.js!licence",
      "gpl.js!licence",
      "src.zip/in.c!licence",
    ]);
    await write("cache/npm/x.tgz", tarball.subarray(0, 100));
    expect(await read(config, { cache })).toEqual(["!unavailable"]);
  });

  const copyright = `Format: https://example.org/copyright-format/1.0/

Files: *
License: Apache-2.0

Files: gnu/*
License: LGPL-2.1+
`;

  test("a Debian source package: licences by file, the packaging left out, components in their folder", async () => {
    const config = { kind: "debian", package: "xx", version: "*", form: "source" } as const;
    const cache = await lock(config, {
      "debian-source/x/x_1.0.orig.tar.gz": await tgzOf([
        { name: "x-1.0/gnu/a.c", content: "g" },
        { name: "x-1.0/gnu/mit.c", content: MIT },
        { name: "x-1.0/src/a.c", content: "a" },
      ]),
      "debian-source/x/x_1.0.orig-extra.tar.gz": await tgzOf([{ name: "extra/e.c", content: "e" }]),
      "debian-source/x/x_1.0-1.debian.tar.gz": await tgzOf([
        { name: "debian/helper.py", content: "p" },
        { name: "debian/copyright", content: copyright },
      ]),
      "debian-source/x/x_1.0-1.dsc": Buffer.from("Format: 3.0 (quilt)\n"),
    });
    expect(await read(config, { cache })).toEqual([
      "gnu/a.c!licence",
      "gnu/mit.c MIT",
      "src/a.c Apache-2.0",
      "extra/e.c Apache-2.0",
    ]);
  });

  test("a Debian binary package: a tarball of sources in it", async () => {
    const config = { kind: "debian", package: "x-src", version: "*", form: "binary" } as const;
    const inner = await tgzOf([
      { name: "gnu/a.c", content: "g" },
      { name: "b.c", content: "b" },
    ]);
    const data = await tarOf([
      { name: "./usr/src/x.tar.gz", content: inner },
      { name: "./usr/share/doc/x-src/copyright", content: copyright },
    ]);
    const cache = await lock(config, { "debian-binary/x.deb": debOf(gzipSync(data)) });
    expect(await read(config, { cache })).toEqual([
      "usr/src/x.tar.gz/gnu/a.c!licence",
      "usr/src/x.tar.gz/b.c Apache-2.0",
    ]);
  });

  test("a Debian package's copyright file that is a link", async () => {
    const config = { kind: "debian", package: "x-src", version: "*", form: "binary" } as const;
    const place = "./usr/share/doc/x-src";
    const opened = async (files: readonly Packed[]): Promise<string[]> => {
      const data = await tarOf([...files, { name: "./usr/src/a.c", content: "a" }]);
      return read(config, { cache: await lock(config, { "debian-binary/x.deb": debOf(gzipSync(data)) }) });
    };
    const real = { name: "./usr/share/doc/x-base/copyright", content: copyright };
    expect(await opened([real, { name: place, linkTo: "x-base" }])).toEqual(["usr/src/a.c Apache-2.0"]);
    expect(await opened([{ name: `${place}/copyright`, linkTo: "../x-base/copyright" }, real])).toEqual([
      "usr/src/a.c Apache-2.0",
    ]);
    expect(await opened([{ name: place, linkTo: "x-base" }])).toEqual([
      "usr/share/doc/x-src/copyright!licence",
      "usr/src/a.c!licence",
    ]);
    expect(await opened([{ name: place, linkTo: "x-src" }])).toEqual(["usr/src/a.c!licence"]);
    expect(await opened([{ name: `${place}/copyright`, linkTo: "/../../../etc/passwd" }])).toHaveLength(2);
  });

  test("one without a stated licence is kept out; one not fetched says so", async () => {
    const config = { kind: "npm", name: "y", version: "1.0.0" } as const;
    expect(await read(config, { cache: folder })).toEqual(["!unavailable"]);
    expect(await read(config)).toEqual(["!unavailable"]);
    const cache = await lock(config, { "npm/y.tgz": await tgzOf([{ name: "package/a.js", content: "a" }]) });
    expect(await read(config, { cache })).toEqual(["a.js!licence"]);
  });
});

test("a recipe stands for its sources, with licences of its own; folders are relative to it", async () => {
  await write("r/code/a.c", MIT);
  await write("r/code/b.c", "// SPDX-License-Identifier: MPL-2.0\n");
  const recipe = { name: "r", version: 1, licences: ["MPL-2.0"], sources: [{ path: "code" }] };
  await write("r/recipe.json", JSON.stringify(recipe));
  const source: SourceInput = { kind: "recipe", path: join(folder, "r/recipe.json") };
  expect(await read(source)).toEqual(["a.c!licence", "b.c MPL-2.0"]);
  expect(await read(source, { licences: { allow: ["MIT"] } })).toEqual(["a.c MIT", "b.c!licence"]);
  await write("r/recipe.json", JSON.stringify({ ...recipe, sources: [{ kind: "npm", name: "--evil", version: "1" }] }));
  await expect(read(source)).rejects.toMatchObject({ code: "config.invalid" });
});

test("which events are failures", () => {
  const skipped = (reason: "licence" | "broken-archive") =>
    ({ kind: "skipped", origin: "", path: "", reason }) as const;
  expect([isFailure(skipped("licence")), isFailure(skipped("broken-archive"))]).toEqual([false, true]);
});
