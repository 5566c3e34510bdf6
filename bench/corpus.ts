import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { LANGUAGES, UserError, type Language } from "../src/base/index.js";
import { extractFiles, parsersOf, type Extracted, type Parsers } from "./corpus/extraction.js";
import { benchFiles, type BenchFile } from "./corpus/files.js";
import { loadNative, NATIVE_VERSION, nativeTwin, type Native } from "./corpus/native.js";
import { stackCost, type Measured } from "./corpus/stack.js";
import { ExtractionWorkers } from "./corpus/workers.js";
import { defineBench, measureProcess, type BenchContext, type Json } from "./harness/index.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * Extraction (texts in; functions, summaries and verdicts out) on one core beside the native tree-sitter bindings that
 * do the same with the same rules on the same files; the same in one and two threads; and `lodestone corpus build` over
 * more files with one and two workers, with its peak memory.
 */
export const bench = defineBench({
  about:
    "speed and memory of extraction and of corpus build, beside native tree-sitter (--data DIR for more languages)",
  async run(context) {
    const limit = context.quick ? 150_000 : context.data === undefined ? 5_000_000 : 1_500_000;
    const files = benchFiles(limit, context.data);
    const extraction = await compareExtraction(context, files);
    const threads = await threadScaling(context, files);
    const building = await builds(context, benchFiles(context.quick ? 300_000 : 3 * limit, context.data));
    return {
      values: { ...extraction.values, ...threads.values, ...building.values },
      ratios: extraction.ratios,
      settings: {
        data: context.data === undefined ? "node_modules" : "node_modules and a folder of sources",
        ...sizes(files),
        ...building.settings,
        ...extraction.settings,
      },
      versions: { "web-tree-sitter": await version("web-tree-sitter"), "tree-sitter": NATIVE_VERSION },
    };
  },
});

interface Part {
  readonly values: Readonly<Record<string, Json>>;
  readonly settings: Readonly<Record<string, Json>>;
  readonly ratios: Readonly<Record<string, number>>;
}

/** Ours and native in turns in this process, one thread. */
async function compareExtraction(context: BenchContext, files: readonly BenchFile[]): Promise<Part> {
  const languages = LANGUAGES.filter((lang) => files.some((file) => file.lang === lang));
  const native = await loadNative(context.log);
  const sides = new Map<string, ReadonlyMap<Language, Parsers>>([["ours", await parsers(languages)]]);
  if (native.kind === "ready") sides.set("native-tree-sitter", await parsers(languages, native));
  const runs = new Map<string, Extracted[]>();
  const { summaries, repetitions, ratio } = await context.interleave(
    [...sides].map(([name, made]) => ({
      name,
      measure() {
        const found = extractFiles(files, made);
        runs.set(name, [...(runs.get(name) ?? []), found]);
        return Promise.resolve(Object.values(found.seconds).reduce((sum, one) => sum + one, 0));
      },
    })),
    { repetitions: 5 },
  );
  const values: Record<string, Json> = {};
  for (const [name, { median, min, max }] of Object.entries(summaries)) {
    const counted = runs.get(name)!;
    values[`extraction-${name}`] = {
      ...{ median, min, max },
      "megabytes-per-second": bytesOf(files) / 1e6 / median,
      "functions-per-second": sum(counted[0]!.functions) / median,
      functions: sum(counted[0]!.functions),
      candidates: counted[0]!.candidates,
      languages: byLanguage(files, counted),
    };
  }
  values["the-stack"] = { ...stackCost(perLanguage(files, runs.get("ours")!)), per: "extraction on one core" };
  const settings = {
    repetitions,
    native: native.kind === "ready" ? { addOn: native.origin, prebuilt: native.note ?? "loads" } : native.note,
  };
  return {
    values,
    settings,
    ratios: native.kind === "ready" ? { "native-tree-sitter": ratio("ours", "native-tree-sitter") } : {},
  };
}

async function parsers(
  languages: readonly Language[],
  native?: Extract<Native, { kind: "ready" }>,
): Promise<ReadonlyMap<Language, Parsers>> {
  const made = new Map<Language, Parsers>();
  for (const lang of languages) {
    const wrap =
      native === undefined ? undefined : (wasm: string, twin: Parsers["main"]) => nativeTwin(native.create, wasm, twin);
    made.set(lang, await parsersOf(lang, wrap));
  }
  return made;
}

/** The same files by one thread and dealt out to two. */
async function threadScaling(context: BenchContext, files: readonly BenchFile[]): Promise<Pick<Part, "values">> {
  const one = await ExtractionWorkers.start(files, 1);
  const two = await ExtractionWorkers.start(files, 2);
  try {
    const { summaries } = await context.interleave(
      [
        { name: "one", measure: () => one.run() },
        { name: "two", measure: () => two.run() },
      ],
      { repetitions: 9 },
    );
    const [single, double] = [summaries["one"]!.median, summaries["two"]!.median];
    return { values: { "extraction-threads": { one: single, two: double, scaling: single / double } } };
  } finally {
    await one.close();
    await two.close();
  }
}

