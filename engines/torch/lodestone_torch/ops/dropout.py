"""Dropout whose mask is integer arithmetic on (key, global row, place, position): the same on every engine.

Rows and columns are hashed apart, which is little work: the hashes of the rows of all places that share a shape are
made in one go. Over the full tensor there is one wrapping 32-bit product and one comparison.
"""

import torch

from ..builder import op

MASK_32 = 0xFFFFFFFF
COLUMN_STREAM = 0x9E3779B9
FIRST_FACTOR, SECOND_FACTOR = 0x21F0AAAD, 0x7FEB352D


def mix(x):
    """A 32-bit hash of the xorshift-multiply kind, of a Python number or in int64; no product overflows."""
    x = ((x ^ (x >> 16)) * FIRST_FACTOR) & MASK_32
    x = ((x ^ (x >> 15)) * SECOND_FACTOR) & MASK_32
    return x ^ (x >> 15)


def key_seed(key):
    low, high = (key.to(torch.int64) & MASK_32).unbind()
    return mix((mix(low) + high) & MASK_32)


def odd_int32(x):
    """Sets the lowest bit and reads 32 bits as a signed number."""
    return (((x | 1) ^ 0x80000000) - 0x80000000).to(torch.int32)


def row_hashes(key, rows, inner, places):
    """One odd number per place, row and axis between: int32 [places, rows, *inner]."""
    device = rows.device
    row = mix((key_seed(key) + (rows.to(torch.int64) & MASK_32)) & MASK_32)
    for size in inner:
        row = mix((row.unsqueeze(-1) + torch.arange(size, device=device)) & MASK_32)
    numbers = torch.tensor([mix(place) for place in places], device=device)
    numbers = numbers.reshape((-1,) + (1,) * row.dim())
    return odd_int32(mix((row + numbers) & MASK_32))


def column_hashes(key, size):
    """int32 [size]."""
    seed = mix((key_seed(key) + COLUMN_STREAM) & MASK_32)
    return odd_int32(mix((seed + torch.arange(size[0], device=key.device)) & MASK_32))


def threshold_of(rate):
    """Products from here on are kept."""
    return round(rate * 2**32) - 2**31


def kept_mask(rows, columns, threshold):
    """bool: what is not dropped."""
    return (rows.unsqueeze(-1) * columns) >= threshold


class Dropout(torch.autograd.Function):
    """x times the mask, one byte an element being kept for the gradient."""

    @staticmethod
    def forward(ctx, x, rows, columns, threshold, scale):
        kept = kept_mask(rows, columns, threshold)
        ctx.save_for_backward(kept)
        ctx.scale = scale
        return apply_mask(x, kept, scale)

    @staticmethod
    def backward(ctx, gradient):
        (kept,) = ctx.saved_tensors
        return apply_mask(gradient, kept, ctx.scale), None, None, None, None


def apply_mask(x, kept, scale):
    """x * scale where kept, else 0."""
    return torch.ops.aten.native_dropout_backward(x, kept, scale)


def hashes(b, key, rows, inner, columns, rate, place):
    """Values of the hashes of one dropout: rows of this place, columns."""
    places = b.shared(("places", key, rows, inner), lambda: places_of(b, b.node))
    table = b.shared(
        ("rows", key, rows, inner), lambda: b.call(row_hashes, [key, rows, inner], tuple(places), hoist=True)
    )
    column = b.shared(("columns", key, columns), lambda: b.call(column_hashes, [key, columns], hoist=True))
    return b.emit(f"{{0}}[{places.index(place)}]", [table], hoist=True), column


def places_of(b, node):
    """All places whose masks have the key, rows and shape of this node's."""
    wanted = node.inputs[-4:]
    found = {
        other.attributes["place"]
        for other in b.model.nodes
        if other.domain == "lodestone" and "place" in other.attributes and other.inputs[-4:] == wanted
    }
    return sorted(found)


@op("Dropout", domain="lodestone")
def dropout(b, node):
    """(x, key, rows, sizes of the axes between, size of the last axis)."""
    x, key, rows, inner, columns = b.inputs()
    rate, place = float(node.attributes["rate"]), node.attributes["place"]
    row, column = hashes(b, key, rows, inner, columns, rate, place)
    x = b.tensor(x)
    b.result(b.call(Dropout.apply, [x, row, column], threshold_of(rate), 1 / (1 - rate), low=x.low))


@op("DropoutMask", domain="lodestone")
def dropout_mask(b, node):
    """As float32, where something other than a product uses it."""
    key, rows, inner, columns = b.inputs()
    rate, place = float(node.attributes["rate"]), node.attributes["place"]
    row, column = hashes(b, key, rows, inner, columns, rate, place)
    b.result(b.call(mask_tensor, [row, column], threshold_of(rate), 1 / (1 - rate)))


def mask_tensor(rows, columns, threshold, scale):
    return kept_mask(rows, columns, threshold).to(torch.float32) * scale
