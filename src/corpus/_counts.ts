import { LANGUAGES, type Language } from "../base/index.js";
import type { CorpusManifest, LanguageCounts, SkippedFile, Split } from "./types.js";

/** Reasons worth a path in the manifest: something is wrong with the file, rather than it being no source. */
const REPORTED: ReadonlySet<string> = new Set([
  "not-utf8",
  "too-large",
  "unreadable",
  "unreadable-folder",
  "binary",
  "parser",
]);
const MAX_REPORTED = 1_000;

/** Everything that the pipeline counts. */
export class Counts {
  readonly skippedFiles: Record<string, number> = {};
  readonly skipped: SkippedFile[] = [];
  readonly splits: Record<Split, { documents: number; pairs: number }> = {
    train: { documents: 0, pairs: 0 },
    validation: { documents: 0, pairs: 0 },
    test: { documents: 0, pairs: 0 },
  };
  private readonly languages = new Map<Language, LanguageCounts>();

  of(lang: Language): LanguageCounts {
    let counts = this.languages.get(lang);
    if (counts === undefined) {
      counts = {
        files: 0,
        functions: 0,
        withDocstring: 0,
        withSummary: 0,
        documents: 0,
        pairs: 0,
        characters: 0,
        pairsBySplit: { train: 0, validation: 0, test: 0 },
        dropped: {},
      };
      this.languages.set(lang, counts);
    }
    return counts;
  }

  drop(lang: Language, reason: string, count = 1): void {
    const { dropped } = this.of(lang);
    dropped[reason] = (dropped[reason] ?? 0) + count;
  }

  /** Counts a file that is passed over; true where it should be reported with its path. */
  skip(file: SkippedFile): boolean {
    this.skippedFiles[file.reason] = (this.skippedFiles[file.reason] ?? 0) + 1;
    if (!REPORTED.has(file.reason)) return false;
    if (this.skipped.length < MAX_REPORTED) this.skipped.push(file);
    return true;
  }

  /** The counting part of a manifest, with keys in a fixed order. */
  summary(): Pick<
    CorpusManifest,
    "documents" | "pairs" | "functions" | "splits" | "languages" | "skippedFiles" | "skipped"
  > {
    const languages: Partial<Record<Language, LanguageCounts>> = {};
    const total = { documents: 0, pairs: 0, functions: 0 };
    for (const lang of LANGUAGES) {
      const counts = this.languages.get(lang);
      if (counts === undefined) continue;
      languages[lang] = { ...counts, dropped: sorted(counts.dropped) };
      total.documents += counts.documents;
      total.pairs += counts.pairs;
      total.functions += counts.functions;
    }
    return { ...total, splits: this.splits, languages, skippedFiles: sorted(this.skippedFiles), skipped: this.skipped };
  }
}

function sorted(record: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
