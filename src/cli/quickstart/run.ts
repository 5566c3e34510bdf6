import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { cpus, platform, release } from "node:os";
import { join } from "node:path";
import { lockFolder, Rng, writeFileAtomic, type Tensor } from "../../base/index.js";
import { buildCorpus, readDocuments, readPairs, type CorpusManifest, type CorpusPair } from "../../corpus/index.js";
import { encoderFromState, MODEL_FILES, saveEncoder } from "../../encoder/index.js";
import { createEngine } from "../../engine/index.js";
import { Bm25, bm25, dotProducts, evaluateRetrieval, evaluateScores, pairedSet } from "../../evaluate/index.js";
import { parameterCount, parseModelConfig, type ModelConfig } from "../../model/index.js";
import {
  readCheckpoint,
  readMetrics,
  runStage1,
  runStage2,
  startingWeights,
  weightsOf,
  type TrainEvent,
} from "../../pretrain/index.js";
import { loadTokenizer, trainTokenizer, type Tokenizer } from "../../tokenizer/index.js";
import type { Context } from "../command.js";
import { thousands } from "../terminal.js";
import { Journal } from "./journal.js";
import { corpusInput, PACKAGES, RECIPE, recipeHash, type Recipe, type SourcePackage } from "./recipe.js";
import { renderReport, type QuickstartReport, type Stage1Point, type Stage2Point } from "./report.js";
import { exampleSearch, QUESTIONS } from "./searches.js";

/** What the quickstart writes into its folder; a run of another recipe removes these and nothing else. */
const OWNED = ["corpus", "tokenizer", "stage1", "stage2", "model", "report.json", "report.html"];

/** Characters of text that the tokenizer is trained on. */
const TOKENIZER_CHARACTERS = 12_000_000;

export interface QuickstartOptions {
  readonly out: string;
  readonly threads: number;
  /** Remove what is there and begin again. */
  readonly fresh?: boolean;
  readonly recipe?: Recipe;
  readonly packages?: readonly SourcePackage[];
}

type Weights = Readonly<Record<string, Tensor>>;
type Reporting = Pick<Context, "signal" | "progress" | "say">;

/**
 * The main job: installed packages in, a trained encoder and a report out. Every phase leaves its result in the folder
 * and is passed over when it is complete; an aborted signal stops behind the write in hand.
 *
 * @returns the report, or undefined where it was stopped
 */
export async function runQuickstart(
  options: QuickstartOptions,
  reporting: Reporting,
): Promise<QuickstartReport | undefined> {
  const release = await lockFolder(options.out);
  try {
    return await run(options, reporting);
  } finally {
    await release();
  }
}

async function run(
  { out, threads, fresh = false, recipe = RECIPE, packages = PACKAGES }: QuickstartOptions,
  reporting: Reporting,
): Promise<QuickstartReport | undefined> {
  const { signal, progress, say } = reporting;
  const { journal, state } = await Journal.open(out, recipeHash(recipe, packages), { owned: OWNED, fresh });
  if (state === "replaced") say(`${out} held the results of another recipe; they are replaced`);
  const engine = createEngine("onnxruntime");
  const folder = (name: string): string => join(out, name);

  say("1/5 corpus: functions and their documentation from installed packages");
  const manifest = await journal.timed("corpus", () => collect(packages, folder("corpus"), reporting));
  say(
    `    ${thousands(manifest.splits.train.pairs)} training pairs, ${thousands(manifest.splits.test.pairs)} held out`,
  );

  say("2/5 tokenizer");
  const tokenizer = await journal.timed("tokenizer", () =>
    tokenize(folder("corpus"), folder("tokenizer"), recipe, reporting),
  );

  const model = modelOf(recipe, tokenizer);
  const shared = { model, tokenizer, engine, engineSettings: { threads }, corpus: folder("corpus"), signal };
  say(`3/5 stage 1: masked tokens and deobfuscation, ${thousands(parameterCount(model))} parameters`);
  const stage1 = await journal.timed("stage 1", () =>
    follow(runStage1({ ...shared, config: recipe.stage1, out: folder("stage1") }), reporting),
  );
  if (stage1 === undefined) return undefined;
  const stage1Weights = weightsOf(await readCheckpoint(stage1), model);

  say("4/5 stage 2: summaries and functions, contrastive");
  const stage2 = await journal.timed("stage 2", () =>
    follow(
      runStage2({
        ...shared,
        config: recipe.stage2,
        out: folder("stage2"),
        initial: stage1Weights,
      }),
      reporting,
    ),
  );
  if (stage2 === undefined) return undefined;
  const stage2Weights = weightsOf(await readCheckpoint(stage2), model);

  say("5/5 evaluation on packages never trained on, and the model folder");
  const evaluation = await journal.timed("evaluation", async () => {
    await saveEncoder(folder("model"), { config: model, weights: stage2Weights, tokenizer });
    const untrained = startingWeights(model, undefined, Rng.fromSeed(recipe.seed).split("stage1"));
    const weights = { untrained, stage1: stage1Weights, stage2: stage2Weights };
    return evaluate(
      await heldOut(folder("corpus")),
      weights,
      { model, tokenizer, threads, recipe },
      { signal, progress },
    );
  });

  const report: QuickstartReport = {
    seconds: Object.values(journal.phases).reduce((sum, seconds) => sum + seconds, 0),
    pairs: evaluation.pairs,
    mrr: evaluation.mrr,
    phases: journal.phases,
    corpus: corpusSummary(manifest, packages),
    model: {
      name: "quickstart",
      parameters: parameterCount(model),
      layers: model.layers,
      width: model.width,
      vocabSize: model.vocabSize,
    },
    stage1: await stage1Curve(folder("stage1")),
    stage2: await stage2Curve(folder("stage2")),
    examples: evaluation.examples,
    machine: {
      cpu: cpus()[0]?.model.trim() ?? "unknown processor",
      threads,
      node: process.version,
      os: `${platform()} ${release()}`,
    },
    seed: recipe.seed,
  };
  await writeFileAtomic(folder("report.html"), renderReport(report));
  await writeFileAtomic(folder("report.json"), `${JSON.stringify(report, null, 1)}\n`);
  return report;
}

