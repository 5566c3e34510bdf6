/**
 * `npm run check:deobfuscation -- DIR [--files N] [--out FILE]`: deobfuscation keeps its word on real files.
 *
 * Draws up to 1,000 documents per language of a built corpus, of every split, by a seeded order of their ids, and holds
 * each to the properties of `_deobfuscation.ts`. Writes what share of the identifier tokens is obfuscated, and what share
 * of files has none, to `results/stage1/deobfuscation.json`. Exits with 1 where a property fails or where a language
 * comes to less than 60% of Python's share.
 */
import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describeCommit, describeMachine, type Machine } from "../bench/harness/machine.js";
import {
  LANGUAGES,
  messageOf,
  sha256,
  sha256File,
  UserError,
  writeFileAtomic,
  type Language,
} from "../src/base/index.js";
import { openCorpus, type CorpusDocument } from "../src/corpus/index.js";
import { loadLanguage } from "../src/languages/index.js";
import { checkFile, type FileFindings } from "./_deobfuscation.js";

/** What the files of one language come to. Shares are between 0 and 1. */
export interface LanguageFindings {
  readonly files: number;
  /** Files that parse without an error. */
  readonly whole: number;
  /** Of the others: those with more parse errors once obfuscated, or with a name in what recovery took for a string. */
  readonly shakier: number;
  readonly identifierTokens: number;
  readonly masked: number;
  readonly share: number;
  /** This share over Python's. */
  readonly ofPython: number;
  /** Share of files in which nothing is obfuscated. */
  readonly without: number;
  /** Share of identifier tokens that stay although a name of their spelling is obfuscated: another object's or file's. */
  readonly namesakes: number;
  /** Files with names that look alike and of which only some are obfuscated. */
  readonly unlike: number;
  /** Files with a property that does not hold. */
  readonly failures: number;
}
export interface DeobfuscationReport {
  readonly passed: boolean;
  readonly languages: Partial<Record<Language, LanguageFindings>>;
  /** The first of those that fail, and of those that look doubtful. */
  readonly samples: readonly { readonly where: string; readonly what: string }[];
}

/** One file to check. */
export interface CheckedText {
  readonly lang: Language;
  readonly text: string;
  /** Named in samples. */
  readonly where: string;
}

const FILES = 1000;
const SEED = "deobfuscation 1";
const SAMPLES = 40;
/** Files in a language must have at least this part of Python's share of obfuscated identifier tokens. */
const LEAST = 0.6;
/** Share of files whose names may look doubtful to a judge that knows no grammar. */
const DOUBTFUL = 0.01;

/** Checks texts and sums up by language. */
export async function checkTexts(
  texts: AsyncIterable<CheckedText> | Iterable<CheckedText>,
): Promise<DeobfuscationReport> {
  const found = new Map<Language, FileFindings[]>();
  const samples: { where: string; what: string }[] = [];
  for await (const { lang, text, where } of texts) {
    const one = checkFile(await loadLanguage(lang), text);
    const list = found.get(lang);
    if (list === undefined) found.set(lang, [one]);
    else list.push(one);
    const what = one.problems[0] ?? one.unlike[0];
    if (what !== undefined && samples.length < SAMPLES) samples.push({ where, what });
  }
  const python = sum(found.get("python") ?? []);
  const languages: Partial<Record<Language, LanguageFindings>> = {};
  let passed = found.size > 0;
  for (const language of LANGUAGES) {
    const files = found.get(language);
    if (files === undefined) continue;
    const one = (languages[language] = summary(files, python));
    if (one.failures > 0 || one.unlike > DOUBTFUL * one.files || one.ofPython < LEAST) passed = false;
  }
  return { passed, languages, samples };
}

const sum = (files: readonly FileFindings[]): number => {
  const tokens = files.reduce((all, one) => all + one.tokens, 0);
  return tokens === 0 ? 0 : files.reduce((all, one) => all + one.masked, 0) / tokens;
};

function summary(files: readonly FileFindings[], python: number): LanguageFindings {
  const count = (test: (one: FileFindings) => boolean): number => files.filter(test).length;
  const tokens = files.reduce((all, one) => all + one.tokens, 0);
  const namesakes = files.reduce((all, one) => all + one.namesakes, 0);
  const share = sum(files);
  return {
    files: files.length,
    whole: count((one) => one.whole),
    shakier: count((one) => one.shakier),
    identifierTokens: tokens,
    masked: files.reduce((all, one) => all + one.masked, 0),
    share: round(share),
    ofPython: round(python === 0 ? 1 : share / python),
    without: round(count((one) => one.masked === 0) / files.length),
    namesakes: round(tokens === 0 ? 0 : namesakes / tokens),
    unlike: count((one) => one.unlike.length > 0),
    failures: count((one) => one.problems.length > 0),
  };
}

