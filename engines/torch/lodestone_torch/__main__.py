"""python -m lodestone_torch RUN/: trains a packed run."""

import argparse
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)
OLDEST_TORCH = (2, 11)


def arguments(argv):
    parser = argparse.ArgumentParser(
        prog="python -m lodestone_torch",
        description="Trains a packed run of Lodestone. Called again it goes on where it was stopped.",
    )
    parser.add_argument("folder", help="a folder that lodestone pretrain pack wrote")
    parser.add_argument("--minutes", type=float, help="stop in time to end within so many minutes")
    parser.add_argument("--updates", type=int, help="stop after so many updates")
    parser.add_argument("--out", type=Path, help="where checkpoints and metrics go (the folder itself if not given)")
    parser.add_argument("--device", help="cpu, cuda, cuda:1, mps; a GPU if there is one, if not given")
    parser.add_argument("--precision", choices=["fp32", "bf16", "fp16"], default="fp32")
    parser.add_argument("--compile", action="store_true", help="hand the programs to torch.compile")
    parser.add_argument("--checkpoint", action="store_true", help="compute layers again instead of keeping them: less memory")
    parser.add_argument("--chunk", type=int, help="rows or pairs at a time; 0 for all (as in the run, if not given)")
    parser.add_argument("--threads", type=int, help="threads of the CPU")
    return parser.parse_args(argv)


def fail(line):
    print(f"lodestone_torch: {line}", file=sys.stderr, flush=True)
    return 2


def say(line):
    print(line, file=sys.stderr, flush=True)


def main(argv=None):
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        found = ".".join(map(str, sys.version_info[:2]))
        return fail(f"python: expected {wanted} or newer, got {found}. Run it with a newer Python")
    try:
        import torch
    except ImportError as error:
        return fail(f"torch: expected it to be installed, got: {error}. Install torch 2.11 or newer for {sys.executable}")
    version = tuple(int("".join(c for c in part if c.isdigit()) or 0) for part in torch.__version__.split(".")[:2])
    if version < OLDEST_TORCH:
        wanted = ".".join(map(str, OLDEST_TORCH))
        return fail(f"torch: expected {wanted} or newer, got {torch.__version__}. Install a newer torch for {sys.executable}")
    options = arguments(argv)
    if options.threads is not None:
        torch.set_num_threads(options.threads)

    from .errors import EngineError
    from .trainer import Trainer

    try:
        Trainer(options, say).train()
        return 0
    except EngineError as error:
        fix = "" if error.fix is None else f". {error.fix}"
        return fail(" ".join(f"{error}{fix}".split()))


if __name__ == "__main__":
    sys.exit(main())
