import { spawn, type ChildProcessByStdio } from "node:child_process";
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { ProgramMissing, runProgram, type RunOptions, type RunResult } from "./_run.js";

/** Nothing is asked of the user, nothing fetched behind our back, no hook of a repository runs. */
const ENVIRONMENT = {
  GIT_TERMINAL_PROMPT: "0",
  GIT_NO_LAZY_FETCH: "1",
  GIT_OPTIONAL_LOCKS: "0",
  LC_ALL: "C",
};
const settings = (dir: string): string[] => ["-c", `safe.directory=${dir}`, "-c", "core.hooksPath=/dev/null"];

/** Runs `git` on a git directory. @throws ProgramMissing; the signal's reason */
export function git(dir: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return runProgram("git", ["--git-dir", dir, ...settings(dir), ...args], { ...options, env: ENVIRONMENT });
}

export interface GitStream {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when the process is over, with its last words to standard error. */
  readonly end: Promise<{ code: number; stderr: string }>;
  stop(): void;
}

/** Starts `git` on a git directory, to be written to and read from. */
export function startGit(dir: string, args: readonly string[]): GitStream {
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(
    "git",
    ["--git-dir", dir, ...settings(dir), ...args],
    { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...ENVIRONMENT } },
  );
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-4096)));
  child.stdin.on("error", () => undefined); // It ended early: the exit code says so.
  const end = new Promise<{ code: number; stderr: string }>((resolve) => {
    child.on("error", () => resolve({ code: -1, stderr: new ProgramMissing("git").message }));
    child.on("close", (code) => resolve({ code: code ?? -1, stderr: stderr.trim() }));
  });
  const stop = (): void => {
    child.kill("SIGTERM");
    child.stdout.destroy(); // What nobody reads any more would keep the process from being over.
  };
  return { stdin: child.stdin, stdout: child.stdout, end, stop };
}

/** `owner/name`, to be looked up among the mirrors; others are URLs or folders. */
export function isMirrorName(repository: string): boolean {
  return /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(repository);
}

/** A folder of this machine rather than a URL. */
export function isLocalRepository(repository: string): boolean {
  return isAbsolute(repository) || repository.startsWith("./") || repository.startsWith("../");
}

/** The git directory of `owner/name` below a folder of mirrors, in any of the usual layouts. */
export function findMirror(mirrors: string, repository: string): string | undefined {
  const [owner, name] = repository.split("/") as [string, string];
  const folders = [`${owner}+${name}`, `${owner}+${name}.git`, `${owner}/${name}.git`, `${owner}/${name}`];
  return folders
    .flatMap((folder) => [join(mirrors, folder), join(mirrors, folder, "repo")])
    .map(gitDirectory)
    .find((dir) => dir !== undefined);
}

/** The git directory at a path: a bare repository or the `.git` of a checkout. */
export function gitDirectory(path: string): string | undefined {
  return [path, join(path, ".git")].find((dir) => existsSync(join(dir, "HEAD")) && existsSync(join(dir, "objects")));
}

/** The commit that a name stands for; undefined if there is none. */
export async function resolveCommit(dir: string, name: string, signal?: AbortSignal): Promise<string | undefined> {
  const result = await git(dir, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`], {
    signal,
  });
  const commit = result.stdout.trim();
  return result.code === 0 && /^[0-9a-f]{40,64}$/.test(commit) ? commit : undefined;
}
