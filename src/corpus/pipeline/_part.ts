import { closeSync, openSync, readSync } from "node:fs";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { LANGUAGES, UserError, type Language } from "../../base/index.js";
import type { SkippedFile } from "../types.js";
import type {
  DocumentRecord,
  Examined,
  ExclusionHits,
  PairRecord,
  PartLanguage,
  RankedSample,
  RecordIndex,
} from "./_batch.js";
import { BANDS, PERMUTATIONS } from "./_minhash.js";

/**
 * A part is what one batch became, in a file of its own:
 *
 * | bytes | what |
 * |---|---|
 * | 8 | `LSPART01` |
 * | 4 | length of the header |
 * | | header: JSON, with the lengths of the sections |
 * | | sections: index of pairs, index of documents, then (deflated JSON) pairs, documents, samples |
 *
 * An index holds a fixed number of bytes a record, little-endian, so that the reduction reads what it decides by and
 * nothing else.
 */
const MAGIC = "LSPART01";
/** Offsets in an index row: halves of hashes are 32-bit. */
const AT = { exact: 0, rank: 8, summary: 16, draw: 24, origin: 28, document: 32, lang: 36, bands: 40, bytes: 168 };
export const ROW_BYTES = AT.bytes + PERMUTATIONS;

export type RecordKind = "pairs" | "documents";
type Section = "pairIndex" | "documentIndex" | "pairs" | "documents" | "samples";
const SECTIONS: readonly Section[] = ["pairIndex", "documentIndex", "pairs", "documents", "samples"];

/** What a part says of itself. */
export interface PartHeader {
  readonly source: number;
  readonly number: number;
  readonly items: number;
  readonly bytes: number;
  readonly pairs: number;
  readonly documents: number;
  readonly languages: Readonly<Partial<Record<Language, PartLanguage>>>;
  readonly skippedFiles: Readonly<Record<string, number>>;
  readonly skipped: readonly SkippedFile[];
  readonly failures: number;
  readonly excluded: Readonly<ExclusionHits>;
  readonly origins: readonly string[];
  readonly sections: Readonly<Record<Section, number>>;
}

