import { describe, expect, test } from "vitest";
import { Rng, UserError } from "../base/index.js";
import { initialise, parameterShapes, sizeWith } from "../model/index.js";
import { LossWatch } from "./_loss-watch.js";
import { automaticChunk, isOutOfMemory, outOfMemory, updateBytes } from "./memory.js";

describe("the alarm of a jumping loss", () => {
  const rng = Rng.fromSeed(2);
  const falling = (step: number): number => 3 + 6 * Math.exp(-step / 200) + 0.05 * rng.normal();

  test("is silent on a loss that falls with noise", () => {
    const watch = new LossWatch();
    for (let step = 0; step < 2000; step++) expect(watch.note(falling(step)), String(step)).toBeUndefined();
  });

  test("tells a jump with what the loss was before, once", () => {
    const watch = new LossWatch();
    for (let step = 0; step < 500; step++) watch.note(falling(step));
    expect(watch.note(9)).toBeCloseTo(falling(500), 0);
    expect(watch.note(9)).toBeUndefined();
  });
});

describe("out of memory", () => {
  const model = sizeWith("tiny", {});
  const size = { items: 64, length: 256, masked: 1 / 3 };

  test.each([
    [new UserError("engine.memory", "program: got CUDA out of memory"), true],
    [new Error("Non-zero status code: bad allocation"), true],
    [new Error("std::bad_alloc"), true],
    [new Error("the loss is not finite"), false],
  ])("%s", (error, expected) => expect(isOutOfMemory(error)).toBe(expected));

  test("the state is four numbers a parameter", () => {
    const parameters = Object.values(initialise(model, Rng.fromSeed(1))).reduce(
      (sum, { data }) => sum + data.length,
      0,
    );
    expect(Object.keys(parameterShapes(model)).length).toBeGreaterThan(10);
    expect(updateBytes(model, size).state).toBe(16 * parameters);
  });

  test("names how many would fit, at most half of what was tried, in the memory that the error names", () => {
    const { state, item } = updateBytes(model, size);
    const gigabytes = (state + 20 * item) / 0.8 / 2 ** 30;
    const cuda = new UserError("engine.memory", `GPU 0 has a total capacity of ${gigabytes.toFixed(4)} GiB`);
    const error = outOfMemory(cuda, model, size);
    expect(error.code).toBe("train.out-of-memory");
    expect(Number(/training\.chunk to (\d+):/.exec(error.fix!)![1])).toBeGreaterThanOrEqual(19);
    expect(Number(/training\.chunk to (\d+):/.exec(error.fix!)![1])).toBeLessThanOrEqual(20);
    expect(outOfMemory(new Error("bad_alloc"), model, { ...size, items: 2 }).fix).toContain("training.chunk to 1:");
    expect(outOfMemory(new Error("bad_alloc"), model, { ...size, items: 1 }).fix).toContain("smaller model");
  });
});

describe("chunks by memory", () => {
  const tiny = sizeWith("tiny", {});
  const sizes = { textLength: 64, codeLength: 128 };
  const gigabytes = (count: number): number => count * 2 ** 30;

  test("all at once where half of the memory holds the batch, else a power of two that fits", () => {
    expect(automaticChunk(tiny, { batch: 16, ...sizes }, gigabytes(8))).toBeNull();
    expect(automaticChunk(tiny, { batch: 8192, ...sizes }, gigabytes(8))).toBe(64);
    expect(automaticChunk(tiny, { batch: 8192, ...sizes }, gigabytes(1024))).toBeNull();
    const small = automaticChunk(tiny, { batch: 8192, ...sizes }, gigabytes(1));
    const { state, item } = updateBytes(tiny, { items: 1, length: 128, masked: 0 });
    expect(state + small! * item).toBeLessThanOrEqual(gigabytes(0.5));
    expect(state + 2 * small! * item).toBeGreaterThan(gigabytes(0.5));
    expect(automaticChunk(tiny, { batch: 8192, ...sizes }, 1)).toBe(1);
  });

  test("a bag has no states, but counts of every token", () => {
    const { item } = updateBytes(sizeWith("bag", {}), { items: 1, length: 128, masked: 0 });
    expect(item).toBe(4 * 3 * 16_384);
  });
});
