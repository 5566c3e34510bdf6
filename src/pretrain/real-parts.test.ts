import { expect, test } from "vitest";
import { Rng } from "../base/index.js";
import { loadLanguage } from "../languages/index.js";
import { trainTokenizer } from "../tokenizer/index.js";
import { maskIdentifiers, segmentTokens } from "./deobfuscation.js";
import { UNMASKED } from "./masking.js";

/** The paper's worked example, through the real parser and a real byte-level BPE. */
const TEXT = `class Node:
  def __init__(self, v):
    self.data = v
    self.left = None
    self.right = None

# Function to print postorder of node data
def printPostorder(node):
  if node == None:
    return
  printPostorder(node.left)
  printPostorder(node.right)
  print(node.data, end=' ')
`;
/** What the example's map names, in order, with the number of places by hand. */
const PLACES = {
  Node: 1,
  __init__: 1,
  self: 4,
  v: 2,
  data: 2,
  left: 2,
  right: 2,
  printPostorder: 3,
  node: 5,
};

test("every name becomes as many masks as it has tokens, and nothing else does", async () => {
  const tokenizer = await trainTokenizer(repeat(TEXT, 20), { vocabSize: 330 });
  const found = (await loadLanguage("python")).identifiers(TEXT);
  expect(Object.fromEntries(found.map(({ name, spans }) => [name, spans.length]))).toEqual(PLACES);

  const tokens = await segmentTokens(TEXT, found, (texts) => tokenizer.encodeIds(texts));
  const special = new Set([tokenizer.padId, tokenizer.eosId, tokenizer.maskId]);
  const masked = maskIdentifiers(tokens, 1, { maskId: tokenizer.maskId, special }, Rng.fromSeed(1));

  const names = Object.keys(PLACES);
  const alone = await tokenizer.encodeIds(names);
  const expected = names.reduce((sum, name, i) => sum + PLACES[name as keyof typeof PLACES] * alone[i]!.length, 0);
  expect(masked.count).toBe(expected);
  expect(
    await tokenizer.decode(masked.input.map((id, i) => (masked.labels[i] === UNMASKED ? id : masked.labels[i]!))),
  ).toBe(TEXT);

  // What is left to read: the text with every name cut out, spaces and brackets kept, the comment and `print` whole.
  const visible = await tokenizer.decode(masked.input.filter((_, i) => masked.labels[i] === UNMASKED));
  const spans = found.flatMap((identifier) => identifier.spans).sort((a, b) => b[0] - a[0]);
  expect(visible).toBe(spans.reduce((text, [start, end]) => text.slice(0, start) + text.slice(end), TEXT));
  expect(visible).toContain("# Function to print postorder of node data\ndef (");
  expect(visible).toContain("print(., end=' ')");
});

async function* repeat(text: string, times: number): AsyncGenerator<string> {
  for (let i = 0; i < times; i++) yield text;
}
