import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { sha256 } from "../../src/base/index.js";
import { cliPath, expectComplaint, lodestone, lodestoneUnder, run, temporaryFolder } from "../helpers/cli.js";
import { testWithNamespaces } from "../helpers/requires.js";

let folder: string;
let source: string;

beforeAll(async () => {
  folder = await temporaryFolder("bad-corpus");
  source = join(folder, "source");
  await mkdir(source);
  await writeFile(join(source, "good.js"), good("sum"));
});

function good(name: string): string {
  return `/** Returns the total of all given values. */\nfunction ${name}(values) {\n  let total = 0;\n  for (const value of values) total += value;\n  return total;\n}\n`;
}

test("an unknown key of a config file", async () => {
  const config = join(folder, "config.json");
  await writeFile(config, JSON.stringify({ sources: [{ path: source }], maxFileByte: 3 }));
  const result = await lodestone(["corpus", "build", "--config", config, "--out", join(folder, "a")]);
  expectComplaint(result, /^lodestone: .*config\.json: .*maxFileByte.*Known keys: sources, languages/);
  await writeFile(config, "{ not JSON");
  expectComplaint(
    await lodestone(["corpus", "build", "--config", config, "--out", join(folder, "a")]),
    /config\.json: expected a JSON object, got .*Correct the file/,
  );
});

test("no folder at all, an empty one, and one that is not there", async () => {
  const none = await lodestone(["corpus", "build", "--out", join(folder, "b")]);
  expectComplaint(none, /corpus build: expected a folder of source code, got none/);
  const empty = join(folder, "empty");
  await mkdir(empty);
  const out = join(folder, "b");
  expectComplaint(await lodestone(["corpus", "build", empty, "--out", out]), /expected source files in .*empty, got/);
  expectComplaint(await lodestone(["corpus", "build", join(folder, "none"), "--out", out]), /none/);
  expectComplaint(
    await lodestone(["tokenizer", "train", out, "--out", join(folder, "t")]),
    /expected a complete corpus/,
  );
});

test("files that are not UTF-8 or 50 MB long are named and passed over; the others are kept", async () => {
  const mixed = join(folder, "mixed");
  await mkdir(mixed);
  await writeFile(join(mixed, "good.js"), good("sum"));
  await writeFile(
    join(mixed, "latin.js"),
    Buffer.from("/** Gr\u00fc\u00dfe an alle Leute. */\nfunction f() {}\n", "latin1"),
  );
  await writeFile(join(mixed, "huge.js"), Buffer.alloc(50_000_000, "var a = 1;\n"));
  const out = join(folder, "c");
  const { code, stdout, stderr } = await lodestone(["corpus", "build", mixed, "--out", out]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/javascript +1 +1 +1 +1/);
  expect(stderr).toMatch(/passed over mixed\/latin\.js: .*utf-?8/i);
  expect(stderr).toMatch(/passed over mixed\/huge\.js: /);
  expectComplaint(await lodestone(["obfuscate", join(mixed, "latin.js")]), /latin\.js: expected UTF-8 text, got other/);
  expectComplaint(await lodestone(["obfuscate", join(mixed, "huge.js")]), /huge\.js: .*10 MB, got 50000000 bytes/);
});

testWithNamespaces("an output folder on a read-only mount", async () => {
  const out = join(folder, "read-only");
  await mkdir(out);
  const script = `mount --bind '${out}' '${out}'\nmount -o remount,ro,bind '${out}'`;
  const result = await lodestoneUnder(script, ["corpus", "build", source, "--out", join(out, "corpus")]);
  expectComplaint(result, /read-only\/corpus.*: expected a writable place, got EROFS/);
  expect(await readdir(out)).toEqual([]);
});

testWithNamespaces("a full disk: the corpus that was there stays whole", async () => {
  const many = join(folder, "many");
  await mkdir(many);
  // Hashes, as what is written is compressed.
  const noise = (file: number): string =>
    Array.from({ length: 4000 }, (_, i) => `call(function f${sha256(`${file} ${i}`)}(x) { return x; });`).join("\n");
  for (let i = 0; i < 30; i++) await writeFile(join(many, `file${i}.js`), `${good(`sum${i}`)}// ${i}\n${noise(i)}\n`);
  const disk = join(folder, "disk");
  await mkdir(disk);
  // The disk lives as long as the namespace: everything is done, and looked at, in one shell.
  const script = [
    `mount -t tmpfs -o size=1m none '${disk}'`,
    `"$1" "$2" corpus build '${source}' --out '${disk}/one' >/dev/null`,
    `trap 'cp -r ${disk} ${folder}/after' EXIT`,
    `"$@" && exit 0 || exit $?`,
  ].join("\n");
  const result = await lodestoneUnder(script, ["corpus", "build", many, "--out", join(disk, "two")]);
  expectComplaint(result, /expected room to write, got ENOSPC.*Free some space/);
  expect(await readdir(join(folder, "after"))).toEqual(["one", "two"]);
  const manifest = JSON.parse(await readFile(join(folder, "after", "one", "manifest.json"), "utf8")) as {
    pairs: number;
  };
  expect(manifest.pairs).toBe(1);
  expect(await readdir(join(folder, "after", "two"))).not.toContain("manifest.json");
});

test("standard output on a full device", async () => {
  const path = join(source, "good.js");
  const result = await run("bash", ["-c", `'${process.execPath}' '${cliPath}' obfuscate '${path}' > /dev/full`]);
  expectComplaint(result, /standard output: expected room to write, got ENOSPC/);
});

testWithNamespaces("a file size limit", async () => {
  const large = join(folder, "large");
  await mkdir(large);
  const noise = Array.from({ length: 20_000 }, (_, i) => `const value${i} = ${i};`).join("\n");
  await writeFile(join(large, "file.js"), `${good("sum")}${noise}\n`);
  const result = await lodestoneUnder("ulimit -f 64", ["corpus", "build", large, "--out", join(folder, "limited")]);
  expectComplaint(result, /expected room to write, got EFBIG/);
});

test("a second process in the same output folder", async () => {
  const out = join(folder, "shared-out");
  await mkdir(out);
  const started = await readFile(`/proc/${process.pid}/stat`, "utf8").then(
    (text) => text.slice(text.lastIndexOf(")") + 2).split(" ")[19],
    () => "-",
  );
  await writeFile(join(out, ".lock"), `${process.pid} ${started}\n`);
  const result = await lodestone(["corpus", "build", source, "--out", out]);
  expectComplaint(result, new RegExp(`expected a folder of its own, but process ${process.pid} is writing there`));
  expect(await readdir(out)).toEqual([".lock"]);
});
