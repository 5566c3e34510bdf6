import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { noisyWeights, tinyConfig } from "../../test/helpers/encoders.js";
import { TEXTS } from "../../test/helpers/texts.js";
import { StaticEncoder, saveEncoder } from "../encoder/index.js";
import { trainTokenizer, type Tokenizer } from "../tokenizer/index.js";
import { openIndex, type OpenIndexOptions, type SearchIndex } from "./index.js";

const ADD = "export function add(a, b) {\n  return a + b;\n}";
const PARSE =
  "/** Reads a calendar day. */\nfunction parseDate(text) {\n  const [y, m, d] = text.split('-');\n  return { y, m, d };\n}";
const AREA = 'def area(r):\n    """The area of a disc."""\n    x = r * r\n    return 3 * x\n';

let folder: string;
let tokenizer: Tokenizer;
let encoder: StaticEncoder;
const open: SearchIndex[] = [];

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}
async function openRepo(options: OpenIndexOptions = {}): Promise<SearchIndex> {
  const index = await openIndex(join(folder, "repo"), { encoder: { static: encoder }, ...options });
  open.push(index);
  return index;
}
async function paths(index: SearchIndex, query: string): Promise<string[]> {
  return (await index.search(query)).hits.map(({ path, startLine }) => `${path}:${startLine}`);
}
function bag(seed: number, width = 32): StaticEncoder {
  const config = tinyConfig({ layers: 0, positions: false, heads: 1, width, maxLength: 128, pooling: "weighted" });
  const weights = noisyWeights(config);
  for (const { data } of Object.values(weights) as { data: Float32Array }[]) {
    for (let i = 0; i < data.length; i++) data[i]! *= 1 + ((i * seed) % 7);
  }
  return new StaticEncoder({ config, weights, tokenizer });
}

beforeAll(async () => {
  tokenizer = await trainTokenizer(TEXTS, { vocabSize: 400 });
  encoder = bag(1);
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-search-"));
  await put("repo/.git/HEAD", "ref");
  await put("repo/.gitignore", "*.log\n/dist/\nsecret.js\n");
  await put("repo/.lodestoneignore", "private/\n");
  await put("repo/src/math.js", `${ADD}\n\n${PARSE}\n`);
  await put("repo/src/area.py", AREA);
  await put("repo/src/.gitignore", "!secret.js\ngenerated/\n");
  await put("repo/src/secret.js", "function kept() {\n  let a = 1;\n  return a;\n}\n");
  await put("repo/src/generated/x.js", ADD);
  await put("repo/private/x.js", ADD);
  await put("repo/secret.js", ADD);
  await put("repo/dist/bundle.js", ADD);
  await put("repo/node_modules/m/index.js", ADD);
  await put("repo/debug.log", "noise");
  await put("repo/README.md", "# Title\n\nSome words.\n\n## Tides\n\nHigh water at noon.\n");
  await put("repo/bad/latin1.js", Buffer.from("// caf\xe9\nfunction f() {}", "latin1"));
  await put("repo/bad/binary.c", Buffer.from([1, 0, 2]));
  await put("repo/bad/data.min.js", "x");
  await put("repo/bad/blank.txt", " \n");
  await put("repo/bad/long.js", `var a = "${"x".repeat(4000)}";`);
  const before = new Date(Date.now() - 60_000);
  for (const path of await readdir(join(folder, "repo"), { recursive: true })) {
    await utimes(join(folder, "repo", path), before, before);
  }
});
const folders: string[] = [];
afterAll(async () => {
  for (const index of open) await index.close();
  for (const path of folders) await rm(path, { recursive: true, force: true });
});
beforeEach(() => {
  folders.push(folder);
});

