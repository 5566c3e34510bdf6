import { expect, test } from "vitest";
import type { ProgressEvent } from "../base/index.js";
import { bar, clock, describe as inWords, ProgressDisplay, table, thousands, type Screen } from "./terminal.js";

const half: ProgressEvent = {
  kind: "progress",
  stage: "stage1",
  done: 500,
  total: 1000,
  unit: "steps",
  elapsedSeconds: 61,
  etaSeconds: 63,
  note: "loss 4.21",
};

function screen(isTTY: boolean): Screen & { text: string } {
  return {
    text: "",
    isTTY,
    columns: 80,
    write(piece: string) {
      this.text += piece;
    },
  };
}

test("an event in words says how much, how long and how well", () => {
  expect(inWords(half)).toBe("stage1 500/1,000 steps (50%), 1:03 left, loss 4.21");
  expect(inWords({ ...half, done: 1000, etaSeconds: 0 })).toBe("stage1 1,000/1,000 steps (100%), in 1:01, loss 4.21");
  expect(inWords({ ...half, total: undefined, etaSeconds: undefined })).toBe(
    "stage1 500 steps, 1:01 so far, loss 4.21",
  );
});

test("a bar fits the terminal, and its filled part is the share done", () => {
  expect(bar(half, 200).length).toBeLessThan(80);
  const drawn = bar(half, 70);
  expect(drawn.length).toBe(70);
  expect(drawn.match(/█/g)!.length - drawn.match(/░/g)!.length).toBeLessThanOrEqual(1);
  expect(bar(half, 30).length).toBe(30);
});

test("on a terminal the bar is redrawn in place and lines go above it", () => {
  const tty = screen(true);
  const display = new ProgressDisplay(tty);
  display.show(half);
  display.show({ ...half, done: 600 });
  display.line("hello");
  display.end();
  expect(tty.text.split("\n")).toHaveLength(2);
  expect(tty.text.endsWith("\r\u001b[2Khello\n")).toBe(true);
});

test("elsewhere a plain line comes every five seconds, and the last state always", () => {
  let now = 0;
  const file = screen(false);
  const display = new ProgressDisplay(file, () => now);
  for (now = 0; now <= 11; now++) display.show({ ...half, done: now });
  display.end();
  expect(file.text.match(/^stage1 \d+/gm)).toEqual(["stage1 0", "stage1 5", "stage1 10", "stage1 11"]);
  expect(file.text).not.toMatch(/[\r█]/);
});

test("an end that several levels report is shown once", () => {
  const file = screen(false);
  const display = new ProgressDisplay(file, () => 0);
  for (const done of [1000, 1000, 1, 1000]) display.show({ ...half, done });
  display.end();
  expect(file.text.match(/^stage1 [\d,]+/gm)).toEqual(["stage1 1,000", "stage1 1,000"]);
});

test("times and numbers read as people write them", () => {
  expect([0, 59.4, 60, 3599, 3849].map(clock)).toEqual(["0 s", "59 s", "1:00", "59:59", "1:04:09"]);
  expect([0, 999, 1000, 1234567].map(thousands)).toEqual(["0", "999", "1,000", "1,234,567"]);
});

test("a table aligns text left and numbers right", () => {
  expect(
    table([
      ["model", "MRR"],
      ["bm25", "0.333"],
      ["ours", "0.41"],
    ]),
  ).toBe("model    MRR\nbm25   0.333\nours    0.41");
});
