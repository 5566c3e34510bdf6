import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildCorpus, corpusStats, drawPairs, readPairs, type CorpusPair } from "../index.js";

const folder = await mkdtemp(join(tmpdir(), "lodestone-report-"));
const corpus = join(folder, "corpus");
afterAll(() => rm(folder, { recursive: true, force: true }));

const VERBS = ["Reads", "Writes", "Sorts", "Merges", "Counts", "Copies", "Splits", "Hashes", "Draws", "Parses"];
const THINGS = ["lines", "pixels", "tables", "graphs", "queues", "ledgers", "packets", "orders"];

/** A documented function unlike the others. */
function python(verb: string, thing: string, i: number): string {
  const name = `${verb.toLowerCase()}_${thing}`;
  return `def ${name}(source${i}, limit):
    """${verb} the ${thing} of a given source up to a limit of ${i} items."""
    ${thing} = open_${name}(source${i})
    total_${verb.toLowerCase()} = ${thing}.${verb.toLowerCase()}_all(limit, step=${i})
    ${thing}.close_${i}(total_${verb.toLowerCase()})
    return total_${verb.toLowerCase()}
`;
}

beforeAll(async () => {
  const source = join(folder, "source");
  await mkdir(source);
  const functions = VERBS.flatMap((verb, v) => THINGS.map((thing, t) => python(verb, thing, 8 * v + t)));
  for (let i = 0; i < 8; i++) {
    await writeFile(join(source, `part${i}.py`), functions.slice(10 * i, 10 * i + 10).join("\n\n"));
  }
  await writeFile(join(source, "none.py"), "def undocumented(a):\n    b = a\n    return b\n");
  await writeFile(
    join(source, "one.go"),
    "package a\n\n// Open returns the file of a name, or an error.\nfunc Open(name string) (int, error) {\n\tfile := find(name)\n\treturn file, check(file)\n}\n",
  );
  const sources = [{ kind: "directory" as const, path: source, name: "parts", licence: "MIT" }];
  const build = buildCorpus({ sources, split: { by: "file", test: 0.2 } }, corpus, { workers: 0 });
  for await (const event of build) if (event.kind === "skipped") throw new Error(JSON.stringify(event));
});

async function finish<T>(run: AsyncGenerator<unknown, T>): Promise<T> {
  for (;;) {
    const next = await run.next();
    if (next.done === true) return next.value;
  }
}

async function draw(count: number, seed: number): Promise<string[]> {
  const drawn = await finish(drawPairs(corpus, { count, seed, languages: ["python"] }));
  return drawn.get("python")!.map(({ id }) => id);
}

test("statistics of a corpus that is known by hand", async () => {
  const precision = { marked: 4, kept: 3, precision: 0.75, low: 0.3, high: 0.95 };
  const stats = await finish(corpusStats(corpus, { audit: new Map([["python", precision]]) }));
  const { python, go } = stats.languages;
  expect([python!.files, python!.functions, python!.withDocstring]).toEqual([9, 81, 80]);
  expect([go!.functions, go!.pairs]).toEqual([1, 1]);
  expect(stats.pairs).toBe(python!.pairs + 1);
  expect(stats.splits.train.pairs + stats.splits.test.pairs).toBe(stats.pairs);
  expect([python!.precision, go!.precision]).toEqual([0.75, null]);
  expect(python!.audit).toEqual(precision);
  expect(python!.origins).toEqual({
    count: 1,
    top: [{ origin: "directory:parts", pairs: python!.pairs, share: 1 }],
    largestShare: 1,
  });
  expect(stats.licences).toEqual([{ licence: "MIT", documents: stats.documents, pairs: stats.pairs }]);
  expect(stats.sources.count).toBe(1);
  expect(stats.dropped.find(({ rule }) => rule === "no-docstring")).toMatchObject({
    total: 1,
    languages: { python: 1 },
  });
  // "Open returns the file of a name, or an error." becomes "Returns the file ...": it says name and error of: func Open ( name string ) ( int , error ).
  expect(go!.overlap.words.summary.signature).toBeCloseTo(2 / 6);
  expect(go!.lengths.summary).toMatchObject({ count: 1, mean: 9, median: 9 });
  expect(go!.lengths.lines.median).toBe(4);
  // package a // comment func Open ( name string ) ( int , error ) { ...: every document is small enough to be counted.
  expect(go!.tokens.documents).toBe(1);
  expect(go!.tokens.characters.comment).toBe("// Open returns the file of a name, or an error.".length);
  expect(go!.tokens.tokens.keyword).toBe(3); // package, func, return
  expect(python!.tokens.codeShare + python!.tokens.literalShare).toBeCloseTo(1);
});

test("the same seed draws the same pairs, more of them begin with fewer, another seed draws others", async () => {
  const ten = await draw(10, 1);
  expect(ten).toHaveLength(10);
  expect(await draw(10, 1)).toEqual(ten);
  expect((await draw(30, 1)).slice(0, 10)).toEqual(ten);
  expect(await draw(10, 2)).not.toEqual(ten);
});

test("every pair is drawn as often as any other", async () => {
  const pairs: CorpusPair[] = [];
  for await (const pair of readPairs(corpus, { split: "all" })) if (pair.lang === "python") pairs.push(pair);
  expect(await draw(1000, 5)).toHaveLength(pairs.length);
  const counts = new Map(pairs.map(({ id }) => [id, 0]));
  const half = pairs.length >> 1;
  for (let seed = 0; seed < 40; seed++) for (const id of await draw(half, seed)) counts.set(id, counts.get(id)! + 1);
  // Binomial with 40 draws of one half: mean 20, standard deviation 3.2.
  expect(Math.min(...counts.values())).toBeGreaterThan(5);
  expect(Math.max(...counts.values())).toBeLessThan(35);
}, 60_000);
