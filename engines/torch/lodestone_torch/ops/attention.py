"""softmax(alpha Q K' + bias) V, with dropout on the probabilities."""

import torch

from ..builder import op
from .dropout import apply_mask, hashes, kept_mask, threshold_of


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
    if rate == 0:
        mask = ", attn_mask={3}" if biased else ""
        code = f"torch.nn.functional.scaled_dot_product_attention({{0}}, {{1}}, {{2}}{mask}, scale={alpha!r})"
        b.result(b.emit(code, [q, k, v, *bias], low=q.low))
        return
    row, column = hashes(b, *rest, rate, node.attributes["place"])
    slot = "{5}" if biased else "None"
    code = f"{b.function(DroppedAttention.apply)}({{0}}, {{1}}, {{2}}, {slot}, {{3}}, {{4}}, {alpha!r}, "
    code += f"{threshold_of(rate)}, {1 / (1 - rate)!r})"
    b.result(b.emit(code, [q, k, v, row, column, *bias], low=q.low))


class DroppedAttention(torch.autograd.Function):
    """Attention with our dropout masks: keeps the probabilities and one byte an element of the mask.

    In the gradient of the scores P * (g - rowsum(P * g)) the row sum is that of O * dO over [T, d] (Dao et al. 2022,
    FlashAttention, section 3.1). The bias has no gradient: it is made of the batch's shape.
    """

    @staticmethod
    def forward(ctx, q, k, v, bias, rows, columns, alpha, threshold, scale):
        scores = torch.matmul(q * alpha, k.transpose(-2, -1))
        if bias is not None:
            scores += bias
        probabilities = torch.softmax(scores, dim=-1)
        kept = kept_mask(rows, columns, threshold)
        mixed = torch.matmul(apply_mask(probabilities, kept, scale), v)
        ctx.save_for_backward(q, k, v, probabilities, kept, mixed)
        ctx.alpha, ctx.scale = alpha, scale
        return mixed

    @staticmethod
    def backward(ctx, gradient):
        q, k, v, probabilities, kept, mixed = ctx.saved_tensors
        dropped = apply_mask(probabilities, kept, ctx.scale)
        dv = torch.matmul(dropped.transpose(-2, -1), gradient)
        slope = torch.matmul(gradient, v.transpose(-2, -1))
        rest = (mixed * gradient).sum(dim=-1, keepdim=True)
        ds = dropped.mul_(slope).sub_(probabilities * rest)
        dq = torch.matmul(ds, k * ctx.alpha)
        dk = torch.matmul(ds.transpose(-2, -1), q * ctx.alpha)
        return dq, dk, dv, None, None, None, None, None, None
