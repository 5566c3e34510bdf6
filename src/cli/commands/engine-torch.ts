import { UserError } from "../../base/index.js";
import { describeTorch, installTorchEngine, type TorchDescription } from "../../engine/index.js";
import { command } from "../command.js";

export const engineTorch = command({
  name: "engine torch",
  description:
    "Says which Python and PyTorch the torch engine uses; with --install, makes a virtual environment for it in the user's " +
    "cache",
  args: {
    install: { type: "boolean", description: "Make the environment, or make it anew" },
    python: { type: "string", valueHint: "PATH", description: "A Python, 3.11 or newer" },
    "index-url": { type: "string", valueHint: "URL", description: "With --install: where pip looks for wheels" },
    wheels: { type: "string", valueHint: "DIR", description: "With --install: a folder of wheels, and nothing else" },
    cuda: { type: "boolean", description: "With --install: PyTorch for NVIDIA GPUs, found or not" },
    cpu: { type: "boolean", description: "With --install: PyTorch without CUDA" },
  },
  examples: [
    { does: "What there is", line: "lodestone engine torch" },
    { does: "The build that fits this machine", line: "lodestone engine torch --install" },
    { does: "Without a network", line: "lodestone engine torch --install --wheels wheels --cpu" },
  ],
  async run(args, { say, print, signal }) {
    const { install, python, "index-url": indexUrl, wheels, cuda, cpu } = args;
    if (install !== true) {
      const extra = Object.entries({ "index-url": indexUrl, wheels, cuda, cpu }).find(
        ([, value]) => value !== undefined,
      );
      if (extra !== undefined) {
        throw new UserError("arguments.value", `engine torch: expected --install with --${extra[0]}, got none`, {
          fix: `Add --install, or leave --${extra[0]} out`,
        });
      }
      await print(shown(await describeTorch(python, signal)));
      return;
    }
    if (cuda === true && cpu === true) {
      throw new UserError("arguments.value", "engine torch: expected --cuda or --cpu, got both", { fix: "Keep one" });
    }
    const build = cuda === true ? "cuda" : cpu === true ? "cpu" : undefined;
    const found = await installTorchEngine({
      ...(python === undefined ? {} : { python }),
      ...(indexUrl === undefined ? {} : { indexUrl }),
      ...(wheels === undefined ? {} : { wheels }),
      ...(build === undefined ? {} : { build }),
      signal,
      say,
    });
    await print(shown(found));
  },
});

function shown({ executable, python, torch, cuda, gpus, threads }: TorchDescription): string {
  const devices = gpus.length > 0 ? gpus.join(", ") : `CPU, ${threads} thread${threads === 1 ? "" : "s"}`;
  return `${executable}\nPython ${python}, PyTorch ${torch}, ${cuda === null ? "no CUDA" : `CUDA ${cuda}`}; ${devices}\n`;
}
