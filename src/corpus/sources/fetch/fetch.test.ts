import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { tgzOf } from "../../../../test/helpers/archives.js";
import { openSources, recipeSchema, type SourceInput } from "../index.js";
import { withSourceLines, withSourceTypes } from "./_apt-sources.js";
import { fetchRecipe, type FetchEvent, type FetchOptions } from "./fetch-recipe.js";
import { inParallel } from "./_parallel.js";

/*
 * The clients are real processes: small programs that stand in for npm and apt on the PATH, answer from a folder and
 * write down how they were called.
 */
let folder: string;
let path: string | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-fetch-"));
  path = process.env["PATH"];
  for (const place of ["bin", "npm", "apt"]) await mkdir(join(folder, place));
});
afterEach(async () => {
  process.env["PATH"] = path;
  await rm(folder, { recursive: true });
});

/** A client in the shell's language; `$FAKE` is the test's folder. Only it and the system's own tools are found. */
async function client(name: string, script: string): Promise<void> {
  process.env["PATH"] = `${join(folder, "bin")}:/usr/bin:/bin`;
  await writeFile(join(folder, "bin", name), `#!/bin/sh\nFAKE='${folder}'\n${script}\n`, { mode: 0o755 });
}

/** `npm pack NAME@VERSION`: copies what lies under that name, or fails as npm does. */
const NPM = `
echo "$2" >> "$FAKE/calls"
for last; do :; done
if [ -e "$FAKE/down" ]; then echo "npm error code ECONNREFUSED" >&2; echo "npm error connect ECONNREFUSED" >&2; exit 1; fi
place="$FAKE/npm/$(echo "$2" | tr / +)"
if [ -d "$place" ]; then cp "$place"/* "$last"; echo '[]'; exit 0; fi
echo "npm error code ETARGET" >&2; echo "npm error notarget No matching version found for $2." >&2; exit 1`;

async function publish(request: string, tarball: string): Promise<void> {
  const place = join(folder, "npm", request.replace("/", "+"));
  await mkdir(place, { recursive: true });
  const files = [
    { name: "package/package.json", content: '{"license": "MIT"}' },
    { name: "package/a.js", content: `// ${tarball}` },
  ];
  await writeFile(join(place, tarball), await tgzOf(files));
}

const APT_GET = `
echo "get $*" >> "$FAKE/calls"
if [ -e "$FAKE/down" ]; then echo "E: Unable to fetch" >&2; exit 100; fi
form=; code=0
for one; do
  case "$form$one" in
    source) form=source/;;
    download) form=binary/;;
    */-*) ;;
    */*)
      one="\${one##*/}"
      if [ -z "$form" ]; then continue; fi
      if [ -e "$FAKE/apt/gone/$one" ]; then
        echo "E: Failed to fetch http://host.invalid/pool/\${one%%=*}_\${one#*=}_all.deb  404  Not Found" >&2; code=100
      else cp "$FAKE/apt/$form$one"/* . || code=100; fi;;
  esac
done
exit $code`;
const APT_CACHE = `cat "$FAKE/apt/madison" 2>/dev/null`;
const APT_CONFIG = `echo "LIST='$FAKE/apt/list'"; echo "PARTS='$FAKE/apt/parts'"`;

async function fetchAll(
  sources: readonly unknown[],
  options: Partial<FetchOptions> = {},
): Promise<{ events: FetchEvent[]; lines: string[] }> {
  const recipe = recipeSchema.parse({ name: "test", version: 1, sources });
  const events: FetchEvent[] = [];
  const all = { cache: join(folder, "cache"), backoffSeconds: 0.01, ...options };
  for await (const event of fetchRecipe(recipe, all)) if (event.kind !== "progress") events.push(event);
  const lines = events.flatMap((event) =>
    event.kind === "failed"
      ? [`${event.origin}: ${event.why}`]
      : event.kind === "note"
        ? [`${event.origin}: ${event.note}`]
        : [],
  );
  return { events, lines: lines.sort() };
}

const calls = async (): Promise<string[]> =>
  (await readFile(join(folder, "calls"), "utf8").catch(() => ""))
    .trim()
    .split("\n")
    .filter((line) => line !== "");
const lockText = (): Promise<string> => readFile(join(folder, "cache/lock.json"), "utf8");

const THREE = { kind: "npm", name: "three", version: "^1.0.0" } as const;
const SCOPED = { kind: "npm", name: "@a/b", version: "2.0.0" } as const;

