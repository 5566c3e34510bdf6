import { spawn } from "node:child_process";

export interface RunResult {
  /** Exit code; -1 if it was ended by a signal. */
  readonly code: number;
  readonly stdout: string;
  /** Its last 64 KB. */
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Over the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** The program is not there (or not executable). */
export class ProgramMissing extends Error {
  constructor(readonly program: string) {
    super(`${program} is not installed`);
  }
}

const KEPT = 65_536;

/**
 * Runs a client of the user's to its end and keeps what it printed. No shell is in between.
 *
 * @throws ProgramMissing; the signal's reason, after the process was ended
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { cwd, env, signal } = options;
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    const stdout: Buffer[] = [];
    let stderr = "";
    const stop = (): void => void child.kill("SIGTERM");
    signal?.addEventListener("abort", stop, { once: true });
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-KEPT)));
    child.on("error", (error: NodeJS.ErrnoException) => {
      signal?.removeEventListener("abort", stop);
      reject(error.code === "ENOENT" || error.code === "EACCES" ? new ProgramMissing(program) : error);
    });
    child.on("close", (code) => {
      signal?.removeEventListener("abort", stop);
      if (signal?.aborted === true) reject(signal.reason as Error);
      else resolve({ code: code ?? -1, stdout: Buffer.concat(stdout).toString(), stderr });
    });
  });
}
