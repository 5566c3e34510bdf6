"""Trains a packed run: the same loop as Node's, fed from batches.bin."""

import json
import math
import os
import queue
import signal
import sys
import threading
import time

import torch

from .batches import BatchFile
from .environment import find_device
from .errors import EngineError
from .program import Program
from .run_folder import Lock, RunFolder
from .steps import STEPS

AHEAD = 6
"""Batches that are ready before they are needed."""
READ_SECONDS = 1.0
"""Metrics stay on the device so long: reading them waits for it, and a small model's steps are short."""
READ_UPDATES = 50


class Trainer:
    def __init__(self, options, say):
        self.began = time.monotonic()
        self.options, self.say = options, say
        self.run = RunFolder(options.folder, options.out)
        self.manifest = self.run.manifest
        self.device = find_device(options.device or "auto")
        self.stopping = None
        self.pending = []
        self.losses = []
        self.saved = None

    def train(self):
        """Trains until the packed part is done, the time is up, or a signal comes. Returns the step reached."""
        with Lock(self.run.out):
            self.run.verify()
            step, position, state = self.run.start(self.say)
            end = self.manifest["to"] if self.options.updates is None else step + self.options.updates
            end = min(end, self.manifest["to"])
            if step >= self.manifest["to"]:
                self.say(f"all {step} updates of this folder are done")
                return step
            self.run.prepare_out(step)
            self._handle_signals()
            return self._loop(step, position, state, end)

    def stop(self, why):
        self.stopping = self.stopping or why

    def _loop(self, step, position, state, end):
        options = self.options
        names = list(state)
        # Until a save was timed: what a slow disk takes.
        saving = sum(value.numel() * value.element_size() for value in state.values()) / 1e8 + 1
        state = {name: value.to(self.device) for name, value in state.items()}
        update = self._load(state)
        batches = BatchFile(self.run.folder / self.manifest["batches"], self.manifest["shape"])
        pin = self.device.type == "cuda"
        self.say(
            f"{self.manifest['stage']}: updates {step + 1} to {end} of {self.manifest['steps']} on {self.device}, "
            f"{options.precision}{', compiled' if options.compile else ''}, torch {torch.__version__}"
        )
        deadline = None if options.minutes is None else self.began + 60 * options.minutes
        rules = self.manifest["checkpoints"]
        self.saved, saved_at = step, time.monotonic()
        longest = 0.0
        progress = Progress(step, end, self.say)
        with open(self.run.metrics_path, "a") as metrics, Prefetch(batches, step, end, pin) as ready:
            self.metrics, self.read_at, self.step_at = metrics, time.monotonic(), time.monotonic()
            started = time.monotonic()
            try:
                while step < end and self.stopping is None:
                    item = ready.next()
                    outputs = update.run(state, item.batch)
                    step, position = step + 1, item.meta["next"]
                    self.pending.append((step, outputs, item.meta))
                    self._read_if_due(progress)
                    now = time.monotonic()
                    longest, started = max(longest, now - started), now
                    if deadline is not None and now + longest + saving > deadline:
                        self.stop("the time is up")
                    every, seconds = rules["everySteps"], rules["everySeconds"]
                    due = every is not None and step % every == 0
                    due = due or (seconds is not None and now - saved_at >= seconds)
                    if due and step < end and self.stopping is None:
                        saving = 1.5 * self._save(step, position, state, names, progress)
                        saved_at = started = time.monotonic()
            except EngineError as error:
                raise memory_error(error) if error.code == "engine.memory" else error
            finally:
                # What was computed is on record even where the next update failed.
                if sys.exc_info()[0] is None:
                    self._read(progress)
                metrics.flush()
            if self.saved != step:
                self._save(step, position, state, names, progress)
        self._finish(step, end)
        return step

    def _finish(self, step, end):
        if step == self.manifest["steps"]:
            what = f"all {step} updates of the run are done"
        elif step == end:
            what = f"all updates up to {step} are done, of {self.manifest['steps']} in the run"
        else:
            what = f"stopped after update {step} ({self.stopping}); the same command goes on from there"
        self.say(f"{what}. State: {self.run.out / 'checkpoints'}")

    def _load(self, state):
        chunk = self.manifest["chunk"] if self.options.chunk is None else self.options.chunk or None
        plan = self.manifest["plans"]["whole" if chunk is None else "chunked"]
        for name, dims in plan["scratch"].items():
            state[name] = torch.zeros(dims, device=self.device)
        programs = {
            name: Program.load(
                (self.run.folder / file).read_bytes(),
                self.device,
                self.options.precision,
                checkpoint=self.options.checkpoint,
                compile=self.options.compile,
            )
            for name, file in plan["programs"].items()
        }
        return STEPS[plan["kind"]](programs, chunk)

    def _read_if_due(self, progress):
        waited = time.monotonic() - self.read_at >= READ_SECONDS
        if self.device.type == "cpu" or waited or len(self.pending) >= READ_UPDATES:
            self._read(progress)

    def _read(self, progress):
        """Fetches the metrics of the updates since the last time, all in one transfer."""
        if not self.pending:
            return
        pending, self.pending = self.pending, []
        names = list(pending[0][1])
        rows = torch.stack([torch.stack([outputs[name].float() for name in names]) for _, outputs, _ in pending])
        rows = rows.cpu().tolist()
        now = time.monotonic()
        seconds = (now - self.step_at) / len(pending)
        self.step_at = self.read_at = now
        for (step, _, meta), values in zip(pending, rows):
            outputs = dict(zip(names, values))
            for name in ("loss", "grad_norm"):
                if name in outputs and not math.isfinite(outputs[name]):
                    raise self._not_finite(step, name, outputs[name])
            line = {"step": step}
            line |= summarise(self.manifest, outputs, meta["stats"])
            line |= {"learning_rate": meta["learning_rate"], "seconds": seconds}
            self.metrics.write(json.dumps(line, separators=(",", ":")) + "\n")
            self.losses.append(outputs["loss"])
        progress.show(step, self.losses[-1], pending[-1][2]["stats"].get("tokens", 0) / max(seconds, 1e-9))

    def _not_finite(self, step, name, value):
        message = f"{self.manifest['stage']}: step {step}: expected a finite {name}, got {value}"
        fix = f"Lower the learning rate or raise its warm-up; the last good state is of step {self.saved}"
        return EngineError("train.not-finite", message, fix)

    def _save(self, step, position, state, names, progress):
        began = time.monotonic()
        self._read(progress)
        self.metrics.flush()
        os.fsync(self.metrics.fileno())
        kept = {name: state[name].detach() for name in names}
        for name, value in kept.items():
            if value.is_floating_point() and not bool(torch.isfinite(value).all()):
                raise self._not_finite(step, name, "NaN or infinity")
        loss = sum(self.losses) / len(self.losses) if self.losses else None
        self.run.save(step, position, kept, loss)
        self.saved, self.losses = step, []
        self.step_at = time.monotonic()
        return self.step_at - began

    def _handle_signals(self):
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):

            def handle(received, _frame, number=number):
                if self.stopping is not None:
                    signal.signal(number, signal.SIG_DFL)
                    signal.raise_signal(number)
                self.stop(signal.Signals(received).name)
                self.say("finishing the update in hand; once more to stop at once")

            signal.signal(number, handle)


