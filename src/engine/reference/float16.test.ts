import { expect, test } from "vitest";
import { fromFloat16, toFloat16 } from "./_float16.js";

test("worked by hand (IEEE 754 binary16)", () => {
  const pairs: [number, number][] = [
    [0x0000, 0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
  ];
  for (const [bits, value] of pairs) {
    expect(fromFloat16(bits)).toBe(value);
    expect(toFloat16(value)).toBe(bits);
  }
  expect(toFloat16(-0)).toBe(0x8000);
  expect(fromFloat16(toFloat16(Number.NaN))).toBeNaN();
});

test("halfway goes to the even neighbour, past the largest to infinity", () => {
  expect(toFloat16(1 + 2 ** -11)).toBe(0x3c00);
  expect(toFloat16(1 + 3 * 2 ** -11)).toBe(0x3c02);
  expect(toFloat16(2 ** -25)).toBe(0x0000);
  expect(toFloat16(2 - 2 ** -12)).toBe(0x4000);
  expect(toFloat16(65519.9)).toBe(0x7bff);
  expect(toFloat16(65520)).toBe(0x7c00);
});

test("every half survives the way there and back", () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = fromFloat16(bits);
    if (!Number.isNaN(value)) expect(toFloat16(value)).toBe(bits);
  }
});
