import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { lockFolder, messageOf, UserError, writeError } from "../../base/index.js";
import type { Source } from "../sources/types.js";
import type { CorpusEvent } from "../types.js";
import { clear, SHARD, upToDate, incompleteOf, type ShardRecord } from "./build.js";
import { isOwn, partNames } from "./_map.js";
import { PartSet } from "./_part-set.js";
import { reduceParts } from "./_reduce.js";

export interface MergeOptions {
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Puts the shards of one build together (`buildCorpus` with `shard`). The result equals, byte for byte, what one process
 * builds from the same config and inputs.
 *
 * @throws UserError `corpus.merge` where the folders are not all shards of one build, `corpus.exists`, `corpus.empty`,
 * `output.*`; the signal's reason
 */
export async function* mergeCorpora(
  folders: readonly string[],
  out: string,
  options: MergeOptions = {},
): AsyncGenerator<CorpusEvent> {
  await mkdir(out, { recursive: true }).catch((error: unknown) => {
    throw writeError(out, error);
  });
  const release = await lockFolder(out);
  try {
    const shards = await Promise.all(folders.map(readShard));
    const first = shards[0];
    if (first === undefined) throw mergeError("expected folders of shards, got none");
    check(folders, shards);
    const { config, inputs, sources, sets, key, of } = first;
    const existing = await upToDate(config, inputs, out, options.overwrite ?? false);
    if (existing !== undefined) {
      yield { kind: "done", manifest: existing, reused: true, incomplete: incompleteOf(existing) };
      return;
    }
    await clear(out, key);
    const paths: string[] = [];
    for (const [place, source] of sources.entries()) {
      const named = source as unknown as Source; // Only its fingerprint is looked at.
      for (let batch = 0; batch < source.batches; batch++) {
        const owner = shards.findIndex(({ shard }) => isOwn(named, batch, { shard, of }));
        const path = join(folders[owner]!, ".parts", key, partNames(named, place).part(batch));
        if (!existsSync(path)) throw mergeError(`expected the part ${path}, found none`);
        paths.push(path);
      }
    }
    const { signal } = options;
    const scratch = join(out, ".scratch");
    const result = yield* reduceParts(new PartSet(sources, paths), { config, out, scratch, sets, inputs, signal });
    yield { kind: "done", ...result, reused: false };
  } finally {
    await release();
  }
}

async function readShard(folder: string): Promise<ShardRecord> {
  const path = join(folder, SHARD);
  try {
    const record = JSON.parse(await readFile(path, "utf8")) as ShardRecord;
    if (record.format === "lodestone-corpus-shard") return record;
  } catch (error) {
    throw mergeError(`${folder}: expected a complete shard with ${SHARD}, got ${messageOf(error)}`);
  }
  throw mergeError(`${path}: expected the record of a shard, got something else`);
}

function check(folders: readonly string[], shards: readonly ShardRecord[]): void {
  const first = shards[0]!;
  const same = ({ key, inputs, of, config, sources }: ShardRecord): string =>
    JSON.stringify([key, inputs, of, config, sources.map(({ batches }) => batches)]);
  shards.forEach((shard, i) => {
    if (same(shard) !== same(first)) {
      throw mergeError(
        `expected shards of one build, but ${folders[i]} is of another config or other inputs than ${folders[0]}`,
      );
    }
  });
  const numbers = shards.map(({ shard }) => shard).sort((a, b) => a - b);
  const all = Array.from({ length: first.of }, (_, i) => i + 1);
  if (numbers.join() !== all.join()) {
    throw mergeError(`expected shards ${all.join(", ")} of ${first.of}, got ${numbers.join(", ")}`);
  }
}

function mergeError(message: string): UserError {
  return new UserError("corpus.merge", `corpus merge: ${message}`, {
    fix: "Give each shard of one corpus build --shard i/n, complete, once",
  });
}
