"""transformers' BertForMaskedLM in fp32: the second peer of `npm run bench -- train-step`.

Same sizes, rates, batch, clipping and AdamW as ours; SDPA attention; the head runs at the masked positions only (the
model's own `bert` and `cls` modules, called one after the other), as `BertForMaskedLM.forward` would spend most of its
time on logits that the loss ignores. Same protocol as `train_step_pytorch.py`.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
import transformers
from transformers import BertForMaskedLM

from _bert import bert_config


def make_step(job, batch):
    torch.manual_seed(job["seed"])
    config = bert_config(job)
    model = BertForMaskedLM(config).train()
    decayed = [p for p in model.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if p.dim() != 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=job["learningRate"], fused=True)
    segments = batch["segments"]

    def step():
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        same = segments[:, None, :, None] == segments[:, None, None, :]  # [B, 1, T, T]
        bias = torch.zeros(same.shape).masked_fill(~same, torch.finfo(torch.float32).min)
        hidden = model.bert(batch["input_ids"], attention_mask=bias, position_ids=batch["positions"])[0]
        logits = model.cls(hidden.flatten(0, 1)[batch["masked_index"]])  # [M, V]
        loss = F.cross_entropy(logits, batch["masked_label"])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        value = loss.item()
        return time.perf_counter() - start, value

    return step, model


def main():
    job = json.loads(sys.stdin.readline())
    torch.set_num_threads(job["threads"])
    B, T = job["rows"], job["tokens"]
    batch = {name: torch.tensor(values) for name, values in job["batch"].items()}
    for name in ("input_ids", "positions", "segments"):
        batch[name] = batch[name].view(B, T)
    step, model = make_step(job, batch)
    for _ in range(2):
        step()
    settings = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "threads": torch.get_num_threads(),
        "attention": model.config._attn_implementation,
        "optimizer": "AdamW(fused=True)",
    }
    print(json.dumps({"ready": settings}), flush=True)
    for line in sys.stdin:
        results = [step() for _ in range(int(line))]
        print(json.dumps({"seconds": [r[0] for r in results], "loss": [r[1] for r in results]}), flush=True)


if __name__ == "__main__":
    main()
