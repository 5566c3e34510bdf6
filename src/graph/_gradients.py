"""Oracle: PyTorch's autograd. Reads cases as JSON from stdin, prints values and gradients as JSON."""
import json
import sys

import torch
import torch.nn.functional as F  # noqa: F401 (the cases use it)

TYPES = {"float32": torch.float32, "int32": torch.int32}

results = []
for case in json.load(sys.stdin):
    names = {}
    for name, tensor in zip("abcd", case["inputs"]):
        value = torch.tensor(tensor["data"], dtype=TYPES[tensor["dtype"]]).reshape(tensor["dims"])
        names[name] = value.requires_grad_(value.is_floating_point())
    y = eval(case["torch"], {"torch": torch, "F": F}, names)
    seed = torch.tensor(case["seed"]).reshape(y.shape)
    (y * seed).sum().backward()
    gradients = [value.grad.flatten().tolist() if value.grad is not None else None for value in names.values()]
    results.append({"value": y.flatten().tolist(), "dims": list(y.shape), "gradients": gradients})
json.dump(results, sys.stdout)
