import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Rng, UserError } from "../src/base/index.js";
import { pairedBootstrap } from "../src/evaluate/index.js";
import {
  FEATURES,
  isStaticFolder,
  shippedModels,
  WEIGHTS,
  type Encoders,
  type Feature,
  type Weights,
} from "../src/search/index.js";
import { defineBench, type Json } from "./harness/index.js";
import { QUESTION_KINDS, type QuestionKind } from "./quality/questions.js";
import { ndcgOf } from "./quality/score.js";
import { qualitySets, type QualitySet } from "./quality/set.js";

const SEED = 1;
const PER_KIND = 20;

/** One way to answer. */
interface Mode {
  readonly without: readonly ("words" | "static" | "full")[];
  readonly weights: Weights;
}

/** Only these scores, without features. */
const only = (...names: readonly Feature[]): Weights => {
  const own = Object.fromEntries(names.map((name) => [name, 1]));
  return { symbol: own, words: own, fileSupport: 0, sameFile: 0 };
};
const scoresAlone: Weights = {
  symbol: pick(WEIGHTS.symbol),
  words: pick(WEIGHTS.words),
  fileSupport: 0,
  sameFile: 0,
};
function pick(all: Weights["words"]): Weights["words"] {
  const kept = /^(?:lexical|static|full|semantic)/;
  return Object.fromEntries(FEATURES.filter((name) => kept.test(name)).map((name) => [name, all[name] ?? 0]));
}

/**
 * How well search finds: NDCG@10 over repositories of the corpus's test split, of which nothing was learnt and on which no
 * weight was fitted. `--data` names the corpus; `LODESTONE_BENCH_CACHE` what it was made from, `LODESTONE_BENCH_MIRRORS`
 * bare repositories (with history, for questions from commits), `LODESTONE_BENCH_MODEL` and `LODESTONE_BENCH_FULL` encoders.
 */
export const bench = defineBench({
  about: "quality: NDCG@10 of words, vectors and both, on held-out repositories without their documentation",
  async run(context) {
    const cache = process.env["LODESTONE_BENCH_CACHE"];
    if (context.data === undefined || cache === undefined) {
      throw new UserError("bench.quality", "quality: expected a corpus and its cache, got one or none", {
        fix: "LODESTONE_BENCH_CACHE=DIR npm run bench -- quality --data CORPUS",
      });
    }
    const encoder = await encodersOf();
    const modes = modesOf(encoder);
    const all: Scored[] = [];
    const origins: Record<string, Json> = {};
    const temporary = await mkdtemp(join(tmpdir(), "lodestone-bench-quality-"));
    try {
      const places = { corpus: context.data, cache, mirrors: process.env["LODESTONE_BENCH_MIRRORS"] };
      for await (const set of qualitySets(places, "test", temporary, {
        encoder,
        perKind: context.quick ? 5 : PER_KIND,
        rng: Rng.fromSeed(SEED),
        most: context.quick ? 2 : Infinity,
        log: context.log,
        goOn: () => context.secondsLeft() > 60,
      })) {
        all.push(...(await answered(set, modes)));
        origins[set.origin] = set.questions.length;
        await set.index.close();
        await rm(set.folder, { recursive: true, force: true });
      }
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    const names = Object.keys(modes);
    const values: Record<string, Json> = {};
    for (const name of names) values[name] = summaryOf(all, name);
    const best = names.at(-1)!;
    const differences: Record<string, Json> = {};
    for (const name of names.slice(0, -1)) {
      differences[`${best}, less ${name}`] = {
        ...pairedBootstrap(
          all.map((one) => one.values[best]!),
          all.map((one) => one.values[name]!),
          { rng: Rng.fromSeed(SEED).split(name) },
        ),
      };
    }
    return {
      values: { ...values, differences },
      ratios: {},
      settings: {
        measures:
          "NDCG@10. functions: the first sentence of a function's documentation, taken out of the code, finds the function; classes: of a class or a module, finds the file; symbols: a name finds its definitions; changes: a commit's first line finds the source files that it changed. No questions that people asked",
        seed: SEED,
        questions: Object.fromEntries(
          QUESTION_KINDS.map((kind) => [kind, all.filter((one) => one.kind === kind).length]),
        ),
        origins,
      },
      versions: { node: process.version },
    };
  },
});

async function encodersOf(): Promise<Encoders> {
  const [given, full] = [process.env["LODESTONE_BENCH_MODEL"], process.env["LODESTONE_BENCH_FULL"]];
  const base: Encoders = given === undefined ? shippedModels() : { static: given };
  if (given !== undefined && !(await isStaticFolder(given))) {
    throw new UserError("bench.model", `LODESTONE_BENCH_MODEL: expected the folder of a static encoder, got ${given}`);
  }
  return full === undefined ? base : { ...base, full };
}

function modesOf(encoder: Encoders): Record<string, Mode> {
  const { static: fast, full } = encoder;
  return {
    BM25: { without: ["static", "full"], weights: only("lexical") },
    "words and features": { without: ["static", "full"], weights: WEIGHTS },
    ...(fast === undefined
      ? {}
      : { "static vectors": { without: ["words", "full"], weights: only("static") } as Mode }),
    ...(full === undefined ? {} : { "full vectors": { without: ["words", "static"], weights: only("full") } as Mode }),
    ...(fast === undefined && full === undefined ? {} : { "words and vectors": { without: [], weights: scoresAlone } }),
    ...(fast === undefined || full === undefined
      ? {}
      : { "all but full vectors": { without: ["full"], weights: WEIGHTS } as Mode }),
    all: { without: [], weights: WEIGHTS },
  };
}

/** A question's score in each mode. */
interface Scored {
  readonly kind: QuestionKind;
  readonly values: Readonly<Record<string, number>>;
}

async function answered(set: QualitySet, modes: Readonly<Record<string, Mode>>): Promise<Scored[]> {
  const out: Scored[] = [];
  for (const question of set.questions) {
    const values: Record<string, number> = {};
    for (const [name, mode] of Object.entries(modes)) {
      values[name] = ndcgOf(question, (await set.index.search(question.text, { limit: 10, ...mode })).hits);
    }
    out.push({ kind: question.kind, values });
  }
  return out;
}

/** Means over questions by kind, and over the kinds. */
function summaryOf(all: readonly Scored[], mode: string): Json {
  const kinds = QUESTION_KINDS.flatMap((kind) => {
    const own = all.filter((one) => one.kind === kind);
    if (own.length === 0) return [];
    return [[kind, own.reduce((sum, { values }) => sum + values[mode]!, 0) / own.length] as const];
  });
  const mean = kinds.reduce((sum, [, value]) => sum + value, 0) / Math.max(1, kinds.length);
  return { ...Object.fromEntries(kinds), mean };
}
