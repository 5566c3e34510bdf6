"""Picking and scattering."""

import torch

from ..builder import op


@op("Gather")
def gather(b, node):
    x, indices = b.inputs()
    axis = node.attributes.get("axis", 0)
    if x.kind == "host":
        b.result(b.emit("{0}[{1}]", [x, indices], host=True, hoist=True))
        return
    b.result(b.call(take, [b.tensor(x), b.tensor(indices)], axis, low=x.low))


def take(x, indices, axis):
    """x's slices at some indices: [V, H], [B, T] -> [B, T, H].

    The gradient of `embedding` adds duplicates up in the same order every time, on every device.
    """
    if axis == 0 and x.dim() == 2 and x.is_floating_point():
        return torch.nn.functional.embedding(indices, x)
    flat = torch.index_select(x, axis, indices.reshape(-1))
    return flat.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


@op("GatherElements")
def gather_elements(b, node):
    x, indices = b.inputs()
    b.result(b.emit(f"torch.gather({{0}}, {node.attributes['axis']}, {{1}})", [x, indices], low=x.low))


@op("ScatterElements")
def scatter_elements(b, node):
    base, indices, updates = (b.high(value) for value in b.inputs())
    b.result(b.emit(f"torch.scatter_add({{0}}, {node.attributes['axis']}, {{1}}, {{2}})", [base, indices, updates]))