describe("what is indexed", () => {
  test("ignore files hold, the innermost last; what cannot be read as text is listed with its reason", async () => {
    await symlink("..", join(folder, "repo/src/loop"));
    const index = await openRepo();
    const status = await index.status({ compare: true });
    expect(status).toMatchObject({ files: 7, outdated: 0, answersFrom: "static", notes: [] });
    expect(status.skipped).toEqual({
      "machine-made": ["bad/data.min.js", "bad/long.js"],
      binary: ["bad/binary.c"],
      empty: ["bad/blank.txt"],
      "not UTF-8": ["bad/latin1.js"],
    });
    expect((await index.search("kept")).hits[0]).toMatchObject({ path: "src/secret.js", startLine: 1, endLine: 4 });
    expect((await paths(index, "add a b")).filter((path) => !path.startsWith("src/"))).not.toContain("secret.js:1");
  });

  test("a section of documentation is found by its words, a function by its comment and by its name", async () => {
    const index = await openRepo();
    expect((await paths(index, "when is high water?"))[0]).toBe("README.md:5");
    expect((await paths(index, "calendar day"))[0]).toBe("src/math.js:5");
    expect((await paths(index, "parseDate"))[0]).toBe("src/math.js:5");
    expect((await paths(index, "area of a disc"))[0]).toBe("src/area.py:1");
    const explained = (await index.search("parseDate", { explain: true, text: true })).hits[0]!;
    expect(explained.text).toBe(PARSE);
    const { semantic, lexical, features } = explained.explanation!;
    const sum = Object.values(features).reduce((a, b) => a + b, semantic + lexical);
    expect(sum).toBeCloseTo(explained.score, 9);
  });

  test("filters", async () => {
    const index = await openRepo();
    const found = async (options: object) => (await index.search("add area parse words", options)).hits;
    expect(new Set((await found({ languages: ["python"] })).map(({ path }) => path))).toEqual(new Set(["src/area.py"]));
    expect(new Set((await found({ paths: ["src/*.js"] })).map(({ path }) => path))).toEqual(
      new Set(["src/math.js", "src/secret.js"]),
    );
    expect(new Set((await found({ kinds: ["doc"] })).map(({ kind }) => kind))).toEqual(new Set(["doc"]));
    expect(await found({ limit: 2 })).toHaveLength(2);
  });

  test("queries: empty, NUL, a megabyte", async () => {
    const index = await openRepo();
    expect((await index.search("")).hits).toEqual([]);
    expect((await index.search(" \u0000\n")).hits).toEqual([]);
    expect((await index.search("parseDate\u0000")).hits[0]).toMatchObject({ name: "parseDate" });
    expect((await index.search("calendar day ".repeat(80_000))).hits[0]).toMatchObject({ name: "parseDate" });
  });
});

describe("what changes", () => {
  test("an unchanged folder is not read; one changed file costs one file; a file that comes back costs none", async () => {
    const first = await openRepo();
    expect(first.lastUpdate).toMatchObject({ changed: 7, removed: 0 });
    const again = await openRepo();
    expect(again.lastUpdate).toMatchObject({ read: 0, changed: 0, removed: 0, newChunks: 0 });
    const old = AREA;
    await put("repo/src/area.py", "def volume(r):\n    return r * r * r\n");
    await rm(join(folder, "repo/README.md"));
    const changed = await openRepo();
    expect(changed.lastUpdate).toMatchObject({ read: 1, changed: 1, removed: 1 });
    expect((await paths(changed, "volume"))[0]).toBe("src/area.py:1");
    expect((await changed.search("high water tides")).hits.map(({ path }) => path)).not.toContain("README.md");
    await put("repo/src/area.py", old);
    const back = await openRepo();
    expect(back.lastUpdate).toMatchObject({ changed: 0, returned: 1, newChunks: 0 });
    expect((await paths(back, "area of a disc"))[0]).toBe("src/area.py:1");
    // An index that was open all the time answers from the newest state, too.
    expect((await paths(first, "area of a disc"))[0]).toBe("src/area.py:1");
  });

  test("answers do not depend on how the index came about", async () => {
    await openRepo();
    await put("repo/src/area.py", "def volume(r):\n    return r * r * r\n");
    await openRepo();
    await put("repo/src/new.go", "package a\n\n// Tides tells high water.\nfunc Tides(day int) int { return day }\n");
    const grown = await openRepo();
    const fresh = await openRepo({ indexFolder: join(folder, "other") });
    for (const query of ["tides", "volume r", "high water day", "add", "parse date"]) {
      const [a, b] = [await grown.search(query), await fresh.search(query)];
      expect(a.hits.map(({ score, ...rest }) => ({ ...rest, score: score.toFixed(4) }))).toEqual(
        b.hits.map(({ score, ...rest }) => ({ ...rest, score: score.toFixed(4) })),
      );
    }
  });

  test("a changed file is told of where its lines are shown", async () => {
    const index = await openRepo();
    await put("repo/src/area.py", `# one more line\n${AREA}`);
    expect((await index.search("area of a disc", { text: true })).hits[0]).toMatchObject({ stale: true });
    expect(await index.status({ compare: true })).toMatchObject({ outdated: 1 });
  });
});

