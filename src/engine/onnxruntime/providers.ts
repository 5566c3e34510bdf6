import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Whether a provider runs here. */
export interface ProviderState {
  readonly name: string;
  readonly usable: boolean;
  /** Why not. */
  readonly reason?: string;
}

const SECONDS = 120;

/**
 * Runs one product on every provider of this build of ONNX Runtime: what runs is usable, whatever the library says it
 * holds.
 */
export function tryProviders(): Promise<ProviderState[]> {
  const compiled = new URL("./_providers-child.js", import.meta.url);
  const built = existsSync(fileURLToPath(compiled));
  const entry = built ? compiled : new URL("./_providers-child.ts", import.meta.url);
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(entry), { silent: true, ...(built ? {} : { execArgv: ["--import", "tsx"] }) });
    const failed = (reason: string): void => resolve([{ name: "cpu", usable: false, reason }]);
    const timer = setTimeout(() => {
      failed(`no answer within ${SECONDS} s`);
      child.kill("SIGKILL");
    }, SECONDS * 1000);
    child.on("message", (states) => resolve(states as ProviderState[]));
    child.on("error", (error) => failed(error.message));
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      failed(`its process ended with ${signal ?? `exit code ${code}`}`); // Without effect after an answer.
    });
  });
}
