import { join } from "node:path";
import type { Rng } from "../../src/base/index.js";
import { openIndex, type Encoders, type SearchIndex } from "../../src/search/index.js";
import { changeQuestions } from "./changes.js";
import { drawn, honest, stripped, type Question } from "./questions.js";
import {
  heldOutSources,
  readRepository,
  writeFiles,
  type HeldOut,
  type Places,
  type Repository,
} from "./repositories.js";

/** A repository without its documentation, indexed, and what is asked of it. */
export interface QualitySet {
  readonly origin: string;
  readonly version: string;
  readonly folder: string;
  readonly index: SearchIndex;
  readonly questions: readonly Question[];
}

export interface SetOptions {
  readonly encoder: Encoders;
  /** Questions of each kind from one repository, at most. */
  readonly perKind: number;
  readonly rng: Rng;
  /** Repositories at most. */
  readonly most?: number;
  /** Characters of a repository at most; larger ones are passed over. Default 10 million. */
  readonly mostCharacters?: number;
  readonly log: (line: string) => void;
  /** False ends it early. */
  readonly goOn?: () => boolean;
}

/** Writes, indexes and yields the repositories of a split. The same corpus, cache and seed give the same questions. */
export async function* qualitySets(
  places: Places,
  split: HeldOut,
  temporary: string,
  options: SetOptions,
): AsyncGenerator<QualitySet, void, undefined> {
  const sources = await heldOutSources(places, split);
  let count = 0;
  for (const source of sources) {
    if (options.goOn?.() === false || count >= (options.most ?? Infinity)) return;
    const read = await readRepository(source, places);
    if (read === undefined) continue;
    const characters = [...read.files.values()].reduce((sum, { length }) => sum + length, 0);
    if (characters > (options.mostCharacters ?? 1e7)) continue;
    const { files, questions } = await questionsOf(read, options);
    if (questions.length < 10) continue;
    const folder = join(temporary, `${split}-${count++}`);
    writeFiles(folder, files);
    const index = await openIndex(folder, { encoder: options.encoder, indexFolder: `${folder}-index` });
    if (index.hasFull) for await (const step of index.refine()) void step;
    const { chunks } = await index.status();
    options.log(`${read.origin}: ${files.size} files, ${chunks} chunks, ${questions.length} questions`);
    yield { origin: read.origin, version: read.version, folder, index, questions };
  }
}

/** A repository's files without documentation, and the questions drawn for it. */
export async function questionsOf(
  { origin, version, files: all, git }: Omit<Repository, "folder">,
  { perKind, rng }: Pick<SetOptions, "perKind" | "rng">,
): Promise<{ files: ReadonlyMap<string, string>; questions: Question[] }> {
  const { files, questions } = await stripped(all);
  const changes = git === undefined ? [] : changeQuestions(git, version, files);
  const own = rng.split(origin);
  const some = drawn([...questions, ...changes], 3 * perKind, own.split("candidates"));
  return { files, questions: drawn(honest(some, files), perKind, own.split("chosen")) };
}