/** `lodestone corpus build` from files on disk to a complete folder. */
async function builds(context: BenchContext, files: readonly BenchFile[]): Promise<Omit<Part, "ratios">> {
  const built = spawnSync(process.execPath, ["scripts/build.mjs", "--if-stale"], { cwd: ROOT, encoding: "utf8" });
  if (built.status !== 0) throw new UserError("bench.build", `build: expected it to succeed, got ${built.stdout}`);
  const folder = await mkdtemp(join(tmpdir(), "lodestone-bench-corpus-"));
  try {
    for (const { path, text } of files) {
      await mkdir(dirname(join(folder, "files", path)), { recursive: true });
      await writeFile(join(folder, "files", path), text);
    }
    // Bench files come from many places: their licences are nobody's question here.
    const source = { kind: "directory", path: join(folder, "files"), licence: "MIT" };
    await writeFile(join(folder, "config.json"), JSON.stringify({ sources: [source] }));
    const peaks: Record<string, number> = {};
    let made: { functions: number; pairs: number; documents: number } | undefined;
    const build = (workers: number) => async (): Promise<number> => {
      const out = join(folder, "corpus");
      const command = [join(ROOT, "dist/cli/main.js"), "corpus", "build", "--config", join(folder, "config.json")];
      const options = ["--out", out, "--workers", String(workers)];
      const { seconds, peakBytes } = await measureProcess(process.execPath, [...command, ...options]);
      if (peakBytes !== undefined) peaks[workers] = Math.max(peaks[workers] ?? 0, Math.round(peakBytes / 2 ** 20));
      made = JSON.parse(await readFile(join(out, "manifest.json"), "utf8")) as NonNullable<typeof made>;
      await rm(out, { recursive: true });
      return seconds;
    };
    const { summaries, repetitions } = await context.interleave(
      [
        { name: "one", measure: build(1) },
        { name: "two", measure: build(2) },
      ],
      { repetitions: 3, warmUp: 0 },
    );
    const [one, two] = [summaries["one"]!, summaries["two"]!];
    const rates = (seconds: number): Record<string, Json> => ({
      "megabytes-per-second": bytesOf(files) / 1e6 / seconds,
      "functions-per-second": made!.functions / seconds,
    });
    return {
      values: {
        "build-1-worker": { ...pick(one), ...rates(one.median), "peak-memory-mib": peaks[1] ?? null },
        "build-2-workers": { ...pick(two), ...rates(two.median), "peak-memory-mib": peaks[2] ?? null },
        "build-scaling": one.median / two.median,
      },
      settings: {
        build: {
          ...sizes(files),
          functions: made!.functions,
          pairs: made!.pairs,
          documents: made!.documents,
          repetitions,
        },
      },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function pick({ median, min, max }: { median: number; min: number; max: number }): Record<string, Json> {
  return { median, min, max };
}

/** Median speed of each language over the repetitions that counted or warmed up. */
function byLanguage(files: readonly BenchFile[], runs: readonly Extracted[]): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(perLanguage(files, runs)).map(([lang, { seconds }]) => {
      const bytes = bytesOf(files.filter((file) => file.lang === lang));
      const functions = runs[0]!.functions[lang as Language] ?? 0;
      return [lang, { "megabytes-per-second": bytes / 1e6 / seconds, "functions-per-second": functions / seconds }];
    }),
  );
}

function perLanguage(files: readonly BenchFile[], runs: readonly Extracted[]): Partial<Record<Language, Measured>> {
  const found: Partial<Record<Language, Measured>> = {};
  for (const lang of LANGUAGES) {
    const seconds = runs.map((run) => run.seconds[lang] ?? 0).sort((a, b) => a - b);
    const count = files.filter((file) => file.lang === lang).length;
    if (count > 0) found[lang] = { files: count, seconds: seconds[seconds.length >> 1]! };
  }
  return found;
}

function sizes(files: readonly BenchFile[]): Record<string, Json> {
  return {
    files: files.length,
    megabytes: bytesOf(files) / 1e6,
    languages: new Set(files.map(({ lang }) => lang)).size,
  };
}

function bytesOf(files: readonly BenchFile[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}

function sum(counts: Readonly<Partial<Record<Language, number>>>): number {
  return Object.values(counts).reduce((total, one) => total + one, 0);
}

async function version(name: string): Promise<string> {
  const text = await readFile(join(ROOT, "node_modules", name, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
