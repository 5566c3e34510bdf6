"""Ops that move numbers, and the arithmetic of shapes."""

import torch

from ..builder import op


@op("Shape")
def shape(b, node):
    (x,) = b.inputs()
    start, end = node.attributes.get("start", 0), node.attributes.get("end")
    part = "[:]" if end is None else f"[{start}:{end}]"
    b.result(b.emit(f"tuple({{0}}.shape{part})", [x], host=True, hoist=True))


@op("Reshape")
def reshape(b, node):
    x, dims = b.inputs()
    x = b.tensor(x)
    if dims.known is not None and 0 in dims.known:
        parts = [f"{{0}}.shape[{axis}]" if size == 0 else str(size) for axis, size in enumerate(dims.known)]
        code = f"{{0}}.reshape(({', '.join(parts)},))"
        b.result(b.emit(code, [x], low=x.low, view=True, hoist=True))
        return
    b.result(b.emit("{0}.reshape({1})", [x, dims], low=x.low, view=True, hoist=True))


@op("Transpose")
def transpose(b, node):
    (x,) = b.inputs()
    b.result(b.emit(f"{{0}}.permute({node.attributes['perm']})", [x], low=x.low, view=True))


@op("Expand")
def expand(b, node):
    """To the common shape of broadcasting."""
    x, dims = b.inputs()
    x = b.tensor(x)
    b.result(b.call(expand_to, [x, dims], low=x.low, view=True, hoist=True))


def expand_to(x, dims):
    return x.expand(torch.broadcast_shapes(x.shape, dims))


@op("Concat")
def concat(b, node):
    values = b.inputs()
    if all(value.kind == "host" for value in values):
        b.result(b.call(join_sizes, values, host=True, hoist=True))
        return
    low = all(value.low for value in values)
    values = values if low else [b.high(b.tensor(value)) for value in values]
    slots = ", ".join(f"{{{index}}}" for index in range(len(values)))
    b.result(b.emit(f"torch.cat(({slots},), dim={node.attributes['axis']})", values, low=low))


def join_sizes(*parts):
    return tuple(size for part in parts for size in (part if isinstance(part, tuple) else (part,)))


@op("Slice")
def slice_(b, node):
    x, start, end, axes = b.inputs()
    (axis,) = axes.known
    lead = ":, " * axis
    b.result(b.emit(f"{{0}}[{lead}{{1}}[0]:{{2}}[0]]", [x, start, end], low=x.low, view=True, hoist=True))


@op("Split")
def split(b, node):
    x, sizes = b.inputs()
    axis = node.attributes["axis"]
    count = len(node.outputs)
    made = b.emit(f"torch.split({{0}}, {{1}}, dim={axis})", [x, sizes], outputs=count, low=x.low, view=True)
    b.result(*(made if count > 1 else [b.emit("{0}[0]", [made], low=x.low, view=True)]))


@op("Squeeze")
def squeeze(b, node):
    x, axes = b.inputs()
    if x.kind == "host":
        b.result(b.emit("{0}[0]", [x], host=True, hoist=True))
        return
    b.result(b.emit("{0}.squeeze({1})", [x, axes], low=x.low, view=True, hoist=True))


@op("Unsqueeze")
def unsqueeze(b, node):
    x, axes = b.inputs()
    x = b.tensor(x)
    for axis in sorted(axes.known):
        x = b.emit(f"{{0}}.unsqueeze({axis})", [x], low=x.low, view=True, hoist=True)
    b.result(x)


@op("Range")
def range_(b, node):
    """Of whole numbers from 0 in steps of 1, as Lodestone writes it."""
    start, end, step = b.inputs()
    dtype = "torch.int32" if b.model.constants[node.inputs[0]].dtype == torch.int32 else "torch.int64"
    code = f"torch.arange({{0}}, {{1}}, {{2}}, device=device, dtype={dtype})"
    b.result(b.emit(code, [start, end, step], hoist=True))
