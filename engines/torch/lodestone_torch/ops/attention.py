"""softmax(alpha Q K' + bias) V, with dropout on the probabilities."""

import torch

from ..builder import op
from .dropout import apply_mask, hashes, kept_mask, threshold_of


LONGEST = 1024
"""Tokens up to which the probabilities are kept on a CPU, which beats SDPA's backward pass there: see docs/log.md."""


@op("Attention", domain="lodestone")
def attention(b, node):
    """(q, k, v [B, heads, T, d], bias, and with dropout: key, rows, sizes between, size of the last axis)."""
    values = b.inputs()
    cast = b.low if b.products_low else b.high
    q, k, v = (cast(value) for value in values[:3])
    alpha, rate = node.attributes["alpha"], float(node.attributes.get("rate", 0))
    biased = node.attributes["biased"]
    rest = values[3 + biased :]
    bias = [cast(b.tensor(values[3]))] if biased else []
    slot = "{3}" if biased else "None"
    if rate == 0:
        code = f"{b.function(whole_attention)}({{0}}, {{1}}, {{2}}, {slot}, {alpha!r})"
        b.result(b.emit(code, [q, k, v, *bias], low=q.low))
        return
    row, column = hashes(b, *rest, rate, node.attributes["place"])
    drop = f"{{{3 + biased}}}, {{{4 + biased}}}, {threshold_of(rate)}, {1 / (1 - rate)!r}"
    code = f"{b.function(KeptAttention.apply)}({{0}}, {{1}}, {{2}}, {slot}, {alpha!r}, {drop})"
    b.result(b.emit(code, [q, k, v, *bias, row, column], low=q.low))


def whole_attention(q, k, v, bias, alpha):
    """Without dropout, by the faster way for the device and for whether there will be a gradient."""
    trained = torch.is_grad_enabled() and (q.requires_grad or k.requires_grad or v.requires_grad)
    if trained and q.device.type == "cpu" and k.shape[-2] <= LONGEST:
        return KeptAttention.apply(q, k, v, bias, alpha)
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=alpha)


class KeptAttention(torch.autograd.Function):
    """Attention that keeps the probabilities and, with our dropout, one byte an element of the mask.

    In the gradient of the scores P * (g - rowsum(P * g)) the row sum is that of O * dO over [T, d] (Dao et al. 2022,
    FlashAttention, section 3.1). The bias has no gradient: it is made of the batch's shape.
    """

    @staticmethod
    def forward(ctx, q, k, v, bias, alpha, rows=None, columns=None, threshold=0, scale=1.0):
        scores = torch.matmul(q * alpha, k.transpose(-2, -1))
        if bias is not None:
            scores += bias
        probabilities = torch.softmax(scores, dim=-1)
        kept = None if rows is None else kept_mask(rows, columns, threshold)
        mixed = torch.matmul(dropped_of(probabilities, kept, scale), v)
        ctx.save_for_backward(q, k, v, probabilities, kept, mixed)
        ctx.alpha, ctx.scale = alpha, scale
        return mixed

    @staticmethod
    def backward(ctx, gradient):
        q, k, v, probabilities, kept, mixed = ctx.saved_tensors
        dropped = dropped_of(probabilities, kept, ctx.scale)
        dv = torch.matmul(dropped.transpose(-2, -1), gradient)
        ds = torch.matmul(gradient, v.transpose(-2, -1))
        rest = (mixed * gradient).sum(dim=-1, keepdim=True)
        if kept is None:
            ds.sub_(rest).mul_(probabilities)
        else:
            ds.mul_(dropped).sub_(probabilities * rest)
        dq = torch.matmul(ds, k * ctx.alpha)
        dk = torch.matmul(ds.transpose(-2, -1), q * ctx.alpha)
        return dq, dk, dv, None, None, None, None, None, None


def dropped_of(probabilities, kept, scale):
    return probabilities if kept is None else apply_mask(probabilities, kept, scale)
