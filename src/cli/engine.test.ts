import { describe, expect, test } from "vitest";
import { UserError } from "../base/index.js";
import { engineFor } from "./_engine.js";

function failure(call: () => unknown): UserError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  }
  throw new Error("expected an error");
}

describe("engineFor", () => {
  test("onnxruntime by default, torch by option or config file, options first", () => {
    expect(engineFor({}).engine.name).toBe("onnxruntime");
    expect(engineFor({ engine: "torch", precision: "bf16" }).engine.name).toBe("torch");
    expect(engineFor({}, { name: "torch", checkpoint: true }).engine.name).toBe("torch");
    expect(engineFor({ engine: "onnxruntime" }, { name: "torch" }).engine.name).toBe("onnxruntime");
    expect(engineFor({ threads: "3" }, { threads: 2 }).engineSettings).toEqual({ threads: 3 });
  });

  test("what only torch knows is refused elsewhere, unknown keys and values everywhere", () => {
    const error = failure(() => engineFor({ precision: "bf16" }));
    expect(error.message).toBe("engine onnxruntime: expected no precision, got bf16");
    expect(error.fix).toContain("--engine torch");
    expect(failure(() => engineFor({}, { precison: "bf16" })).code).toBe("config.unknown-key");
    expect(failure(() => engineFor({}, { name: "torch", threads: 0 })).code).toBe("config.invalid");
  });
});
