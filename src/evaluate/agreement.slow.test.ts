import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect } from "vitest";
import { python, shared, testWithShared, testWithSharedAndPython } from "../../test/helpers/requires.js";
import { Rng, writeNpy } from "../base/index.js";
import {
  bm25,
  codeWords,
  evaluateClassification,
  evaluateRetrieval,
  evaluateScores,
  loadSet,
  type ClassificationReport,
  type RetrievalReport,
  type RetrievalSet,
} from "./index.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-agreement-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const setFolder = (name: string): string => join(shared!, "eval", name);

async function loadRetrieval(name: string): Promise<RetrievalSet> {
  const set = await loadSet(setFolder(name));
  if (set.kind !== "retrieval") throw new Error(`${name}: expected a retrieval set`);
  return set;
}

/** Runs the independent scorer (NumPy, scikit-learn) as a command, or some Python that imports it. */
function scorer(args: readonly string[], input = ""): unknown {
  const env = { ...process.env, OMP_NUM_THREADS: "1", PYTHONPATH: join(shared!, "eval"), PYTHONDONTWRITEBYTECODE: "1" };
  return JSON.parse(execFileSync(python!, args, { env, input, encoding: "utf8", maxBuffer: 2 ** 26 }));
}
const scorerScript = (): string => join(shared!, "eval", "metrics.py");

async function saved(name: string, data: Float32Array, rows: number): Promise<string> {
  const path = join(folder, `${name}.npy`);
  await writeNpy(
    path,
    rows,
    data.length / rows,
    (async function* () {
      yield await Promise.resolve(data);
    })(),
  );
  return path;
}

/** Every key the other scorer prints, to four decimals; ours may have more. */
function expectAgreement(ours: unknown, theirs: unknown, path = "report"): void {
  if (typeof theirs === "number") {
    expect(Math.abs((ours as number) - theirs), `${path}: ours ${String(ours)}, theirs ${theirs}`).toBeLessThan(5e-5);
    return;
  }
  for (const [key, value] of Object.entries(theirs as object)) {
    expectAgreement((ours as Record<string, unknown> | undefined)?.[key], value, `${path}.${key}`);
  }
}

/** Words hashed into `width` columns, counts dampened: a cheap encoder that knows something. */
function hashed(texts: readonly string[], width: number): Float32Array {
  const out = new Float32Array(texts.length * width);
  texts.forEach((text, row) => {
    for (const word of codeWords(text)) {
      let hash = 17;
      for (let i = 0; i < word.length; i++) hash = (Math.imul(hash, 31) + word.charCodeAt(i)) >>> 0;
      out[row * width + (hash % width)]! += 1;
    }
    for (let i = row * width; i < (row + 1) * width; i++) out[i] = Math.log1p(out[i]!);
  });
  return out;
}

// Between them they have every flag. LODESTONE_ALL_SETS=1 compares all.
const all = ["cosqa-dev", "cosqa-dev-nodoc", "concode-dev", "java-csharp", "ojclone-15"];
const names = [
  "csn-cloze",
  "thealgorithms-cross-anon",
  ...(process.env["LODESTONE_ALL_SETS"] === undefined ? [] : all),
];

