import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a child process went. */
export interface ChildResult<Line> {
  /** Its standard output, a JSON value a line; a half line of a killed process is left out. */
  readonly lines: readonly Line[];
  readonly errors: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** @see runChild */
export interface ChildOptions<Line> {
  readonly env?: Readonly<Record<string, string>>;
  /** Modules preloaded with `--import`. */
  readonly preload?: readonly string[];
  /** A shell script that ends in `exec "$@"`: what has to be so before the child starts (limits, mounts). */
  readonly shell?: string;
  /** As `unshare`'s: a mount namespace of its own, where a user may mount. */
  readonly namespace?: boolean;
  readonly onLine?: (line: Line, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs a TypeScript file of test/helpers in a process of its own, compiled as `build.ts` left it. */
export function runChild<Line>(
  file: string,
  args: readonly string[],
  options: ChildOptions<Line> = {},
): Promise<ChildResult<Line>> {
  const { env = {}, preload = [], shell, namespace = false, onLine } = options;
  const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const command = [process.execPath];
  for (const module of preload) command.push("--import", here(module));
  command.push(here(`../../.cache/children/test/helpers/${file.replace(/\.ts$/, ".js")}`), ...args);
  if (shell !== undefined) command.unshift("sh", "-c", shell, "sh");
  if (namespace) command.unshift("unshare", "--user", "--map-root-user", "--mount");
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      cwd: here("../.."),
    });
    const lines: Line[] = [];
    let rest = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      for (const part of parts) {
        const line = JSON.parse(part) as Line;
        lines.push(line);
        onLine?.(line, (signal) => child.kill(signal));
      }
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ lines, errors, code, signal }));
  });
}
