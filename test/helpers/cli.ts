import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect } from "vitest";

/** The repository's root. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** The compiled command line, as `npx lodestone` runs it. */
export const cliPath = join(root, "dist", "cli", "main.js");

export interface Ran {
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Standard input; closed if not given. */
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each piece of standard error, for instance to send a signal. */
  readonly onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs a program to its end. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...options.env };
    const child = spawn(program, [...args], { cwd: options.cwd ?? root, env, stdio: "pipe" });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (piece: Buffer) => (stdout += piece.toString()));
    child.stderr.on("data", (piece: Buffer) => {
      stderr += piece.toString();
      options.onStderr?.(stderr, (signal) => void child.kill(signal));
    });
    child.stdin.on("error", () => undefined); // It may end before it has read everything.
    child.stdin.end(options.input ?? "");
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** `lodestone ARGS`. */
export function lodestone(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return run(process.execPath, [cliPath, ...args], options);
}

/**
 * `lodestone ARGS` after shell commands in mount and network namespaces of its own, for real denials: read-only mounts,
 * small file systems, no network, file size limits. `"$@"` is the command.
 */
export function lodestoneUnder(script: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const inner = `${script}\nexec "$@"`;
  return run(
    "unshare",
    ["--mount", "--net", "bash", "-ec", inner, "bash", process.execPath, cliPath, ...args],
    options,
  );
}

/** One line on standard error that begins as ours do, no stack, exit code 2, nothing on standard output. */
export function expectComplaint({ code, stdout, stderr }: Ran, pattern: RegExp): void {
  expect(stderr).toMatch(pattern);
  const lines = stderr.trimEnd().split("\n");
  expect(lines.filter((line) => line.startsWith("lodestone: "))).toHaveLength(1);
  expect(stderr).not.toMatch(/^ {4}at /m);
  expect(stdout).toBe("");
  expect(code).toBe(2);
}

/** A temporary folder that is removed behind the file's tests. */
export async function temporaryFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `lodestone-${name}-`));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
