"""What a student has to learn of its teacher, in PyTorch, float64: an oracle for distillation.slow.test.ts.

python distillation.py IN OUT: IN is a safetensors file with `text`, `code` [N, H], `teacher_text`, `teacher_code` [N, D] and
`near_text`, `near_code` [N, H], and a list of options as JSON in its metadata (`cases`); OUT gets for case I `I/loss` [1],
`I/text_gradient` and `I/code_gradient` [N, H]. Scores by torch's own kl_div, gradients by autograd.
"""

import torch
import torch.nn.functional as F

from _cases import answer


def run(tensors, options):
    text = tensors["text"].double().requires_grad_()
    code = tensors["code"].double().requires_grad_()
    if options["kind"] == "embeddings":
        near = tensors["near_text"].double(), tensors["near_code"].double()
        # Of unit vectors the dot product is the cosine; its gradient is that of the vectors as they are.
        loss = sum((1 - torch.einsum("nd,nd->n", own, other)).mean() for own, other in zip((text, code), near)) / 2
    else:
        tau = options["temperature"]
        teacher = tensors["teacher_text"].double() @ tensors["teacher_code"].double().T / tau
        student = text @ code.T / tau
        both = [
            F.kl_div(F.log_softmax(ours, 1), F.log_softmax(theirs, 1), log_target=True, reduction="batchmean")
            for ours, theirs in ((student, teacher), (student.T, teacher.T))
        ]
        loss = sum(both) / 2
    loss.backward()
    return {"loss": loss.detach()[None], "text_gradient": text.grad, "code_gradient": code.grad}


answer(run)