class Prefetch:
    """Decodes batches in a thread of its own; on a GPU into pinned memory, so that copies run beside the kernels."""

    def __init__(self, batches, start, end, pin):
        self.queue = queue.Queue(AHEAD)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._work, args=(batches, start, end, pin), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def next(self):
        item = self.queue.get()
        if isinstance(item, BaseException):
            raise item
        return item

    def _work(self, batches, start, end, pin):
        try:
            for item in batches.updates(start):
                if item.step >= end:
                    break
                if pin:
                    item.batch = {name: value.pin_memory() for name, value in item.batch.items()}
                item.batch["dropout_key"] = torch.tensor(item.meta["dropout_key"], dtype=torch.int32)
                item.batch["learning_rate"] = torch.tensor(item.meta["learning_rate"], dtype=torch.float32)
                if not self._put(item):
                    return
            self._put(EngineError("pack.damaged", "batches.bin: expected more updates, got its end", "Pack the run again"))
        except BaseException as error:  # noqa: BLE001 -- raised where the batch is awaited
            self._put(error)

    def _put(self, item):
        while not self.ended.is_set():
            try:
                self.queue.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False


class Progress:
    """A line now and then, with an estimate of what is left."""

    def __init__(self, start, end, say):
        self.start, self.end, self.say = start, end, say
        self.began = self.shown = time.monotonic()

    def show(self, step, loss, speed):
        now = time.monotonic()
        if now - self.shown < 5 and step < self.end:
            return
        self.shown = now
        left = (now - self.began) / max(1, step - self.start) * (self.end - step)
        self.say(f"update {step} of {self.end}, loss {loss:.3f}, {speed:,.0f} tokens/s, {clock(left)} left")


def clock(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def summarise(manifest, outputs, stats):
    """The metrics of src/pretrain/stage1.ts and stage2.ts."""
    if manifest["stage"] != "stage1":
        temperature = manifest["config"]["training"]["loss"]["temperature"]
        fixed = {} if isinstance(temperature, dict) else {"temperature": temperature}
        return fixed | outputs | stats
    metrics = {"loss": outputs["loss"], "grad_norm": outputs["grad_norm"]}
    for objective in ("r", "d"):
        weight = outputs.get(f"weight_{objective}", 0)
        if weight != 0:
            metrics[f"loss_{objective}"] = outputs[f"loss_{objective}"] / weight
            metrics[f"accuracy_{objective}"] = outputs[f"correct_{objective}"] / weight
    return metrics | stats


def memory_error(error):
    fix = "Give --chunk N (rows or pairs at a time) or --checkpoint; the last checkpoint is kept"
    return EngineError("engine.memory", str(error), fix)
