"""Cross-entropy over a vocabulary. Products may be in half precision, everything behind them is float32."""

import torch

from ..builder import op


@op("LinearCrossEntropy", domain="lodestone")
def linear_cross_entropy(b, node):
    """(x [M, H], table [V, H], labels [M]) -> (loss [M], 1 where the label is the most likely [M])."""
    x, table, labels = b.inputs()
    cast = b.low if b.products_low else b.high
    loss, correct = b.call(LinearCrossEntropy.apply, [cast(x), cast(table), labels], outputs=2)
    b.result(loss, correct)


class LinearCrossEntropy(torch.autograd.Function):
    """Keeps one [M, V] tensor, the probabilities, for two products; none of the gradient's passes is element-wise.

    With P the probabilities and g the gradient of the losses: dx = g (P table - table[labels]), and
    d table = P' (g x), less g x added at the labels' rows.
    """

    @staticmethod
    def forward(ctx, x, table, labels):
        index = labels.to(torch.int64)
        logits = torch.mm(x, table.t())
        of_label = logits.gather(1, index.unsqueeze(1)).squeeze(1).float()
        largest = logits.amax(1).float()
        probabilities = torch.softmax(logits, dim=1, dtype=torch.float32)
        loss = largest - torch.log(probabilities.amax(1)) - of_label
        correct = (of_label >= largest).float()
        ctx.save_for_backward(x, table, index, probabilities.to(x.dtype))
        ctx.mark_non_differentiable(correct)
        return loss, correct

    @staticmethod
    def backward(ctx, gradient, _):
        x, table, index, probabilities = ctx.saved_tensors
        weights = gradient.to(x.dtype).unsqueeze(1)
        wanted_x, wanted_table, _ = ctx.needs_input_grad
        dx = dtable = None
        if wanted_x:
            dx = torch.mm(probabilities, table).sub_(table[index]).mul_(weights)
        if wanted_table:
            scaled = x * weights
            dtable = torch.mm(probabilities.t(), scaled)
            dtable -= torch.ops.aten.embedding_dense_backward(scaled, index, table.shape[0], -1, False)
        return dx, dtable, None


@op("SoftmaxCrossEntropy", domain="lodestone")
def softmax_cross_entropy(b, node):
    logits, labels = b.inputs()
    b.result(b.call(cross_entropy, [b.high(logits), labels]))


def cross_entropy(logits, labels):
    return torch.nn.functional.cross_entropy(logits, labels.to(torch.int64), reduction="none")
