import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { putPackages } from "../../../test/helpers/corpus.js";
import { Rng } from "../../base/index.js";
import { buildCorpus, readDocuments, readPairs } from "../../corpus/index.js";
import { openShards } from "../documents.js";
import { corpusValidation } from "./data.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-validation-"));
  const input = await putPackages(join(folder, "source"));
  const building = buildCorpus(input, join(folder, "corpus"));
  while ((await building.next()).done !== true);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const texts = async (split: "train" | "validation"): Promise<string[]> => {
  const found: string[] = [];
  for await (const { text } of readDocuments(join(folder, "corpus"), { split })) found.push(text);
  return found;
};

test("validation documents and pairs are of the validation split, the same every time, as many as asked for", async () => {
  const corpus = join(folder, "corpus");
  const sizes = { documents: 18, pairs: 3 };
  const { documents, pairs } = await corpusValidation(corpus, sizes, Rng.fromSeed(1));
  const held = await texts("validation");
  expect(documents.length).toBe(Math.min(2, held.length)); // Two of each of nine languages; there is one.
  for (const { lang, text } of documents) {
    expect(lang).toBe("javascript");
    expect(held).toContain(text);
  }
  const codes: string[] = [];
  for await (const { code } of readPairs(corpus, { split: "validation" })) codes.push(code);
  expect(pairs).toHaveLength(Math.min(3, codes.length));
  for (const { code } of pairs) expect(codes).toContain(code);
  expect(await corpusValidation(corpus, sizes, Rng.fromSeed(1))).toEqual({ documents, pairs });
});

test("the shuffled order of a built corpus gives every training document once", async () => {
  const order = await openShards(join(folder, "corpus"), Rng.fromSeed(2));
  const seen: string[] = [];
  for (let index = 0; index < order.count; index++) seen.push((await order.documentAt(0, index)).text);
  await order.close();
  expect(seen.toSorted()).toEqual((await texts("train")).toSorted());
});