describe.each(names)("%s", (name) => {
  testWithSharedAndPython("embeddings score as the independent scorer has it", async () => {
    const set = await loadRetrieval(name);
    const Q = hashed(
      set.queries.map(({ text }) => text),
      256,
    );
    const D = hashed(
      set.docs.map(({ text }) => text),
      256,
    );
    const files = [await saved("q", Q, set.queries.length), await saved("d", D, set.docs.length)];
    const theirs = scorer([scorerScript(), "retrieval", setFolder(name), ...files]) as RetrievalReport;
    expect(theirs.all.MRR).toBeGreaterThan(0.02);
    expectAgreement((await evaluateRetrieval(set, Q, D)).report, theirs);
  });

  testWithSharedAndPython("scores full of ties rank as the independent scorer has it", async () => {
    const set = await loadRetrieval(name);
    const rng = Rng.fromSeed(6);
    // Signs in 64 columns: every cosine is an exact multiple of 1/32, so that ties are ties on both sides.
    const signs = (rows: number) => Float32Array.from({ length: rows * 64 }, () => (rng.int(2) === 0 ? -1 : 1));
    const [Q, D] = [signs(set.queries.length), signs(set.docs.length)];
    const files = [await saved("q", Q, set.queries.length), await saved("d", D, set.docs.length)];
    const theirs = scorer([scorerScript(), "retrieval", setFolder(name), ...files]);
    expectAgreement((await evaluateRetrieval(set, Q, D)).report, theirs);
  });

  testWithSharedAndPython("BM25's scores rank as the independent scorer has it", async () => {
    const set = await loadRetrieval(name);
    const rank = bm25(set);
    const scores = new Float32Array(set.queries.length * set.docs.length);
    rank(0, set.queries.length, scores);
    const code = [
      "import json, sys, numpy, metrics",
      "scores = numpy.load(sys.argv[2])",
      "print(json.dumps(metrics.retrieval_scores(sys.argv[1], lambda rows: scores[rows])))",
    ].join("\n");
    const theirs = scorer(["-c", code, setFolder(name), await saved("scores", scores, set.queries.length)]);
    expectAgreement((await evaluateScores(set, rank)).report, theirs);
  });
});

// What the best lexical baselines reach on these sets, given with them; BM25 is to be no weaker.
const BASELINES = { "cosqa-dev": 0.335, "cosqa-dev-nodoc": 0.2, "csn-cloze": 0.626, "concode-dev": 0.379 };
describe.each(Object.entries(BASELINES))("%s", (name, figure) => {
  testWithShared(`BM25 reaches about ${figure} within a second or so`, async () => {
    const set = await loadRetrieval(name);
    const start = performance.now();
    const { report } = await evaluateScores(set, bm25(set));
    expect(report.all.MRR).toBeGreaterThan(figure - 0.01);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe("codecomplex-java", () => {
  testWithSharedAndPython("classifiers agree with scikit-learn's", async () => {
    const set = await loadSet(setFolder("codecomplex-java"));
    if (set.kind !== "classification") throw new Error("expected a classification set");
    const A = hashed(
      set.train.map(({ text }) => text),
      384,
    );
    const B = hashed(
      set.test.map(({ text }) => text),
      384,
    );
    const files = [await saved("a", A, set.train.length), await saved("b", B, set.test.length)];
    const folderOfSet = setFolder("codecomplex-java");
    const theirs = scorer([scorerScript(), "classify", folderOfSet, ...files]) as ClassificationReport;
    expect(theirs["logreg C=0.01"].macroF1).toBeGreaterThan(0.4);
    const ours = evaluateClassification(set, A, B, { rng: Rng.fromSeed(0) });
    expectAgreement(ours, theirs);
    expect(ours["linear probe (AdamW)"].macroF1).toBeGreaterThan(0.4);
  });

  testWithSharedAndPython("two classes agree as well, where one weight vector serves both", async () => {
    const set = await loadSet(setFolder("codecomplex-java"));
    if (set.kind !== "classification") throw new Error("expected a classification set");
    const short = <T extends { label: string | number }>(rows: readonly T[]) =>
      rows.map((row) => ({ ...row, label: ["constant", "linear", "logn"].includes(String(row.label)) ? 0 : 1 }));
    const two = { ...set, train: short(set.train), test: short(set.test) };
    const A = hashed(
      set.train.map(({ text }) => text),
      128,
    );
    const B = hashed(
      set.test.map(({ text }) => text),
      128,
    );
    const files = [await saved("a", A, set.train.length), await saved("b", B, set.test.length)];
    const code = [
      "import json, sys, numpy, metrics",
      "labels = json.load(sys.stdin)",
      "metrics.rj = lambda path: [dict(label=y) for y in labels['train' if 'train' in path else 'test']]",
      "print(json.dumps(metrics.classify('', *map(numpy.load, sys.argv[1:3]))))",
    ].join("\n");
    const labels = { train: two.train.map(({ label }) => label), test: two.test.map(({ label }) => label) };
    const theirs = scorer(["-c", code, ...files], JSON.stringify(labels));
    expectAgreement(evaluateClassification(two, A, B, { rng: Rng.fromSeed(0) }), theirs);
  });
});