const round = (value: number): number => Math.round(value * 10_000) / 10_000;

/** Up to `files` documents of each language, the ones whose ids come first in a seeded order. @throws UserError `corpus.*` */
export async function* drawDocuments(folder: string, files: number): AsyncGenerator<CheckedText> {
  const corpus = await openCorpus(folder);
  try {
    const { documents } = corpus;
    const groups = documents.groups("all");
    const ranked = new Map<Language, string[]>();
    for (const group of groups) {
      for (const { id, lang } of await documents.readGroup(group, ["id", "lang"])) {
        const ranks = ranked.get(lang);
        const rank = `${sha256(`${SEED} ${id}`)} ${id}`;
        if (ranks === undefined) ranked.set(lang, [rank]);
        else ranks.push(rank);
      }
    }
    const chosen = new Set([...ranked.values()].flatMap((ranks) => ranks.sort().slice(0, files)));
    const wanted = new Set([...chosen].map((rank) => rank.slice(rank.indexOf(" ") + 1)));
    for (const group of groups) {
      for (const { id, lang, text, origin, path } of await documents.readGroup(group, COLUMNS)) {
        if (wanted.has(id)) yield { lang, text, where: `${origin} ${path}` };
      }
    }
  } finally {
    await corpus.close();
  }
}
const COLUMNS: readonly (keyof CorpusDocument & string)[] = ["id", "lang", "text", "origin", "path"];

/** The file that a run writes. */
export interface DeobfuscationResult extends DeobfuscationReport {
  readonly name: "deobfuscation";
  readonly date: string;
  readonly command: string;
  /** `inputs` and counts of the corpus' manifest, and the hash of the manifest itself. */
  readonly corpus: {
    readonly inputs: string;
    readonly manifest: string;
    readonly documents: number;
    readonly origins: number;
  };
  readonly seconds: number;
  readonly machine: Machine;
  readonly commit: string;
}

const DEFAULT_OUT = fileURLToPath(new URL("../results/stage1/deobfuscation.json", import.meta.url));

async function main(args: readonly string[]): Promise<number> {
  const option = (name: string): string | undefined => {
    const at = args.indexOf(name);
    return at < 0 ? undefined : args[at + 1];
  };
  const folder = args.find((arg, i) => !arg.startsWith("--") && !(args[i - 1] ?? "").startsWith("--"));
  const files = Number(option("--files") ?? FILES);
  if (folder === undefined || !(files >= 1)) {
    console.error("usage: npm run check:deobfuscation -- DIR [--files N] [--out FILE]");
    return 2;
  }
  const started = process.hrtime.bigint();
  const corpus = await openCorpus(folder);
  const { inputs, documents, sources } = corpus.manifest;
  await corpus.close();
  const manifest = await sha256File(join(folder, "manifest.json"));
  const report = await checkTexts(drawDocuments(folder, files));
  const out = resolve(option("--out") ?? DEFAULT_OUT);
  await mkdir(dirname(out), { recursive: true });
  const result: DeobfuscationResult = {
    name: "deobfuscation",
    date: new Date().toISOString(),
    command: `npm run check:deobfuscation -- DIR --files ${files}`,
    corpus: { inputs, manifest, documents, origins: sources.length },
    seconds: Number((process.hrtime.bigint() - started) / 10_000_000n) / 100,
    machine: describeMachine(),
    commit: describeCommit(),
    ...report,
  };
  await writeFileAtomic(out, `${JSON.stringify(result, null, 2)}\n`);
  print(report);
  return report.passed ? 0 : 1;
}

function print({ languages, samples, passed }: DeobfuscationReport): void {
  const percent = (value: number): string => `${(100 * value).toFixed(1)}%`.padStart(6);
  console.log("language      files  masked  of Python's  files without  namesakes  unlike  failures");
  for (const language of LANGUAGES) {
    const one = languages[language];
    if (one === undefined) continue;
    console.log(
      `${language.padEnd(12)} ${String(one.files).padStart(6)}  ${percent(one.share)}       ${percent(one.ofPython)}  ` +
        `       ${percent(one.without)}     ${percent(one.namesakes)}  ${String(one.unlike).padStart(6)}  ${String(one.failures).padStart(8)}`,
    );
  }
  for (const { where, what } of samples) console.error(`${where}: ${what}`);
  console.log(passed ? "passed" : "FAILED");
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main(process.argv.slice(2)).then(
    (code) => (process.exitCode = code),
    (error: unknown) => {
      console.error(error instanceof UserError ? error.toLine() : messageOf(error));
      process.exitCode = 1;
    },
  );
}
