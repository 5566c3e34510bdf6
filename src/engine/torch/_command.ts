import { spawn } from "node:child_process";
import { messageOf } from "../../base/index.js";

/** How a program ended. */
export interface Ended {
  /** Undefined where it did not start or was killed. */
  readonly code: number | undefined;
  readonly stdout: string;
  /** The last line of its error output that holds something, or why it did not start. */
  readonly lastLine: string;
}

/** Runs a program to its end; never throws but for the signal's reason. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; signal?: AbortSignal; seconds?: number } = {},
): Promise<Ended> {
  const { env = process.env, signal, seconds } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-20_000)));
    const stop = (): void => void child.kill("SIGKILL");
    signal?.addEventListener("abort", stop);
    const timer = seconds === undefined ? undefined : setTimeout(stop, 1000 * seconds);
    const end = (code: number | undefined, said: string): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      const lines = said.split("\n").filter((line) => line.trim() !== "" && !/^\s*\[?notice\]?/.test(line));
      if (signal?.aborted === true) reject(signal.reason as Error);
      else resolve({ code, stdout, lastLine: lines.at(-1)?.trim() ?? "" });
    };
    child.on("error", (error) => end(undefined, messageOf(error)));
    child.on("close", (code) => end(code ?? undefined, stderr.trim() === "" ? stdout : stderr));
  });
}
