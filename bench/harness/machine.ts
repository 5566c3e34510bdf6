import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, cpus, platform, release, totalmem } from "node:os";

/** The machine a result was measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** GiB. */
  readonly memory: number;
  readonly node: string;
  readonly os: string;
  /** Instruction sets that decide matrix speed; empty where the system does not tell. */
  readonly flags: Readonly<Record<string, boolean>>;
}

/** Describes this machine. */
export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memory: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    node: process.version,
    os: `${platform()} ${release()} ${arch()}`,
    flags: instructionSets(cpuInfo()),
  };
}

function cpuInfo(): string {
  try {
    return readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return "";
  }
}

/** Reads the flags line of Linux's /proc/cpuinfo. */
export function instructionSets(text: string): Record<string, boolean> {
  const line = /^flags\s*:(.*)$/m.exec(text)?.[1];
  if (line === undefined) return {};
  const flags = new Set(line.trim().split(/\s+/));
  return {
    avx2: flags.has("avx2"),
    avx512: flags.has("avx512f"),
    vnni: flags.has("avx512_vnni") || flags.has("avx_vnni"),
    bf16: flags.has("avx512_bf16"),
    amx: flags.has("amx_bf16"),
  };
}

/** The commit measured, with `+` after it where tracked files differ from it; `unknown` outside a checkout. */
export function describeCommit(): string {
  const root = new URL("../..", import.meta.url);
  const git = (...args: string[]) => spawnSync("git", args, { cwd: root, encoding: "utf8" });
  const head = git("rev-parse", "HEAD");
  if (head.status !== 0) return "unknown";
  const changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "bench", "package-lock.json");
  return head.stdout.trim() + (changed.stdout.trim() === "" ? "" : "+");
}
