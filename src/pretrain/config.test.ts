import { expect, test } from "vitest";
import { parseStage1Config, parseStage2Config } from "./config.js";
import { matryoshkaOf } from "./run.js";

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
  expect(parseStage2Config({ steps: 10 }).chunk).toBe("auto");
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

test.each([
  [{ batch: 1 }, /batch: expected at least 2, got 1: one pair alone has no negatives/],
  [{ loss: { temperature: 0 } }, /loss.temperature: .*expected a number above 0, got 0/],
  [{ loss: { temperature: -1 } }, /loss.temperature: .*expected a number above 0, got -1/],
  [{ loss: { temperature: { learn: 0 } } }, /loss.temperature.learn: expected a number above 0, got 0/],
  [{ loss: { temperature: { learn: 2 } } }, /expected min <= learn <= max, got 0.01, 2, 1/],
  [{ loss: { temperature: { learn: 0.1, min: 0.2 } } }, /expected min <= learn <= max, got 0.2, 0.1, 1/],
  [{ loss: { duplicates: "drop" } }, /loss.duplicates/],
  [{ loss: { modality: "image" } }, /loss.modality/],
  [{ loss: { modality: [] } }, /loss.modality/],
  [{ loss: { matryoshka: { dims: [64, 128] } } }, /loss.matryoshka.dims: expected widths in descending order/],
  [{ loss: { matryoshka: { dims: [64], weights: [1, 2] } } }, /weights: expected one weight for each of dims/],
  [{ chunk: "all" }, /chunk/],
])("stage 2 refuses %o", (value, message) => {
  expect(() => parseStage2Config({ steps: 1, ...value })).toThrow(message);
});

test("stage 2's loss as it may be written", () => {
  const loss = {
    temperature: { learn: 0.07, max: 0.5 },
    duplicates: "mask",
    modality: ["bimodal", "code"],
    matryoshka: { dims: [256, 64], weights: [1, 0.5] },
  } as const;
  expect(parseStage2Config({ steps: 1, chunk: "auto", loss })).toMatchObject({ chunk: "auto", loss });
});

test("a checkpoint knows the lengths that it trained vectors to be cut to", () => {
  const meta = (training: unknown) => ({ meta: { config: { model: {}, training } } }) as never;
  const dims = [256, 64];
  expect(matryoshkaOf(meta(parseStage2Config({ steps: 1, loss: { matryoshka: { dims } } })))).toEqual(dims);
  expect(matryoshkaOf(meta(parseStage2Config({ steps: 1 })))).toBeUndefined();
  expect(matryoshkaOf(meta(parseStage1Config({ steps: 1 })))).toBeUndefined();
});
