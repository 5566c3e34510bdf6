import { expect, test } from "vitest";
import { compareVersions, isExactDebian, inRange } from "./debian-version.js";

// The order as `dpkg --compare-versions` (1.21.22) gives it, each below the next.
const SORTED = [
  "1.0~beta1~svn1245",
  "1.0~beta1",
  "1.0",
  "1.0-1",
  "1.0-1+b1",
  "1.0-1.1",
  "1.0-2",
  "1.0a-1",
  "1.0+dfsg-1",
  "1.0.1-1~deb12u1",
  "1.0.1-1",
  "1.2-1",
  "1.10-1",
  "1:0.1",
];

test("versions sort as dpkg sorts them", () => {
  for (const [i, a] of SORTED.entries()) {
    for (const [j, b] of SORTED.entries()) expect(Math.sign(compareVersions(a, b)), `${a} ${b}`).toBe(Math.sign(i - j));
  }
  expect(compareVersions("0:1.0-0", "1.0")).toBe(0);
});

test("the versions in a range, the newest first", () => {
  const there = ["1.9-1", "1.10-1", "2.0-1", "1.10~rc1-1"];
  expect(inRange(there, "*")).toEqual(["2.0-1", "1.10-1", "1.10~rc1-1", "1.9-1"]);
  expect(inRange(there, ">= 1.9, << 2")[0]).toBe("1.10-1");
  expect(inRange(there, "= 1.9-1")).toEqual(["1.9-1"]);
  expect(inRange(there, ">> 2.0-1")).toEqual([]);
  expect([">= 1", "*", "1.0-1", "2:1.0"].map(isExactDebian)).toEqual([false, false, true, true]);
});
