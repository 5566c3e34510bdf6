import { mkdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  lockFolder,
  ProgressMeter,
  Rng,
  sha256,
  UserError,
  writeError,
  type Language,
  type ProgressEvent,
} from "../../base/index.js";
import { clear, upToDate } from "../pipeline/build.js";
import { MANIFEST, openCorpus } from "../read.js";
import type { CorpusEvent, FilterCounts, FilterReport } from "../types.js";
import { dealPools } from "./_pools.js";
import { ranksInPool } from "./_rank.js";
import { writeSelection } from "./_select.js";
import { embedPairs, vectorKey, type PairEncoder, type PairVectors } from "./vectors.js";

/** Changes when the same input keeps other pairs. */
const VERSION = 1;
const VECTORS = ".vectors";

/** @see filterCorpus */
export interface FilterOptions {
  readonly encoder: PairEncoder;
  /** Pairs of one language that a summary's own code is ranked among, about. */
  readonly pool: number;
  /** Ranks that are kept. */
  readonly top: number;
  /** Of the pools. Default 0. */
  readonly seed?: number;
  /** Tokens read of either side. Default 64 and 256. */
  readonly textLength?: number;
  readonly codeLength?: number;
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Consistency filtering (Günther et al. 2023, "Jina Embeddings"; CodeSage v2): an earlier encoder ranks the code of each
 * training pair for its summary among random pairs of its language; where it comes in the first `top`, the pair is kept.
 *
 * The pairs of a language are dealt into pools of about `pool` each, so that memory holds one pool, and each pair is ranked
 * once. A language of fewer pairs is one smaller pool. Held-out pairs and documents stay as they are. The result is a corpus
 * folder with the parent's manifest beside its own; vectors are kept until it is complete, so a run that was stopped goes
 * on from them.
 *
 * @param folder a complete corpus; it is not changed
 * @throws UserError `corpus.missing`, `corpus.manifest`, `corpus.exists`, `corpus.filter`, `corpus.empty`, `output.*`; the
 * signal's reason
 */
export async function* filterCorpus(folder: string, out: string, options: FilterOptions): AsyncGenerator<CorpusEvent> {
  const { encoder, pool, top, seed = 0, textLength = 64, codeLength = 256, signal } = options;
  if (resolve(folder) === resolve(out)) {
    throw filterError(`expected another folder than ${folder} to write to`, "Name a new folder with --out");
  }
  if (top >= pool) {
    throw filterError(`expected top below pool, got ${top} and ${pool}`, "Every pair would be kept: lower --top");
  }
  const corpus = await openCorpus(folder);
  try {
    await mkdir(out, { recursive: true }).catch((error: unknown) => {
      throw writeError(out, error);
    });
    const release = await lockFolder(out);
    try {
      const { manifest, pairs } = corpus;
      const parent = sha256(await readFile(join(folder, MANIFEST)));
      const sides = { encoder, textLength, codeLength };
      const inputs = sha256(JSON.stringify([VERSION, vectorKey(parent, sides), pool, top, seed]));
      const existing = await upToDate(manifest.config, inputs, out, options.overwrite ?? false);
      if (existing !== undefined) {
        yield { kind: "done", manifest: existing, reused: true, incomplete: [] };
        return;
      }
      await clear(out);
      const vectors = yield* embedPairs(pairs, { ...sides, parent, folder: join(out, VECTORS), signal });
      const { kept, languages } = yield* rankAll(vectors, { pool, top, signal }, Rng.fromSeed(seed).split("pools"));
      const report: FilterReport = {
        ...{ kind: "consistency", parent, model: encoder.name, pool, top, seed, textLength, codeLength, languages },
      };
      const written = yield* writeSelection({ folder, out, corpus, kept, report, inputs, signal });
      await rm(join(out, VECTORS), { recursive: true, force: true });
      yield { kind: "done", manifest: written, reused: false, incomplete: [] };
    } finally {
      await release();
    }
  } finally {
    await corpus.close();
  }
}

function filterError(message: string, fix: string): UserError {
  return new UserError("corpus.filter", `corpus filter: ${message}`, { fix });
}

interface Ranked {
  /** 1 for each pair that is kept. */
  readonly kept: Uint8Array;
  readonly languages: Partial<Record<Language, FilterCounts>>;
}

async function* rankAll(
  vectors: PairVectors,
  { pool, top, signal }: { readonly pool: number; readonly top: number; readonly signal: AbortSignal | undefined },
  rng: Rng,
): AsyncGenerator<ProgressEvent, Ranked> {
  const kept = new Uint8Array(vectors.count);
  const languages: Partial<Record<Language, FilterCounts>> = {};
  const events: ProgressEvent[] = [];
  const meter = new ProgressMeter("rank", "pairs", vectors.count, (event) => events.push(event));
  let done = 0;
  for (const [lang, numbers] of vectors.byLanguage()) {
    const pools = dealPools(numbers, pool, rng.split(lang));
    let [keeps, reciprocal] = [0, 0];
    for (const members of pools) {
      const ranks = await ranksInPool(vectors.read(members), vectors.dim, signal);
      ranks.forEach((rank, i) => {
        reciprocal += 1 / rank;
        if (rank > top) return;
        kept[members[i]!] = 1;
        keeps += 1;
      });
      done += members.length;
      meter.update(done);
      yield* events.splice(0);
    }
    languages[lang] = {
      pairs: numbers.length,
      kept: keeps,
      pools: pools.length,
      smallestPool: pools.reduce((least, { length }) => Math.min(least, length), Infinity),
      mrr: Number((reciprocal / numbers.length).toFixed(6)),
    };
  }
  return { kept, languages };
}
