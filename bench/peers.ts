import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { lockFolder, sha256, UserError } from "../src/base/index.js";

const REQUIREMENTS = fileURLToPath(new URL("./peers/requirements.txt", import.meta.url));

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

/**
 * Makes the environment if it is missing; safe to call again, and while another process does so (one of them is
 * refused). Returns its Python.
 *
 * @throws UserError `peers.setup`, `output.locked`
 */
export async function setupPeers(log: (line: string) => void): Promise<string> {
  const ready = peersPython();
  if (ready !== undefined) return ready;
  const folder = peersFolder();
  const lock = `${folder}.lock`;
  await mkdir(lock, { recursive: true });
  const release = await lockFolder(lock);
  try {
    log(`peers: making ${folder}; this takes a few minutes, once`);
    command("python3", ["-m", "venv", "--clear", folder], "Install Python 3.11 or newer with its venv module");
    const python = join(folder, "bin", "python");
    // One retry a package: pip's default of five waits minutes in all where one of several indexes is out of reach.
    const install = [
      "-m",
      "pip",
      "install",
      "-qq",
      "--retries",
      "1",
      "--disable-pip-version-check",
      "-r",
      REQUIREMENTS,
    ];
    command(python, install, "Look at pip's lines above, then run `npm run bench -- setup` again");
    await writeFile(join(folder, ".complete"), "");
    return python;
  } finally {
    await release();
  }
}

function command(name: string, args: readonly string[], fix: string): void {
  const { status, error } = spawnSync(name, args, { stdio: ["ignore", process.stderr, process.stderr] });
  if (status !== 0) {
    const came = error?.message ?? `exit code ${status}`;
    throw new UserError("peers.setup", `${name} ${args.slice(0, 3).join(" ")}: expected it to succeed, got ${came}`, {
      fix,
    });
  }
}
