import { LANGUAGES, ProgressMeter, sha256, type Language, type ProgressEvent } from "../../base/index.js";
import { loadLanguages } from "../../languages/index.js";
import { readDocuments, readManifest, readPairs } from "../read.js";
import type { LanguageCounts } from "../types.js";
import { droppedRules } from "./_dropped.js";
import { LanguageTally } from "./_language-tally.js";
import { NameTally } from "./_tally.js";
import type { CorpusStats, LanguageStats, Precision } from "./types.js";

export interface StatsOptions {
  /** Documents per language that are parsed for the split of tokens (about so many, by hash); default 2,000. */
  readonly documents?: number;
  /** From {@link precisionByLanguage}. */
  readonly audit?: ReadonlyMap<Language, Precision>;
  readonly signal?: AbortSignal;
}

/** Sources shown by name. */
const TOP_SOURCES = 60;

/**
 * Measures a corpus in one pass over its documents and one over its pairs, in bounded memory: counts by language, what
 * tokens are, overlap of documentation and code, lengths, origins, licences, and what the rules dropped.
 *
 * @throws UserError those of the readers; the signal's reason
 */
export async function* corpusStats(
  folder: string,
  options: StatsOptions = {},
): AsyncGenerator<ProgressEvent, CorpusStats> {
  const manifest = await readManifest(folder);
  const languages = LANGUAGES.filter((lang) => manifest.languages[lang] !== undefined);
  await loadLanguages(languages);
  const tallies = new Map(languages.map((lang) => [lang, new LanguageTally(lang)]));
  const licences = new NameTally(() => ({ documents: 0, pairs: 0 }), 10_000);
  const sources = new NameTally(() => ({ documents: 0, pairs: 0, characters: 0 }));
  const events: ProgressEvent[] = [];
  const total = manifest.documents + manifest.pairs;
  const meter = new ProgressMeter("stats", "records", total, (event) => events.push(event));
  let done = 0;
  const step = (): ProgressEvent[] => {
    options.signal?.throwIfAborted();
    meter.update((done += 1));
    return events.splice(0);
  };

  for await (const document of readDocuments(folder, { split: "all" })) {
    const { lang, origin, licence, text, id } = document;
    const tally = tallies.get(lang);
    tally?.addDocument(document);
    const share = (options.documents ?? 2_000) / (manifest.languages[lang]?.documents ?? 1);
    if (fraction(id) < share) tally?.addTokens(document);
    licences.of(licence).documents += 1;
    const source = sources.of(origin);
    source.documents += 1;
    source.characters += text.length;
    yield* step();
  }
  for await (const pair of readPairs(folder, { split: "all" })) {
    tallies.get(pair.lang)?.addPair(pair);
    licences.of(pair.licence).pairs += 1;
    sources.of(pair.origin).pairs += 1;
    yield* step();
  }

  const stats: [Language, LanguageStats][] = [];
  for (const [lang, tally] of tallies) {
    const counts: LanguageCounts | undefined = manifest.languages[lang];
    if (counts !== undefined) stats.push([lang, tally.summary(counts, options.audit?.get(lang))]);
  }
  const { functions, pairs, documents, splits, excluded } = manifest;
  return {
    format: "lodestone-corpus-stats",
    version: 1,
    functions,
    pairs,
    documents,
    splits,
    languages: Object.fromEntries(stats),
    dropped: await droppedRules(folder, manifest),
    licences: licences.sorted("pairs").map(({ name, counts }) => ({ licence: name, ...counts })),
    excluded,
    sources: {
      count: sources.size,
      top: sources
        .sorted("characters")
        .slice(0, TOP_SOURCES)
        .map(({ name, counts }) => ({ origin: name, ...counts })),
    },
  };
}

/** A number in [0, 1) that an id always has. */
function fraction(id: string): number {
  return Number.parseInt(sha256(id).slice(0, 12), 16) / 2 ** 48;
}