describe("npm", () => {
  beforeEach(async () => {
    await client("npm", NPM);
    await publish("three@^1.0.0", "three-1.2.3.tgz");
    await publish("@a/b@2.0.0", "a-b-2.0.0.tgz");
  });

  test("downloads, records checksums, and reads what it downloaded", async () => {
    const { events } = await fetchAll([THREE, SCOPED]);
    expect(events.at(-1)).toMatchObject({ summary: { entries: 2, downloaded: 2, present: 0, failed: 0 } });
    const lock = JSON.parse(await lockText()) as {
      packages: Record<string, { resolved: string; files: { path: string; sha256: string }[] }>;
    };
    expect(Object.keys(lock.packages)).toEqual(["npm:@a/b@2.0.0", "npm:three@^1.0.0"]);
    const { resolved, files } = lock.packages["npm:three@^1.0.0"]!;
    expect(resolved).toBe("1.2.3");
    const sum = execFileSync("sha256sum", [join(folder, "cache", files[0]!.path)], { encoding: "utf8" });
    expect(sum.split(" ")[0]).toBe(files[0]!.sha256);

    const [source] = await openSources([THREE], { cache: join(folder, "cache") });
    expect(source).toMatchObject({ origin: "npm:three", version: "1.2.3" });
    for await (const event of source!.items({ accept: (file) => file === "a.js" })) {
      expect(event.kind === "item" && [event.item.licence, Buffer.from(event.item.bytes).toString()]).toEqual([
        "MIT",
        "// three-1.2.3.tgz",
      ]);
    }
  });

  test("what is there and intact stays; what was damaged or lost comes again, in its version", async () => {
    await fetchAll([THREE, SCOPED]);
    const before = await lockText();
    await rm(join(folder, "calls"));
    expect((await fetchAll([THREE, SCOPED])).events.at(-1)).toMatchObject({ summary: { present: 2, downloaded: 0 } });
    expect(await calls()).toEqual([]);

    await appendFile(join(folder, "cache/npm/three-1.2.3.tgz"), "damage");
    await publish("three@^1.0.0", "three-1.9.0.tgz");
    await publish("three@1.2.3", "three-1.2.3.tgz");
    expect((await fetchAll([THREE, SCOPED])).events.at(-1)).toMatchObject({ summary: { present: 1, downloaded: 1 } });
    expect(await calls()).toEqual(["three@1.2.3"]);
    expect(await lockText()).toBe(before);
  });

  test("a version that vanished: the newest in the range, and the lock says so", async () => {
    await publish("gone@^1.0.0", "gone-1.4.0.tgz");
    await publish("gone@~1.0", "gone-1.0.9.tgz");
    const gone = { kind: "npm", name: "gone", version: "1.0.0" } as const;
    const { lines } = await fetchAll([gone, { ...gone, range: "~1.0" }]);
    expect(lines).toEqual([
      "npm:gone: wanted 1.0.0, took 1.0.9, the newest in ~1.0",
      "npm:gone: wanted 1.0.0, took 1.4.0, the newest in ^1.0.0",
    ]);
    const [source] = await openSources([gone], { cache: join(folder, "cache") });
    expect(source!.note).toBe("wanted 1.0.0, took 1.4.0, the newest in ^1.0.0");
    expect(await lockText()).toContain("took 1.4.0");
  });

  test("a package that does not exist is not asked for again; the others come", async () => {
    const { events, lines } = await fetchAll([{ ...THREE, name: "none", required: true }, THREE]);
    expect(lines).toEqual(["npm:none: notarget No matching version found for none@^1.0.0."]);
    expect(events.at(-1)).toMatchObject({ summary: { downloaded: 1, failed: 1, requiredFailed: 1 } });
    expect((await calls()).filter((one) => one.startsWith("none"))).toHaveLength(1);
  });

  test("a registry that is down: tried again with pauses, then left alone; the run goes on", async () => {
    await writeFile(join(folder, "down"), "");
    const many: SourceInput[] = Array.from({ length: 12 }, (_, i) => ({ ...THREE, name: `p${i}` }));
    const started = performance.now();
    const { events, lines } = await fetchAll(many, { jobs: 1, backoffSeconds: 0.02 });
    expect(performance.now() - started).toBeGreaterThan(5 * 60); // Five times 20 ms and 40 ms.
    expect(lines).toHaveLength(12);
    expect(await calls()).toHaveLength(5 * 3);
    expect(lines.filter((line) => line.includes("taken to be down"))).toHaveLength(7);
    expect(events.at(-1)).toMatchObject({ summary: { failed: 12, requiredFailed: 0 } });

    await rm(join(folder, "down"));
    expect((await fetchAll([THREE])).events.at(-1)).toMatchObject({ summary: { downloaded: 1 } });
  });

  test("a killed download leaves nothing that counts", async () => {
    await client("npm", `for last; do :; done\necho half > "$last/three-1.2.3.tgz"\nkill -9 $$`);
    expect((await fetchAll([THREE], { attempts: 1 })).events.at(-1)).toMatchObject({ summary: { failed: 1 } });
    expect(existsSync(join(folder, "cache/lock.json"))).toBe(false);
    expect(await readdir(join(folder, "cache"))).toEqual([]);
    await mkdir(join(folder, "cache/.partial/left-behind"), { recursive: true });
    await client("npm", NPM);
    expect((await fetchAll([THREE])).events.at(-1)).toMatchObject({ summary: { downloaded: 1 } });
    expect(await readdir(join(folder, "cache"))).toEqual(["lock.json", "npm"]);
  });

  test("Ctrl-C ends it, and the client with it", async () => {
    await client("npm", `echo started >> "$FAKE/calls"\nexec sleep 30`);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    const started = performance.now();
    await expect(fetchAll([THREE, SCOPED], { signal: controller.signal })).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test("npm is not installed", async () => {
    await rm(join(folder, "bin/npm"));
    process.env["PATH"] = join(folder, "bin");
    expect((await fetchAll([THREE])).lines).toEqual(["npm:three: npm is not installed"]);
  });
});

describe("Debian", () => {
  const source = { kind: "debian", package: "apr", version: "1.7.0-1", form: "source" } as const;
  const binary = { kind: "debian", package: "golang-x-dev", version: ">= 0.8, << 1", form: "binary" } as const;

  async function put(place: string, content: string): Promise<void> {
    await mkdir(dirname(join(folder, "apt", place)), { recursive: true });
    await writeFile(join(folder, "apt", place), content);
  }

  beforeEach(async () => {
    await client("apt-get", APT_GET);
    await client("apt-cache", APT_CACHE);
    await client("apt-config", APT_CONFIG);
    await put("list", "deb [arch=amd64] http://host.invalid/debian stable main\n# deb ignored\n");
    await put("parts/x.sources", "Types: deb\nURIs: http://host.invalid\n");
    await put(
      "madison",
      [
        "       apr | 1.7.2-3 | http://host.invalid stable/main Sources",
        "       apr | 1.7.5-1 | http://host.invalid stable/main Sources",
        "       apr | 9.9.9-9 | http://host.invalid stable/main amd64 Packages",
        "golang-x-dev | 0.9.1-2 | http://host.invalid stable/main amd64 Packages",
        "golang-x-dev | 1.0-1 | http://host.invalid stable/main amd64 Packages",
      ].join("\n"),
    );
    await put("source/apr=1.7.5-1/apr_1.7.5-1.dsc", "dsc");
    await put("source/apr=1.7.5-1/apr_1.7.5.orig.tar.gz", "orig");
    await put("binary/golang-x-dev=0.9.1-2/golang-x-dev_0.9.1-2_all.deb", "deb");
  });

  test("source and binary packages, by apt, from a list of sources of our own", async () => {
    const { events, lines } = await fetchAll([source, binary]);
    expect(lines).toEqual(["debian:apr: wanted 1.7.0-1, took 1.7.5-1, the newest in >= 1.7.0-1"]);
    expect(events.at(-1)).toMatchObject({ summary: { downloaded: 2, failed: 0 } });
    const lock = await lockText();
    expect(lock).toContain("debian-source/apr_1.7.5-1/apr_1.7.5.orig.tar.gz");
    expect(lock).toContain("debian-binary/golang-x-dev_0.9.1-2/golang-x-dev_0.9.1-2_all.deb");
    const list = await readFile(join(folder, "cache/apt/sources.list"), "utf8");
    expect(list).toBe(
      "deb [arch=amd64] http://host.invalid/debian stable main\ndeb-src [arch=amd64] http://host.invalid/debian stable main\n",
    );
    expect(await readFile(join(folder, "cache/apt/sources.list.d/0.sources"), "utf8")).toContain(
      "Types: deb deb-src\n",
    );
    expect((await calls()).filter((one) => one.includes(" update ")).length).toBe(1);
    for (const call of await calls()) expect(call).toContain(`Dir::State=${join(folder, "cache/apt/state")}`);
  });

  test("a version that is listed but gone from the archive gives way to the next", async () => {
    await put("gone/apr=1.7.5-1", "");
    await put("source/apr=1.7.2-3/apr_1.7.2-3.dsc", "dsc");
    const { events, lines } = await fetchAll([{ ...source, version: "*" }]);
    expect(lines).toEqual(["debian:apr: wanted 1.7.5-1, took 1.7.2-3, the newest in *"]);
    expect(events.at(-1)).toMatchObject({ summary: { downloaded: 1, failed: 0 } });
    await put("gone/apr=1.7.2-3", "");
    const none = await fetchAll([{ ...source, version: ">= 1" }]);
    expect(none.lines[0]).toContain("404");
    expect((await calls()).filter((one) => one.includes("apr=1.7.5-1"))).toHaveLength(2); // Once a run, not again.
  });

  describe("many packages", () => {
    const names = Array.from({ length: 23 }, (_, i) => `golang-p${i}-dev`);
    const many = names.map((name) => ({ ...binary, package: name, version: "*" }));
    const downloads = async (): Promise<string[][]> =>
      (await calls()).filter((one) => / download /.test(one)).map((one) => one.match(/golang-\S+/g) ?? []);

    beforeEach(async () => {
      await put(
        "madison",
        names.map((name) => `${name} | 1:2.0-1 | http://host.invalid main amd64 Packages`).join("\n"),
      );
      for (const name of names) await put(`binary/${name}=1:2.0-1/${name}_1%3a2.0-1_all.deb`, name);
    });

    test("come in groups, each into its own folder", async () => {
      const { events } = await fetchAll(many);
      expect(events.at(-1)).toMatchObject({ summary: { downloaded: 23, failed: 0 } });
      expect((await downloads()).map((one) => one.length).sort()).toEqual([20, 3]);
      const lock = JSON.parse(await lockText()) as { packages: Record<string, { files: { path: string }[] }> };
      expect(
        Object.values(lock.packages)
          .flatMap(({ files }) => files.map(({ path }) => path))
          .sort(),
      ).toEqual(names.map((name) => `debian-binary/${name}_1_2.0-1/${name}_1%3a2.0-1_all.deb`).sort());
      expect(
        await readFile(
          join(folder, "cache/debian-binary/golang-p7-dev_1_2.0-1/golang-p7-dev_1%3a2.0-1_all.deb"),
          "utf8",
        ),
      ).toBe("golang-p7-dev");
      expect((await fetchAll(many)).events.at(-1)).toMatchObject({ summary: { present: 23, downloaded: 0 } });
      expect(await downloads()).toHaveLength(2);
    });

    test("one that is gone is reported, and costs the others one more call", async () => {
      await put(`gone/golang-p4-dev=1:2.0-1`, "");
      const { events, lines } = await fetchAll(many.slice(0, 6));
      expect(lines).toEqual([expect.stringMatching(/^debian:golang-p4-dev: .*404/)]);
      expect(events.at(-1)).toMatchObject({ summary: { downloaded: 5, failed: 1 } });
      expect((await downloads()).map((one) => one.length)).toEqual([6, 5, 1]);
    });

    test("a call that fails otherwise: each by itself, so that each says why", async () => {
      await rm(join(folder, "apt/binary/golang-p1-dev=1:2.0-1"), { recursive: true });
      const { events, lines } = await fetchAll(many.slice(0, 3), { attempts: 1 });
      expect(lines).toEqual([expect.stringMatching(/^debian:golang-p1-dev: /)]);
      expect(events.at(-1)).toMatchObject({ summary: { downloaded: 2, failed: 1 } });
    });

    test("source packages are told apart by their descriptions", async () => {
      const names = ["aa", "bb"];
      await put("madison", names.map((name) => `${name} | 1.0-1 | http://host.invalid main Sources`).join("\n"));
      const sum = "0".repeat(32);
      for (const name of names) {
        const files = [`${name}_1.0.orig.tar.gz`, `${name}_1.0-1.debian.tar.xz`];
        for (const file of files) await put(`source/${name}=1.0-1/${file}`, file);
        const dsc = `Source: ${name}\nFiles:\n${files.map((file) => ` ${sum} 12 ${file}`).join("\n")}\n`;
        await put(`source/${name}=1.0-1/${name}_1.0-1.dsc`, dsc);
      }
      const { events } = await fetchAll(names.map((name) => ({ ...source, package: name, version: "*" })));
      expect(events.at(-1)).toMatchObject({ summary: { downloaded: 2 } });
      expect((await calls()).filter((one) => / source /.test(one))).toHaveLength(1);
      expect(await readdir(join(folder, "cache/debian-source/bb_1.0-1"))).toHaveLength(3);
    });
  });

  test("a range without a version, a package that is not there", async () => {
    const { lines } = await fetchAll([
      { ...source, version: ">= 2" },
      { ...source, package: "none" },
    ]);
    expect(lines).toEqual([
      "debian:apr: expected a version >= 2, got 1.7.2-3, 1.7.5-1",
      "debian:none: there is no source package none",
    ]);
  });

  test("an archive that is down, and no apt at all", async () => {
    await writeFile(join(folder, "down"), "");
    await put("madison", "");
    expect((await fetchAll([source])).lines).toEqual(["debian:apr: Unable to fetch"]);
    for (const name of ["apt-get", "apt-cache", "apt-config"]) await rm(join(folder, "bin", name));
    process.env["PATH"] = join(folder, "bin");
    expect((await fetchAll([source])).lines).toEqual(["debian:apr: apt-config is not installed"]);
  });

  test("lists of sources in both forms", () => {
    expect(withSourceLines("deb a b c\ndeb-src a b c\n")).toBe("deb a b c\ndeb-src a b c\n");
    expect(withSourceTypes("types: deb\nURIs: x\n\nTypes: deb-src\n")).toBe(
      "Types: deb deb-src\nURIs: x\n\nTypes: deb deb-src\n",
    );
  });
});

describe("git", () => {
  const run = (...args: string[]): string =>
    execFileSync("git", ["-C", join(folder, "work"), "-c", "user.name=a", "-c", "user.email=a@b", ...args], {
      encoding: "utf8",
    }).trim();

  test("a URL is fetched once and read from the cache; a mirror is looked at where it is", async () => {
    await mkdir(join(folder, "work"));
    run("init", "-q");
    await writeFile(join(folder, "work/a.c"), "// SPDX-License-Identifier: MIT\n");
    run("add", ".");
    run("commit", "-qm", "one");
    const commit = run("rev-parse", "HEAD");
    await writeFile(join(folder, "work/a.c"), "// SPDX-License-Identifier: MIT\nlater");
    run("commit", "-qam", "two");
    run("config", "uploadpack.allowAnySHA1InWant", "true");
    const url = { kind: "git", repository: `file://${join(folder, "work")}`, commit } as const;
    const mirror = { kind: "git", repository: "owner/name" } as const;
    await mkdir(join(folder, "mirrors"));
    run("clone", "-q", "--bare", ".", join(folder, "mirrors/owner+name"));
    const mirrors = join(folder, "mirrors");
    const { events, lines } = await fetchAll([url, mirror, { ...mirror, repository: "owner/other" }], { mirrors });
    expect(lines).toEqual([`git:owner/other: no mirror of owner/other in ${mirrors}`]);
    expect(events.at(-1)).toMatchObject({ summary: { downloaded: 2, failed: 1 } });
    await rm(join(folder, "work"), { recursive: true });
    expect((await fetchAll([url, mirror], { mirrors })).events.at(-1)).toMatchObject({ summary: { present: 2 } });
    const [source] = await openSources([url], { cache: join(folder, "cache") });
    expect(source!.version).toBe(commit);
    for await (const event of source!.items({ accept: () => true })) {
      expect(event.kind === "item" && event.item.bytes.length).toBe("// SPDX-License-Identifier: MIT\n".length);
    }
  });

  test("a URL that cannot be reached", async () => {
    const { lines } = await fetchAll([{ kind: "git", repository: `file://${folder}/none` }]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^git:.*none/);
  });
});

test("no more run at a time than allowed, and all do", async () => {
  let running = 0;
  let most = 0;
  const seen: number[] = [];
  const work = async (item: number): Promise<number> => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, item % 3));
    running -= 1;
    return item;
  };
  for await (const item of inParallel([...Array(20).keys()], 4, work)) seen.push(item);
  expect(most).toBe(4);
  expect(seen.sort((a, b) => a - b)).toEqual([...Array(20).keys()]);
});
