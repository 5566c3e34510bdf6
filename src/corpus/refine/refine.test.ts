import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contentsOf, documented, putFile } from "../../../test/helpers/corpus.js";
import { Rng, sha256 } from "../../base/index.js";
import { buildCorpus } from "../pipeline/build.js";
import { readDocuments, readDropped, readManifest, readPairs } from "../read.js";
import type { CorpusEvent, CorpusManifest, CorpusPair } from "../types.js";
import { emptyRecords, RecordFiles } from "./_records.js";
import { ranksInPool } from "./_rank.js";
import { dealPools } from "./_pools.js";
import { filterCorpus, type FilterOptions } from "./consistency.js";
import type { PairEncoder } from "./vectors.js";

let folder: string;
let corpus: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-refine-"));
  corpus = join(folder, "corpus");
  const rng = Rng.fromSeed(8);
  for (let i = 0; i < 90; i++) {
    const text = documented(`fn${i}`, `Computes the value number ${i}.`, rng.split(i));
    await putFile(join(folder, `src/p${i % 6}/f${i}.js`), text);
    if (i % 3 === 0) await putFile(join(folder, `src/p${i % 6}/g${i}.py`), python(i));
  }
  const config = { sources: [{ path: join(folder, "src") }], split: { by: "file" as const, validation: 0.1 } };
  for await (const event of buildCorpus({ ...config, shardRecords: 20 }, corpus, { workers: 0 })) void event;
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

function python(i: number): string {
  const rng = Rng.fromSeed(100 + i);
  const lines = Array.from({ length: 9 }, () => `    total += step_${rng.int(1e6)}(x, ${rng.int(1000)})`);
  return `def fn${i}(x, total):\n    """Computes the value number ${i}."""\n${lines.join("\n")}\n    return total\n`;
}

/** Which of the numbered functions a text is of. */
function numberOf(text: string): number {
  return Number(/(?:number |fn)(\d+)/.exec(text)![1]);
}

/** Finds every function by its summary, but for those of `wrong`, whose code looks like another's. */
class OneHot implements PairEncoder {
  readonly dim = 92;
  texts = 0;

  constructor(
    readonly name = "one-hot",
    private readonly wrong: (number: number) => boolean = (number) => number % 5 === 0,
  ) {}

  embed(texts: readonly string[]): Promise<Float32Array> {
    this.texts += texts.length;
    const out = new Float32Array(texts.length * this.dim);
    texts.forEach((text, row) => {
      const number = numberOf(text);
      const isCode = /fn\d/.test(text);
      if (!isCode) out[row * this.dim + number] = 1;
      else if (!this.wrong(number)) out[row * this.dim + number] = 1;
      else out[row * this.dim + 91] = -1; // Other functions are nearer: 0 to them, 0 to its own; see below.
      if (isCode && this.wrong(number)) out[row * this.dim + number] = -0.5;
    });
    return Promise.resolve(out);
  }
}

async function pairsOf(of: string): Promise<CorpusPair[]> {
  const found: CorpusPair[] = [];
  for await (const pair of readPairs(of, { split: "all" })) found.push(pair);
  return found;
}

async function filter(
  out: string,
  options: Partial<FilterOptions> = {},
): Promise<CorpusManifest & { reused: boolean }> {
  const events: CorpusEvent[] = [];
  const chosen = { encoder: new OneHot(), pool: 20, top: 2, ...options };
  for await (const event of filterCorpus(corpus, out, chosen)) events.push(event);
  const last = events.at(-1)!;
  if (last.kind !== "done") throw new Error(`expected the end, got ${last.kind}`);
  return { ...last.manifest, reused: last.reused };
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "nothing",
    (error: { code?: string }) => error.code ?? error,
  );

