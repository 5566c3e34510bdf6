"""Which numbers are computed in half precision.

The policy is that of torch's automatic mixed precision, decided once when a program is loaded instead of at every
call: products of matrices take and give half-precision numbers; what only moves or scales numbers (reshapes, GELU,
dropout) keeps the type it gets; everything else (LayerNorm, softmax, sums, losses, the optimizer) is float32, and so
is every product inside a scope called `loss`. Parameters, moments and gradients are float32.
"""

import torch

from .errors import EngineError

PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def low_type(precision):
    """The half-precision dtype of a policy, or None. Raises EngineError `engine.precision`."""
    if precision not in PRECISIONS:
        expected = ", ".join(PRECISIONS)
        raise EngineError("engine.precision", f"precision: expected one of {expected}, got \"{precision}\"")
    return PRECISIONS[precision]


def stays_high(scope):
    """Whether products of this scope (`loss`, `text/loss/...`) stay float32."""
    return "loss" in scope.split("/")


class LossScaler:
    """The scale of float16 losses: halved when a gradient overflows, doubled after `interval` good steps.

    The rule is torch.amp.GradScaler's, but a step that overflowed is repeated with the smaller scale instead of being
    left out: dropout's masks come from the batch, so the repetition is the same step.
    """

    def __init__(self, scale=65536.0, interval=2000):
        self.scale, self.interval, self.good = scale, interval, 0

    def accept(self, finite):
        """Notes a step; False if it has to be repeated."""
        if finite:
            self.good += 1
            if self.good == self.interval:
                self.scale, self.good = self.scale * 2, 0
            return True
        self.scale, self.good = self.scale / 2, 0
        # A scale below one cannot help: the numbers themselves are not finite.
        return self.scale < 1
