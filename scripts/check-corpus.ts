/**
 * `npm run check:corpus -- DIR [--out FILE]`: no pair of a built corpus gives itself away.
 *
 * Reads every pair of every split and asserts that neither form of its code (whole function, body only) contains its
 * summary or the documentation that this came from. Writes counts by language to `results/corpus/leak.json` and exits
 * with 1 where a pair leaks. In a corpus that keeps documentation on purpose only the bodies are held to it.
 */
import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { LANGUAGES, messageOf, UserError, writeFileAtomic, type Language } from "../src/base/index.js";
import { leaks, readManifest, readPairs, type Leak } from "../src/corpus/index.js";

interface LanguageLeaks {
  pairs: number;
  leaks: number;
}
export interface CorpusLeaks {
  readonly pairs: number;
  readonly leaks: number;
  readonly byKind: Partial<Record<Leak, number>>;
  readonly languages: Partial<Record<Language, LanguageLeaks>>;
  /** The first of those that leak. */
  readonly samples: { readonly id: string; readonly kind: Leak; readonly where: string; readonly summary: string }[];
}

const SAMPLES = 20;

/** Checks every pair of the corpus in `folder`. @throws UserError `corpus.*` */
export async function checkCorpus(folder: string): Promise<CorpusLeaks> {
  const manifest = await readManifest(folder);
  const keepsDocstrings = manifest.config.docstring !== "strip";
  const found: CorpusLeaks = { pairs: 0, leaks: 0, byKind: {}, languages: {}, samples: [] };
  const counts = { pairs: 0, leaks: 0 };
  for await (const pair of readPairs(folder, { split: "all" })) {
    const language = (found.languages[pair.lang] ??= { pairs: 0, leaks: 0 });
    language.pairs += 1;
    counts.pairs += 1;
    const kind = leaks(keepsDocstrings ? { ...pair, code: "" } : pair);
    if (kind === undefined) continue;
    language.leaks += 1;
    counts.leaks += 1;
    found.byKind[kind] = (found.byKind[kind] ?? 0) + 1;
    const { id, origin, path, startLine, summary } = pair;
    if (found.samples.length < SAMPLES)
      found.samples.push({ id, kind, where: `${origin} ${path}:${startLine}`, summary });
  }
  return { ...found, ...counts };
}

const DEFAULT_OUT = fileURLToPath(new URL("../results/corpus/leak.json", import.meta.url));

async function main(args: readonly string[]): Promise<number> {
  const at = args.indexOf("--out");
  const out = at < 0 ? DEFAULT_OUT : resolve(args[at + 1] ?? DEFAULT_OUT);
  const folder = args.find((arg, i) => !arg.startsWith("--") && (at < 0 || i !== at + 1));
  if (folder === undefined) {
    console.error("usage: npm run check:corpus -- DIR [--out FILE]");
    return 2;
  }
  const found = await checkCorpus(folder);
  await mkdir(dirname(out), { recursive: true });
  await writeFileAtomic(out, `${JSON.stringify(found, null, 2)}\n`);
  for (const language of LANGUAGES) {
    const counts = found.languages[language];
    if (counts !== undefined) console.log(`${language.padEnd(12)} ${counts.pairs} pairs, ${counts.leaks} leak`);
  }
  for (const { kind, where, summary } of found.samples) console.error(`${where}: ${kind}: ${summary}`);
  console.log(`${found.pairs} pairs, ${found.leaks} leak`);
  return found.leaks === 0 && found.pairs > 0 ? 0 : 1;
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
