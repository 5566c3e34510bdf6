import { expect, test } from "vitest";
import { Rng, threefry2x32 } from "./rng.js";

test("threefry matches the published known answers (Random123 kat_vectors, threefry2x32 20 rounds)", () => {
  const out = new Uint32Array(2);
  threefry2x32(0, 0, 0, 0, out);
  expect([...out]).toEqual([0x6b200159, 0x99ba4efe]);
  threefry2x32(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, out);
  expect([...out]).toEqual([0x1cb996fc, 0xbb002be7]);
  threefry2x32(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, out);
  expect([...out]).toEqual([0xc4923a9c, 0x483df7a0]);
});

test("splitting needs no history and labels matter", () => {
  const rng = Rng.fromSeed(1);
  const before = rng.split("mask", 3).uint32();
  for (let i = 0; i < 7; i++) rng.uint32();
  expect(rng.split("mask", 3).uint32()).toBe(before);
  const firsts = [rng.split("mask", 4), rng.split("data", 3), rng.split(3, "mask"), Rng.fromSeed(2).split("mask", 3)];
  expect(new Set([before, ...firsts.map((one) => one.uint32())]).size).toBe(5);
});

test("a stream goes on exactly from its state", () => {
  const rng = Rng.fromSeed(5);
  for (let i = 0; i < 11; i++) rng.uint32();
  const again = Rng.fromState(JSON.parse(JSON.stringify(rng.state)) as typeof rng.state);
  expect(Array.from({ length: 9 }, () => again.uint32())).toEqual(Array.from({ length: 9 }, () => rng.uint32()));
});

test("moments of the draws", () => {
  const rng = Rng.fromSeed(7);
  const n = 100_000;
  let [uniform, normal, square] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    uniform += rng.uniform();
    const z = rng.normal();
    normal += z;
    square += z * z;
  }
  expect(uniform / n).toBeCloseTo(0.5, 2);
  expect(normal / n).toBeCloseTo(0, 1.5);
  expect(square / n).toBeCloseTo(1, 1.5);
});

test("int is unbiased over its range and permutation is one", () => {
  const rng = Rng.fromSeed(9);
  const counts = [0, 0, 0];
  for (let i = 0; i < 30_000; i++) counts[rng.int(3)]! += 1;
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  const order = rng.permutation(1000);
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect([...order]).not.toEqual([...order].sort((a, b) => a - b));
  expect(() => rng.int(0)).toThrow(/expected a bound/);
});
