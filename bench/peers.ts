import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { sha256 } from "../src/base/index.js";

const REQUIREMENTS = new URL("./peers/requirements.txt", import.meta.url);

/** The virtual environment of the peers we measure against: in the user's cache, one per set of requirements. */
export function peersFolder(): string {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return join(cache, "lodestone", `peers-${sha256(readFileSync(REQUIREMENTS)).slice(0, 12)}`);
}

/** The peers' Python, or undefined where {@link setupPeers} has not run. `LODESTONE_PEERS_PYTHON` overrides. */
export function peersPython(): string | undefined {
  const named = process.env["LODESTONE_PEERS_PYTHON"];
  if (named !== undefined && named !== "") return named;
  const python = join(peersFolder(), "bin", "python");
  return existsSync(python) && existsSync(join(peersFolder(), ".complete")) ? python : undefined;
}

/** Makes the environment if it is missing; safe to call again. Returns its Python. */
export function setupPeers(log: (line: string) => void): string {
  const ready = peersPython();
  if (ready !== undefined) return ready;
  const folder = peersFolder();
  const run = (command: string, args: string[]): void => {
    log(`${command} ${args.join(" ")}`);
    const { status } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
    if (status !== 0) throw new Error(`peers: ${command} ended with ${status}; Python 3.10 or newer with venv is needed`);
  };
  run("python3", ["-m", "venv", "--clear", folder]);
  const python = join(folder, "bin", "python");
  run(python, ["-m", "pip", "install", "--quiet", "-r", REQUIREMENTS.pathname]);
  run(python, ["-c", `open(${JSON.stringify(join(folder, ".complete"))}, "w").close()`]);
  return python;
}
