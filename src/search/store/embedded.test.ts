import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { storeContract } from "./contract.js";
import { EmbeddedStore } from "./embedded.js";

let root: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "lodestone-store-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe("in a folder", () => {
  storeContract(
    () => EmbeddedStore.open(join(root, String(count++))),
    (store) => EmbeddedStore.open((store as EmbeddedStore).folder),
  );
});

describe("in memory", () => {
  storeContract(() => EmbeddedStore.open(undefined));
});
