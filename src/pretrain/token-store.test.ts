import { expect, test } from "vitest";
import { WeightedCache } from "./_cache.js";
import { TokenStore } from "./token-store.js";

test.each([1000, 70_000])("gives back what went in, through growth (vocabulary %i)", (vocabSize) => {
  const store = new TokenStore(vocabSize);
  const sequences = Array.from({ length: 3000 }, (_, i) =>
    Int32Array.from({ length: (i * 7) % 90 }, (_, k) => (i * 31 + k) % vocabSize),
  );
  for (const ids of sequences) store.push(ids);
  expect(store.length).toBe(3000);
  sequences.forEach((ids, i) => {
    expect(store.lengthOf(i)).toBe(ids.length);
    expect(Int32Array.from(store.get(i))).toEqual(ids);
  });
});

test("the cache holds the most recent values up to its limit", async () => {
  const cache = new WeightedCache<string, string>(5, (value) => value.length);
  const made: string[] = [];
  const get = (key: string): Promise<string> =>
    cache.get(key, () => {
      made.push(key);
      return key;
    });
  for (const key of ["aa", "bb", "aa", "cc", "aa", "bb", "toolong", "bb"]) await get(key);
  // cc pushes out bb (aa was used since), bb then pushes out cc; what is too heavy is not kept and pushes out nothing.
  expect(made).toEqual(["aa", "bb", "cc", "bb", "toolong"]);
  expect(cache.weight).toBe(4);
});
