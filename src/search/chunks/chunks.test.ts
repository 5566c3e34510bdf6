import { expect, test } from "vitest";
import { WordScanner } from "../text/words.js";
import { chunkFile } from "./chunk-file.js";

/** `START-END kind Scope::name` of each chunk. */
async function outline(path: string, text: string): Promise<string[]> {
  const chunks = await chunkFile(path, text);
  return chunks.map(
    ({ startLine, endLine, kind, scope, name }) => `${startLine}-${endLine} ${kind} ${[...scope, name].join("::")}`,
  );
}

test.each([
  [
    "a.py",
    'import os\n\nclass A:\n    """Docs."""\n    x = 1\n\n    # Adds.\n    def add(self):\n        return 1\n' +
      "    def long(self):\n        return 2\n\n\n\n\n\ndef f():\n    pass\n",
    ["1-1 module import os", "3-11 class A", "7-9 method A::add", "10-11 method A::long", "17-18 function f"],
  ],
  [
    "a.ts",
    "export const area = (r: number) => {\n  return r * r;\n};\ninterface Shape {\n  a: number;\n}\n",
    ["1-3 function area", "4-6 class Shape"],
  ],
  [
    "a.rs",
    "/// A point.\n#[derive(Debug)]\npub struct Point { x: i32 }\n\nimpl Point {\n    /// Makes one.\n    pub fn new() -> Self { Point { x: 1 } }\n}\n",
    ["1-3 class Point", "5-8 class Point", "6-7 method Point::new"],
  ],
  [
    "a.cpp",
    "namespace app {\n// A queue.\nclass Queue {\n public:\n  void push(int value) { n = value; }\n  int n;\n};\nint Foo::bar(int x) { return x; }\n}\n",
    ["2-7 class app::Queue", "5-5 method app::Queue::push", "8-8 method app::bar"],
  ],
  ["a.kt", "class Loader {\n    fun load(id: Int): Int = id\n}\n", ["1-3 class Loader", "2-2 method Loader::load"]],
  ["a.ex", "defmodule A do\n  def add(a, b) do\n    a + b\n  end\nend\n", ["1-5 class A", "2-4 method A::add"]],
  ["a.hs", "-- | Adds.\nadd :: Int -> Int\nadd 0 = 1\nadd a = a\n", ["2-4 function add"]],
  ["a.lua", "-- adds\nfunction M.add(a)\n  return a\nend\n", ["1-4 function add"]],
  ["a.sh", "# greets\ngreet() {\n  echo hi\n}\n", ["1-4 function greet"]],
  ["a.scala", "object Main {\n  def run(x: Int): Int = x\n}\n", ["1-3 class Main", "2-2 method Main::run"]],
  ["a.swift", "class A {\n  // loads\n  func load() {}\n}\n", ["1-1 class A", "2-4 method A::load"]],
  [
    "a.md",
    "intro\n\n# One\ntext\n\n## Two\n```sh\n# no title\n```\n",
    ["1-1 doc intro", "3-4 doc One", "6-9 doc One::Two"],
  ],
  ["a.yaml", "a: 1\n", ["1-1 config a: 1"]],
])("%s", async (path, text, expected) => {
  const found = await outline(path, text);
  for (const one of expected) expect(found).toContain(one);
});

test("words: parts, wholes, stems; as the docstring says", () => {
  const scanner = new WordScanner();
  expect(scanner.words("parseHTTPResponses2 of max_value")).toEqual([
    "pars",
    "http",
    "respons",
    "2",
    "parsehttpresponses2",
    "of",
    "max",
    "valu",
    "maxvalu",
  ]);
  expect(scanner.words("naïve Größe_x")).toEqual(["naïv", "größ", "x", "größex"]);
  expect(scanner.words("x".repeat(65))).toEqual([]);
  const { words, counts, length } = scanner.count([
    ["add add", 1],
    ["add", 3],
  ]);
  expect([words, [...counts], length]).toEqual([["add"], [5], 5]);
});
