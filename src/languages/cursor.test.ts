import { readdirSync, readFileSync } from "node:fs";
import type { Tree } from "web-tree-sitter";
import { expect, test } from "vitest";
import { LANGUAGES } from "../base/index.js";
import { cursorOf } from "./_cursor.js";
import { loadGrammar } from "./_grammar.js";
import { languageOfPath } from "./index.js";
import { PROFILES } from "./profiles/index.js";

const FIXTURES = new URL("./fixtures/", import.meta.url);

type Row = readonly [type: number, start: number, end: number, field: number, missing: boolean, error: boolean];

/** Every node in preorder, by ours. */
function ours(tree: Tree): Row[] {
  const cursor = cursorOf(tree);
  const rows: Row[] = [];
  try {
    for (;;) {
      const at = [cursor.typeId(), cursor.start(), cursor.end(), cursor.fieldId()] as const;
      rows.push([...at, cursor.isMissing(), cursor.hasError()]);
      if (cursor.toFirstChild()) continue;
      while (!cursor.toNextSibling()) if (!cursor.toParent()) return rows;
    }
  } finally {
    cursor.delete();
  }
}

/** The same by the library's own cursor. */
function library(tree: Tree): Row[] {
  const cursor = tree.walk();
  const rows: Row[] = [];
  for (;;) {
    const at = [cursor.nodeTypeId, cursor.startIndex, cursor.endIndex, cursor.currentFieldId] as const;
    rows.push([...at, cursor.nodeIsMissing, cursor.currentNode.hasError]);
    if (cursor.gotoFirstChild()) continue;
    while (!cursor.gotoNextSibling()) {
      if (cursor.gotoParent()) continue;
      cursor.delete();
      return rows;
    }
  }
}

test.each(LANGUAGES)("%s: the direct cursor sees what the library's sees, broken texts included", async (language) => {
  const parser = await loadGrammar(PROFILES[language].grammar);
  const name = readdirSync(FIXTURES).find((file) => languageOfPath(file.replace(/\.txt$/, "")) === language)!;
  const text = readFileSync(new URL(name, FIXTURES), "utf8");
  for (const variant of [text, text.slice(0, text.length >> 1), `${text.replace(/[)}]/g, "")} 検索 🔍`, "("]) {
    const tree = parser.parse(variant)!;
    const expected = library(tree);
    expect(ours(tree)).toEqual(expected);
    tree.delete();
  }
});

test("deep trees move the cursor's stack, and it is freed all the same", async () => {
  const parser = await loadGrammar(PROFILES.javascript.grammar);
  for (let i = 0; i < 30; i++) {
    const tree = parser.parse(`x = ${"[".repeat(2000)}${"]".repeat(2000)}`)!;
    expect(ours(tree).length).toBeGreaterThan(6000);
    tree.delete();
  }
});

test("it is the direct one: another library version must not make extraction slow unseen", async () => {
  const parser = await loadGrammar(PROFILES.c.grammar);
  const tree = parser.parse("int a;")!;
  const cursor = cursorOf(tree);
  expect(cursor.constructor.name).toBe("DirectCursor");
  cursor.delete();
  tree.delete();
});
