// Fits the ranking's weights on the quality set of the corpus's validation split (bench/quality.ts describes the set).
//
//   node --import tsx scripts/fit-ranking.ts --corpus DIR --cache DIR [--mirrors DIR] [--model DIR] [--full DIR]
//     [--seed 1] [--per-kind 40] [--most-characters N] [--examples FILE] [--write]
//
// First a listwise logistic model (the right candidates against all others of their question), then a search along one
// weight after the other for the mean NDCG@10 itself, each kind of question counting the same. What such questions cannot
// tell stays as it is: documentation, configuration, tests and examples are never their answer, and sometimes a person's.
// --examples keeps the questions with their candidates in a file, and takes them from there where it is. The weights are printed; --write puts them into src/search/_weights.ts. `npm run bench -- quality` judges them on the
// test split.
import { existsSync } from "node:fs";
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { QUESTION_KINDS, type Question } from "../bench/quality/questions.js";
import { ndcgOf, shows } from "../bench/quality/score.js";
import type { Places } from "../bench/quality/repositories.js";
import { qualitySets } from "../bench/quality/set.js";
import { Rng, UserError, writeFileAtomic } from "../src/base/index.js";
import { FEATURES, orderByWeights, WEIGHTS, type Feature, type Hit, type Weights } from "../src/search/index.js";

/** Left as they are. */
const PRIORS: ReadonlySet<Feature> = new Set([
  "isDoc",
  "isConfig",
  "isText",
  "isTest",
  "isExample",
  "isVendored",
  "isGenerated",
  "isTypes",
  "isLegacy",
  "isLog",
  "full",
]);
const CANDIDATES = 250;
/** Of the mean NDCG@10, for a step to be kept: smaller ones are chance. */
const LEAST_GAIN = 0.001;
const STEPS = [0.6, 0.25, 0.1] as const;

type Shape = "symbol" | "words";

/** A question with its candidates. */
interface Example {
  readonly question: Question;
  readonly shape: Shape;
  readonly items: readonly { path: string; startLine: number; endLine: number; values: Float64Array }[];
}

