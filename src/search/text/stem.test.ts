import { expect, test } from "vitest";
import { searchStem } from "./stem.js";

test.each([
  ["authentic", "authentication authenticated authenticate authenticator"],
  ["configur", "configuration configured configure configures"],
  ["pars", "parser parsing parse parsed"],
  ["control", "controllers controlling control"],
  ["format", "formatting formatter formatted format"],
  ["iter", "iterator iterate iteration iterating"],
  ["serializ", "serialization serializer serialize"],
  ["manag", "management manager manage"],
  ["execut", "execution executor execute"],
  ["rend", "renderer rendering render"],
])("%s", (stem, words) => {
  expect(words.split(" ").map(searchStem)).toEqual(words.split(" ").map(() => stem));
});

test("short words keep what they are, stems of stems are themselves", () => {
  const short = ["user", "option", "action", "date", "node", "error", "order", "query", "class"];
  expect(new Set(short.map(searchStem)).size).toBe(short.length);
  for (const word of ["authentication", "generators", "renderer", "comparison"]) {
    expect(searchStem(searchStem(word))).toBe(searchStem(word));
  }
});
