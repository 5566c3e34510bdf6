import { expect, test } from "vitest";
import { barChart, escapeHtml, lineChart, niceTicks } from "./charts.js";

test("ticks are round and enclose the data", () => {
  expect(niceTicks(0.3, 9.7, 5)).toEqual([0, 2, 4, 6, 8, 10]);
  expect(niceTicks(3, 3, 5).length).toBeGreaterThan(1);
});

test("a line goes from the first to the last point, larger values higher", () => {
  const svg = lineChart("loss", "step", [{ label: "R", colour: "--a", points: [[0, 10], [5, 5], [10, 0]] }]); // prettier-ignore
  const [, first, last] = /d="M[\d.]+ ([\d.]+)L.*L[\d.]+ ([\d.]+)"/.exec(svg)!;
  expect(Number(first)).toBeLessThan(Number(last));
  expect(svg).toContain("at the end: R 0");
});

test("bars are proportional to their values", () => {
  const svg = barChart("MRR", [
    { label: "a", value: 0.2, colour: "--a" },
    { label: "b", value: 0.4, colour: "--b" },
  ]);
  const widths = [...svg.matchAll(/width="([\d.]+)" height/g)].map((match) => Number(match[1]));
  expect(widths[1]! / widths[0]!).toBeCloseTo(2, 1);
  expect(svg).toContain("0.200");
});

test("source code cannot break out of the page", () => {
  expect(escapeHtml(`<img src=x onerror="a('b')">&`)).not.toMatch(/[<>"']/);
});
