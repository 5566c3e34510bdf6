import { describe, expect, test } from "vitest";
import { Rng } from "../base/index.js";
import { drawRate, maskRandom, roundRandomly, UNMASKED, type MaskVocabulary } from "./masking.js";

const vocabulary: MaskVocabulary = { maskId: 2, special: new Set([0, 1, 2]), vocabSize: 50 };
const rng = Rng.fromSeed(3);
const ids = Int32Array.from({ length: 1000 }, (_, i) => (i % 10 === 9 ? 1 : 3 + (i % 47)));

test("everything is picked at rate 1, but no special token", () => {
  const masked = maskRandom(Int32Array.of(7, 0, 8, 9, 1), { rate: 1, replacement: "full" }, vocabulary, rng);
  expect(masked).toEqual({
    input: Int32Array.of(2, 0, 2, 2, 1),
    labels: Int32Array.of(7, UNMASKED, 8, 9, UNMASKED),
    count: 3,
  });
});

test.each(["full", "80-10-10"] as const)("%s: labels restore the original, special tokens stay", (replacement) => {
  for (let draw = 0; draw < 20; draw++) {
    const { input, labels, count } = maskRandom(ids, { rate: 0.15, replacement }, vocabulary, rng.split(draw));
    expect(input.map((id, i) => (labels[i] === UNMASKED ? id : labels[i]!))).toEqual(ids);
    expect(labels.filter((label) => label !== UNMASKED)).toHaveLength(count);
    for (let i = 9; i < ids.length; i += 10) expect([input[i], labels[i]]).toEqual([1, UNMASKED]);
    // 900 tokens are eligible: exactly 135, for 0.15 * 900 is whole.
    expect(count).toBe(135);
    if (replacement === "full") expect(labels.every((label, i) => label === UNMASKED || input[i] === 2)).toBe(true);
  }
});

test("80-10-10: of 13,500 picked tokens 80% are masks, 10% other tokens, 10% the same", () => {
  let [masks, same, total] = [0, 0, 0];
  for (let draw = 0; draw < 100; draw++) {
    const options = { rate: 0.15, replacement: "80-10-10" } as const;
    const { input, labels } = maskRandom(ids, options, vocabulary, rng.split("b", draw));
    labels.forEach((label, i) => {
      if (label === UNMASKED) return;
      total += 1;
      if (input[i] === 2) masks += 1;
      else if (input[i] === label) same += 1;
      else expect(input[i]).toBeGreaterThan(2);
    });
  }
  // Five standard errors: sqrt(.8 * .2 / 13500) = .0034. A random token is the same one time in 47.
  expect(Math.abs(masks / total - 0.8)).toBeLessThan(0.017);
  expect(Math.abs(same / total - (0.1 + 0.1 / 47))).toBeLessThan(0.013);
});

test("every place is picked equally often", () => {
  const counts = new Float64Array(10);
  const ten = Int32Array.from({ length: 10 }, (_, i) => 3 + i);
  for (let draw = 0; draw < 4000; draw++) {
    const { labels } = maskRandom(ten, { rate: 0.3, replacement: "full" }, vocabulary, rng.split("c", draw));
    labels.forEach((label, i) => (counts[i]! += label === UNMASKED ? 0 : 1));
  }
  // 1200 expected at each, standard deviation sqrt(4000 * .3 * .7) = 29.
  for (const count of counts) expect(Math.abs(count - 1200)).toBeLessThan(145);
});

describe("rates", () => {
  test("a short text gets its fair share: 0.15 of one token is one time in 6.7", () => {
    let picked = 0;
    for (let draw = 0; draw < 10_000; draw++) {
      picked += maskRandom(
        Int32Array.of(9),
        { rate: 0.15, replacement: "full" },
        vocabulary,
        rng.split("d", draw),
      ).count;
    }
    expect(Math.abs(picked / 10_000 - 0.15)).toBeLessThan(0.018);
  });

  test("uniform rates fill their interval", () => {
    const rates = Array.from({ length: 2000 }, (_, draw) => drawRate({ uniform: [0.1, 0.5] }, rng.split("e", draw)));
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(0.1);
    expect(Math.max(...rates)).toBeLessThan(0.5);
    expect(Math.abs(rates.reduce((a, b) => a + b) / 2000 - 0.3)).toBeLessThan(0.013);
  });

  test("random rounding keeps the mean and whole numbers", () => {
    let sum = 0;
    for (let draw = 0; draw < 4000; draw++) sum += roundRandomly(2.25, rng.split("f", draw));
    expect(Math.abs(sum / 4000 - 2.25)).toBeLessThan(0.035);
    expect(roundRandomly(3, rng)).toBe(3);
    expect(roundRandomly(0, rng)).toBe(0);
  });
});

test("the empty document", () => {
  expect(maskRandom(new Int32Array(0), { rate: 0.15, replacement: "full" }, vocabulary, rng)).toEqual({
    input: new Int32Array(0),
    labels: new Int32Array(0),
    count: 0,
  });
});
