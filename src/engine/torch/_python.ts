import { accessSync, constants, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../../base/index.js";

/** The folder that holds the Python package `lodestone_torch`; it goes into PYTHONPATH. */
export const PACKAGE_FOLDER = fileURLToPath(new URL("../../../engines/torch/", import.meta.url));

/** Where `lodestone engine torch --install` keeps its virtual environment: `USER CACHE/lodestone/torch-engine`. */
export function torchEngineFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(userCache(env), "lodestone", "torch-engine");
}

/** The Python of a virtual environment. */
export function venvPython(folder: string): string {
  return process.platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
}

/**
 * The Python that runs the torch engine: the one named, that of `LODESTONE_PYTHON`, or the installed environment's.
 *
 * @throws UserError `engine.python` where there is none
 */
export function findTorchPython(named?: string, env: NodeJS.ProcessEnv = process.env): string {
  const installed = venvPython(torchEngineFolder(env));
  const candidates = [
    ["--python", named],
    ["LODESTONE_PYTHON", env["LODESTONE_PYTHON"]],
  ] as const;
  for (const [where, path] of candidates) {
    if (path === undefined || path === "") continue;
    const found = executable(path, env);
    if (found !== undefined) return found;
    throw new UserError("engine.python", `torch engine: expected a Python in ${where}, got "${path}"`, {
      fix: `Give the path of an executable, or install one with \`lodestone engine torch --install\``,
    });
  }
  if (executable(installed, env) !== undefined) return installed;
  throw new UserError("engine.python", `torch engine: expected a Python with PyTorch in ${installed}, got none`, {
    fix: "Run `lodestone engine torch --install`, or name a Python that has PyTorch with --python or LODESTONE_PYTHON",
  });
}

/** What a Python is started with: our package on its path, its output unbuffered. */
export function pythonEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return { ...env, PYTHONPATH: PACKAGE_FOLDER, PYTHONDONTWRITEBYTECODE: "1", PYTHONUNBUFFERED: "1", PYTHONUTF8: "1" };
}

/** A path of an executable file, looked up in PATH where it is a bare name. */
function executable(path: string, env: NodeJS.ProcessEnv): string | undefined {
  const bare = !path.includes("/") && !path.includes("\\");
  const folders = bare ? (env["PATH"] ?? "").split(delimiter) : [""];
  return folders.map((folder) => (folder === "" ? path : join(folder, path))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function userCache(env: NodeJS.ProcessEnv): string {
  if (process.platform === "win32") return env["LOCALAPPDATA"] ?? join(homedir(), "AppData", "Local");
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches");
  const named = env["XDG_CACHE_HOME"];
  return named === undefined || named === "" ? join(homedir(), ".cache") : named;
}
