"""Products of matrices."""

import torch

from ..builder import op


@op("Gemm")
def gemm(b, node):
    """alpha A' B' (+ bias)."""
    values = precise(b)
    left, right = values[:2]
    a = "{0}.t()" if node.attributes.get("transA", 0) else "{0}"
    w = "{1}.t()" if node.attributes.get("transB", 0) else "{1}"
    alpha = node.attributes.get("alpha", 1.0)
    low = left.low
    if len(values) == 3:
        scale = "" if alpha == 1 else f", alpha={alpha!r}"
        b.result(b.emit(f"torch.addmm({{2}}, {a}, {w}{scale})", values, low=low))
        return
    product = b.emit(f"torch.mm({a}, {w})", [left, right], low=low)
    b.result(product if alpha == 1 else b.emit(f"{{0}} * {alpha!r}", [product], low=low))


@op("MatMul")
def matmul(b, node):
    values = precise(b)
    b.result(b.emit("torch.matmul({0}, {1})", values, low=values[0].low))


@op("FusedMatMul", domain="com.microsoft")
def fused_matmul(b, node):
    """alpha A' B' over the last two axes."""
    values = precise(b)
    a = "{0}.transpose(-2, -1)" if node.attributes.get("transA", 0) else "{0}"
    w = "{1}.transpose(-2, -1)" if node.attributes.get("transB", 0) else "{1}"
    alpha = node.attributes.get("alpha", 1.0)
    if alpha == 1:
        b.result(b.emit(f"torch.matmul({a}, {w})", values, low=values[0].low))
        return
    code = f"{b.function(scaled_matmul)}({a}, {w}, {alpha!r})"
    b.result(b.emit(code, values, low=values[0].low))


def scaled_matmul(a, w, alpha):
    """alpha A W; the smaller of both is scaled, which is one short pass."""
    if a.numel() <= w.numel():
        return torch.matmul(a * alpha, w)
    return torch.matmul(a, w * alpha)


def precise(b):
    """The inputs of a product in the precision that the policy gives it."""
    cast = b.low if b.products_low else b.high
    return [cast(b.tensor(value)) for value in b.inputs()]
