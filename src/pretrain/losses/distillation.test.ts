import { describe, expect, test } from "vitest";
import { float32, int32 } from "../../base/index.js";
import { Graph, gradients } from "../../graph/index.js";
import { numbers, runGraph } from "../../../test/helpers/run-graph.js";
import { distillationLoss, type Distillation } from "./index.js";

type Vectors = readonly (readonly number[])[];
const [east, north, west] = [
  [1, 0],
  [0, 1],
  [-1, 0],
];

async function lossOf(
  student: { readonly text: Vectors; readonly code: Vectors },
  teacher: { readonly text: Vectors; readonly code: Vectors },
  kind: Distillation["kind"],
  anchors?: readonly number[],
): Promise<{ loss: number; gradient: number[] }> {
  const graph = new Graph("distillation");
  const dim = teacher.text[0]!.length;
  const side = (name: string, width: number) => graph.input(name, "float32", ["N", width]);
  const [text, code] = [side("text", 2), side("code", 2)];
  const vectors = { text: side("teacher_text", dim), code: side("teacher_code", dim) };
  const some = anchors === undefined ? undefined : graph.input("anchors", "int32", ["B"]);
  const loss = distillationLoss(text, code, vectors, { kind, weight: 1, temperature: 1, dim }, some);
  const [ofText] = gradients(loss, [text]);
  graph.output("loss", loss);
  graph.output("gradient", ofText!);
  const rows = (of: Vectors) => float32([of.length, of[0]!.length], of.flat());
  const outputs = await runGraph(graph, {
    ...{ text: rows(student.text), code: rows(student.code) },
    ...{ teacher_text: rows(teacher.text), teacher_code: rows(teacher.code) },
    ...(anchors === undefined ? {} : { anchors: int32([anchors.length], anchors) }),
  });
  return { loss: numbers(outputs["loss"])[0]!, gradient: numbers(outputs["gradient"]) };
}

describe("scores, worked by hand, tau = 1", () => {
  // The teacher, in three dimensions, finds each text's own code at 1 and the other at 0: p = e / (e + 1) and 1 / (e + 1).
  const teacher = {
    text: [
      [1, 0, 0],
      [0, 1, 0],
    ],
    code: [
      [1, 0, 0],
      [0, 1, 0],
    ],
  };
  const p = Math.E / (Math.E + 1);

  test("a student that cannot tell: q = 1/2", async () => {
    const same = { text: [east!, east!], code: [east!, east!] };
    const { loss } = await lossOf(same, teacher, "scores");
    expect(loss).toBeCloseTo(p * Math.log(2 * p) + (1 - p) * Math.log(2 * (1 - p)), 6);
  });

  test("a student of the same scores has nothing to learn, and stays", async () => {
    const equal = { text: [east!, north!], code: [east!, north!] };
    const { loss, gradient } = await lossOf(equal, teacher, "scores");
    expect(loss).toBeCloseTo(0, 6);
    for (const x of gradient) expect(x).toBeCloseTo(0, 6);
  });

  test("texts and codes are anchors: parts of some add up to all", async () => {
    const student = { text: [east!, north!], code: [north!, west!] };
    const parts = [await lossOf(student, teacher, "scores", [0, 3]), await lossOf(student, teacher, "scores", [1, 2])];
    const { loss, gradient } = await lossOf(student, teacher, "scores");
    expect(parts[0]!.loss + parts[1]!.loss).toBeCloseTo(loss, 6);
    gradient.forEach((x, i) => expect(parts[0]!.gradient[i]! + parts[1]!.gradient[i]!).toBeCloseTo(x, 6));
    // Similarities of texts to codes: [0, -1], [1, 0]; as q: 1 / (1 + 1/e) is p, and so on: by rows [p, 1-p], [p, 1-p]; by
    // columns [1-p, p] twice. Anchors 0 and 3 agree with the teacher, 1 and 2 have it the wrong way round.
    const wrong = (p - (1 - p)) * Math.log(p / (1 - p));
    expect(parts[0]!.loss).toBeCloseTo(0, 6);
    expect(loss).toBeCloseTo((2 * wrong) / 4, 6);
  });
});

describe("embeddings, worked by hand", () => {
  test("1 - cosine, mean over texts and codes", async () => {
    const student = { text: [east!, north!], code: [east!, north!] };
    const { loss, gradient } = await lossOf(student, { text: [east!, east!], code: [west!, north!] }, "embeddings");
    expect(loss).toBeCloseTo((0 + 1 + 2 + 0) / 4, 6);
    expect(gradient.map((x) => x + 0)).toEqual([-0.25, 0, -0.25, 0]);
  });

  test("another width is refused, with the way out", async () => {
    const teacher = { text: [[1, 0, 0]], code: [[1, 0, 0]] };
    await expect(lossOf({ text: [east!], code: [east!] }, teacher, "embeddings")).rejects.toMatchObject({
      code: "teacher.dimension",
      message: expect.stringContaining("width 2 for embeddings, got 3") as string,
      fix: expect.stringContaining('"scores"') as string,
    });
  });
});
