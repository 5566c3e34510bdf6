"""The folder of a packed run: what is in it, whether it is whole, where training stands."""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import torch

from .errors import EngineError
from .state_file import read_state, write_state

FORMAT = 1
CHECKPOINT_FORMAT = 1
NAME = re.compile(r"^step-(\d{8,})$")


class RunFolder:
    """A packed run (`folder`), and where its checkpoints and metrics go (`out`)."""

    def __init__(self, folder, out=None):
        self.folder = Path(folder)
        self.out = self.folder if out is None else Path(out)
        self.manifest = self._manifest()

    def _manifest(self):
        path = self.folder / "run.json"
        fix = "Name a folder that lodestone pretrain pack wrote"
        try:
            manifest = json.loads(path.read_text())
        except OSError as error:
            raise EngineError("pack.missing", f"{path}: expected a packed run, got {error.strerror}", fix) from error
        except ValueError as error:
            raise damaged(path, f"it is not JSON ({error})") from error
        found = manifest.get("format") if isinstance(manifest, dict) else None
        if isinstance(found, int) and found > FORMAT:
            message = f"{path}: expected format {FORMAT}, got {found} of a newer version"
            raise EngineError("pack.newer", message, "Pack the run with this version, or use the lodestone_torch beside it")
        if found != FORMAT:
            raise damaged(path, "its content is not that of a packed run")
        return manifest

    def verify(self):
        """Compares every file with checksums.txt. Raises EngineError `pack.damaged`."""
        path = self.folder / "checksums.txt"
        if not path.exists():
            raise damaged(path, "the file is missing")
        for line in path.read_text().splitlines():
            wanted, name = line[:64], line[66:]
            file = self.folder / name
            if not file.exists():
                raise damaged(file, "the file is missing")
            if sha256(file) != wanted:
                raise damaged(file, "its content has changed since it was packed")

    # --- where training stands ---

    def start(self, say):
        """(step, position, state): of the newest whole checkpoint, or of the beginning."""
        for step, path in sorted(self.checkpoints(), reverse=True):
            try:
                meta = self._read_meta(path)
                state = path / "state.safetensors"
                if sha256(state) != meta["stateSha256"]:
                    raise damaged(state, "its content is not what was written")
                return step, meta["position"], read_state(state)
            except (EngineError, OSError, KeyError) as error:
                if isinstance(error, EngineError) and error.code == "checkpoint.newer":
                    raise
                say(f"warning: {path} is damaged ({error}); going on from what is before it")
                shutil.rmtree(f"{path}.damaged", ignore_errors=True)
                path.rename(f"{path}.damaged")
        begin = self.manifest["from"]
        return begin["step"], begin["position"], self._packed_state()

    def checkpoints(self):
        folder = self.out / "checkpoints"
        found = [(NAME.match(path.name), path) for path in folder.iterdir()] if folder.is_dir() else []
        return [(int(match[1]), path) for match, path in found if match]

    def _read_meta(self, path):
        meta = json.loads((path / "checkpoint.json").read_text())
        if meta["format"] > CHECKPOINT_FORMAT:
            message = f"{path}: expected checkpoint format {CHECKPOINT_FORMAT}, got {meta['format']} of a newer version"
            raise EngineError("checkpoint.newer", message, "Use the lodestone_torch that wrote it")
        if meta["rngKey"] != self.manifest["rngKey"] or meta["inputs"] != self.manifest["inputs"]:
            fix = "Use another folder for this run"
            raise EngineError("checkpoint.mismatch", f"{path}: expected a checkpoint of this run, got another's", fix)
        return meta

    def _packed_state(self):
        packed = self.manifest["state"]
        tensors = read_state(self.folder / packed["file"])
        for name, dims in packed["zeros"].items():
            tensors[name] = torch.zeros(dims)
        return {name: tensors[name] for name in packed["names"]}

    def save(self, step, position, state, loss):
        """Writes a checkpoint as Node does: whole under its name, or not at all."""
        folder = self.out / "checkpoints"
        path = folder / f"step-{step:08d}"
        temporary = folder / f"{path.name}.partial"
        manifest = self.manifest
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            digest = write_state(temporary / "state.safetensors", state)
            meta = {
                "format": CHECKPOINT_FORMAT,
                "stage": manifest["stage"],
                "step": step,
                "rngKey": manifest["rngKey"],
                "position": position,
                "config": manifest["config"],
                "inputs": manifest["inputs"],
                "loss": loss,
                "stateSha256": digest,
            }
            write_synced(temporary / "checkpoint.json", json.dumps(meta, indent=2) + "\n")
            shutil.rmtree(path, ignore_errors=True)
            temporary.rename(path)
            sync_folder(folder)
            self._prune()
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise unwritable(path, error) from error
        return path

    def _prune(self):
        rules = self.manifest["checkpoints"]
        found = sorted(self.checkpoints())
        stay = {path for _, path in found[-rules["keep"] :]}
        if rules["best"]:
            losses = [(json.loads((path / "checkpoint.json").read_text())["loss"], path) for _, path in found]
            known = [(loss, path) for loss, path in losses if loss is not None]
            stay |= {min(known, key=lambda pair: pair[0])[1]} if known else set()
        for _, path in found:
            if path not in stay:
                path.rename(f"{path}.old")
                shutil.rmtree(f"{path}.old")

    def prepare_out(self, step):
        """Removes what a kill left half written; metrics after `step` belong to updates that were lost."""
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            folder = self.out / "checkpoints"
            for path in list(folder.iterdir()) if folder.is_dir() else []:
                if path.name.endswith((".partial", ".old")):
                    shutil.rmtree(path, ignore_errors=True)
            if self.out != self.folder:
                shutil.copyfile(self.folder / "run.json", self.out / "run.json")
            metrics = self.metrics_path
            if metrics.exists():
                text = metrics.read_text()
                kept = "".join(f"{line}\n" for line in text.split("\n") if step_of(line) <= step)
                if kept != text:
                    write_synced(metrics.with_suffix(".partial"), kept)
                    metrics.with_suffix(".partial").replace(metrics)
        except OSError as error:
            raise unwritable(self.out, error) from error

    @property
    def metrics_path(self):
        return self.out / "metrics.jsonl"


