"""One update as programs over one state: the Python twin of src/pretrain/step.ts."""

import torch

from .batches import masked_capacity


class WholeStep:
    """One program does everything."""

    def __init__(self, programs):
        self.step = programs["step"]

    def run(self, state, batch):
        return self.step.run(state, with_groups(batch, [self.step]))


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


#: Views of a batch, by name: SimCSE's pairs are two views of one side, under dropout masks of their own.
VIEWS = {"text": "text", "code": "code", "text_again": "text", "code_again": "code"}
#: What is compared with what.
MODALITIES = {"bimodal": ("text", "code"), "code": ("code", "code_again"), "text": ("text", "text_again")}
#: Similarities of a block of anchors that exist at a time.
BLOCK_NUMBERS = 2**23


class CachedStep:
    """Stage 2, `chunk` pairs at a time: embed all, gradient of the loss by the vectors, then every chunk again."""

    def __init__(self, programs, chunk):
        self.programs, self.chunk = programs, chunk
        self.views = [view for view in VIEWS if f"embed_{view}" in programs]
        self.losses = {name: programs[f"loss_{name}"] for name in MODALITIES if f"loss_{name}" in programs}

    def run(self, state, batch):
        pairs = batch["row_ids"].shape[0]
        batch = with_groups(batch, self.losses.values())
        chunks = spans(pairs, self.chunk)
        vectors, gradients = {}, {}
        for view in self.views:
            embed = self.programs[f"embed_{view}"]
            parts = [embed.run(state, view_chunk(batch, view, *span))["vectors"] for span in chunks]
            vectors[view] = torch.cat(parts)
            gradients[view] = torch.zeros_like(vectors[view])
        sums = {}
        for name, program in self.losses.items():
            first, second = MODALITIES[name]
            given = batch | {"first": vectors[first], "second": vectors[second]}
            for start, end in spans(2 * pairs, max(1, BLOCK_NUMBERS // (2 * pairs))):
                anchors = torch.arange(start, end, dtype=torch.int32, device=vectors[first].device)
                parts = program.run(state, given | {"anchors": anchors})
                gradients[first] += parts.pop("first_gradient")
                gradients[second] += parts.pop("second_gradient")
                for key, value in parts.items():
                    sums[key] = value if key not in sums else sums[key] + value
        for view in self.views:
            for start, end in chunks:
                part = view_chunk(batch, view, start, end) | {"vector_gradient": gradients[view][start:end]}
                self.programs[f"backward_{view}"].run(state, part)
        return sums | self.programs["apply"].run(state, {"learning_rate": batch["learning_rate"]})


def spans(size, step):
    return [(start, min(size, start + step)) for start in range(0, size, step)]


def with_groups(batch, programs):
    """The batch with `text_group` and `code_group` where a program masks duplicates: equal rows have equal numbers."""
    for side in ("text", "code"):
        name = f"{side}_group"
        if name not in batch and any(name in program.inputs for program in programs):
            _, group = torch.unique(batch[f"{side}_ids"], dim=0, return_inverse=True)
            batch = batch | {name: group.to(torch.int32)}
    return batch


STEPS = {
    "whole": lambda programs, chunk: WholeStep(programs),
    "accumulate": AccumulatedStep,
    "gradient-cache": CachedStep,
}


def view_chunk(batch, view, start, end):
    side = VIEWS[view]
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
