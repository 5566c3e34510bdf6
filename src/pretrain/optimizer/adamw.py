"""Runs torch.optim.AdamW over given gradients, as an oracle that imports nothing of ours.

usage: adamw.py INPUT.safetensors OUTPUT.safetensors

INPUT: `w` (decayed), `b` (not decayed), `e` (decayed, own learning rate), `g/STEP/NAME` gradients, metadata `steps`,
`lr`, `e_rate`, `clip`, `weight_decay`. OUTPUT: the parameters after the last step and `norms`, one per step.
"""

import sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file


def main():
    with safe_open(sys.argv[1], framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        meta = {name: float(value) for name, value in file.metadata().items()}
    parameters = {name: torch.nn.Parameter(tensors[name].clone()) for name in ("w", "b", "e")}
    groups = [
        {"params": [parameters["w"]]},
        {"params": [parameters["b"]], "weight_decay": 0.0},
        {"params": [parameters["e"]], "lr": meta["lr"] * meta["e_rate"]},
    ]
    optimizer = torch.optim.AdamW(groups, lr=meta["lr"], weight_decay=meta["weight_decay"])
    norms = []
    for step in range(int(meta["steps"])):
        for name, parameter in parameters.items():
            parameter.grad = tensors[f"g/{step}/{name}"].clone()
        norms.append(torch.nn.utils.clip_grad_norm_(parameters.values(), meta["clip"]))
        optimizer.step()
    out = {name: parameter.detach() for name, parameter in parameters.items()}
    save_file({**out, "norms": torch.stack(norms)}, sys.argv[2])


main()