/** The report of this recipe in the folder, if all that belongs to it is there. */
export async function finishedReport(out: string, recipe: Recipe = RECIPE): Promise<QuickstartReport | undefined> {
  const paths = [join(out, "journal.json"), join(out, "report.json")];
  const others = [join(out, "report.html"), join(out, "model", MODEL_FILES.checksums)];
  if (![...paths, ...others].every((path) => existsSync(path))) return undefined;
  try {
    const [journal, report] = await Promise.all(
      paths.map(async (path) => JSON.parse(await readFile(path, "utf8")) as unknown),
    );
    return (journal as { recipe: string }).recipe === recipeHash(recipe, PACKAGES)
      ? (report as QuickstartReport)
      : undefined;
  } catch {
    return undefined; // Half of a pair, or edited: the run makes it again.
  }
}

async function collect(
  packages: readonly SourcePackage[],
  out: string,
  { signal, progress }: Reporting,
): Promise<CorpusManifest> {
  let manifest: CorpusManifest | undefined;
  for await (const event of buildCorpus(corpusInput(packages), out, { signal, overwrite: true })) {
    if (event.kind === "progress") progress(event);
    else if (event.kind === "done") manifest = event.manifest;
  }
  return manifest!;
}

async function tokenize(
  corpus: string,
  out: string,
  recipe: Recipe,
  { signal, progress }: Reporting,
): Promise<Tokenizer> {
  if (existsSync(join(out, "tokenizer.json"))) return loadTokenizer(out);
  const tokenizer = await trainTokenizer(tokenizerTexts(corpus), { ...recipe.tokenizer, signal, onProgress: progress });
  await tokenizer.save(out);
  return tokenizer;
}

/** Of the training split; pairs first (their summaries are the only prose that is as short as a query), then whole files. */
async function* tokenizerTexts(corpus: string): AsyncGenerator<string> {
  let left = TOKENIZER_CHARACTERS;
  for await (const { summary, code } of readPairs(corpus)) {
    if ((left -= summary.length + code.length) < 0) return;
    yield `${summary}\n${code}`;
  }
  for await (const { text } of readDocuments(corpus)) {
    if ((left -= text.length) < 0) return;
    yield text;
  }
}

function modelOf(recipe: Recipe, { vocabSize, padId, eosId, maskId }: Tokenizer): ModelConfig {
  return parseModelConfig({ ...recipe.model, vocabSize, padId, eosId, maskId }, "quickstart model");
}

/** Runs a stage to its end. @returns the last checkpoint, or undefined where it was stopped */
async function follow(events: AsyncIterable<TrainEvent>, { progress, say }: Reporting): Promise<string | undefined> {
  for await (const event of events) {
    if (event.kind === "progress") progress(event);
    else if (event.kind === "warning") say(`    ${event.message}`);
    else if (event.kind === "start" && event.step > 0 && event.step < event.steps) {
      say(`    going on from step ${event.step} of ${event.steps}`);
    } else if (event.kind === "done") return event.path;
  }
  return undefined;
}