describe("models", () => {
  test("without one, words alone answer, and say so", async () => {
    const index = await openRepo({ encoder: {} });
    const answer = await index.search("calendar day");
    expect(answer).toMatchObject({ tier: "lexical" });
    expect(answer.hits[0]).toMatchObject({ name: "parseDate" });
    expect(await index.status()).toMatchObject({ answersFrom: "lexical" });
    // The first model of an index reads every file; nobody is asked.
    expect((await (await openRepo()).search("day")).tier).toBe("static");
  });

  test("another model is refused, replaces the first, or lives beside it", async () => {
    await openRepo();
    const other = bag(3, 48);
    await expect(openRepo({ encoder: { static: other } })).rejects.toMatchObject({
      code: "search.other-model",
      fix: expect.stringMatching(/--rebuild.*--keep-both/) as string,
    });
    const both = await openRepo({ encoder: { static: other }, onOtherModel: "keep-both" });
    expect((await paths(both, "area of a disc"))[0]).toBe("src/area.py:1");
    expect((await openRepo()).lastUpdate).toMatchObject({ changed: 0 });
    expect((await openRepo({ encoder: { static: other } })).lastUpdate).toMatchObject({ changed: 0 });
    await rm(join(folder, "repo/.lodestone"), { recursive: true });
    await openRepo();
    // Before it is made anew, its vectors are another model's: words answer.
    const before = await openRepo({ encoder: { static: other }, onOtherModel: "rebuild", refresh: "none" });
    expect(await before.search("area of a disc")).toMatchObject({ tier: "lexical", hits: [{ path: "src/area.py" }] });
    const rebuilt = await openRepo({ encoder: { static: other }, onOtherModel: "rebuild" });
    expect(rebuilt.lastUpdate).toMatchObject({ changed: 7 });
    await expect(openRepo()).rejects.toMatchObject({ code: "search.other-model" });
  });

  test("a model folder that is deleted: words answer, and the answer says why", async () => {
    const model = join(folder, "model");
    const { config } = encoder;
    await saveEncoder(model, { config, weights: noisyWeights(config), tokenizer });
    const first = await openRepo({ encoder: { static: model } });
    const second = await openRepo({ encoder: {} });
    expect((await second.search("day")).tier).toBe("static");
    await first.close();
    await second.close();
    const late = await openRepo({ encoder: {} });
    await rm(model, { recursive: true });
    for (const index of [late, await openRepo({ encoder: {} })]) {
      const answer = await index.search("calendar day");
      expect(answer).toMatchObject({ tier: "lexical", notes: [expect.stringMatching(/static encoder.*model/)] });
      expect(answer.hits[0]).toMatchObject({ name: "parseDate" });
    }
  });

  test("indexes share an encoder that is opened by its folder; the last one closes it", async () => {
    const model = join(folder, "model");
    await saveEncoder(model, { config: encoder.config, weights: noisyWeights(encoder.config), tokenizer });
    const given = { encoder: { static: model }, indexFolder: join(folder, "shared-1") };
    const [one, two] = [await openRepo(given), await openRepo({ ...given, indexFolder: join(folder, "shared-2") })];
    const found = await one.search("calendar day");
    expect(found.tier).toBe("static");
    await rm(model, { recursive: true });
    await one.close();
    expect((await two.search("calendar day")).hits).toEqual(found.hits);
    await two.close();
    await expect(openRepo(given)).rejects.toMatchObject({ code: "model.missing" });
  });

  test("the full tier answers when it has read everything, and takes up what is new", async () => {
    const full = bag(5, 16);
    const index = await openRepo({ encoder: { static: encoder, full } });
    expect((await index.search("day")).tier).toBe("static");
    for await (const step of index.refine()) expect(step.done).toBeLessThanOrEqual(step.total);
    expect((await index.search("day")).tier).toBe("full");
    expect((await index.status()).tiers.full.chunks).toBe((await index.status()).chunks);
    await put("repo/src/area.py", `${AREA}\n\ndef volume(r):\n    return r * r * r\n`);
    const changed = await openRepo({ encoder: { static: encoder, full } });
    const status = await changed.status();
    expect(status.chunks - status.tiers.full.chunks).toBe(1); // area itself is known by its content.
    expect((await changed.search("day")).tier).toBe("static");
  });
});

