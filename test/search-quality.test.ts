import { expect, test } from "vitest";
import { plainSubject } from "../bench/quality/changes.js";
import { blanked, drawn, honest, stripped, type Question } from "../bench/quality/questions.js";
import { ndcgOf } from "../bench/quality/score.js";
import { questionsOf } from "../bench/quality/set.js";
import { Rng } from "../src/base/index.js";

const PYTHON = `"""Reads and writes the calendars of the world."""

class Calendar:
    """Keeps the days that are no working days."""

    def next_day(self, day):
        """Finds the next working day after a given one."""
        day += 1
        while day in self.free:
            day += 1
        return day
`;
const FILES = new Map([
  ["src/calendar.py", PYTHON],
  [
    "tests/test_calendar.py",
    'def test_next_day():\n    """Tests the next working day of all."""\n    a = 1\n    b = 2\n    assert a\n',
  ],
  ["README.md", "# Calendars\n"],
]);

test("documentation is taken out line by line, and becomes questions with their places", async () => {
  const { files, questions } = await stripped(FILES);
  const text = files.get("src/calendar.py")!;
  expect(text.split("\n")).toHaveLength(PYTHON.split("\n").length);
  for (const gone of ["working day", "calendars of the world"]) expect(text).not.toContain(gone);
  expect(text).toContain("while day in self.free");
  const of = (kind: string): unknown =>
    questions.filter((one) => one.kind === kind).map(({ text, answers }) => [text, answers]);
  expect(of("functions")).toEqual([
    ["Finds the next working day after a given one.", [{ path: "src/calendar.py", lines: [6, 11] }]],
  ]);
  expect(of("classes")).toEqual([
    ["Reads and writes the calendars of the world.", [{ path: "src/calendar.py" }]],
    ["Keeps the days that are no working days.", [{ path: "src/calendar.py" }]],
  ]);
  expect(of("symbols")).toEqual([
    ["next_day", [{ path: "src/calendar.py", lines: [6, 11] }]],
    ["Calendar", [{ path: "src/calendar.py", lines: [3, 3] }]],
  ]);
});

test("what still stands somewhere, or is asked twice, is not asked", () => {
  const question = (text: string): Question => ({ kind: "functions", text, answers: [{ path: "a" }] });
  const asked = [
    question("Opens the door."),
    question("Shuts the door."),
    question("shuts the door."),
    question("Paints a wall."),
  ];
  const files = new Map([["README.md", "It *opens\n the* door"]]);
  expect(honest(asked, files).map(({ text }) => text)).toEqual(["Paints a wall."]);
});

test("the same seed gives the same questions, another one others", async () => {
  const body = (i: number): string =>
    `def f${i}_name(x):\n    """Turns number ${i} into a word of some kind."""\n    y = x\n    z = y\n    return z\n`;
  const files = new Map([["a.py", Array.from({ length: 40 }, (_, i) => body(i)).join("\n")]]);
  const of = async (seed: number): Promise<string[]> => {
    const repository = { origin: "git:a/b", version: "1", files, git: undefined };
    return (await questionsOf(repository, { perKind: 5, rng: Rng.fromSeed(seed) })).questions.map(({ text }) => text);
  };
  expect(await of(1)).toEqual(await of(1));
  expect(await of(1)).toHaveLength(10);
  expect(await of(1)).not.toEqual(await of(2));
  expect(drawn([], 5, Rng.fromSeed(1))).toEqual([]);
});

test("spans may overlap; line breaks stay", () => {
  expect(
    blanked("ab\ncd\nef", [
      [1, 4],
      [3, 7],
    ]),
  ).toBe("a\n\nf");
});

test.each([
  ["fix(core): handle EINTR on flush (#123)", "handle EINTR on flush"],
  ["lib/url.c: Check the port range. Fixes #4", "Check the port range"],
  ["Merge pull request 7", ""],
  ["bump version to 2", ""],
])("%s", (subject, plain) => {
  expect(plainSubject(subject)).toBe(plain);
});

test("NDCG@10 by hand: each right place at the first hit that shows it", () => {
  const hit = (path: string, startLine: number, endLine: number) => ({ path, startLine, endLine });
  const hits = [hit("b", 1, 9), hit("a", 1, 9), hit("a", 10, 20), hit("c", 1, 2)];
  expect(ndcgOf({ answers: [{ path: "a", lines: [12, 14] }] }, hits)).toBeCloseTo(1 / Math.log2(4), 10);
  expect(ndcgOf({ answers: [{ path: "a" }, { path: "c" }] }, hits)).toBeCloseTo(
    (1 / Math.log2(3) + 1 / Math.log2(5)) / (1 + 1 / Math.log2(3)),
    10,
  );
  expect(ndcgOf({ answers: [{ path: "a", lines: [30, 31] }] }, hits)).toBe(0);
});