async function heldOut(corpus: string): Promise<CorpusPair[]> {
  const pairs: CorpusPair[] = [];
  for await (const pair of readPairs(corpus, { split: "test" })) pairs.push(pair);
  return pairs;
}

interface Evaluation {
  readonly pairs: number;
  readonly mrr: QuickstartReport["mrr"];
  readonly examples: QuickstartReport["examples"];
}

async function evaluate(
  pairs: readonly CorpusPair[],
  weights: Readonly<Record<"untrained" | "stage1" | "stage2", Weights>>,
  { model, tokenizer, threads, recipe }: { model: ModelConfig; tokenizer: Tokenizer; threads: number; recipe: Recipe },
  watching: Pick<Reporting, "signal" | "progress">,
): Promise<Evaluation> {
  const set = pairedSet(
    "held-out packages",
    pairs.map(({ id, summary, code, lang }) => ({ id, query: summary, document: code, lang })),
  );
  const mrr: Record<string, number> = {};
  let scores: (query: number) => Float32Array = () => new Float32Array(0);
  const queries = [...set.queries.map(({ text }) => text), ...QUESTIONS];
  for (const [name, values] of Object.entries(weights)) {
    const encoder = await encoderFromState({ config: model, weights: values, tokenizer }, { threads });
    try {
      const options = { signal: watching.signal, onProgress: watching.progress };
      const Q = await encoder.embedAll(queries, options);
      const D = await encoder.embedAll(
        set.docs.map(({ text }) => text),
        options,
      );
      const known = Q.subarray(0, set.queries.length * encoder.dim);
      mrr[name] = (await evaluateRetrieval(set, known, D)).report.all.MRR;
      scores = (query) => {
        const row = new Float32Array(pairs.length);
        dotProducts(Q, D, encoder.dim, query, query + 1, row);
        return row;
      };
    } finally {
      await encoder.close();
    }
  }
  mrr["bm25"] = (await evaluateScores(set, bm25(set))).report.all.MRR;
  const lexical = new Bm25(set.docs.map(({ text }) => text));
  // Drawn, not chosen: what a newcomer sees is what the encoder does.
  const drawn = Rng.fromSeed(recipe.seed).split("examples").permutation(pairs.length).subarray(0, 4);
  const examples = [
    ...QUESTIONS.map((text, i) =>
      exampleSearch(text, scores(set.queries.length + i), lexical.scores(text), pairs, undefined),
    ),
    ...Array.from(drawn, (own) => {
      const text = set.queries[own]!.text;
      return exampleSearch(text, scores(own), lexical.scores(text), pairs, own);
    }),
  ];
  return { pairs: pairs.length, mrr: mrr as unknown as QuickstartReport["mrr"], examples };
}

function corpusSummary(manifest: CorpusManifest, packages: readonly SourcePackage[]): QuickstartReport["corpus"] {
  const names = (split: "train" | "test"): string[] =>
    packages.filter((one) => one.split === split).map(({ name }) => name);
  return {
    documents: manifest.splits.train.documents,
    functions: manifest.functions,
    trainingPairs: manifest.splits.train.pairs,
    packages: names("train"),
    heldOutPackages: names("test"),
  };
}

/** Points a curve is drawn with. */
const POINTS = 60;

async function stage1Curve(run: string): Promise<Stage1Point[]> {
  const lines = await readMetrics(run);
  let tokens = 0;
  return inWindows(lines).map((window) => {
    for (const line of window) tokens += line["tokens"] ?? 0;
    return { step: window.at(-1)!["step"]!, tokens, lossR: meanOf(window, "loss_r"), lossD: meanOf(window, "loss_d") };
  });
}

async function stage2Curve(run: string): Promise<Stage2Point[]> {
  return inWindows(await readMetrics(run)).map((window) => ({
    step: window.at(-1)!["step"]!,
    loss: meanOf(window, "loss") ?? 0,
    accuracy: meanOf(window, "accuracy") ?? 0,
  }));
}

function inWindows<T>(items: readonly T[]): T[][] {
  const size = Math.max(1, Math.ceil(items.length / POINTS));
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

function meanOf(window: readonly Readonly<Record<string, number>>[], key: string): number | null {
  const values = window.flatMap((line) => (line[key] === undefined ? [] : [line[key]]));
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
