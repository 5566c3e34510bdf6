import { describe, expect, test } from "vitest";
import { engineFor } from "./_engine.js";

describe("engineFor", () => {
  test("onnxruntime by default, torch by option or config file, options first", async () => {
    expect((await engineFor({})).engine.name).toBe("onnxruntime");
    expect((await engineFor({ engine: "torch", precision: "bf16" })).engine.name).toBe("torch");
    expect((await engineFor({}, { name: "torch", checkpoint: true })).engine.name).toBe("torch");
    expect((await engineFor({ engine: "onnxruntime" }, { name: "torch" })).engine.name).toBe("onnxruntime");
    expect((await engineFor({ threads: "3" }, { threads: 2 })).engineSettings).toEqual({ threads: 3 });
  });

  test("auto without a usable PyTorch is onnxruntime, and says why", async () => {
    const said: string[] = [];
    const options = { engine: "auto", python: "/nowhere/python", precision: "bf16" };
    const { engine } = await engineFor(options, {}, { say: (line) => said.push(line) });
    expect(engine.name).toBe("onnxruntime");
    expect(said).toEqual([expect.stringContaining("the torch engine cannot be used")]);
  });

  test("what only torch knows is refused elsewhere, unknown keys and values everywhere", async () => {
    await expect(engineFor({ precision: "bf16" })).rejects.toMatchObject({
      message: "engine onnxruntime: expected no precision, got bf16",
      fix: expect.stringContaining("--engine torch") as string,
    });
    await expect(engineFor({}, { precison: "bf16" })).rejects.toMatchObject({ code: "config.unknown-key" });
    await expect(engineFor({}, { name: "torch", threads: 0 })).rejects.toMatchObject({ code: "config.invalid" });
  });
});
