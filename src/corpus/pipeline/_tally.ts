import { LANGUAGES, type Language } from "../../base/index.js";
import type {
  CorpusManifest,
  ExclusionReport,
  LanguageCounts,
  LicenceCount,
  SkippedFile,
  SourceReport,
  Split,
} from "../types.js";
import type { PartHeader } from "./_part.js";
import type { PlannedSource } from "./_part-set.js";

const MAX_NAMED = 1_000;

/** Everything that a manifest counts, summed over parts and decisions. */
export class Tally {
  private readonly skippedFiles: Record<string, number> = {};
  private readonly skipped: SkippedFile[] = [];
  private readonly splits: Record<Split, { documents: number; pairs: number }> = {
    train: { documents: 0, pairs: 0 },
    validation: { documents: 0, pairs: 0 },
    test: { documents: 0, pairs: 0 },
  };
  private readonly languages = new Map<Language, LanguageCounts>();
  private readonly licences = new Map<string, LicenceCount>();
  private readonly perSource: { items: number; bytes: number; failures: number }[];
  private readonly hits: [functions: number, pairs: number, documents: number][];

  constructor(
    private readonly sources: readonly PlannedSource[],
    private readonly sets: readonly { readonly name: string; readonly texts: number }[],
  ) {
    this.perSource = sources.map(() => ({ items: 0, bytes: 0, failures: 0 }));
    this.hits = sets.map(() => [0, 0, 0]);
  }

  /** Adds what a part counted. @param isNamed whether files skipped for a reason are named in the manifest */
  part(header: PartHeader, isNamed: (reason: string) => boolean): void {
    const source = this.perSource[header.source]!;
    source.items += header.items;
    source.bytes += header.bytes;
    source.failures += header.failures;
    for (const lang of LANGUAGES) {
      const counts = header.languages[lang];
      if (counts === undefined) continue;
      const total = this.of(lang);
      total.files += counts.files;
      total.characters += counts.characters;
      total.functions += counts.functions;
      total.withDocstring += counts.withDocstring;
      total.withSummary += counts.withSummary;
      total.bodyIsReturn += counts.bodyIsReturn;
      for (const [reason, count] of Object.entries(counts.dropped)) this.drop(lang, reason, count);
    }
    for (const [reason, count] of Object.entries(header.skippedFiles)) this.skip(reason, count);
    for (const file of header.skipped) {
      if (this.skipped.length < MAX_NAMED && isNamed(file.reason)) this.skipped.push(file);
    }
    for (const [set, counts] of Object.entries(header.excluded)) {
      counts.forEach((count, i) => (this.hits[Number(set)]![i]! += count));
    }
  }

  drop(lang: Language, reason: string, count = 1): void {
    const { dropped } = this.of(lang);
    dropped[reason] = (dropped[reason] ?? 0) + count;
  }

  skip(reason: string, count = 1): void {
    this.skippedFiles[reason] = (this.skippedFiles[reason] ?? 0) + count;
  }

  keep(kind: "pairs" | "documents", lang: Language, split: Split, licence: string): void {
    const counts = this.of(lang);
    counts[kind] += 1;
    counts[kind === "pairs" ? "pairsBySplit" : "documentsBySplit"][split] += 1;
    this.splits[split][kind] += 1;
    let licences = this.licences.get(licence);
    if (licences === undefined) this.licences.set(licence, (licences = { documents: 0, pairs: 0 }));
    licences[kind] += 1;
  }

  /** Origins that the config requires and that were not whole. */
  get incomplete(): string[] {
    return this.sources
      .filter(({ required }, i) => required && this.perSource[i]!.failures > 0)
      .map(({ origin }) => origin);
  }

  /** The counting part of a manifest, with keys in a fixed order. */
  summary(): Pick<
    CorpusManifest,
    | "documents"
    | "pairs"
    | "functions"
    | "splits"
    | "languages"
    | "licences"
    | "sources"
    | "excluded"
    | "skippedFiles"
    | "skipped"
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
    return {
      ...total,
      splits: this.splits,
      languages,
      licences: sorted(Object.fromEntries(this.licences)),
      sources: this.sources.map(({ origin, version, fingerprint, note, required }, i): SourceReport => ({
        origin,
        version,
        fingerprint,
        ...(note === undefined ? {} : { note }),
        required,
        ...this.perSource[i]!,
      })),
      excluded: this.sets.map(({ name, texts }, i): ExclusionReport => {
        const [functions, pairs, documents] = this.hits[i]!;
        return { set: name, texts, functions, pairs, documents };
      }),
      skippedFiles: sorted(this.skippedFiles),
      skipped: this.skipped,
    };
  }

  private of(lang: Language): LanguageCounts {
    let counts = this.languages.get(lang);
    if (counts === undefined) {
      counts = {
        files: 0,
        functions: 0,
        withDocstring: 0,
        withSummary: 0,
        bodyIsReturn: 0,
        documents: 0,
        pairs: 0,
        characters: 0,
        pairsBySplit: { train: 0, validation: 0, test: 0 },
        documentsBySplit: { train: 0, validation: 0, test: 0 },
        dropped: {},
      };
      this.languages.set(lang, counts);
    }
    return counts;
  }
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
