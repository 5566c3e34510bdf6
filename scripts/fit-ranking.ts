// Fits the ranking's weights on queries made from documentation, and measures what each part adds.
//
//   node --import tsx scripts/fit-ranking.ts --model DIR [--full DIR] [--fit FOLDERS] [--test FOLDERS] [--out FILE]
//
// FOLDERS are separated by `:`; packages of the development dependencies by default. Each is copied with the documentation
// of its functions taken out. A query is the first sentence of what was taken out; the function is the one right answer.
// So the set measures finding code by what it does, not questions about a repository's design. A second kind of query is
// the function's name. Only weights that such queries can tell anything about are fitted; priors on tests, generated files
// and documentation stay as they are.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Rng, writeFileAtomic } from "../src/base/index.js";
import { languageOfPath, loadLanguage } from "../src/languages/index.js";
import { FEATURES, openIndex, WEIGHTS, type Feature, type SearchIndex, type Weights } from "../src/search/index.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const FITTED: readonly Feature[] = [
  "lexical",
  "static",
  "full",
  "lexicalTop",
  "semanticTop",
  "nameCover",
  "queryInName",
  "pathMatch",
  "folderMatch",
  "size",
];
const QUERIES_PER_FOLDER = 150;

interface Question {
  readonly text: string;
  readonly path: string;
  readonly name: string;
}
interface Set {
  readonly name: string;
  readonly index: SearchIndex;
  readonly words: readonly Question[];
  readonly symbols: readonly Question[];
}
type Mode = { readonly without?: readonly ("words" | "static" | "full")[]; readonly weights?: Weights };

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    full: { type: "string" },
    fit: { type: "string" },
    test: { type: "string" },
    out: { type: "string" },
  },
});
const modules = (...names: string[]): string[] =>
  names.map((name) => join(root, "node_modules", name)).filter((path) => existsSync(path));
