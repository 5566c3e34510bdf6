"""Element-wise ops. Half-precision inputs become float32 unless the op only moves or scales them."""

import torch

from ..builder import op
from ..model_reader import DTYPES

UNARY = {
    "Neg": "-{0}",
    "Exp": "torch.exp({0})",
    "Log": "torch.log({0})",
    "Sqrt": "torch.sqrt({0})",
    "Tanh": "torch.tanh({0})",
    "Sigmoid": "torch.sigmoid({0})",
    "Softplus": "torch.nn.functional.softplus({0}, threshold=40.0)",
    "Erf": "torch.erf({0})",
    "Abs": "torch.abs({0})",
    "Sign": "torch.sign({0})",
    "Reciprocal": "torch.reciprocal({0})",
    "Not": "torch.logical_not({0})",
}
BINARY = {
    "Add": "{0} + {1}",
    "Sub": "{0} - {1}",
    "Mul": "{0} * {1}",
    "Equal": "{0} == {1}",
    "Less": "{0} < {1}",
    "Greater": "{0} > {1}",
    "And": "torch.logical_and({0}, {1})",
    "Or": "torch.logical_or({0}, {1})",
}


@op(*UNARY)
def unary(b, node):
    (x,) = b.inputs()
    b.result(b.emit(UNARY[node.op], [b.high(b.tensor(x))]))


@op(*BINARY)
def binary(b, node):
    left, right = b.inputs()
    if left.kind == right.kind == "host":
        b.result(host_arithmetic(b, node.op, left, right))
        return
    if left.kind != "tensor" and right.kind != "tensor":
        left = b.tensor(left)
    if left.kind == "host" or right.kind == "host":
        left, right = b.tensor(left), b.tensor(right)
    # A sum of float32 and half-precision tensors (the residual stream and a branch) is float32 without a cast.
    mixed = node.op == "Add" and left.low != right.low and left.kind == right.kind == "tensor"
    values = [left, right] if mixed else [b.high(left), b.high(right)]
    b.result(b.emit(BINARY[node.op], values))


def host_arithmetic(b, name, left, right):
    """Sums and products of sizes."""
    sign = {"Add": "+", "Mul": "*", "Sub": "-"}[name]
    wide = isinstance(left.known, tuple) or isinstance(right.known, tuple) or left.known is None or right.known is None
    if not wide:
        return b.emit(f"{{0}} {sign} {{1}}", [left, right], host=True, hoist=True)
    return b.call({"Add": add_sizes, "Mul": multiply_sizes, "Sub": subtract_sizes}[name], [left, right], host=True, hoist=True)


def _each(left, right, function):
    if not isinstance(left, tuple) and not isinstance(right, tuple):
        return function(left, right)
    left = left if isinstance(left, tuple) else (left,)
    right = right if isinstance(right, tuple) else (right,)
    size = max(len(left), len(right))
    left, right = (part * size if len(part) == 1 else part for part in (left, right))
    return tuple(function(x, y) for x, y in zip(left, right))


def add_sizes(left, right):
    return _each(left, right, lambda x, y: x + y)


def multiply_sizes(left, right):
    return _each(left, right, lambda x, y: x * y)


def subtract_sizes(left, right):
    return _each(left, right, lambda x, y: x - y)


def divide(left, right):
    """Division; of integers towards zero."""
    numbers = [part for part in (left, right) if isinstance(part, torch.Tensor)]
    whole = not any(part.is_floating_point() for part in numbers)
    return torch.div(left, right, rounding_mode="trunc") if whole else left / right


@op("Div")
def div(b, node):
    left, right = b.inputs()
    left = b.tensor(left) if left.kind != "tensor" and right.kind != "tensor" else left
    b.result(b.call(divide, [b.high(left), b.high(right)]))


@op("Max", "Min")
def extreme(b, node):
    """Of two equal numbers the first gets the gradient, as in Lodestone's own rules."""
    left, right = (b.high(value) for value in b.inputs())
    if right.kind == "literal" and left.kind == "tensor":
        b.result(b.emit({"Max": "torch.clamp_min({0}, {1})", "Min": "torch.clamp_max({0}, {1})"}[node.op], [left, right]))
        return
    sign = "<" if node.op == "Max" else ">"
    b.result(b.emit(f"torch.where({{0}} {sign} {{1}}, {{1}}, {{0}})", [b.tensor(left), b.tensor(right)]))


@op("Where")
def where(b, node):
    condition, yes, no = b.inputs()
    if yes.kind != "tensor" and no.kind != "tensor":
        yes = b.tensor(yes)
    b.result(b.emit("torch.where({0}, {1}, {2})", [condition, b.high(yes), b.high(no)]))


@op("Cast")
def cast(b, node):
    (x,) = b.inputs()
    dtype = DTYPES[node.attributes["to"]]
    if x.kind == "host" and dtype in (torch.int64, torch.int32):
        b.result(x)
        return
    if x.kind == "host":
        b.result(b.emit(f"torch.tensor({{0}}, device=device, dtype={dtype})", [x], hoist=True))
        return
    if dtype == torch.float32 and x.low:
        b.result(b.high(x))
        return
    b.result(b.emit(f"{{0}}.to({dtype})", [b.tensor(x)], hoist=True, view=True))


@op("Gelu")
def gelu(b, node):
    (x,) = b.inputs()
    form = node.attributes["approximate"]
    b.result(b.emit(f"torch.nn.functional.gelu({{0}}, approximate={form!r})", [b.tensor(x)], low=x.low))


@op("Identity")
def identity(b, node):
    (x,) = b.inputs()
    b.result(b.emit("{0}.clone()", [b.tensor(x)], low=x.low))


@op("StopGradient", domain="lodestone")
def stop_gradient(b, node):
    (x,) = b.inputs()
    b.result(b.emit("{0}.detach()", [b.tensor(x)], low=x.low, view=True))
