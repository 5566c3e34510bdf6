"""One update as programs over one state: the Python twin of src/pretrain/step.ts."""

import torch

from .batches import masked_capacity


class WholeStep:
    """One program does everything."""

    def __init__(self, programs):
        self.step = programs["step"]

    def run(self, state, batch):
        return self.step.run(state, batch)


class AccumulatedStep:
    """Stage 1, `chunk` rows at a time, gradients added up."""

    def __init__(self, programs, chunk):
        self.accumulate, self.apply, self.chunk = programs["accumulate"], programs["apply"], chunk

    def run(self, state, batch):
        sums = {}
        rows = batch["input_ids"].shape[0]
        for part in masked_chunks(batch, self.chunk, rows):
            for name, value in self.accumulate.run(state, part).items():
                sums[name] = value if name not in sums else sums[name] + value
        return sums | self.apply.run(state, {"learning_rate": batch["learning_rate"]})


class CachedStep:
    """Stage 2, `chunk` pairs at a time: embed all, gradient of the loss by the vectors, then every chunk again."""

    def __init__(self, programs, chunk):
        self.programs, self.chunk = programs, chunk

    def run(self, state, batch):
        pairs = batch["row_ids"].shape[0]
        spans = [(start, min(pairs, start + self.chunk)) for start in range(0, pairs, self.chunk)]
        vectors = {}
        for side in ("text", "code"):
            embed = self.programs[f"embed_{side}"]
            parts = [embed.run(state, side_chunk(batch, side, *span))["vectors"] for span in spans]
            vectors[f"{side}_vectors"] = torch.cat(parts)
        metrics = self.programs["loss"].run(state, vectors)
        for side in ("text", "code"):
            gradient = metrics.pop(f"{side}_gradient")
            for start, end in spans:
                part = side_chunk(batch, side, start, end) | {"vector_gradient": gradient[start:end]}
                self.programs[f"backward_{side}"].run(state, part)
        return metrics | self.programs["apply"].run(state, {"learning_rate": batch["learning_rate"]})


STEPS = {
    "whole": lambda programs, chunk: WholeStep(programs),
    "accumulate": AccumulatedStep,
    "gradient-cache": CachedStep,
}


def side_chunk(batch, side, start, end):
    return {
        "input_ids": batch[f"{side}_ids"][start:end],
        "input_segments": batch[f"{side}_segments"][start:end],
        "row_ids": batch["row_ids"][start:end],
        "dropout_key": batch["dropout_key"],
    }


def masked_chunks(batch, chunk, rows):
    """Rows of a stage 1 batch with the masked places among them; the batch is on the CPU, so nothing waits."""
    length = batch["input_ids"].shape[1]
    used = int((batch["masked_weight"] > 0).sum())
    index = batch["masked_index"][:used]
    for start in range(0, rows, chunk):
        end = min(rows, start + chunk)
        # Places ascend, so those of some rows are neighbours.
        low, high = torch.searchsorted(index, torch.tensor([start * length, end * length], dtype=index.dtype)).tolist()
        room = masked_capacity(high - low, (end - start) * length)
        part = {name: batch[name][start:end] for name in ("input_ids", "positions", "segments", "row_ids")}
        for name in ("masked_index", "masked_label", "masked_weight", "objective"):
            values = torch.zeros(room, dtype=batch[name].dtype)
            values[: high - low] = batch[name][low:high]
            part[name] = values
        part["masked_index"][: high - low] -= start * length
        part["dropout_key"] = batch["dropout_key"]
        yield part