class Lock:
    """One writer at a time; a lock left by a killed process is taken over."""

    def __init__(self, out):
        self.path, self.out = Path(out) / ".lock", out

    def __enter__(self):
        for _ in range(2):
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with open(self.path, "x") as file:
                    file.write(f"{os.getpid()} {start_time(os.getpid())}\n")
                return self
            except FileExistsError:
                words = self.path.read_text().split()
                if len(words) == 2 and words[0].isdigit() and int(words[0]) != os.getpid():
                    if alive(int(words[0])) and start_time(int(words[0])) == words[1]:
                        message = f"{self.out}: expected a folder of its own, but process {words[0]} is writing there"
                        raise EngineError("output.locked", message, "Wait for it to end, or stop it") from None
                self.path.unlink(missing_ok=True)
            except OSError as error:
                raise unwritable(self.path, error) from error
        raise EngineError("output.locked", f"{self.out}: another process takes and releases the folder's lock")

    def __exit__(self, *_):
        self.path.unlink(missing_ok=True)


def alive(pid):
    try:
        os.kill(pid, 0)
        return True
    except OSError as error:
        return isinstance(error, PermissionError)


def start_time(pid):
    """Tells a living process from a later one with the same id, where the system shows it."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
        return text[text.rindex(")") + 2 :].split(" ")[19]
    except (OSError, ValueError, IndexError):
        return "-"


def step_of(line):
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError, TypeError):
        return float("inf")


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_synced(path, text):
    with open(path, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path):
    """Makes a rename durable, where the file system can."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def damaged(path, what):
    fix = "Copy the folder again, or pack the run again"
    return EngineError("pack.damaged", f"{path}: expected a file of a packed run, but {what}", fix)


def unwritable(path, error):
    fix = "Free some space or name another --out: the last checkpoint is untouched"
    return EngineError("output.unwritable", f"{path}: expected a place to write, got {error.strerror or error}", fix)
