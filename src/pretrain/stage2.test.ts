import { expect, test } from "vitest";
import { toyTokenizer } from "../../test/helpers/pretrain.js";
import { pairs } from "../../test/helpers/pretrain-runs.js";
import { sizeWith } from "../model/index.js";
import { stage2Plan, type Stage2ConfigInput } from "./index.js";

const plan = (loss: Stage2ConfigInput["loss"], dropout = 0.1) =>
  stage2Plan({
    config: { steps: 1, batch: 8, textLength: 24, codeLength: 48, loss },
    model: sizeWith("nano", { vocabSize: 1000, width: 32, heads: 2, layers: 1, maxLength: 64, dropout }),
    tokenizer: toyTokenizer,
    corpus: { hash: "pairs", pairs },
  });

test("widths beyond the model's are refused before anything is read", async () => {
  await expect(plan({ matryoshka: { dims: [64, 32] } })).rejects.toMatchObject({
    code: "config.invalid",
    message: "stage 2 config: loss.matryoshka.dims: expected at most the model's width 32, got 64",
  });
  await expect(plan({ matryoshka: { dims: [32, 16] } })).resolves.toMatchObject({ stage: "stage2" });
});

test("a side compared with itself needs dropout", async () => {
  for (const modality of ["code", "text", "both", ["bimodal", "code"]] as const) {
    await expect(plan({ modality: typeof modality === "string" ? modality : [...modality] }, 0)).rejects.toThrow(
      "stage 2 config: loss.modality: expected a model with dropout, got rate 0",
    );
  }
  await expect(plan({ modality: "bimodal" }, 0)).resolves.toMatchObject({ stage: "stage2" });
  await expect(plan({ modality: "both" })).resolves.toMatchObject({ stage: "stage2" });
});

test("metrics name the temperature, fixed or learned", async () => {
  const fixed = await plan({ temperature: 0.07 });
  expect(fixed.summarise({ loss: 1 }, { tokens: 9 })).toEqual({ temperature: 0.07, loss: 1, tokens: 9 });
  const learned = await plan({ temperature: { learn: 0.07 } });
  expect(learned.summarise({ loss: 1, temperature: 0.06 }, {})).toEqual({ loss: 1, temperature: 0.06 });
});
