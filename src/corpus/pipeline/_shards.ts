import { createHash, type Hash } from "node:crypto";
import { join } from "node:path";
import type { SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { AtomicFile } from "../../base/index.js";
import type { Shard, Split } from "../types.js";
import type { Column } from "./_columns.js";

/** A row group ends at so many records or characters of text, whichever comes first. */
const GROUP_RECORDS = 1_000;
const GROUP_CHARACTERS = 2 ** 23;
/** A shard ends at so many bytes, even if it may hold more records. */
const SHARD_BYTES = 2 ** 28;

/**
 * Writes records as Parquet with Snappy, a new file every `limit` records: `pairs/train-00000.parquet`, ... Memory holds
 * one row group.
 */
export class ShardWriter {
  readonly shards: Shard[] = [];
  private file: AtomicFile | undefined;
  private writer: ByteWriter = new ByteWriter();
  private parquet: ParquetWriter | undefined;
  private hash: Hash = createHash("sha256");
  private written = 0;
  private group: object[] = [];
  private groupCharacters = 0;
  private groups: number[] = [];
  private records = 0;

  constructor(
    private readonly folder: string,
    private readonly name: "pairs" | "documents",
    private readonly split: Split,
    private readonly columns: readonly Column[],
    private readonly limit: number,
  ) {}

  /** @param characters of the record's texts, to bound memory */
  async write(record: object, characters: number): Promise<void> {
    this.group.push(record);
    this.groupCharacters += characters;
    this.records += 1;
    const isFull = this.records >= this.limit;
    if (isFull || this.group.length >= GROUP_RECORDS || this.groupCharacters >= GROUP_CHARACTERS) await this.endGroup();
    if (isFull || this.written >= SHARD_BYTES) await this.endShard();
  }

  /** Completes the last shard. An empty set has none. */
  async close(): Promise<void> {
    if (this.records > 0) await this.endShard();
  }

  /** Drops the unfinished shard. */
  async abort(): Promise<void> {
    await this.file?.abort();
    this.file = undefined;
  }

  private get fileName(): string {
    return `${this.name}/${this.split}-${String(this.shards.length).padStart(5, "0")}.parquet`;
  }

  private async endGroup(): Promise<void> {
    if (this.group.length === 0) return;
    const { group } = this;
    this.parquet ??= new ParquetWriter({ writer: this.writer, schema: schemaOf(this.columns), createdBy: "lodestone" });
    await this.parquet.write({
      columnData: this.columns.map(({ name, kind }) => ({
        name,
        data: group.map((record) => (record as Readonly<Record<string, unknown>>)[name]),
        // Looking for repetitions among texts costs more than it gives.
        ...(kind === "text" ? { encoding: "PLAIN" as const } : {}),
        statistics: kind !== "text",
        offsetIndex: false,
      })),
      rowGroupSize: group.length,
    });
    this.groups.push(group.length);
    this.group = [];
    this.groupCharacters = 0;
    await this.flush();
  }

  /** Moves the writer's bytes to the file; its `offset`, which the metadata counts by, goes on. */
  private async flush(): Promise<void> {
    const bytes = this.writer.getBytes();
    this.file ??= await AtomicFile.create(join(this.folder, this.fileName));
    this.hash.update(bytes);
    this.written += bytes.byteLength;
    await this.file.write(bytes);
    this.writer.index = 0;
  }

  private async endShard(): Promise<void> {
    await this.endGroup();
    await this.parquet?.finish();
    await this.flush();
    await this.file?.commit();
    this.shards.push({
      file: this.fileName,
      split: this.split,
      records: this.records,
      rowGroups: this.groups,
      bytes: this.written,
      sha256: this.hash.digest("hex"),
    });
    this.file = undefined;
    this.parquet = undefined;
    this.writer = new ByteWriter();
    this.hash = createHash("sha256");
    this.written = 0;
    this.groups = [];
    this.records = 0;
  }
}

function schemaOf(columns: readonly Column[]): SchemaElement[] {
  return [
    { name: "root", num_children: columns.length },
    ...columns.map(({ name, kind }): SchemaElement => {
      if (kind === "int") return { name, type: "INT32", repetition_type: "REQUIRED" };
      return { name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" };
    }),
  ];
}
