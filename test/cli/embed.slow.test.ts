import { cp, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readNpy } from "../../src/base/index.js";
import { trainTokenizer } from "../../src/tokenizer/index.js";
import { expectComplaint, lodestone, lodestoneUnder, temporaryFolder, type Ran } from "../helpers/cli.js";
import { writeModel } from "../helpers/model.js";
import { testWithNamespaces } from "../helpers/requires.js";
import { TEXTS } from "../helpers/texts.js";

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await temporaryFolder("embed");
  model = join(folder, "model");
  await writeModel(model);
});

function lengthOf(vector: Iterable<number>): number {
  return Math.hypot(...vector);
}

test("standard input is one text, and the last line of standard output its vector", async () => {
  const { code, stdout, stderr } = await lodestone(["embed", "--model", model], {
    input: "def f(a, b): return a + b\n",
  });
  expect(stderr).not.toContain("lodestone: ");
  expect(code).toBe(0);
  const vector = JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as number[];
  expect(lengthOf(vector)).toBeCloseTo(1, 5);
  const again = await lodestone(["embed", "--model", model], { input: "def f(a, b): return a + b" });
  expect(again.stdout).toBe(stdout); // The line break that echo adds is no part of the text.
});

test("a file gives one row a line, in order, as one text alone does", async () => {
  const input = join(folder, "texts.jsonl");
  const texts = ["return x", "", "a longer text about request queues and sessions", "😀", ...TEXTS];
  await writeFile(input, texts.map((code) => `${JSON.stringify({ id: 1, code })}\n`).join(""));
  const output = join(folder, "vectors.npy");
  const args = ["embed", "--model", model, "--input", input, "--field", "code", "--output", output];
  const { code, stderr } = await lodestone(args);
  expect(code, stderr).toBe(0);
  const { rows, width, data } = await readNpy(output);
  expect(rows).toBe(texts.length);
  for (const row of [0, 2, 3]) {
    const alone = JSON.parse((await lodestone(["embed", "--model", model], { input: texts[row]! })).stdout) as number[];
    const difference = alone.map((value, i) => Math.abs(value - data[row * width + i]!));
    expect(Math.max(...difference)).toBeLessThan(1e-5);
  }
});

testWithNamespaces("without --model the package's own encoder answers, without network", async () => {
  const input = "def f(a, b): return a + b\n";
  const { code, stdout, stderr } = await lodestoneUnder("", ["embed"], { input });
  expect(code, stderr).toBe(0);
  expect(lengthOf(JSON.parse(stdout) as number[])).toBeCloseTo(1, 5);
  expect((await lodestone(["embed", "--form", "static"], { input })).stdout).toBe(stdout);
});

testWithNamespaces("no network is needed", async () => {
  expect(await lodestoneUnder("", ["embed", "--model", model], { input: "x" })).toMatchObject({ code: 0 });
});