describe("ranksInPool", () => {
  const records = {
    summaryKeys: Float64Array.of(1, 2, 3, 3),
    codeKeys: Float64Array.of(1, 2, 3, 4),
    nameKeys: new Float64Array(4),
    // Angles in degrees: summaries at 0, 90, 0, 10; codes at 40, 90, 90, 0.
    texts: Float32Array.of(1, 0, 0, 1, 1, 0, Math.cos(Math.PI / 18), Math.sin(Math.PI / 18)),
    codes: Float32Array.of(Math.cos((2 * Math.PI) / 9), Math.sin((2 * Math.PI) / 9), 0, 1, 0, 1, 1, 0),
  };

  test("worked by hand", async () => {
    // 0: its code at 40 degrees, beaten by the one at 0. 1: found; an equal code is no better. 2: at 90, beaten by 40
    // degrees; the one at 0 has the same summary and so is right as well. 3: at 10 degrees, found.
    expect([...(await ranksInPool(records, 2))]).toEqual([2, 1, 2, 1]);
  });

  test("a code that is its own twin does not count against it", async () => {
    expect([...(await ranksInPool({ ...records, codeKeys: Float64Array.of(4, 2, 3, 4) }, 2))]).toEqual([1, 1, 2, 1]);
  });
});

test("dealPools: every number once, in pools of equal size; fewer than a pool are one", () => {
  const numbers = Uint32Array.from({ length: 103 }, (_, i) => 2 * i);
  const pools = dealPools(numbers, 10, Rng.fromSeed(1));
  expect(pools.map(({ length }) => length).every((length) => length === 10 || length === 11)).toBe(true);
  const all = pools.flatMap((pool) => [...pool]);
  expect(all).not.toEqual([...numbers]);
  expect(all.sort((a, b) => a - b)).toEqual([...numbers]);
  expect(dealPools(numbers, 1000, Rng.fromSeed(1))).toHaveLength(1);
  expect(dealPools(numbers, 10, Rng.fromSeed(2))).not.toEqual(pools);
});

test("records come back from disk, to 16 bits; numbers that are none are refused", async () => {
  const files = new RecordFiles(join(folder, "records"), 3);
  const records = {
    summaryKeys: Float64Array.of(1, 2 ** 52 + 1),
    codeKeys: Float64Array.of(3, 4),
    nameKeys: Float64Array.of(5, 6),
    texts: Float32Array.of(1, -1, 0.5, 0.1, 0.2, 0.3),
    codes: Float32Array.of(0, 0, 1, 0.6, -0.8, 0),
  };
  await files.write(7, records);
  expect([await files.has(7, 2), await files.has(7, 3), await files.has(8, 2)]).toEqual([true, false, false]);
  const back = emptyRecords(2, 3);
  files.read(7, [{ row: 1, to: 0 }], back);
  expect([back.summaryKeys[0], back.codeKeys[0], back.nameKeys[0]]).toEqual([2 ** 52 + 1, 4, 6]);
  [...back.texts.subarray(0, 3), ...back.codes.subarray(0, 3)].forEach((value, i) =>
    expect(value).toBeCloseTo([0.1, 0.2, 0.3, 0.6, -0.8, 0][i]!, 4),
  );
  const broken = { ...records, codes: Float32Array.of(0, 0, NaN, 0, 0, 0) };
  expect(await codeOf(files.write(8, broken))).toBe("model.not-finite");
  expect(await files.has(8, 2)).toBe(false);
});