describe("damage", () => {
  test("a flipped bit anywhere in the index is found, told of, and repaired", async () => {
    await openRepo();
    const place = join(folder, "repo/.lodestone");
    const name = (await readdir(place)).find((one) => one.startsWith("generation"))!;
    const whole = await readFile(join(place, name));
    for (const at of [0, 9, 40, whole.length >> 1, whole.length - 20]) {
      const file = (await readdir(place)).find((one) => one.startsWith("generation"))!;
      const bytes = await readFile(join(place, file));
      const place2 = Math.min(at, bytes.length - 1);
      bytes[place2]! ^= 4;
      await writeFile(join(place, file), bytes);
      await utimes(join(place, "current.json"), new Date(), new Date());
      const index = await openRepo();
      const { hits } = await index.search("calendar day");
      expect(hits[0]).toMatchObject({ name: "parseDate" });
    }
  });

  test.each(["", "{", '{"format":99,"file":"x"}', '{"format":1,"file":"gone.bin"}'])(
    "a pointer of %j is repaired",
    async (text) => {
      await openRepo();
      await writeFile(join(folder, "repo/.lodestone/current.json"), text);
      const index = await openRepo();
      expect((await paths(index, "parseDate"))[0]).toBe("src/math.js:5");
      expect((await openRepo()).lastUpdate).toMatchObject({ changed: 0 });
    },
  );
});

test("copies are found across files and languages, not inside themselves", async () => {
  const body =
    "total = 0\n  for (item of items) { total = total + item.price * item.amount - discount(item, customer, season) }";
  await put("repo/a.js", `function priceOf(items, customer, season) {\n  let ${body}\n  return total;\n}\n`);
  await put(
    "repo/b.ts",
    `function priceOf(items: any, customer: any, season: any) {\n  let ${body}\n  return total;\n}\n`,
  );
  await put("repo/c.js", `function priceOf(items, customer, season) {\n  let  ${body}\n  return total;\n}\n`);
  const index = await openRepo();
  const groups = [];
  for await (const group of index.duplicates()) groups.push(group);
  expect(groups.map(({ members }) => members.map(({ path }) => path))).toEqual([["a.js", "b.ts", "c.js"]]);
  const related = await index.related("a.js", 2);
  expect(
    related.hits
      .slice(0, 2)
      .map(({ path }) => path)
      .sort(),
  ).toEqual(["b.ts", "c.js"]);
  await expect(index.related("a.js", 99)).rejects.toMatchObject({ code: "search.no-such-place" });
  expect((await index.similar(`x = 1; ${body}`)).hits[0]!.path).toMatch(/^[abc]\./);
});

test("an empty folder has nothing, a missing one is refused", async () => {
  await mkdir(join(folder, "none"));
  const index = await openIndex(join(folder, "none"), {});
  expect((await index.search("anything")).hits).toEqual([]);
  expect(await index.status()).toMatchObject({ files: 0, chunks: 0 });
  await index.close();
  await expect(openIndex(join(folder, "gone"), {})).rejects.toMatchObject({ code: "search.folder" });
});