/** The bytes of a part. The same batch gives the same bytes. */
export function encodePart(examined: Examined): Uint8Array {
  const { pairs, documents, samples, ...counts } = examined;
  const sections: Record<Section, Uint8Array> = {
    pairIndex: encodeIndex(pairs.map(({ index }) => index)),
    documentIndex: encodeIndex(documents.map(({ index }) => index)),
    pairs: deflate(pairs.map(({ record }) => record)),
    documents: deflate(documents.map(({ record }) => record)),
    samples: deflate(samples),
  };
  const header: PartHeader = {
    ...counts,
    pairs: pairs.length,
    documents: documents.length,
    sections: Object.fromEntries(SECTIONS.map((name) => [name, sections[name].byteLength])) as Record<Section, number>,
  };
  const json = Buffer.from(JSON.stringify(header), "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const whole = Buffer.concat([Buffer.from(MAGIC, "latin1"), length, json, ...SECTIONS.map((name) => sections[name])]);
  return new Uint8Array(whole.buffer, whole.byteOffset, whole.byteLength);
}

function deflate(value: unknown): Buffer {
  return deflateRawSync(Buffer.from(JSON.stringify(value), "utf8"), { level: 1 });
}

function encodeIndex(rows: readonly RecordIndex[]): Uint8Array {
  const out = Buffer.alloc(rows.length * ROW_BYTES);
  for (const [i, row] of rows.entries()) {
    const at = i * ROW_BYTES;
    for (const name of ["exact", "rank", "summary"] as const) {
      out.writeUInt32LE(row[name].hi, at + AT[name]);
      out.writeUInt32LE(row[name].lo, at + AT[name] + 4);
    }
    out.writeUInt32LE(row.draw, at + AT.draw);
    out.writeUInt32LE(row.origin, at + AT.origin);
    out.writeInt32LE(row.document, at + AT.document);
    out.writeUInt8(LANGUAGES.indexOf(row.lang), at + AT.lang);
    if (row.signature === undefined) continue;
    for (let b = 0; b < 2 * BANDS; b++) out.writeUInt32LE(row.signature.bands[b]!, at + AT.bands + 4 * b);
    out.set(row.signature.bytes, at + AT.bytes);
  }
  return out;
}

/** The index rows of a part. */
export class IndexRows {
  readonly count: number;
  private readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.count = bytes.byteLength / ROW_BYTES;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Upper (0) or lower (1) half of a hash. */
  half(row: number, name: "exact" | "rank" | "summary", which: 0 | 1): number {
    return this.view.getUint32(row * ROW_BYTES + AT[name] + 4 * which, true);
  }
  draw(row: number): number {
    return this.view.getUint32(row * ROW_BYTES + AT.draw, true);
  }
  origin(row: number): number {
    return this.view.getUint32(row * ROW_BYTES + AT.origin, true);
  }
  document(row: number): number {
    return this.view.getInt32(row * ROW_BYTES + AT.document, true);
  }
  /** Index into `LANGUAGES`. */
  lang(row: number): number {
    return this.view.getUint8(row * ROW_BYTES + AT.lang);
  }
  /** The 8 bytes of a band. */
  band(row: number, band: number): Uint8Array {
    const at = row * ROW_BYTES + AT.bands + 8 * band;
    return this.bytes.subarray(at, at + 8);
  }
  signature(row: number): Uint8Array {
    const at = row * ROW_BYTES + AT.bytes;
    return this.bytes.subarray(at, at + PERMUTATIONS);
  }
}

/** A part on disk. Sections are read when they are asked for. */
export class PartFile {
  private constructor(
    readonly path: string,
    readonly header: PartHeader,
    private readonly start: number,
  ) {}

  /** @throws UserError `corpus.part` where the file is no part */
  static open(path: string): PartFile {
    const broken = (): UserError =>
      new UserError("corpus.part", `${path}: expected a whole part of a corpus, got something else`, {
        fix: "Remove that file and run the same command again",
      });
    const file = openSync(path, "r");
    try {
      const head = Buffer.alloc(MAGIC.length + 4);
      if (readSync(file, head) < head.length || head.toString("latin1", 0, MAGIC.length) !== MAGIC) throw broken();
      const length = head.readUInt32LE(MAGIC.length);
      const json = Buffer.alloc(length);
      if (readSync(file, json) < length) throw broken();
      return new PartFile(path, JSON.parse(json.toString("utf8")) as PartHeader, head.length + length);
    } finally {
      closeSync(file);
    }
  }

  index(kind: RecordKind): IndexRows {
    return new IndexRows(this.section(kind === "pairs" ? "pairIndex" : "documentIndex"));
  }
  pairs(): PairRecord[] {
    return this.parsed("pairs") as PairRecord[];
  }
  documents(): DocumentRecord[] {
    return this.parsed("documents") as DocumentRecord[];
  }
  samples(): RankedSample[] {
    return this.parsed("samples") as RankedSample[];
  }

  private parsed(name: Section): unknown {
    return JSON.parse(inflateRawSync(this.section(name)).toString("utf8"));
  }

  private section(name: Section): Buffer {
    let at = this.start;
    for (const before of SECTIONS.slice(0, SECTIONS.indexOf(name))) at += this.header.sections[before];
    const bytes = Buffer.alloc(this.header.sections[name]);
    const file = openSync(this.path, "r");
    try {
      if (readSync(file, bytes, 0, bytes.length, at) < bytes.length) {
        throw new UserError("corpus.part", `${this.path}: expected a whole part of a corpus, got a cut one`, {
          fix: "Remove that file and run the same command again",
        });
      }
    } finally {
      closeSync(file);
    }
    return bytes;
  }
}
