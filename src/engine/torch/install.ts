import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { lockFolder, UserError, writeError } from "../../base/index.js";
import { runCommand } from "./_command.js";
import { torchEngineFolder, venvPython } from "./_python.js";
import { describeTorch, type TorchDescription } from "./describe.js";

/** The version that is installed; the engine takes any from 2.11. */
export const TORCH_VERSION = "2.13.0";
const OLDEST_PYTHON = [3, 11] as const;
const CANDIDATES = ["python3", "python", "python3.13", "python3.12", "python3.11", "python3.14"];

/** @see installTorchEngine */
export interface InstallOptions {
  /** The Python to make the environment with; else the first on the path that is new enough. */
  readonly python?: string;
  /** Where pip looks instead of its own configuration. */
  readonly indexUrl?: string;
  /** A folder of wheels; pip then looks nowhere else. */
  readonly wheels?: string;
  /** Build of PyTorch; by default CUDA's where `nvidia-smi` finds a GPU. */
  readonly build?: "cuda" | "cpu";
  readonly signal?: AbortSignal;
  /** Told what is being done. */
  readonly say?: (line: string) => void;
  /** Where the environment goes; by default the user's cache. */
  readonly folder?: string;
}

/**
 * Makes the virtual environment of the torch engine in the user's cache. It is made beside its place and moved there when
 * PyTorch was seen to load, so that one that was there stays until then and half an environment is never used.
 *
 * @throws UserError `engine.python` (none, or too old), `engine.venv`, `engine.install` (pip's last line), `engine.torch`,
 * `engine.cuda`, `output.locked`, `output.unwritable`
 */
export async function installTorchEngine(options: InstallOptions = {}): Promise<TorchDescription> {
  const { signal, say = () => undefined, folder = torchEngineFolder() } = options;
  const base = await findBasePython(options.python, signal);
  const build = options.build ?? ((await hasNvidiaGpu(signal)) ? "cuda" : "cpu");
  const release = await lockFolder(`${folder}.lock`);
  const fresh = `${folder}.partial`;
  try {
    await rm(fresh, { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    say(`making an environment with ${base.executable} (Python ${base.version})`);
    await makeVenv(base.executable, fresh, signal);
    const python = venvPython(fresh);
    say(`installing PyTorch ${TORCH_VERSION} (${build}); this downloads up to a few gigabytes, once`);
    await installTorch(python, build, options);
    const found = await describeTorch(python, signal);
    if (build === "cuda" && found.cuda === null) {
      throw new UserError("engine.cuda", `PyTorch ${found.torch}: expected a build with CUDA, got one without`, {
        fix: "Name an index of CUDA wheels with --index-url, or install the CPU build with --cpu",
      });
    }
    await rm(`${folder}.old`, { recursive: true, force: true });
    await rename(folder, `${folder}.old`).catch(() => undefined); // There may be none.
    await rename(fresh, folder);
    await rm(`${folder}.old`, { recursive: true, force: true });
    return { ...found, executable: venvPython(folder) };
  } catch (error) {
    await rm(fresh, { recursive: true, force: true }).catch(() => undefined);
    throw writeError(folder, error);
  } finally {
    await release();
  }
}

interface BasePython {
  readonly executable: string;
  readonly version: string;
}

async function findBasePython(named: string | undefined, signal: AbortSignal | undefined): Promise<BasePython> {
  const oldest = OLDEST_PYTHON.join(".");
  const tooOld: string[] = [];
  for (const executable of named === undefined ? CANDIDATES : [named]) {
    const script = "import sys; print('.'.join(map(str, sys.version_info[:3])))";
    const { code, stdout } = await runCommand(executable, ["-c", script], {
      seconds: 30,
      ...(signal === undefined ? {} : { signal }),
    });
    const version = stdout.trim();
    const [major, minor] = version.split(".").map(Number);
    if (code !== 0 || major === undefined || minor === undefined) continue;
    if (major > OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1])) {
      return { executable, version };
    }
    tooOld.push(`${executable} ${version}`);
  }
  const fix = `Install Python ${oldest} or newer, or name one with --python`;
  if (tooOld.length > 0) {
    throw new UserError("engine.python", `python: expected ${oldest} or newer, got ${tooOld.join(", ")}`, { fix });
  }
  const where = named === undefined ? `one of ${CANDIDATES.slice(0, 2).join(", ")} on the path` : `one at ${named}`;
  throw new UserError("engine.python", `python: expected ${where}, got none that runs`, { fix });
}

async function makeVenv(python: string, folder: string, signal: AbortSignal | undefined): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  const { code, lastLine } = await runCommand(python, ["-m", "venv", folder], options);
  if (code === 0) return;
  throw new UserError("engine.venv", `${python} -m venv: expected a virtual environment, got: ${lastLine}`, {
    fix: "Install Python's venv module (Debian and Ubuntu: the package python3-venv), or name another --python",
  });
}

async function installTorch(python: string, build: "cuda" | "cpu", options: InstallOptions): Promise<void> {
  const { indexUrl, wheels, signal } = options;
  const from = [
    ...(indexUrl === undefined ? [] : ["--index-url", indexUrl]),
    ...(wheels === undefined ? [] : ["--no-index", "--find-links", wheels]),
  ];
  const pip = (requirement: string) =>
    runCommand(
      python,
      ["-m", "pip", "install", "--disable-pip-version-check", "--retries", "1", "-q", ...from, requirement],
      signal === undefined ? {} : { signal },
    );
  // An index of CPU builds calls them so; where there is none, the usual build runs on the CPU too, and is larger.
  const wanted =
    build === "cpu" ? [`torch==${TORCH_VERSION}+cpu`, `torch==${TORCH_VERSION}`] : [`torch==${TORCH_VERSION}`];
  let last = "";
  for (const requirement of wanted) {
    const { code, lastLine } = await pip(requirement);
    if (code === 0) return;
    last = lastLine;
  }
  throw new UserError("engine.install", `pip install torch==${TORCH_VERSION}: expected it to succeed, got: ${last}`, {
    fix: "Check the network and pip's configuration, or name --index-url or --wheels DIR",
  });
}

async function hasNvidiaGpu(signal: AbortSignal | undefined): Promise<boolean> {
  const { code, stdout } = await runCommand("nvidia-smi", ["-L"], {
    seconds: 20,
    ...(signal === undefined ? {} : { signal }),
  });
  return code === 0 && stdout.includes("GPU ");
}
