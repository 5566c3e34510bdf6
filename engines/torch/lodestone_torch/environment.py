"""Whether this Python and this torch will do. Runs on any Python 3, so that an old one is told and does not crash."""

import sys

PYTHON = (3, 11)
TORCH = (2, 11)


def describe():
    """What there is, for reports: versions, devices."""
    import torch

    cuda = torch.cuda.is_available()
    return {
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "devices": ["cpu"] + (["cuda"] if cuda else []),
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())] if cuda else [],
        "threads": torch.get_num_threads(),
    }


def problem():
    """(code, message, fix) of what is wrong with this Python or its torch, or None."""
    install = "Run `lodestone engine torch --install`, or name another Python with --python"
    got = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < PYTHON:
        return "engine.python", "torch engine: expected Python %d.%d or newer, got %s" % (PYTHON + (got,)), install
    try:
        import torch
    except ImportError as error:
        return "engine.torch", "torch engine: expected PyTorch in %s, got: %s" % (sys.executable, error), install
    except OSError as error:
        first = str(error).split("\n")[0]
        return "engine.torch", "torch engine: expected PyTorch to load, got: %s" % first, install
    version = tuple(int("".join(c for c in part if c.isdigit()) or 0) for part in torch.__version__.split(".")[:2])
    if version < TORCH:
        message = "torch engine: expected PyTorch %d.%d or newer, got %s" % (TORCH + (torch.__version__,))
        return "engine.torch", message, install
    return None


def find_device(wanted):
    """The torch device for `auto`, `cpu`, `cuda`, `cuda:1`, `mps`. Raises EngineError `engine.provider`."""
    import torch

    from .errors import EngineError

    has_mps = torch.backends.mps.is_available()
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu")
    kind, _, number = wanted.partition(":")
    usable = ["cpu"] + ["cuda"] * torch.cuda.is_available() + ["mps"] * has_mps
    if kind in usable and (number == "" or (number.isdigit() and kind == "cuda")):
        count = torch.cuda.device_count() if kind == "cuda" else 1
        if number == "" or int(number) < count:
            return torch.device(wanted)
        message = 'device: expected cuda:0 to cuda:%d, got "%s"' % (count - 1, wanted)
        raise EngineError("engine.provider", message)
    message = 'device: expected one of auto, %s, got "%s"' % (", ".join(usable), wanted)
    fix = None
    if kind == "cuda" and torch.version.cuda is None:
        fix = "This PyTorch (%s) is built without CUDA: `lodestone engine torch --install` on a machine with a GPU" % (
            torch.__version__
        )
    elif kind == "cuda":
        fix = "PyTorch %s needs an NVIDIA driver for CUDA %s: `nvidia-smi` tells which one is there" % (
            torch.__version__,
            torch.version.cuda,
        )
    raise EngineError("engine.provider", message, fix)
