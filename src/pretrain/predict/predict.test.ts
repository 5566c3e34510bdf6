import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toyIds, toyTokenizer } from "../../../test/helpers/pretrain.js";
import { int32, Rng, tensor } from "../../base/index.js";
import { createEngine } from "../../engine/index.js";
import { initialise, sizeWith } from "../../model/index.js";
import { readCheckpoint } from "../checkpoint.js";
import { weightsOf } from "../run.js";
import { runStage1 } from "../stage1.js";
import { predictProgram } from "../programs/index.js";
import type { DecodingTokenizer } from "../types.js";
import { openFiller, type MaskFiller } from "./filler.js";
import { findMasks, findPlaceholders, tokeniseHoles } from "./pieces.js";

/** Pieces of every text that the tests use, so that ids can be read back. */
const VOCABULARY = new Map<number, string>();
function learn(text: string): string {
  for (const piece of text.match(/\w{1,4}|[^\w]/g) ?? []) VOCABULARY.set(toyIds(piece)[0]!, piece);
  return text;
}
const tokenizer: DecodingTokenizer = {
  ...toyTokenizer,
  decode: (ids) => Promise.resolve(Array.from(ids, (id) => VOCABULARY.get(id) ?? `?${id}?`).join("")),
};
const config = sizeWith("nano", { vocabSize: 1000, width: 32, heads: 2, layers: 1, maxLength: 64, dropout: 0 });
const random = { config, weights: initialise(config, Rng.fromSeed(3)), tokenizer };

describe("holes", () => {
  test("masks and placeholders are found where they stand", () => {
    expect(findMasks("a <mask> b <mask>", "<mask>").map(({ start, end }) => [start, end])).toEqual([
      [2, 8],
      [11, 17],
    ]);
    expect(findPlaceholders("f_0(v_1, xv_2, v_12.v_1)").map(({ name }) => name)).toEqual(["f_0", "v_1", "v_12", "v_1"]);
  });

  test("text between holes is tokenised on its own; holes get masks or known text", async () => {
    const text = "f_0(v_0)";
    const { ids, places } = await tokeniseHoles(
      text,
      findPlaceholders(text),
      tokenizer,
      () => 2,
      new Map([["f_0", "sum"]]),
    );
    expect([...ids]).toEqual([...toyIds("sum"), ...toyIds("("), 2, 2, ...toyIds(")")]);
    expect(places).toEqual([0, 2]);
  });
});

describe("a model with random weights", () => {
  let filler: MaskFiller;
  beforeAll(async () => {
    filler = await openFiller(random, createEngine("onnxruntime"), { threads: 1 });
  });
  afterAll(() => filler.close());

  /** Row of log probabilities at `place`, by the reference engine. */
  async function reference(ids: readonly number[], place: number): Promise<Float32Array> {
    const session = await createEngine("reference").open({ predict: predictProgram(config) }, random.weights);
    const { log_probabilities: rows } = await session.run("predict", {
      input_ids: tensor("int32", [1, ids.length], Int32Array.from(ids)),
      places: int32([1], [place]),
    });
    await session.close();
    return rows!.data as Float32Array;
  }

  test("gives the probabilities of the head, best first, without special tokens", async () => {
    const [filled] = await filler.fill("int x = <mask>;", { top: 3 });
    const row = await reference([...toyIds("int x = "), 2, ...toyIds(";"), 1], 6);
    const expected = [...row.keys()].filter((id) => id > 2).sort((a, b) => row[b]! - row[a]!);
    expect(filled!.guesses.map(({ probability }) => Math.log(probability))).toEqual(
      expected.slice(0, 3).map((id) => expect.closeTo(row[id]!, 4) as number),
    );
    expect([...row].reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 4);
  });

  test("reads a long text in windows around its masks, with the end-of-sequence token last", async () => {
    const text = `${"a ".repeat(100)}<mask>${" b".repeat(100)}<mask> c`;
    const filled = await filler.fill(text, { top: 1 });
    expect(filled).toHaveLength(2);
    const ids = [...toyIds("a ".repeat(100)), 2, ...toyIds(" b".repeat(100)), 2, ...toyIds(" c")];
    const [first, second] = [200, 401];
    // 63 tokens of text, a quarter of them before the mask; the last window ends with the text.
    const begins = [first - 15, ids.length - 63];
    for (const [i, place] of [first, second].entries()) {
      const window = [...ids.slice(begins[i], begins[i]! + 63), 1];
      const row = await reference(window, place - begins[i]!);
      const best = [...row.keys()].filter((id) => id > 2).reduce((a, b) => (row[b]! > row[a]! ? b : a));
      expect(filled[i]!.guesses[0]!.probability).toBeCloseTo(Math.exp(row[best]!), 5);
    }
  });

  test("a text without masks and a model without blocks are refused", async () => {
    await expect(filler.fill("int x;")).rejects.toMatchObject({ code: "predict.no-mask" });
    const bag = sizeWith("nano", { vocabSize: 1000, width: 32, heads: 2, layers: 0, maxLength: 64 });
    const opening = openFiller({ ...random, config: bag, weights: {} }, createEngine("onnxruntime"));
    await expect(opening).rejects.toMatchObject({ code: "predict.no-blocks" });
  });
});

test("what stage 1 learnt comes back: tokens for masks, whole names for placeholders", async () => {
  const out = await mkdtemp(join(tmpdir(), "lodestone-predict-"));
  try {
    const lines = ["open(vfile);", "send(vmessage);", "draw(vwindow);"].map(learn);
    const documents = async function* () {
      for (let i = 0; i < 12; i++) yield { lang: "c" as const, text: lines[i % 3]!.repeat(1 + (i % 2)) };
    };
    const identifiers = (text: string) =>
      [...text.matchAll(/v\w+/g)].map((match) => ({
        name: match[0],
        spans: [[match.index, match.index + match[0].length]] as [number, number][],
      }));
    let path = "";
    for await (const event of runStage1({
      config: {
        steps: 150,
        batch: 4,
        length: 32,
        objective: "P",
        optimizer: { learningRate: 1e-2, warmup: 5, weightDecay: 0 },
        checkpoints: { everySeconds: null },
      },
      model: config,
      tokenizer,
      identifiers,
      corpus: { hash: "documents", documents },
      out,
      engine: createEngine("onnxruntime"),
      engineSettings: { threads: 1 },
    })) {
      if (event.kind === "done") path = event.path;
    }
    const weights = weightsOf(await readCheckpoint(path), config);
    const filler = await openFiller({ config, weights, tokenizer }, createEngine("onnxruntime"), { threads: 1 });
    try {
      const [filled] = await filler.fill("<mask>(vwindow);");
      expect(filled!.guesses[0]!.text).toBe("draw");
      expect(filled!.guesses[0]!.probability).toBeGreaterThan(0.5);
      const text = "send(v_0);send(v_0);";
      const named = await filler.names(text, findPlaceholders(text), { top: 2 });
      expect(named).toMatchObject([{ placeholder: "v_0", occurrences: 2 }]);
      expect(named[0]!.guesses[0]!.text).toBe("vmessage");
    } finally {
      await filler.close();
    }
  } finally {
    await rm(out, { recursive: true, force: true });
  }
});
