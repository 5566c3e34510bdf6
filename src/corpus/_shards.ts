import { createHash, type Hash } from "node:crypto";
import { join } from "node:path";
import { AtomicFile } from "../base/index.js";
import type { Shard } from "./types.js";

/** Writes records as JSON Lines, a new file every `limit` records: `pairs-00000.jsonl`, `pairs-00001.jsonl`, ... */
export class ShardWriter {
  readonly shards: Shard[] = [];
  private file: AtomicFile | undefined;
  private hash: Hash = createHash("sha256");
  private records = 0;
  private bytes = 0;
  private pending: string[] = [];
  private pendingLength = 0;

  constructor(
    private readonly folder: string,
    private readonly name: string,
    private readonly limit: number,
  ) {}

  async write(record: object): Promise<void> {
    const line = `${JSON.stringify(record)}\n`;
    this.pending.push(line);
    this.pendingLength += line.length;
    this.records += 1;
    if (this.pendingLength > 2 ** 20) await this.flush();
    if (this.records >= this.limit) await this.endShard();
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
    return `${this.name}-${String(this.shards.length).padStart(5, "0")}.jsonl`;
  }

  private async flush(): Promise<void> {
    this.file ??= await AtomicFile.create(join(this.folder, this.fileName));
    const bytes = Buffer.from(this.pending.join(""), "utf8");
    this.pending = [];
    this.pendingLength = 0;
    this.hash.update(bytes);
    this.bytes += bytes.byteLength;
    await this.file.write(bytes);
  }

  private async endShard(): Promise<void> {
    await this.flush();
    await this.file?.commit();
    this.shards.push({
      file: this.fileName,
      records: this.records,
      bytes: this.bytes,
      sha256: this.hash.digest("hex"),
    });
    this.file = undefined;
    this.hash = createHash("sha256");
    this.records = 0;
    this.bytes = 0;
  }
}
