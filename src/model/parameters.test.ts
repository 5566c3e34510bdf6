import { describe, expect, test } from "vitest";
import { parseModelConfig } from "./config.js";
import { isDecayed, isEmbedding, parameterCount, parameterShapes } from "./parameters.js";
import { SIZES, sizeWith } from "./sizes.js";

describe("parameter counts", () => {
  test("the paper's three sizes, exactly", () => {
    expect(parameterCount(SIZES.small)).toBe(126_959_616);
    expect(parameterCount(SIZES.base)).toBe(353_691_648);
    expect(parameterCount(SIZES.large)).toBe(1_311_363_072);
  });

  test("nano by hand: 16384*128 + 1024*128 + 4*(12*128*128 + 13*128) + 2*128", () => {
    expect(parameterCount(SIZES.nano)).toBe(2_097_152 + 131_072 + 4 * (196_608 + 1_664) + 256);
  });

  test("a static bag is token vectors and a weight per token", () => {
    const bag = sizeWith("nano", { layers: 0, positions: false, finalNorm: false, pooling: "weighted" });
    expect(parameterShapes(bag)).toEqual({ "wte.weight": [16_384, 128], "pool.token_weight.weight": [16_384, 1] });
    expect(parameterCount(SIZES.bag)).toBe(16_384 * 257);
  });
});

test("names and orientation are GPT-2's", () => {
  const shapes = parameterShapes(sizeWith("nano", { layers: 1, vocabSize: 50, maxLength: 8 }));
  expect(Object.entries(shapes).map(([name, shape]) => `${name} ${shape.join("x")}`)).toEqual([
    "wte.weight 50x128",
    "wpe.weight 8x128",
    "h.0.ln_1.weight 128",
    "h.0.ln_1.bias 128",
    "h.0.attn.c_attn.weight 128x384",
    "h.0.attn.c_attn.bias 384",
    "h.0.attn.c_proj.weight 128x128",
    "h.0.attn.c_proj.bias 128",
    "h.0.ln_2.weight 128",
    "h.0.ln_2.bias 128",
    "h.0.mlp.c_fc.weight 128x512",
    "h.0.mlp.c_fc.bias 512",
    "h.0.mlp.c_proj.weight 512x128",
    "h.0.mlp.c_proj.bias 128",
    "ln_f.weight 128",
    "ln_f.bias 128",
  ]);
});

test("decay is for matrices only; embeddings are named", () => {
  const shapes = parameterShapes(sizeWith("nano", { layers: 1, pooling: "weighted" }));
  const decayed = Object.keys(shapes).filter((name) => isDecayed(name, shapes[name]!));
  expect(decayed).toEqual([
    "wte.weight",
    "wpe.weight",
    "h.0.attn.c_attn.weight",
    "h.0.attn.c_proj.weight",
    "h.0.mlp.c_fc.weight",
    "h.0.mlp.c_proj.weight",
  ]);
  expect(Object.keys(shapes).filter(isEmbedding)).toEqual(["wte.weight", "wpe.weight", "pool.token_weight.weight"]);
});

describe("config", () => {
  const plain = { layers: 1, heads: 2, width: 4, vocabSize: 9, maxLength: 8, padId: 0, eosId: 1, maskId: 2 };

  test("defaults are the paper's, and the result is frozen", () => {
    const config = parseModelConfig(plain);
    expect(config).toMatchObject({
      gelu: "tanh",
      layerNormEps: 1e-5,
      dropout: 0.1,
      positions: true,
      finalNorm: true,
      pooling: "mean",
      poolStates: "final",
      residualInit: "scaled",
      contextInit: 0,
      headBias: "none",
      initStd: 0.02,
    });
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(SIZES.tiny)).toBe(true);
  });

  test.each([
    [{ ...plain, widht: 4 }, "config.unknown-key", /Unrecognized key: "widht"/],
    [{ ...plain, heads: 3 }, "config.invalid", /heads: expected a divisor of width 4, got 3/],
    [{ ...plain, maskId: 9 }, "config.invalid", /maskId: expected an id below vocabSize 9, got 9/],
    [{ ...plain, eosId: 0 }, "config.invalid", /padId: expected an id other than eosId/],
    [{ ...plain, dropout: 1 }, "config.invalid", /dropout/],
    [{ ...plain, layers: -1 }, "config.invalid", /layers/],
  ])("refuses %o", (value, code, message) => {
    expect(() => parseModelConfig(value)).toThrow(expect.objectContaining({ code }));
    expect(() => parseModelConfig(value)).toThrow(message);
  });
});