const { values: given } = parseArgs({
  options: {
    corpus: { type: "string" },
    cache: { type: "string" },
    mirrors: { type: "string" },
    model: { type: "string" },
    full: { type: "string" },
    seed: { type: "string", default: "1" },
    "per-kind": { type: "string", default: "40" },
    "most-characters": { type: "string", default: "10000000" },
    examples: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const { corpus, cache } = given;
if (corpus === undefined || cache === undefined) {
  throw new UserError("fit.places", "fit-ranking: expected --corpus DIR and --cache DIR, got one or none", {
    fix: "Build a corpus first: lodestone corpus build",
  });
}
const encoder = {
  ...(given.model === undefined ? {} : { static: given.model }),
  ...(given.full === undefined ? {} : { full: given.full }),
};
const temporary = await mkdtemp(join(tmpdir(), "lodestone-fit-"));
try {
  const examples = await kept(given.examples, { corpus, cache, mirrors: given.mirrors });
  console.error(`${examples.length} questions; before: ${JSON.stringify(byKind(examples, WEIGHTS))}`);
  let weights = listwise(examples, WEIGHTS);
  console.error(`listwise: ${JSON.stringify(byKind(examples, weights))}`);
  if (mean(examples, WEIGHTS) > mean(examples, weights)) weights = WEIGHTS;
  weights = climb(examples, weights);
  console.error(`after: ${JSON.stringify(byKind(examples, weights))}`);
  console.log(JSON.stringify(weights, null, 2));
  if (given.write) await write(weights);
} finally {
  await rm(temporary, { recursive: true, force: true });
}

/** Questions with their candidates, a repository at a time. */
async function* gathered(places: Places): AsyncGenerator<Example[]> {
  for await (const set of qualitySets(places, "validation", temporary, {
    encoder,
    perKind: Number(given["per-kind"]),
    rng: Rng.fromSeed(Number(given.seed)),
    mostCharacters: Number(given["most-characters"]),
    log: (line) => console.error(line),
  })) {
    const examples: Example[] = [];
    for (const question of set.questions) {
      const { hits } = await set.index.search(question.text, { limit: CANDIDATES, explain: true });
      examples.push({ question, shape: question.kind === "symbols" ? "symbol" : "words", items: hits.map(itemOf) });
    }
    yield examples;
    await set.index.close();
    await rm(set.folder, { recursive: true, force: true });
  }
}

/** From a file, or made and written to it. */
async function kept(path: string | undefined, places: Places): Promise<Example[]> {
  const examples: Example[] = [];
  if (path !== undefined && existsSync(path)) {
    for (const line of (await readFile(path, "utf8")).trim().split("\n")) {
      const { items, ...rest } = JSON.parse(line) as Omit<Example, "items"> & {
        items: { path: string; startLine: number; endLine: number; values: number[] }[];
      };
      examples.push({ ...rest, items: items.map((item) => ({ ...item, values: Float64Array.from(item.values) })) });
    }
    return examples;
  }
  const four = (value: number): number => Math.round(1e4 * value) / 1e4;
  for await (const some of gathered(places)) {
    examples.push(...some);
    if (path === undefined) continue;
    for (const { items, ...rest } of some) {
      const plain = items.map((item) => ({ ...item, values: [...item.values].map(four) }));
      await appendFile(path, `${JSON.stringify({ ...rest, items: plain })}\n`);
    }
  }
  return examples;
}

function itemOf({ path, startLine, endLine, explanation }: Hit): Example["items"][number] {
  return { path, startLine, endLine, values: Float64Array.from(FEATURES, (name) => explanation!.values[name]) };
}

function ndcg({ question, items, shape }: Example, weights: Weights): number {
  return ndcgOf(
    question,
    orderByWeights(items, weights, shape, 10).map(({ index }) => items[index]!),
  );
}

function byKind(examples: readonly Example[], weights: Weights): Record<string, number> {
  return Object.fromEntries(
    QUESTION_KINDS.map((kind) => {
      const own = examples.filter(({ question }) => question.kind === kind);
      const sum = own.reduce((total, example) => total + ndcg(example, weights), 0);
      return [kind, Number((sum / Math.max(1, own.length)).toFixed(4))];
    }),
  );
}

/** Over kinds, so that the largest does not decide alone. */
function mean(examples: readonly Example[], weights: Weights): number {
  const kinds = Object.values(byKind(examples, weights));
  return kinds.reduce((sum, value) => sum + value, 0) / kinds.length;
}

/** Gradient ascent on the log likelihood that a right candidate is chosen by a softmax, pulled towards where it starts. */
function listwise(examples: readonly Example[], start: Weights): Weights {
  const out: Record<Shape, Partial<Record<Feature, number>>> = { symbol: start.symbol, words: start.words };
  for (const shape of ["symbol", "words"] as const) {
    const own = examples
      .filter((one) => one.shape === shape)
      .map(({ question, items }) => ({
        rows: items.map(({ values }) => values),
        right: items.map((item) => question.answers.some((place) => shows(item, place))),
      }))
      .filter(({ right }) => right.includes(true));
    const origin = Float64Array.from(FEATURES, (name) => start[shape][name] ?? 0);
    const now = origin.slice();
    for (let step = 0; step < 150; step++) {
      const gradient = new Float64Array(now.length);
      for (const { rows, right } of own) {
        const shares = softmax(rows, now);
        const rightShare = right.reduce((sum, is, i) => sum + (is ? shares[i]! : 0), 0);
        rows.forEach((row, i) => {
          const push = (right[i]! ? shares[i]! / Math.max(1e-12, rightShare) : 0) - shares[i]!;
          for (let f = 0; f < row.length; f++) gradient[f]! += push * row[f]!;
        });
      }
      for (let f = 0; f < now.length; f++) {
        if (PRIORS.has(FEATURES[f]!)) continue;
        now[f]! += 0.4 * (gradient[f]! / Math.max(1, own.length) - 0.003 * (now[f]! - origin[f]!));
      }
    }
    out[shape] = Object.fromEntries(FEATURES.map((name, f) => [name, rounded(now[f]!)]));
  }
  return { ...start, ...out };
}

function softmax(rows: readonly Float64Array[], weights: Float64Array): Float64Array {
  const logits = Float64Array.from(rows, (row) => row.reduce((sum, value, f) => sum + value * weights[f]!, 0));
  const top = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const shares = logits.map((logit) => Math.exp(logit - top));
  const total = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => share / total);
}

/** Steps along one weight after the other, keeping what raises the mean by more than chance would. */
function climb(examples: readonly Example[], start: Weights): Weights {
  let weights = start;
  const shapes: Readonly<Record<Shape, readonly Example[]>> = {
    symbol: examples.filter(({ shape }) => shape === "symbol"),
    words: examples.filter(({ shape }) => shape === "words"),
  };
  const score = (one: Weights, shape: Shape): number => {
    const kinds = Object.entries(byKind(shapes[shape], one)).filter(
      ([kind]) => (kind === "symbols") === (shape === "symbol"),
    );
    return kinds.reduce((sum, [, value]) => sum + value, 0) / Math.max(1, kinds.length);
  };
  for (const step of STEPS) {
    for (const shape of ["words", "symbol"] as const) {
      let best = score(weights, shape);
      for (const name of FEATURES) {
        if (PRIORS.has(name)) continue;
        for (const move of [step, -step]) {
          const own = { ...weights[shape], [name]: rounded((weights[shape][name] ?? 0) + move) };
          const tried: Weights = { ...weights, [shape]: own };
          const now = score(tried, shape);
          if (now > best + LEAST_GAIN) [weights, best] = [tried, now];
        }
      }
    }
    for (const name of ["fileSupport", "sameFile"] as const) {
      for (const move of [step, -step]) {
        const tried: Weights = { ...weights, [name]: Math.max(0, rounded(weights[name] + move)) };
        if (mean(examples, tried) > mean(examples, weights) + LEAST_GAIN) weights = tried;
      }
    }
    console.error(`steps of ${step}: ${JSON.stringify(byKind(examples, weights))}`);
  }
  return weights;
}

function rounded(value: number): number {
  return Math.round(100 * value) / 100;
}

async function write(weights: Weights): Promise<void> {
  const path = fileURLToPath(new URL("../src/search/_weights.ts", import.meta.url));
  const text = await readFile(path, "utf8");
  const head = text.slice(0, text.indexOf("export const WEIGHTS"));
  const plain = JSON.stringify(weights, null, 2).replace(/"(\w+)":/g, "$1:");
  await writeFileAtomic(path, `${head}export const WEIGHTS: Weights = ${plain};\n`);
}
