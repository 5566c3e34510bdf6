import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documented, putFile } from "../../../test/helpers/corpus.js";
import { Rng } from "../../base/index.js";
import { buildCorpus } from "../pipeline/build.js";
import { readPairs } from "../read.js";
import { hardInPool } from "./_hard.js";
import { mineNegatives, readNegatives, type MinedLine, type MineEvent, type MineOptions } from "./mine.js";
import type { PairEncoder } from "./vectors.js";

const degrees = (...angles: number[]): Float32Array =>
  Float32Array.from(angles.flatMap((angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]));

describe("hardInPool, worked by hand", () => {
  // One summary at 0 degrees whose code is at 20 (.940; 95% of it is .893, which is 26.8 degrees). The others' codes:
  const pool = {
    summaryKeys: Float64Array.of(1, 2, 3, 4, 1, 6),
    codeKeys: Float64Array.of(1, 2, 3, 4, 5, 3),
    nameKeys: Float64Array.of(1, 2, 3, 1, 5, 6),
    texts: degrees(0, 90, 90, 90, 90, 90),
    // 25: too near, perhaps right. 30: hard. 40: the same name. 50: the same summary. 60: the code of the one at 30.
    codes: degrees(20, 25, 30, 40, 50, 60),
  };
  const hardOf0 = async (options: { perPair: number; margin: number; sameName: boolean }): Promise<unknown> =>
    (await hardInPool(pool, 2, options))[0]!.map(({ at, score }) => [at, Number(score.toFixed(3))]);

  test("under the margin; never of the same summary, code or name, nor one code twice", async () => {
    expect(await hardOf0({ perPair: 4, margin: 0.95, sameName: false })).toEqual([[2, 0.866]]);
  });

  test("names may be asked for, the margin moved, the number limited", async () => {
    expect(await hardOf0({ perPair: 4, margin: 0.95, sameName: true })).toEqual([
      [2, 0.866],
      [3, 0.766],
    ]);
    expect(await hardOf0({ perPair: 4, margin: 1, sameName: false })).toEqual([
      [1, 0.906],
      [2, 0.866],
    ]);
    expect(await hardOf0({ perPair: 1, margin: 1, sameName: true })).toEqual([[1, 0.906]]);
  });

  test("an own score below 0 leaves only what is further below", async () => {
    const below = {
      summaryKeys: Float64Array.of(1, 2, 3),
      codeKeys: Float64Array.of(1, 2, 3),
      nameKeys: Float64Array.of(1, 2, 3),
      texts: degrees(0, 0, 0),
      codes: degrees(120, 122, 130), // -.5, -.530, -.643
    };
    const [first] = await hardInPool(below, 2, { perPair: 3, margin: 0.9, sameName: false });
    expect(first!.map(({ at }) => at)).toEqual([2]); // Under -.5 - .05.
  });
});

describe("mineNegatives", () => {
  let folder: string;
  let corpus: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "lodestone-mine-"));
    corpus = join(folder, "corpus");
    const rng = Rng.fromSeed(8);
    for (let i = 0; i < 40; i++) {
      await putFile(
        join(folder, `src/f${i}.js`),
        documented(`fn${i}`, `Computes the value number ${i}.`, rng.split(i)),
      );
    }
    for await (const event of buildCorpus({ sources: [{ path: join(folder, "src") }], shardRecords: 15 }, corpus, {
      workers: 0,
    })) {
      void event;
    }
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Number i lies at 2 i degrees, on both sides. */
  const circle: PairEncoder = {
    name: "circle",
    dim: 2,
    embed: (texts) =>
      Promise.resolve(degrees(...texts.map((text) => 2 * Number(/(?:number |fn)(\d+)/.exec(text)![1])))),
  };

  async function mine(file: string, options: Partial<MineOptions> = {}): Promise<MineEvent> {
    let last: MineEvent | undefined;
    for await (const event of mineNegatives(corpus, file, { encoder: circle, ...options })) last = event;
    return last!;
  }

  test("each pair's nearest beyond the margin, by id; options in the header; counts by language", async () => {
    const file = join(folder, "negatives.jsonl");
    // cos 18.2 degrees = .95: neighbours from 20 degrees, 10 numbers, on.
    const done = await mine(file, { perPair: 2 });
    expect(done).toEqual({
      kind: "mined",
      languages: { javascript: { pairs: 40, withNegatives: 40, negatives: 80 } },
    });
    const idOf = new Map<string, number>();
    for await (const { id, name } of readPairs(corpus)) idOf.set(id, Number(name.slice(2)));
    const lines: MinedLine[] = [];
    for await (const line of readNegatives(file)) lines.push(line);
    expect(lines).toHaveLength(40);
    for (const { id, negatives } of lines) {
      const distances = negatives.map(([other]) => Math.abs(idOf.get(other)! - idOf.get(id)!));
      expect(distances[0]).toBe(10);
      expect([10, 11]).toContain(distances[1]);
      expect(negatives[0]![1]).toBeCloseTo(Math.cos((20 * Math.PI) / 180), 3);
    }
    const header = JSON.parse((await readFile(file, "utf8")).split("\n")[0]!) as Record<string, unknown>;
    expect(header).toMatchObject({ format: "lodestone-negatives", model: "circle", options: { margin: 0.95 } });
    expect(await readdir(folder)).not.toContain("negatives.jsonl.vectors");
    await expect(mine(file)).rejects.toMatchObject({ code: "output.exists" });
    expect((await mine(file, { overwrite: true, margin: 0.1 })).kind).toBe("mined");
  });

  test("stopped, it goes on from its vectors, to the same bytes", async () => {
    const file = join(folder, "stopped.jsonl");
    const controller = new AbortController();
    let texts = 0;
    const counting: PairEncoder = {
      ...circle,
      embed: (batch, maxLength, signal) => {
        texts += batch.length;
        if (texts === 60) controller.abort(new Error("stop")); // Two groups of 15 pairs, both sides.
        return circle.embed(batch, maxLength, signal);
      },
    };
    await expect(mine(file, { encoder: counting, signal: controller.signal })).rejects.toThrow("stop");
    expect(await readdir(folder)).not.toContain("stopped.jsonl");
    await mine(file, { encoder: counting });
    expect(texts).toBe(80);
    await mine(join(folder, "whole.jsonl"));
    expect(await readFile(file, "utf8")).toBe(await readFile(join(folder, "whole.jsonl"), "utf8"));
  });

  test("another file is no file of negatives", async () => {
    await writeFile(join(folder, "other.jsonl"), '{"id": "a"}\n');
    await expect(readNegatives(join(folder, "other.jsonl")).next()).rejects.toMatchObject({ code: "negatives.format" });
    await writeFile(join(folder, "empty.jsonl"), "");
    await expect(readNegatives(join(folder, "empty.jsonl")).next()).rejects.toMatchObject({ code: "negatives.format" });
  });
});
