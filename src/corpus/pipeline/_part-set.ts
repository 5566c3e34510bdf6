import type { Split } from "../types.js";
import { PartFile, type IndexRows, type RecordKind } from "./_part.js";

/** What the reduction knows of a source; the same for every shard of a build. */
export interface PlannedSource {
  readonly origin: string;
  readonly version: string;
  readonly fingerprint: string;
  readonly note?: string;
  readonly required: boolean;
  /** Fixed by the config. */
  readonly split?: Split;
  readonly maxPairs?: number;
}

/** One part among all, with the numbers of its first records. */
export interface PlacedPart {
  readonly path: string;
  readonly source: number;
  readonly pairs: number;
  readonly documents: number;
  readonly firstPair: number;
  readonly firstDocument: number;
  /** Number in {@link PartSet.origins} by number in the part. */
  readonly origins: Uint32Array;
}

/** All parts of a build in the order of their sources and batches: that order numbers the records. */
export class PartSet {
  readonly parts: PlacedPart[] = [];
  readonly origins: string[] = [];
  pairs = 0;
  documents = 0;

  constructor(
    readonly sources: readonly PlannedSource[],
    paths: Iterable<string>,
  ) {
    const numbers = new Map<string, number>();
    for (const path of paths) {
      const { header } = PartFile.open(path);
      const origins = Uint32Array.from(header.origins, (origin) => {
        let number = numbers.get(origin);
        if (number === undefined) {
          numbers.set(origin, (number = this.origins.length));
          this.origins.push(origin);
        }
        return number;
      });
      const { source, pairs, documents } = header;
      this.parts.push({
        path,
        source,
        pairs,
        documents,
        firstPair: this.pairs,
        firstDocument: this.documents,
        origins,
      });
      this.pairs += pairs;
      this.documents += documents;
    }
  }

  count(kind: RecordKind): number {
    return kind === "pairs" ? this.pairs : this.documents;
  }

  /** Goes through the index of all records: `row` of `rows` is record `number`. */
  each(kind: RecordKind, visit: (rows: IndexRows, row: number, number: number, part: PlacedPart) => void): void {
    for (const part of this.parts) {
      if (part[kind] === 0) continue;
      const rows = PartFile.open(part.path).index(kind);
      const first = kind === "pairs" ? part.firstPair : part.firstDocument;
      for (let row = 0; row < rows.count; row++) visit(rows, row, first + row, part);
    }
  }
}
