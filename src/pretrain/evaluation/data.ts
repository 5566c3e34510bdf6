import type { Rng } from "../../base/index.js";
import { openCorpus, type OpenCorpus, type RowGroup } from "../../corpus/index.js";
import type { TrainingDocument } from "../types.js";

/** A summary and its function, for quick retrieval. */
export interface ValidationPair {
  readonly summary: string;
  readonly code: string;
}

/** What a run is watched by. None of it is trained on. */
export interface ValidationData {
  readonly documents: readonly TrainingDocument[];
  readonly pairs: readonly ValidationPair[];
}

/**
 * Draws validation data of a corpus: of every language the same number of documents, as far as it has them, and pairs
 * from all together. The draw depends on the key and the corpus alone.
 *
 * @throws UserError `corpus.missing`, `corpus.manifest`, `corpus.shard`
 */
export async function corpusValidation(
  folder: string,
  sizes: { readonly documents: number; readonly pairs: number },
  rng: Rng,
): Promise<ValidationData> {
  const corpus = await openCorpus(folder);
  try {
    const byLanguage = new Map<string, Drawn<TrainingDocument>>();
    const perLanguage = Math.ceil(sizes.documents / 9);
    await each(corpus.documents.groups("validation"), async (group, first) => {
      const records = await corpus.documents.readGroup(group, ["lang", "text"]);
      records.forEach(({ lang, text }, row) => {
        let drawn = byLanguage.get(lang);
        if (drawn === undefined) byLanguage.set(lang, (drawn = new Drawn(perLanguage, rng.split("documents"))));
        drawn.offer(first + row, { lang, text });
      });
    });
    const pairs = await drawnPairs(corpus, sizes.pairs, rng);
    const languages = [...byLanguage].sort(([a], [b]) => (a < b ? -1 : 1));
    return { documents: languages.flatMap(([, drawn]) => drawn.items()), pairs };
  } finally {
    await corpus.close();
  }
}

/** The pairs of {@link corpusValidation} alone. @throws as it */
export async function validationPairs(folder: string, count: number, rng: Rng): Promise<readonly ValidationPair[]> {
  const corpus = await openCorpus(folder);
  try {
    return await drawnPairs(corpus, count, rng);
  } finally {
    await corpus.close();
  }
}

async function drawnPairs({ pairs }: OpenCorpus, count: number, rng: Rng): Promise<readonly ValidationPair[]> {
  const drawn = new Drawn<ValidationPair>(count, rng.split("pairs"));
  await each(pairs.groups("validation"), async (group, first) => {
    const records = await pairs.readGroup(group, ["summary", "code"]);
    records.forEach(({ summary, code }, row) => drawn.offer(first + row, { summary, code }));
  });
  return drawn.items();
}

async function each(
  groups: readonly RowGroup[],
  visit: (group: RowGroup, first: number) => Promise<void>,
): Promise<void> {
  let first = 0;
  for (const group of groups) {
    await visit(group, first);
    first += group.rows;
  }
}

/** The `size` items with the smallest draws, each item's draw a function of its number. */
class Drawn<T> {
  private kept: { readonly draw: number; readonly item: T }[] = [];

  constructor(
    private readonly size: number,
    private readonly rng: Rng,
  ) {}

  offer(number: number, item: T): void {
    this.kept.push({ draw: this.rng.split(number).uniform(), item });
    if (this.kept.length > 2 * this.size + 64) this.cut();
  }

  items(): T[] {
    this.cut();
    return this.kept.map(({ item }) => item);
  }

  private cut(): void {
    this.kept.sort((a, b) => a.draw - b.draw);
    this.kept.length = Math.min(this.kept.length, this.size);
  }
}
