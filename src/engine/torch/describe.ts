import { UserError } from "../../base/index.js";
import { runCommand } from "./_command.js";
import { findTorchPython, pythonEnvironment } from "./_python.js";

/** A Python with PyTorch that the torch engine can use. */
export interface TorchDescription {
  /** Path of the Python. */
  readonly executable: string;
  readonly python: string;
  readonly torch: string;
  /** CUDA version that this PyTorch was built for; null without. */
  readonly cuda: string | null;
  readonly devices: readonly string[];
  /** Names of the GPUs that it can use. */
  readonly gpus: readonly string[];
  readonly threads: number;
}

const QUESTION = `
import json
from lodestone_torch import environment
wrong = environment.problem()
print(json.dumps({"problem": wrong} if wrong else environment.describe()))
`;

/**
 * What the torch engine would run on.
 *
 * @param python a Python; by default the one that the engine would take
 * @throws UserError `engine.python`, `engine.torch`
 */
export async function describeTorch(python?: string, signal?: AbortSignal): Promise<TorchDescription> {
  const executable = findTorchPython(python);
  const { code, stdout, lastLine } = await runCommand(executable, ["-c", QUESTION], {
    env: pythonEnvironment(),
    seconds: 120,
    ...(signal === undefined ? {} : { signal }),
  });
  const answer = parse(stdout);
  if (code !== 0 || answer === undefined) {
    throw new UserError("engine.python", `${executable}: expected a Python with PyTorch, got: ${lastLine}`, {
      fix: "Run `lodestone engine torch --install`, or name another Python with --python",
    });
  }
  if ("problem" in answer) {
    const [kind, message, fix] = answer.problem;
    throw new UserError(kind, message, { fix });
  }
  return { executable, ...answer };
}

type Answer = { readonly problem: readonly [string, string, string] } | Omit<TorchDescription, "executable">;

function parse(text: string): Answer | undefined {
  try {
    return JSON.parse(text.trim().split("\n").at(-1) ?? "") as Answer;
  } catch {
    return undefined;
  }
}
