"""The engine as a process: frames on standard input, answers on standard output.

The first frame out says what there is (`ready`), or why not. Then every frame {id, call, ...} is answered in order by
{id, result...} or {id, failure: {code, message, fix}}. The end of the input ends the process at once, also in the
middle of a run; on Linux so does the end of the parent. Whatever prints goes to standard error.
"""

import os
import signal
import sys


def die_with_parent():
    """Asks Linux to end this process when its parent ends (prctl PR_SET_PDEATHSIG)."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() == 1:
        os._exit(0)


class Server:
    """Programs over one state."""

    def __init__(self):
        self.programs, self.state, self.device = {}, {}, None

    def answer(self, header, body):
        """(fields, tensors) of the answer to a call."""
        from .frames import tensors_of

        call = header["call"]
        if call == "open":
            return self.open(header, body)
        if call == "run":
            program = self.programs[header["program"]]
            return {}, program.run(self.state, tensors_of(header, body))
        if call == "read":
            return {}, {name: self.state[name] for name in header["names"]}
        if call == "write":
            self.put(tensors_of(header, body))
            return {}, {}
        from .errors import EngineError

        raise EngineError("engine.protocol", f"expected a call open, run, read or write, got {call}")

    def open(self, header, body):
        import torch

        from .environment import find_device
        from .frames import bytes_of, tensors_of
        from .program import Program

        self.device = find_device(header["device"])
        if header.get("threads"):
            torch.set_num_threads(header["threads"])
        options = {name: header[name] for name in ("precision", "checkpoint", "compile")}
        if options["compile"]:
            require_compiler(self.device)
        tensors = tensors_of(header, body)
        for name in header["programs"]:
            self.programs[name] = Program.load(bytes_of(tensors.pop(f"program/{name}")), self.device, **options)
        self.put(tensors)
        return {"device": str(self.device)}, {}

    def put(self, tensors):
        """Tensors of the state, in memory of their own on the device."""
        for name, tensor in tensors.items():
            moved = tensor.to(self.device)
            self.state[name] = moved.clone() if moved is tensor else moved


def require_compiler(device):
    """torch.compile writes C++ for the CPU. Raises EngineError `engine.compiler`."""
    import shutil

    from .errors import EngineError

    compilers = [os.environ.get("CXX"), "g++", "clang++", "c++", "cl"]
    if device.type == "cpu" and not any(name and shutil.which(name) for name in compilers):
        raise EngineError(
            "engine.compiler",
            "compile: expected a C++ compiler (g++ or clang++), got none",
            "Install one (Debian: apt install g++), or leave `compile` out",
        )


def failure_of(error):
    """An error as plain data."""
    from .errors import EngineError

    if isinstance(error, EngineError):
        return {"code": error.code, "message": str(error), "fix": error.fix}
    import traceback

    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(where.filename)}:{where.lineno}"
    first = str(error).split("\n")[0]
    return {"code": "engine.internal", "message": f"torch engine: {type(error).__name__}: {first} ({place})"}


def main():
    """Serves until the input ends."""
    die_with_parent()
    # Ctrl-C goes to the whole group of processes; when to stop is the parent's to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    os.dup2(2, 1)
    from .environment import describe, problem

    wrong = problem()
    if wrong is not None:
        # Without torch the frame is written by hand.
        import json
        import struct

        text = json.dumps({"failure": dict(zip(("code", "message", "fix"), wrong)), "tensors": []}).encode()
        out.write(struct.pack("<IIQ", len(text), 0, 0) + text)
        out.flush()
        return 1
    import queue
    import threading

    from .frames import read_frame, write_frame

    frames = queue.Queue()

    def listen():
        source = os.fdopen(0, "rb", buffering=1 << 20)
        while True:
            frame = read_frame(source)
            if frame is None:
                os._exit(0)
            frames.put(frame)

    threading.Thread(target=listen, daemon=True).start()
    write_frame(out, {"ready": describe()})
    server = Server()
    while True:
        header, body = frames.get()
        try:
            fields, tensors = server.answer(header, body)
            write_frame(out, {"id": header["id"], **fields}, tensors)
        except BrokenPipeError:
            os._exit(0)
        except Exception as error:  # noqa: BLE001 -- every error goes to the caller
            write_frame(out, {"id": header["id"], "failure": failure_of(error)})


if __name__ == "__main__":
    sys.exit(main())