describe("filterCorpus", () => {
  test("keeps what the encoder finds; counts by language; the rest of the corpus stays", async () => {
    const before = await pairsOf(corpus);
    const manifest = await filter(join(folder, "kept"));
    const kept = before.filter(({ split, code }) => split !== "train" || numberOf(code) % 5 !== 0);
    expect(await pairsOf(join(folder, "kept"))).toEqual(kept);
    const documents = async (of: string): Promise<string[]> => {
      const ids: string[] = [];
      for await (const { id } of readDocuments(of, { split: "all" })) ids.push(id);
      return ids;
    };
    expect(await documents(join(folder, "kept"))).toEqual(await documents(corpus));
    const parent = await readManifest(corpus);
    for (const lang of ["javascript", "python"] as const) {
      const own = before.filter((pair) => pair.lang === lang && pair.split === "train");
      const left = own.filter(({ code }) => numberOf(code) % 5 === 0).length;
      expect(left).toBeGreaterThan(2);
      const counts = manifest.filters![0]!.languages[lang]!;
      expect(counts).toMatchObject({ pairs: own.length, kept: own.length - left });
      expect(counts.pools).toBe(Math.round(own.length / 20) || 1);
      expect(counts.mrr).toBeLessThan(1);
      expect(manifest.languages[lang]!.pairsBySplit.train).toBe(own.length - left);
      expect(manifest.languages[lang]!.pairs).toBe(parent.languages[lang]!.pairs - left);
      expect(manifest.languages[lang]!.dropped["inconsistent"]).toBe(left);
    }
    expect(manifest.pairs).toBe(kept.length);
    expect(Object.values(manifest.licences).reduce((sum, { pairs }) => sum + pairs, 0)).toBe(kept.length);
    expect(manifest.filters![0]!.parent).toBe(sha256(await readFile(join(corpus, "manifest.json"))));
    expect(JSON.parse(await readFile(join(folder, "kept/parent.json"), "utf8"))).toEqual(parent);
    const samples = (await readDropped(join(folder, "kept"))).functions.javascript!["inconsistent"]!;
    expect(samples.every(({ text }) => numberOf(text!) % 5 === 0)).toBe(true);
    expect(await readFile(join(folder, "kept/README.md"), "utf8")).toContain("Filtered for consistency");
    expect((await readdir(join(folder, "kept"))).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("the same again does nothing; other options are refused, or replace it when told to", async () => {
    const encoder = new OneHot();
    const out = join(folder, "kept");
    expect(await filter(out, { encoder })).toMatchObject({ reused: true });
    expect(encoder.texts).toBe(0);
    expect(await codeOf(filter(out, { top: 1 }))).toBe("corpus.exists");
    const all = await filter(out, { encoder: new OneHot("other", () => false), top: 1, overwrite: true });
    expect(all.pairs).toBe((await readManifest(corpus)).pairs);
    expect(all.filters![0]!.languages.javascript!.mrr).toBe(1);
  });

  test("stopped, it goes on from its vectors, to the same bytes", async () => {
    const out = join(folder, "stopped");
    const controller = new AbortController();
    const encoder = new OneHot();
    const slow: PairEncoder = {
      ...{ name: encoder.name, dim: encoder.dim },
      embed: (texts) => {
        if (encoder.texts >= 80) controller.abort(new Error("stop"));
        return encoder.embed(texts);
      },
    };
    await expect(filter(out, { encoder: slow, signal: controller.signal })).rejects.toThrow("stop");
    const before = encoder.texts;
    expect(before).toBeGreaterThan(40);
    expect(await stat(join(out, "manifest.json")).catch(() => "none")).toBe("none");
    await filter(out, { encoder });
    const train = (await readManifest(corpus)).splits.train.pairs;
    expect(encoder.texts).toBe(2 * train);
    await filter(join(folder, "whole"));
    expect(await contentsOf(out)).toEqual(await contentsOf(join(folder, "whole")));
  });

  test("a filtered corpus is filtered again: both are told", async () => {
    const out = join(folder, "twice");
    const encoder = new OneHot("strict", (number) => number % 7 === 0);
    const events: CorpusEvent[] = [];
    for await (const event of filterCorpus(join(folder, "whole"), out, { encoder, pool: 20, top: 1 }))
      events.push(event);
    const { filters } = await readManifest(out);
    expect(filters!.map(({ model }) => model)).toEqual(["one-hot", "strict"]);
  });

  test("bad input", async () => {
    expect(await codeOf(filter(corpus))).toBe("corpus.filter");
    expect(await codeOf(filter(join(folder, "x"), { top: 20 }))).toBe("corpus.filter");
    const gone = filterCorpus(join(folder, "none"), join(folder, "x"), { encoder: new OneHot(), pool: 20, top: 2 });
    expect(await codeOf(gone.next())).toBe("corpus.missing");
    const blind = new OneHot("blind", () => true);
    expect(await codeOf(filter(join(folder, "x"), { encoder: blind, top: 1 }))).toBe("corpus.empty");
    expect(await stat(join(folder, "x/manifest.json")).catch(() => "none")).toBe("none");
  });
});
