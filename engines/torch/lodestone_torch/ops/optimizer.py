"""What follows the gradients: their global norm, and AdamW as one fused call per group of parameters."""

from dataclasses import dataclass

import torch

from ..builder import op


@op("GlobalNorm", domain="lodestone")
def global_norm(b, node):
    """The L2 norm of all inputs together."""
    values = [b.high(value) for value in b.inputs()]
    b.result(b.call(norm_of, values))


def norm_of(*tensors):
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(tensors)))


@dataclass(frozen=True)
class Settings:
    """What the parameters of one fused call have in common; values are of the program."""

    beta1: float
    beta2: float
    eps: float
    weight_decay: float
    rate: float
    step: object
    learning_rate: object
    scale: object


def settings_of(b, node):
    """(parameter, gradient, m, v, step, learning rate[, scale]) -> its settings."""
    values = [b.high(b.tensor(value)) for value in b.inputs(node)]
    numbers = [float(node.attributes[name]) for name in ("beta1", "beta2", "eps", "weight_decay", "rate")]
    return values, Settings(*numbers, values[4], values[5], values[6] if len(values) > 6 else None)


def fused_adamw(settings, parameters, gradients, firsts, seconds, step, learning_rate, scale):
    """Updates parameters and moments in place. `step` counts this update; `scale` multiplies the gradients."""
    torch._fused_adamw_(
        parameters,
        gradients,
        firsts,
        seconds,
        [],
        [step] * len(parameters),
        lr=learning_rate * settings.rate,
        beta1=settings.beta1,
        beta2=settings.beta2,
        weight_decay=settings.weight_decay,
        eps=settings.eps,
        amsgrad=False,
        maximize=False,
        grad_scale=None if scale is None else torch.reciprocal(scale),
        found_inf=None,
    )
