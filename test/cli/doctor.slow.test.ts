import { availableParallelism, totalmem } from "node:os";
import { expect, test } from "vitest";
import { cliPath, run, temporaryFolder } from "../helpers/cli.js";
import { python, testWithPython } from "../helpers/requires.js";

const temporary = await temporaryFolder("doctor");

interface Finding {
  readonly what: string;
  readonly state: "ok" | "missing" | "wrong";
  readonly detail: string;
  readonly fix?: string;
}

/** What the doctor finds in a home of its own, with some Python for the torch engine. */
async function examine(pythonPath: string): Promise<Map<string, Finding>> {
  const env = { ...process.env, HOME: temporary, XDG_CACHE_HOME: temporary, LODESTONE_PYTHON: pythonPath };
  const { code, stdout, stderr } = await run(process.execPath, [cliPath, "doctor", "--json"], { env });
  expect(code, stderr).toBe(0);
  return new Map((JSON.parse(stdout) as Finding[]).map((one) => [one.what, one]));
}

test("says what this machine has, and what to do where something is missing", async () => {
  const found = await examine("/nowhere/python");
  expect(found.get("Node.js")).toMatchObject({
    state: "ok",
    detail: expect.stringContaining(process.version) as string,
  });
  expect(found.get("processor")!.detail).toContain(`${availableParallelism()} threads`);
  const gibibytes = Number(/^[\d.]+/.exec(found.get("memory")!.detail)![0]);
  expect(gibibytes).toBeCloseTo(totalmem() / 2 ** 30, 0);
  expect(found.get("onnxruntime: cpu")!.state).toBe("ok");
  expect(found.get("grammars")!.detail).toBe("9 languages load");
  expect(found.get("torch engine")).toMatchObject({
    state: "wrong",
    detail: expect.stringContaining('LODESTONE_PYTHON, got "/nowhere/python"') as string,
    fix: expect.stringContaining("engine torch --install") as string,
  });
});

testWithPython("finds a Python that has PyTorch", async () => {
  const found = await examine(python!);
  expect(found.get("torch engine")).toMatchObject({ state: "ok" });
  expect(found.get("torch engine")!.detail).toMatch(/^PyTorch \d+\.\d+.*, Python 3\.\d+/);
});