const fitFolders = values.fit?.split(":") ?? modules("three/src", "mongodb/src", "eslint/lib");
const testFolders = values.test?.split(":") ?? modules("ol", "@lumino/widgets/src", "tone/build/esm");
const encoder = {
  ...(values.model === undefined ? {} : { static: values.model }),
  ...(values.full === undefined ? {} : { full: values.full }),
};
const temporary = await mkdtemp(join(tmpdir(), "lodestone-fit-"));
try {
  const fit = await setsOf(fitFolders);
  const test = await setsOf(testFolders);
  const weights = await fitted(fit);
  console.log(JSON.stringify(weights, null, 2));
  const flat: Weights = { ...weights, fileSupport: 0, sameFile: 0 };
  const only = (names: readonly Feature[]): Weights => ({
    symbol: Object.fromEntries(names.map((name) => [name, weights.symbol[name] ?? 0])),
    words: Object.fromEntries(names.map((name) => [name, weights.words[name] ?? 0])),
    fileSupport: 0,
    sameFile: 0,
  });
  const scores: readonly Feature[] = ["lexical", "static", "full", "lexicalTop", "semanticTop"];
  const modes: Record<string, Mode> = {
    "words alone (BM25)": { without: ["static", "full"], weights: only(["lexical"]) },
    "vectors alone": { without: ["words"], weights: only(["static", "full"]) },
    "words and vectors": { weights: only(scores) },
    "words and features": { without: ["static", "full"], weights },
    "all, one file counts for itself": { weights: flat },
    all: { weights },
    shipped: { weights: WEIGHTS },
  };
  const results: Record<string, Record<string, number>> = {};
  for (const [name, mode] of Object.entries(modes)) {
    results[name] = {
      words: await score(test, "words", mode),
      symbols: await score(test, "symbols", mode),
      "words, fitted folders": await score(fit, "words", mode),
    };
    console.log(name, results[name]);
  }
  const out = values.out ?? join(root, "results/search/ablation.json");
  const sizes = Object.fromEntries([...fit, ...test].map(({ name, words }) => [name, words.length]));
  const report = {
    measures:
      "NDCG@10, one right answer a query; words: first sentence of a function's documentation, which is taken out of the code; symbols: its name",
    folders: { fitted: fit.map(({ name }) => name), tested: test.map(({ name }) => name) },
    queries: sizes,
    weights,
    results,
  };
  mkdirSync(dirname(out), { recursive: true });
  await writeFileAtomic(out, `${JSON.stringify(report, null, 2)}\n`);
  for (const { index } of [...fit, ...test]) await index.close();
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

async function setsOf(folders: readonly string[]): Promise<Set[]> {
  const sets: Set[] = [];
  for (const folder of folders) {
    const name = folder.split("node_modules/").at(-1)!.split("/").slice(-2).join("/");
    const copy = join(temporary, name.replaceAll("/", "_"));
    const questions = await strippedCopy(folder, copy);
    const chosen = Rng.fromSeed(7).split(name).shuffle(questions).slice(0, QUERIES_PER_FOLDER);
    const index = await openIndex(copy, { encoder, indexFolder: `${copy}-index` });
    if (values.full !== undefined) for await (const step of index.refine()) void step;
    console.log(name, (await index.status()).chunks, "chunks", chosen.length, "queries");
    const symbols = chosen.map((one) => ({ ...one, text: one.name }));
    sets.push({ name, index, words: chosen, symbols });
  }
  return sets;
}

/** Copies code without its functions' documentation, and returns what was taken out as questions. */
async function strippedCopy(from: string, to: string): Promise<Question[]> {
  const questions: Question[] = [];
  for (const path of readdirSync(from, { recursive: true, encoding: "utf8" })) {
    const language = languageOfPath(path);
    if (language === undefined || /node_modules|\.d\.ts$|\.min\./.test(path)) continue;
    const info = statSync(join(from, path));
    if (!info.isFile() || info.size > 300_000) continue;
    const text = readFileSync(join(from, path), "utf8");
    const parser = await loadLanguage(language);
    let rest = text;
    for (const { name, docSpan, docstring, bodyLines } of parser.extractFunctions(text).toReversed()) {
      if (docSpan === undefined) continue;
      rest = rest.slice(0, docSpan[0]) + rest.slice(docSpan[1]);
      const sentence =
        /^[^@]*?[.!?](?=\s|$)|^[^@\n]+/
          .exec(docstring ?? "")?.[0]
          .replace(/\s+/g, " ")
          .trim() ?? "";
      const count = sentence.split(" ").length;
      if (bodyLines >= 3 && count >= 4 && count <= 25 && name !== "constructor")
        questions.push({ text: sentence, path, name });
    }
    mkdirSync(dirname(join(to, path)), { recursive: true });
    writeFileSync(join(to, path), rest);
  }
  // Of questions that are asked twice nobody knows the one answer.
  const asked = new Map<string, number>();
  for (const { text } of questions) asked.set(text, (asked.get(text) ?? 0) + 1);
  return questions.filter(({ text }) => asked.get(text) === 1);
}

async function score(sets: readonly Set[], kind: "words" | "symbols", mode: Mode): Promise<number> {
  let [sum, count] = [0, 0];
  for (const set of sets) {
    for (const { text, path, name } of set[kind]) {
      const { hits } = await set.index.search(text, { limit: 10, ...mode });
      const at = hits.findIndex((hit) => hit.path === path && hit.name === name);
      sum += at < 0 ? 0 : 1 / Math.log2(at + 2);
      count += 1;
    }
  }
  return Number((sum / Math.max(1, count)).toFixed(4));
}

/** Gradient ascent on the log likelihood of the right candidate under a softmax, pulled towards where it starts. */
async function fitted(sets: readonly Set[]): Promise<Weights> {
  const examples: { features: Float64Array[]; right: number }[] = [];
  for (const set of sets) {
    for (const { text, path, name } of set.words) {
      const { hits } = await set.index.search(text, {
        limit: 100,
        explain: true,
        weights: { ...WEIGHTS, fileSupport: 0, sameFile: 0 },
      });
      const right = hits.findIndex((hit) => hit.path === path && hit.name === name);
      if (right < 0) continue;
      examples.push({
        features: hits.map((hit) => Float64Array.from(FEATURES, (feature) => hit.explanation!.values[feature])),
        right,
      });
    }
  }
  const start = Float64Array.from(FEATURES, (name) => WEIGHTS.words[name] ?? 0);
  const now = start.slice();
  const free = FEATURES.map((name) => FITTED.includes(name));
  for (let step = 0; step < 400; step++) {
    const gradient = new Float64Array(now.length);
    for (const { features, right } of examples) {
      const logits = features.map((row) => row.reduce((sum, value, f) => sum + value * now[f]!, 0));
      const top = Math.max(...logits);
      const shares = logits.map((logit) => Math.exp(logit - top));
      const total = shares.reduce((a, b) => a + b, 0);
      features.forEach((row, i) => {
        const push = (i === right ? 1 : 0) - shares[i]! / total;
        row.forEach((value, f) => (gradient[f]! += push * value));
      });
    }
    for (let f = 0; f < now.length; f++) {
      if (free[f]) now[f]! += 0.3 * (gradient[f]! / examples.length - 0.002 * (now[f]! - start[f]!));
    }
  }
  const words = Object.fromEntries(FEATURES.map((name, f) => [name, Math.round(100 * now[f]!) / 100]));
  return { ...WEIGHTS, words };
}
