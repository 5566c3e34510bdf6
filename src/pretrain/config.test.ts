import { expect, test } from "vitest";
import { parseStage1Config, parseStage2Config } from "./config.js";

test("defaults of stage 1 are the method's, and the result is frozen", () => {
  const config = parseStage1Config({ steps: 10 });
  expect(config).toMatchObject({
    objective: "P",
    masking: { rate: 0.15, replacement: "full" },
    deobfuscation: { share: 1 },
    optimizer: { learningRate: 3e-4, clip: 1 },
    checkpoints: { everySteps: null, keep: 2 },
  });
  expect(Object.isFrozen(config.masking)).toBe(true);
});

test("defaults of stage 2: temperature 0.05, hard negatives as the paper prints them", () => {
  expect(parseStage2Config({ steps: 10 }).loss).toEqual({
    temperature: 0.05,
    weighting: "hard",
    normalisation: "paper",
    detach: false,
  });
});

test.each([
  [{ steps: 10, objektive: "R" }, "config.unknown-key", /objektive/],
  [{ steps: 10, masking: { ratio: 1 } }, "config.unknown-key", /ratio/],
  [{ steps: 0 }, "config.invalid", /steps/],
  [{ steps: 10, optimizer: { warmup: 11 } }, "config.invalid", /optimizer.warmup: expected no more than steps/],
  [{ steps: 10, masking: { rate: { uniform: [0.5, 0.1] } } }, "config.invalid", /masking.rate/],
  [{ steps: 10, objective: "X" }, "config.invalid", /objective/],
])("stage 1 refuses %o", (value, code, message) => {
  expect(() => parseStage1Config(value)).toThrow(expect.objectContaining({ code }));
  expect(() => parseStage1Config(value)).toThrow(message);
});

test("stage 2 refuses a batch of one: there would be no negatives", () => {
  expect(() => parseStage2Config({ steps: 1, batch: 1 })).toThrow(/batch/);
});
