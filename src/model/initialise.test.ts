import { describe, expect, test } from "vitest";
import { Rng } from "../base/index.js";
import { initialise } from "./initialise.js";
import { parameterShapes } from "./parameters.js";
import { sizeWith } from "./sizes.js";

const config = sizeWith("nano", { vocabSize: 2000 });
const parameters = initialise(config, Rng.fromSeed(1));

function moments(values: Float32Array): { mean: number; std: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return { mean, std: Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length) };
}

describe("initialise", () => {
  test("has the shapes of parameterShapes, in order", () => {
    const shapes = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, value.dims]));
    expect(Object.entries(shapes)).toEqual(Object.entries(parameterShapes(config)));
  });

  // The standard error of a standard deviation over n draws is std / sqrt(2n); five of them is the tolerance.
  test.each([
    ["wte.weight", 0.02],
    ["wpe.weight", 0.02],
    ["h.2.attn.c_attn.weight", 0.02],
    ["h.2.mlp.c_fc.weight", 0.02],
    ["h.2.attn.c_proj.weight", 0.02 / Math.sqrt(8)],
    ["h.2.mlp.c_proj.weight", 0.02 / Math.sqrt(8)],
  ])("%s is normal with std %f", (name, std) => {
    const values = parameters[name]!.data;
    const found = moments(values);
    expect(Math.abs(found.std / std - 1)).toBeLessThan(5 / Math.sqrt(2 * values.length));
    expect(Math.abs(found.mean)).toBeLessThan((5 * std) / Math.sqrt(values.length));
    const beyond = values.filter((x) => Math.abs(x) > 1.96 * std).length / values.length;
    expect(Math.abs(beyond - 0.05)).toBeLessThan(0.01);
  });

  test("LayerNorm is 1 and 0, biases are 0", () => {
    for (const [name, { data }] of Object.entries(parameters)) {
      if (name.endsWith(".bias")) expect(data.every((x) => x === 0)).toBe(true);
      if (/ln_(1|2|f)\.weight$/.test(name)) expect(data.every((x) => x === 1)).toBe(true);
    }
  });

  test("the same seed gives the same weights, another one others, and streams are independent", () => {
    expect(initialise(config, Rng.fromSeed(1))["h.1.mlp.c_fc.weight"]).toEqual(parameters["h.1.mlp.c_fc.weight"]);
    expect(initialise(config, Rng.fromSeed(2))["h.1.mlp.c_fc.weight"]).not.toEqual(parameters["h.1.mlp.c_fc.weight"]);
    const shallow = initialise(sizeWith("nano", { vocabSize: 2000, layers: 2 }), Rng.fromSeed(1));
    expect(shallow["h.1.mlp.c_fc.weight"]).toEqual(parameters["h.1.mlp.c_fc.weight"]);
    expect(moments(parameters["h.1.mlp.c_fc.weight"]!.data)).not.toEqual(
      moments(parameters["h.2.mlp.c_fc.weight"]!.data),
    );
  });

  test('residualInit "zero" makes blocks start as the identity', () => {
    const zeroed = initialise(sizeWith("nano", { vocabSize: 2000, residualInit: "zero" }), Rng.fromSeed(1));
    expect(zeroed["h.3.attn.c_proj.weight"]!.data.every((x) => x === 0)).toBe(true);
    expect(zeroed["h.3.mlp.c_proj.weight"]!.data.every((x) => x === 0)).toBe(true);
    expect(zeroed["h.3.mlp.c_fc.weight"]).toEqual(parameters["h.3.mlp.c_fc.weight"]);
  });

  test("contextInit adds the identity to attention's values and, so many times, to its output", () => {
    const changed = initialise(sizeWith("nano", { vocabSize: 2000, contextInit: 0.25 }), Rng.fromSeed(1));
    const added = (name: string): number[] =>
      [...changed[name]!.data].map((value, i) => Math.round(1e6 * (value - parameters[name]!.data[i]!)) / 1e6);
    const width = 128;
    const identity = (columns: number, from: number, value: number): number[] =>
      Array.from({ length: width * columns }, (_, i) => (i % columns === from + Math.floor(i / columns) ? value : 0));
    for (const block of [0, 3]) {
      expect(added(`h.${block}.attn.c_attn.weight`)).toEqual(identity(3 * width, 2 * width, 1));
      expect(added(`h.${block}.attn.c_proj.weight`)).toEqual(identity(width, 0, 0.25));
    }
    for (const name of Object.keys(parameters).filter((each) => !each.includes(".attn.c_"))) {
      expect(changed[name]).toEqual(parameters[name]);
    }
  });
});
