import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  AtomicFile,
  lockFolder,
  ProgressMeter,
  readJsonl,
  Rng,
  sha256,
  UserError,
  type Language,
  type ProgressEvent,
} from "../../base/index.js";
import { MANIFEST, openCorpus, type Table } from "../read.js";
import type { CorpusPair } from "../types.js";
import { hardInPool, type HardOptions } from "./_hard.js";
import { dealPools } from "./_pools.js";
import { embedPairs, type EmbeddedSides, type PairVectors } from "./vectors.js";

/** @see mineNegatives */
export interface MineOptions extends Partial<HardOptions>, Partial<EmbeddedSides> {
  readonly encoder: EmbeddedSides["encoder"];
  /** Pairs of one language among which negatives are looked for, about. Default 5,000. */
  readonly pool?: number;
  /** Of the pools. Default 0. */
  readonly seed?: number;
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
}

/** What mining found in one language. */
export interface MineCounts {
  pairs: number;
  /** Pairs with at least one negative, and all negatives. */
  withNegatives: number;
  negatives: number;
}

export type MineEvent =
  ProgressEvent | { readonly kind: "mined"; readonly languages: Readonly<Partial<Record<Language, MineCounts>>> };

/** First line of a file of negatives. */
interface MinedHeader {
  readonly format: "lodestone-negatives";
  readonly version: 1;
  /** SHA-256 of the corpus's manifest. */
  readonly corpus: string;
  readonly model: string;
  readonly options: Readonly<Record<string, number | boolean>>;
}

/** The other lines: a pair and the pairs whose code is its negatives, the hardest first, with their scores. */
export interface MinedLine {
  readonly id: string;
  readonly negatives: readonly (readonly [id: string, score: number])[];
}

/**
 * Mines hard negatives: for each training pair the codes of its language that an earlier encoder finds most similar to its
 * summary, clearly less than its own ({@link hardInPool}), among random pools of a language, so that memory holds one
 * pool. Writes JSON Lines, whole or not at all; vectors are kept beside the file until then, so that a run that was stopped
 * goes on from them. A pair without negatives has no line.
 *
 * @throws UserError `corpus.missing`, `corpus.manifest`, `output.exists`, `output.*`; the signal's reason
 */
export async function* mineNegatives(folder: string, file: string, options: MineOptions): AsyncGenerator<MineEvent> {
  const { encoder, pool = 5_000, seed = 0, textLength = 64, codeLength = 256, signal } = options;
  const { perPair = 4, margin = 0.95, sameName = false } = options;
  if (existsSync(file) && options.overwrite !== true) {
    throw new UserError("output.exists", `${file}: expected no such file, got one`, {
      fix: "Choose another name, or say that it may be replaced (--overwrite)",
    });
  }
  const corpus = await openCorpus(folder);
  const scratch = `${file}.vectors`;
  try {
    const release = await lockFolder(scratch);
    try {
      const parent = sha256(await readFile(join(folder, MANIFEST)));
      const sides = { encoder, textLength, codeLength };
      const vectors = yield* embedPairs(corpus.pairs, { ...sides, parent, folder: join(scratch, "pairs"), signal });
      const ids = await idsOf(corpus.pairs, signal);
      const header: MinedHeader = {
        ...{ format: "lodestone-negatives", version: 1, corpus: parent, model: encoder.name },
        options: { pool, perPair, margin, sameName, seed, textLength, codeLength },
      };
      const out = await AtomicFile.create(file);
      try {
        await out.write(Buffer.from(`${JSON.stringify(header)}\n`));
        const found = mineAll(vectors, ids, { perPair, margin, sameName, pool, seed, signal }, out);
        const languages = yield* found;
        await out.commit();
        yield { kind: "mined", languages };
      } catch (error) {
        await out.abort();
        throw error;
      }
    } finally {
      await release();
    }
    await rm(scratch, { recursive: true, force: true });
  } finally {
    await corpus.close();
  }
}

async function* mineAll(
  vectors: PairVectors,
  ids: readonly string[],
  options: HardOptions & { readonly pool: number; readonly seed: number; readonly signal: AbortSignal | undefined },
  out: AtomicFile,
): AsyncGenerator<ProgressEvent, Partial<Record<Language, MineCounts>>> {
  const languages: Partial<Record<Language, MineCounts>> = {};
  const events: ProgressEvent[] = [];
  const meter = new ProgressMeter("mine", "pairs", vectors.count, (event) => events.push(event));
  const rng = Rng.fromSeed(options.seed).split("pools");
  let done = 0;
  for (const [lang, numbers] of vectors.byLanguage()) {
    const counts = (languages[lang] = { pairs: numbers.length, withNegatives: 0, negatives: 0 });
    for (const members of dealPools(numbers, options.pool, rng.split(lang))) {
      const hard = await hardInPool(vectors.read(members), vectors.dim, options, options.signal);
      const lines = hard.flatMap((own, row) => {
        if (own.length === 0) return [];
        counts.withNegatives += 1;
        counts.negatives += own.length;
        const negatives = own.map(({ at, score }) => [ids[members[at]!]!, Number(score.toFixed(4))] as const);
        return [`${JSON.stringify({ id: ids[members[row]!]!, negatives } satisfies MinedLine)}\n`];
      });
      await out.write(Buffer.from(lines.join("")));
      done += members.length;
      meter.update(done);
      yield* events.splice(0);
    }
  }
  return languages;
}

async function idsOf(pairs: Table<CorpusPair>, signal: AbortSignal | undefined): Promise<string[]> {
  const ids: string[] = [];
  for (const group of pairs.groups("train")) {
    signal?.throwIfAborted();
    for (const { id } of await pairs.readGroup(group, ["id"])) ids.push(id);
  }
  return ids;
}

/**
 * The lines of a file of negatives.
 *
 * @throws UserError `negatives.format`, `input.unreadable`
 */
export async function* readNegatives(file: string): AsyncGenerator<MinedLine> {
  let first = true;
  for await (const value of readJsonl(file)) {
    if (!first) {
      yield value as MinedLine;
      continue;
    }
    const { format, version } = (value ?? {}) as Partial<MinedHeader>;
    if (format !== "lodestone-negatives" || version !== 1) {
      throw new UserError("negatives.format", `${file}: expected a file of mined negatives, got another`, {
        fix: "Make it with lodestone corpus mine",
      });
    }
    first = false;
  }
  if (!first) return;
  throw new UserError("negatives.format", `${file}: expected a file of mined negatives, got an empty one`, {
    fix: "Make it with lodestone corpus mine",
  });
}
