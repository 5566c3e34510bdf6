import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { LANGUAGES, ProgressMeter, sha256, type Language, type ProgressEvent } from "../../base/index.js";
import { hashText, keyOf } from "../pipeline/_hash.js";
import type { RowGroup, Table } from "../read.js";
import type { CorpusPair } from "../types.js";
import { RecordFiles, type VectorRecords } from "./_records.js";

/** An encoder, as refining a corpus uses it. */
export interface PairEncoder {
  /** Names the encoder: vectors of an interrupted run are gone on from only where it is the same. */
  readonly name: string;
  readonly dim: number;
  /** Unit vectors of texts, [n * dim], of which at most `maxLength` tokens are read. */
  embed(texts: readonly string[], maxLength: number, signal: AbortSignal | undefined): Promise<Float32Array>;
}

/** What vectors of pairs depend on beside the pairs. */
export interface EmbeddedSides {
  readonly encoder: PairEncoder;
  /** Tokens read of either side. */
  readonly textLength: number;
  readonly codeLength: number;
}

/** @see embedPairs */
export interface EmbedPairsOptions extends EmbeddedSides {
  /** SHA-256 of the corpus's manifest. */
  readonly parent: string;
  /** Where vectors are kept; those of the same pairs and encoder are not made again, others are removed. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/** Changes when the files change. */
const VERSION = 2;

/** Names the vectors of a corpus by an encoder. @param parent SHA-256 of the corpus's manifest */
export function vectorKey(parent: string, { encoder, textLength, codeLength }: EmbeddedSides): string {
  return sha256(JSON.stringify([VERSION, parent, encoder.name, encoder.dim, textLength, codeLength]));
}

/**
 * Embeds the training pairs of a corpus, a row group at a time, and keeps the vectors on disk: memory holds one group.
 *
 * @throws those of the encoder and the reader; UserError `model.not-finite`, `output.*`; the signal's reason
 */
export async function* embedPairs(
  pairs: Table<CorpusPair>,
  options: EmbedPairsOptions,
): AsyncGenerator<ProgressEvent, PairVectors> {
  const { encoder, folder, textLength, codeLength, signal } = options;
  const groups = pairs.groups("train");
  const key = vectorKey(options.parent, options).slice(0, 16);
  for (const other of await readdir(folder).catch(() => [])) {
    if (other !== key) await rm(join(folder, other), { recursive: true, force: true });
  }
  const files = new RecordFiles(join(folder, key), encoder.dim);
  const total = groups.reduce((sum, { rows }) => sum + rows, 0);
  const events: ProgressEvent[] = [];
  const meter = new ProgressMeter("embed", "pairs", total, (event) => events.push(event));
  const languages = new Uint8Array(total);
  let done = 0;
  for (const [number, group] of groups.entries()) {
    signal?.throwIfAborted();
    if (await files.has(number, group.rows)) {
      const records = await pairs.readGroup(group, ["lang"]);
      records.forEach(({ lang }, row) => (languages[done + row] = LANGUAGES.indexOf(lang)));
    } else {
      const records = await pairs.readGroup(group, ["lang", "summary", "code", "name"]);
      records.forEach(({ lang }, row) => (languages[done + row] = LANGUAGES.indexOf(lang)));
      const summaries = records.map(({ summary }) => summary);
      const codes = records.map(({ code }) => code);
      await files.write(number, {
        summaryKeys: Float64Array.from(summaries, textKey),
        codeKeys: Float64Array.from(codes, textKey),
        nameKeys: Float64Array.from(records, ({ name }) => textKey(name)),
        texts: await encoder.embed(summaries, textLength, signal),
        codes: await encoder.embed(codes, codeLength, signal),
      });
    }
    done += group.rows;
    meter.update(done);
    yield* events.splice(0);
  }
  return new PairVectors(groups, languages, files);
}

/** Vectors of training pairs by their number in the corpus's stored order. */
export class PairVectors {
  private readonly starts: number[] = [];

  constructor(
    groups: readonly RowGroup[],
    /** Index into `LANGUAGES` of each. */
    private readonly languages: Uint8Array,
    private readonly files: RecordFiles,
  ) {
    let start = 0;
    for (const { rows } of groups) {
      this.starts.push(start);
      start += rows;
    }
  }

  get dim(): number {
    return this.files.dim;
  }

  /** Pairs. */
  get count(): number {
    return this.languages.length;
  }

  /** Numbers of the pairs of each language that has some, in the languages' order. */
  byLanguage(): [Language, Uint32Array][] {
    const found: number[][] = LANGUAGES.map(() => []);
    this.languages.forEach((language, number) => found[language]!.push(number));
    return LANGUAGES.flatMap((lang, i): [Language, Uint32Array][] =>
      found[i]!.length === 0 ? [] : [[lang, Uint32Array.from(found[i]!)]],
    );
  }

  /** Records of pairs, in the order of `numbers`. */
  read(numbers: Uint32Array): VectorRecords {
    return this.files.gather(numbers, (number) => {
      const group = this.groupOf(number);
      return { group, row: number - this.starts[group]! };
    });
  }

  /** The last group that starts at or before a pair. */
  private groupOf(number: number): number {
    let [low, high] = [0, this.starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle]! <= number) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** A number that equal texts share, white space and case aside. */
function textKey(text: string): number {
  return keyOf(hashText(text.trim().replace(/\s+/g, " ").toLowerCase()));
}
