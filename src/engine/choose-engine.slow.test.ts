import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { python, testWithPython } from "../../test/helpers/requires.js";
import { chooseEngine } from "./choose-engine.js";
import { gpusOf, instructionSetsOfCpuinfo, instructionSetsOfSysctl } from "./hardware.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-choose-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("engine auto", () => {
  test("without a usable Python it is onnxruntime, and says why", async () => {
    const choice = await chooseEngine({ python: join(folder, "nothing"), cache: join(folder, "choice.json") });
    expect(choice.engine).toBe("onnxruntime");
    expect(choice.why).toMatch(/^onnxruntime: the torch engine cannot be used \(.*nothing/);
  });

  testWithPython("a trial decides on the CPU, once", async () => {
    const cache = join(folder, "choice.json");
    const first = await chooseEngine({ python: python!, threads: 1, cache });
    expect(first.why).toMatch(/^(onnxruntime|torch): \d+\.\d times as fast as (torch|onnxruntime) in a short trial/);
    expect(first.why.startsWith(first.engine)).toBe(true);
    const [key, speedup] = Object.entries(JSON.parse(await readFile(cache, "utf8")) as object)[0] as [string, number];
    expect(speedup > 1 ? "torch" : "onnxruntime").toBe(first.engine);
    await writeFile(cache, JSON.stringify({ [key]: 0.25 }));
    expect(await chooseEngine({ python: python!, threads: 1, cache })).toEqual({
      engine: "onnxruntime",
      why: "onnxruntime: 4.0 times as fast as torch in a short trial (CPU, torch in fp32)",
    });
  });
});

describe("hardware", () => {
  test("flags of Linux on x86 and Arm", () => {
    const line = "processor : 0\nflags\t\t: fpu avx2 avx512f avx512_bf16 amx_tile amx_bf16\n";
    const all = { AVX2: true, "AVX-512": true, AVX512_BF16: true, AMX: true, NEON: false };
    expect(instructionSetsOfCpuinfo(line)).toEqual(all);
    const arm = { AVX2: false, "AVX-512": false, AVX512_BF16: false, AMX: false, NEON: true };
    expect(instructionSetsOfCpuinfo("Features\t: fp asimd aes\n")).toEqual(arm);
    expect(instructionSetsOfCpuinfo("nothing known")).toBeUndefined();
  });

  test("sysctl of macOS on Intel and Apple", () => {
    const intel = "machdep.cpu.features: FPU SSE4.2\nmachdep.cpu.leaf7_features: AVX2 BMI1\n";
    expect(instructionSetsOfSysctl(intel)).toMatchObject({ AVX2: true, "AVX-512": false, NEON: false });
    expect(instructionSetsOfSysctl("hw.optional.arm64: 1\nhw.optional.neon: 1\n")).toMatchObject({ NEON: true });
    expect(instructionSetsOfSysctl("kern.ostype: Darwin\n")).toBeUndefined();
  });

  test("lines of nvidia-smi", () => {
    expect(gpusOf("NVIDIA H200, 143771, 570.86.15\n\n")).toEqual([
      { name: "NVIDIA H200", memoryMiB: 143771, driver: "570.86.15" },
    ]);
  });
});
