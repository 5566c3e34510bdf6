import { copyFile, link, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  ProgressMeter,
  syncFolder,
  UserError,
  writeError,
  writeFileAtomic,
  type Language,
  type ProgressEvent,
} from "../../base/index.js";
import { datasetCard } from "../pipeline/_card.js";
import { PAIR_COLUMNS } from "../pipeline/_columns.js";
import { drawOf } from "../pipeline/_hash.js";
import { CARD, DROPPED, PARENT } from "../pipeline/_reduce.js";
import { Samples } from "../pipeline/_samples.js";
import { ShardWriter } from "../pipeline/_shards.js";
import { MANIFEST, readDropped, type OpenCorpus } from "../read.js";
import type { CorpusManifest, CorpusPair, DroppedSamples, FilterReport, LanguageCounts, Shard } from "../types.js";

/** Under which functions are counted in the manifest that a filter left out. */
export const INCONSISTENT = "inconsistent";

/** @see writeSelection */
export interface Selection {
  readonly folder: string;
  readonly out: string;
  readonly corpus: OpenCorpus;
  /** 1 for each training pair that is kept, in the stored order. */
  readonly kept: Uint8Array;
  readonly report: FilterReport;
  readonly inputs: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a corpus of some of another's training pairs; held-out pairs and documents are linked, or copied where links
 * cannot be. The parent's manifest is written beside, the own one last.
 *
 * @throws UserError `corpus.empty` where nothing is kept, `corpus.shard`, `output.*`; the signal's reason
 */
export async function* writeSelection(selection: Selection): AsyncGenerator<ProgressEvent, CorpusManifest> {
  const { folder, out, corpus, kept, report, inputs, signal } = selection;
  const { manifest } = corpus;
  if (!kept.includes(1)) {
    throw new UserError(
      "corpus.empty",
      `${folder}: expected pairs whose code is ranked in the first ${report.top}, got none of ${kept.length}`,
      { fix: "Raise --top, or take an encoder that was trained on pairs" },
    );
  }
  const events: ProgressEvent[] = [];
  const meter = new ProgressMeter("write", "pairs", kept.length, (event) => events.push(event));
  const writer = new ShardWriter(out, "pairs", "train", PAIR_COLUMNS, manifest.config.shardRecords);
  const samples = new Samples();
  const lost = new Map<string, { lang: Language; licence: string; pairs: number }>();
  let number = 0;
  try {
    for await (const pair of corpus.pairs.records({ split: "train" })) {
      signal?.throwIfAborted();
      if (kept[number++] === 1) await writer.write(pair, 2 * pair.code.length + pair.docstring.length);
      else {
        const key = `${pair.lang}\n${pair.licence}`;
        const counts = lost.get(key) ?? { lang: pair.lang, licence: pair.licence, pairs: 0 };
        lost.set(key, counts);
        counts.pairs += 1;
        samples.offer(pair.lang, INCONSISTENT, drawOf(pair.id), () => sampleOf(pair));
      }
      meter.update(number);
      yield* events.splice(0);
    }
    await writer.close();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  const held = manifest.shards.pairs.filter(({ split }) => split !== "train");
  for (const { file } of [...held, ...manifest.shards.documents]) await place(join(folder, file), join(out, file));
  signal?.throwIfAborted();
  const written: CorpusManifest = {
    ...withoutLost(manifest, [...lost.values()]),
    inputs,
    shards: { documents: manifest.shards.documents, pairs: inOrder([...writer.shards, ...held]) },
    filters: [...(manifest.filters ?? []), report],
  };
  const dropped = joined(await readDropped(folder), samples.summary());
  await writeFileAtomic(join(out, DROPPED), `${JSON.stringify(dropped, null, 1)}\n`);
  await writeFileAtomic(join(out, PARENT), `${JSON.stringify(manifest, null, 2)}\n`);
  await writeFileAtomic(join(out, CARD), datasetCard(written));
  await writeFileAtomic(join(out, MANIFEST), `${JSON.stringify(written, null, 2)}\n`);
  return written;
}

function sampleOf({
  origin,
  path,
  startLine,
  name,
  summary,
  code,
}: CorpusPair): DroppedSamples["files"][string][number] {
  return { origin, path, startLine, name, docstring: summary.slice(0, 400), text: code.slice(0, 600) };
}

/** Counts of the manifest less the pairs that were not kept. */
function withoutLost(
  manifest: CorpusManifest,
  lost: readonly { readonly lang: Language; readonly licence: string; readonly pairs: number }[],
): CorpusManifest {
  const languages: Partial<Record<Language, LanguageCounts>> = { ...manifest.languages };
  const licences = { ...manifest.licences };
  let total = 0;
  for (const { lang, licence, pairs } of lost) {
    total += pairs;
    const counts = languages[lang]!;
    languages[lang] = {
      ...counts,
      pairs: counts.pairs - pairs,
      pairsBySplit: { ...counts.pairsBySplit, train: counts.pairsBySplit.train - pairs },
      dropped: { ...counts.dropped, [INCONSISTENT]: (counts.dropped[INCONSISTENT] ?? 0) + pairs },
    };
    licences[licence] = { ...licences[licence]!, pairs: licences[licence]!.pairs - pairs };
  }
  const { splits } = manifest;
  return {
    ...manifest,
    pairs: manifest.pairs - total,
    splits: { ...splits, train: { ...splits.train, pairs: splits.train.pairs - total } },
    languages,
    licences,
  };
}

/** The parent's samples, and those of the new rule. */
function joined(parent: DroppedSamples, own: DroppedSamples): DroppedSamples {
  const functions = { ...parent.functions };
  for (const [lang, rules] of Object.entries(own.functions) as [Language, DroppedSamples["functions"][Language]][]) {
    functions[lang] = { ...functions[lang], ...rules };
  }
  return { functions, files: parent.files };
}

function inOrder(shards: readonly Shard[]): Shard[] {
  return [...shards].sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** The same file under another name: a hard link, or a copy where the file system has none. */
async function place(from: string, to: string): Promise<void> {
  try {
    await mkdir(dirname(to), { recursive: true });
    await rm(to, { force: true });
    try {
      await link(from, to);
    } catch {
      const temporary = `${to}.${process.pid}.partial`;
      await copyFile(from, temporary);
      await rename(temporary, to);
    }
    await syncFolder(dirname(to));
  } catch (error) {
    throw writeError(to, error);
  }
}
