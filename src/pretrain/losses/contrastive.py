"""Stage 2's loss in PyTorch, float64, straight from its definition: an oracle for contrastive.slow.test.ts.

python contrastive.py IN OUT: IN is a safetensors file with `text`, `code` [N, H], `text_group`, `code_group` [N], and a
list of options as JSON in its metadata (`cases`); OUT gets for case I `I/loss` [1], `I/text_gradient`, `I/code_gradient`
[N, H] and, where the temperature is learned, `I/temperature_gradient` [1], with respect to its logarithm. Gradients are
autograd's.
"""

import math

import torch

from _cases import answer


def anchor_loss(vectors, anchor, positive, negatives, tau, options):
    """-log e^p / (e^p + sum g e^s), of one anchor in one direction."""
    p = vectors[anchor] @ vectors[positive] / tau
    if len(negatives) == 0:
        return 0 * p
    s = vectors[negatives] @ vectors[anchor] / tau
    if options["weighting"] == "none":
        terms = s
    else:
        g = torch.softmax(s, dim=0)
        if options["normalisation"] == "scaled":
            g = g * len(negatives)
        g = g.detach() if options["detach"] else g
        terms = s + torch.log(g)
    return torch.logsumexp(torch.cat([p[None], terms]), dim=0) - p


def batch_loss(text, code, groups, tau, options):
    pairs = len(text)
    vectors = torch.cat([text, code])
    masks = options.get("duplicates", "keep") == "mask"
    total = 0
    for pair in range(pairs):
        alike = [masks and any(group[pair] == group[other] for group in groups) for other in range(pairs)]
        negatives = [
            side * pairs + other for side in (0, 1) for other in range(pairs) if other != pair and not alike[other]
        ]
        both = [
            anchor_loss(vectors, pair, pair + pairs, negatives, tau, options),
            anchor_loss(vectors, pair + pairs, pair, negatives, tau, options),
        ]
        total = total + 2 * sum(both)  # Each of the pair's two anchors has both directions.
    return total / (2 * pairs)


def run(tensors, options):
    text = tensors["text"].double().requires_grad_()
    code = tensors["code"].double().requires_grad_()
    groups = [tensors["text_group"].tolist(), tensors["code_group"].tolist()]
    learned = isinstance(options["temperature"], dict)
    start = options["temperature"]["learn"] if learned else options["temperature"]
    logarithm = torch.tensor(math.log(start), dtype=torch.float64, requires_grad=True)
    matryoshka = options.get("matryoshka") or {"dims": [text.shape[1]]}
    weights = matryoshka.get("weights") or [1] * len(matryoshka["dims"])
    loss = 0
    for width, weight in zip(matryoshka["dims"], weights):
        cut = [side if width == side.shape[1] else torch.nn.functional.normalize(side[:, :width]) for side in (text, code)]
        loss = loss + weight * batch_loss(*cut, groups, logarithm.exp(), options)
    loss.backward()
    result = {"loss": loss.detach()[None], "text_gradient": text.grad, "code_gradient": code.grad}
    if learned:
        result["temperature_gradient"] = logarithm.grad[None]
    return result


answer(run)
