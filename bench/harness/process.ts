import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

export interface ProcessMeasure {
  /** From the start of the process to the first line that satisfies `until` (or to its end without one). */
  readonly seconds: number;
  /** Peak resident size up to then, bytes; undefined where the system does not tell (not Linux). */
  readonly peakBytes: number | undefined;
  readonly line: string | undefined;
}

/** Starts a process and measures seconds to a line of its output and its peak memory; then lets it end. */
export function measureProcess(
  command: string,
  args: readonly string[],
  options: { input?: string; until?: (line: string) => boolean; env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<ProcessMeasure> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(command, args, {
      stdio: ["pipe", "pipe", "inherit"],
      env: options.env ?? process.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    let peakBytes: number | undefined;
    // The kernel keeps the high-water mark, so that looking now and then misses only growth after the last look.
    const look = (): void => {
      peakBytes = child.pid === undefined ? undefined : (highWaterMark(child.pid) ?? peakBytes);
    };
    const timer = setInterval(look, 10);
    let found: { seconds: number; line: string } | undefined;
    let rest = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      const line = found === undefined ? lines.find((each) => options.until?.(each) ?? false) : undefined;
      if (line === undefined) return;
      found = { seconds: (performance.now() - start) / 1000, line };
      look();
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    child.on("error", reject);
    child.on("close", (code) => {
      clearInterval(timer);
      const seconds = found?.seconds ?? (performance.now() - start) / 1000;
      if (code === 0 && (options.until === undefined || found !== undefined)) {
        resolve({ seconds, peakBytes, line: found?.line });
      } else
        reject(new Error(`${command} ${args.join(" ")}: expected its line and exit code 0, got exit code ${code}`));
    });
  });
}

function highWaterMark(pid: number): number | undefined {
  try {
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