describe("bad input", () => {
  test("a form that the package has not, or a model that is not there", async () => {
    expectComplaint(
      await lodestone(["embed", "--form", "int8"], { input: "x" }),
      /encoder: expected the package to have one, but it has no int8 one.*--model/,
    );
    expectComplaint(
      await lodestone(["embed", "--model", join(folder, "none")], { input: "x" }),
      /none: expected a model/,
    );
  });

  test("a damaged model file is told by its checksum; a missing one by its name", async () => {
    for (const name of ["model.onnx", "tokenizer.json", "config.json"]) {
      const path = await fileOf(model, name);
      const broken = join(folder, `broken-${name}`);
      await cp(model, broken, { recursive: true });
      const bytes = await readFile(join(broken, path));
      bytes[Math.floor(bytes.length / 2)]! ^= 1;
      await writeFile(join(broken, path), bytes);
      expectComplaint(await lodestone(["embed", "--model", broken], { input: "x" }), /SHA-256/);
      await rename(join(broken, path), join(broken, "elsewhere"));
      const missing = await lodestone(["embed", "--model", broken], { input: "x" });
      expectComplaint(missing, new RegExp(`${name}: expected a file of hash .*ENOENT`));
    }
  });

  test("another model's tokenizer", async () => {
    const mixed = join(folder, "mixed");
    await cp(model, mixed, { recursive: true });
    await (await trainTokenizer(TEXTS, { vocabSize: 390 })).save(mixed);
    const result = await lodestone(["embed", "--model", mixed], { input: "x" });
    expectComplaint(result, /expected the tokenizer that the model was trained with/);
  });

  test("input that is missing, no JSON, or lacks the field: nothing is written", async () => {
    const output = join(folder, "never.npy");
    const embed = (input: string, field = "text"): Promise<Ran> =>
      lodestone(["embed", "--model", model, "--input", input, "--field", field, "--output", output]);
    expectComplaint(await embed(join(folder, "no.jsonl")), /no\.jsonl: expected a readable file, got ENOENT/);
    const bad = join(folder, "bad.jsonl");
    await writeFile(bad, '{"text": "a"}\n{"text": 3}\n');
    expectComplaint(await embed(bad), /bad\.jsonl: expected a string "text" in row 2, got 3/);
    expectComplaint(await embed(bad, "code"), /expected a string "code" in row 1, got none.*--field/);
    await writeFile(bad, '{"text": "a"}\nno JSON\n');
    expectComplaint(await embed(bad), /bad\.jsonl:2: expected one JSON value a line/);
    expectComplaint(await lodestone(["embed", "--model", model, "--input", bad]), /--input and --output together/);
    expect((await readdir(folder)).filter((name) => name.includes("never"))).toEqual([]);
  });

  test("standard input that is not UTF-8", async () => {
    const result = await lodestone(["embed", "--model", model], { input: Buffer.from("Gr\u00fc\u00dfe", "latin1") });
    expectComplaint(result, /standard input: expected UTF-8 text/);
  });

  test("options out of range", async () => {
    const length = ["--max-length", "100000"];
    expectComplaint(
      await lodestone(["embed", "--model", model, ...length], { input: "x" }),
      /maximal length from 1 to/,
    );
    expectComplaint(
      await lodestone(["embed", "--model", model, "--threads", "0"], { input: "x" }),
      /at least 1, got 0/,
    );
  });

  testWithNamespaces("an output on a read-only mount or a full disk: the old file stays", async () => {
    const input = join(folder, "many.jsonl");
    await writeFile(input, `${JSON.stringify({ text: "return x" })}\n`.repeat(4000));
    const disk = join(folder, "disk");
    await mkdir(disk);
    const output = join(disk, "vectors.npy");
    const args = ["embed", "--model", model, "--input", input, "--output", output];
    const readOnly = `mount --bind '${disk}' '${disk}'\nmount -o remount,ro,bind '${disk}'`;
    expectComplaint(await lodestoneUnder(readOnly, args), /vectors\.npy: expected a writable place, got EROFS/);
    const full = [
      `mount -t tmpfs -o size=64k none '${disk}'`,
      `echo old > '${output}'`,
      `trap 'cp -r ${disk} ${folder}/after' EXIT`,
      `"$@" && exit 0 || exit $?`,
    ].join("\n");
    expectComplaint(await lodestoneUnder(full, args), /vectors\.npy: expected room to write, got ENOSPC/);
    expect(await readdir(join(folder, "after"))).toEqual(["vectors.npy"]);
    expect(await readFile(join(folder, "after", "vectors.npy"), "utf8")).toBe("old\n");
  });
});

/** Where a model folder keeps a file of that name: at its top or below. */
async function fileOf(dir: string, name: string): Promise<string> {
  const all = await readdir(dir, { recursive: true });
  return all.find((path) => path === name) ?? all.find((path) => path.endsWith(`/${name}`))!;
}
