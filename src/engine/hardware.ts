import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, freemem, platform, totalmem } from "node:os";
import { runCommand } from "./torch/_command.js";

/** Instruction sets that decide how fast matrices are multiplied. */
export const INSTRUCTION_SETS = ["AVX2", "AVX-512", "AVX512_BF16", "AMX", "NEON"] as const;
export type InstructionSet = (typeof INSTRUCTION_SETS)[number];

/** An NVIDIA GPU, as `nvidia-smi` tells. */
export interface Gpu {
  readonly name: string;
  readonly memoryMiB: number;
  readonly driver: string;
}

/** The machine as engines see it. */
export interface Hardware {
  readonly cpu: string;
  /** Cores that this process may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  /** Undefined where the system does not tell. */
  readonly availableBytes: number | undefined;
  /** Undefined: could not be determined. */
  readonly instructionSets: Readonly<Record<InstructionSet, boolean>> | undefined;
  /** Undefined: could not be determined; empty where there is none. */
  readonly nvidia: readonly Gpu[] | undefined;
}

/** Looks at the machine. What cannot be found out is undefined, never guessed. */
export async function describeHardware(): Promise<Hardware> {
  const [sets, nvidia, available] = await Promise.all([instructionSets(), nvidiaGpus(), availableMemory()]);
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    availableBytes: available,
    instructionSets: sets,
    nvidia,
  };
}

async function instructionSets(): Promise<Hardware["instructionSets"]> {
  if (platform() === "linux") {
    const text = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
    return instructionSetsOfCpuinfo(text);
  }
  if (platform() === "darwin") {
    const { code, stdout } = await runCommand("sysctl", ["-a"], { seconds: 10 });
    return code === 0 ? instructionSetsOfSysctl(stdout) : undefined;
  }
  return undefined; // Windows has no program that tells.
}

/** From Linux's /proc/cpuinfo (x86: `flags`, Arm: `Features`). */
export function instructionSetsOfCpuinfo(text: string): Hardware["instructionSets"] {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1];
  if (line === undefined) return undefined;
  const flags = new Set(line.trim().split(/\s+/));
  return {
    AVX2: flags.has("avx2"),
    "AVX-512": flags.has("avx512f"),
    AVX512_BF16: flags.has("avx512_bf16"),
    AMX: flags.has("amx_tile") && flags.has("amx_bf16"),
    NEON: flags.has("asimd") || flags.has("neon"),
  };
}

/** From `sysctl -a` of macOS (Intel: `machdep.cpu.*features`, Apple: `hw.optional.*`). */
export function instructionSetsOfSysctl(text: string): Hardware["instructionSets"] {
  const intel = [...text.matchAll(/^machdep\.cpu\.\w*features: (.*)$/gm)].map((match) => match[1]!).join(" ");
  const flags = new Set(intel.split(/\s+/));
  const optional = (name: string): boolean => new RegExp(`^hw\\.optional\\.${name}: 1$`, "m").test(text);
  if (intel === "" && !/^hw\.optional\./m.test(text)) return undefined;
  return {
    AVX2: flags.has("AVX2") || optional("avx2_0"),
    "AVX-512": flags.has("AVX512F") || optional("avx512f"),
    AVX512_BF16: false,
    AMX: false, // Apple's matrix unit has another interface, which sysctl does not name.
    NEON: optional("neon") || optional("arm64"),
  };
}

async function nvidiaGpus(): Promise<Hardware["nvidia"]> {
  const query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"];
  const { code, stdout, lastLine } = await runCommand("nvidia-smi", query, { seconds: 20 });
  if (code === 0) return gpusOf(stdout);
  return lastLine.includes("ENOENT") ? [] : undefined;
}

/** From the lines of `nvidia-smi --format=csv`. */
export function gpusOf(text: string): Gpu[] {
  return text.split("\n").flatMap((line) => {
    const [name, memory, driver] = line.split(",").map((part) => part.trim());
    return name === undefined || driver === undefined ? [] : [{ name, memoryMiB: Number(memory), driver }];
  });
}

/** Memory that can be had without swapping; Node's `freemem` leaves out what caches hold. */
async function availableMemory(): Promise<number | undefined> {
  if (platform() !== "linux") return freemem();
  const text = await readFile("/proc/meminfo", "utf8").catch(() => "");
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  return kilobytes === undefined ? undefined : 1024 * Number(kilobytes);
}
