import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { sha256, UserError } from "../base/index.js";
import { MODEL_FILES, shippedModel, type Embedder } from "../encoder/index.js";
import type { ModelInfo, Tier } from "./store/store.js";

/** Encoders by tier: model folders, or opened ones. */
export type Encoders = Readonly<Partial<Record<Tier, string | Embedder>>>;

/** Encoders by tier, as folders: what can be handed to another thread. */
export type EncoderFolders = Readonly<Partial<Record<Tier, string>>>;

/** A tier's encoder: told by its hash at once, opened when it is needed. */
export interface TierModel {
  readonly info: ModelInfo;
  /** @throws UserError `model.*` */
  open(): Promise<Embedder>;
  close(): Promise<void>;
}

/** Encoders that come with the package. */
export function shippedModels(): EncoderFolders {
  const [fast, full] = [shippedModel("static"), shippedModel("int8")];
  return { ...(fast === undefined ? {} : { static: fast }), ...(full === undefined ? {} : { full }) };
}

/** @throws UserError `model.missing` for a folder that is none */
export async function tierModel(given: string | Embedder, threads?: number): Promise<TierModel> {
  if (typeof given !== "string") return openedModel(given);
  const folder = resolve(given);
  const sums = await readFile(join(folder, MODEL_FILES.checksums)).catch(() => undefined);
  const text = await readFile(join(folder, MODEL_FILES.config), "utf8").catch(() => undefined);
  if (sums === undefined || text === undefined) {
    throw new UserError("model.missing", `${folder}: expected a model folder, got none that is complete`, {
      fix: "Correct the path, or leave the encoder out to search by words alone",
    });
  }
  const { hidden_size: dim } = JSON.parse(text) as { hidden_size: number };
  const hash = sha256(sums).slice(0, 32);
  let own: Shared | undefined;
  return {
    info: { hash, dim, folder },
    open: () => (own ??= share(`${hash} ${threads} ${folder}`, () => openFolder(folder, threads))).opening,
    close: async () => {
      await own?.release();
      own = undefined;
    },
  };
}

interface Shared {
  readonly opening: Promise<Embedder>;
  release(): Promise<void>;
}
const shared = new Map<string, { readonly opening: Promise<Embedder>; users: number }>();

/** Indexes of one thread share an encoder; the last to leave closes it. */
function share(key: string, open: () => Promise<Embedder>): Shared {
  let entry = shared.get(key);
  if (entry === undefined) shared.set(key, (entry = { opening: open(), users: 0 }));
  entry.users += 1;
  const { opening } = entry;
  // One that could not be opened is tried anew by the next.
  opening.catch(() => shared.get(key)?.opening === opening && shared.delete(key));
  return {
    opening,
    release: async () => {
      entry.users -= 1;
      if (entry.users > 0) return;
      if (shared.get(key) === entry) shared.delete(key);
      const opened = await opening.catch(() => undefined);
      await opened?.close();
    },
  };
}

function openedModel(encoder: Embedder): TierModel {
  const hash = sha256(JSON.stringify([encoder.config, encoder.tokenizer.hash])).slice(0, 32);
  return {
    info: { hash, dim: encoder.dim, folder: "" },
    open: () => Promise.resolve(encoder),
    close: () => Promise.resolve(), // Whoever opened it closes it.
  };
}

async function openFolder(folder: string, threads: number | undefined): Promise<Embedder> {
  const { openEncoder } = await import("../encoder/index.js");
  return openEncoder(folder, threads === undefined ? {} : { threads });
}

/** Whether a model folder holds a static bag. Folders that cannot be read count as others: opening them tells why. */
export async function isStaticFolder(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, MODEL_FILES.config), "utf8").catch(() => "{}");
  try {
    const { lodestone } = JSON.parse(text) as { lodestone?: { model?: { layers: number; positions: boolean } } };
    const { isStatic } = await import("../encoder/index.js");
    return lodestone?.model !== undefined && isStatic(lodestone.model);
  } catch {
    return false;
  }
}
