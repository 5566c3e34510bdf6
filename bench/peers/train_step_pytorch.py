"""Hand-written PyTorch training step: the peer that `npm run bench -- train-step` and `engines` run beside ours.

The same network as `src/model` (pre-LayerNorm, GPT-2 parameters, tanh GELU, tied head, logits only at the masked
positions), the same dropout places, block attention, gradient clipping and AdamW. It takes PyTorch's documented fast
paths: one fused query-key-value product, `scaled_dot_product_attention` or plain products (the faster of the two at the
rate in hand, measured at the start), fused AdamW, `zero_grad(set_to_none=True)`. The job's `precision` is `fp32` (default)
or `bf16`, which is torch.autocast with parameters, moments and the loss in fp32.

Protocol: the first line of standard input is the job as JSON; the reply is one JSON line `{"ready": ...}`. After that
every line `N` runs N steps and replies `{"seconds": [...], "loss": [...]}`; the end of its input ends it.
"""

import json
import math
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, width, heads, attention):
        super().__init__()
        self.heads, self.attention = heads, attention
        self.ln_1 = nn.LayerNorm(width, eps=1e-5)
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)
        self.ln_2 = nn.LayerNorm(width, eps=1e-5)
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_out = nn.Linear(4 * width, width)

    def attend(self, x, bias, rate):
        B, T, H = x.shape
        q, k, v = self.c_attn(x).view(B, T, 3, self.heads, H // self.heads).permute(2, 0, 3, 1, 4)  # [B, nh, T, d]
        if self.attention == "sdpa":
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=rate)
        else:
            scores = q @ k.transpose(-2, -1) * (1 / math.sqrt(H // self.heads)) + bias
            y = F.dropout(scores.softmax(-1), rate) @ v
        return self.c_proj(y.transpose(1, 2).reshape(B, T, H))

    def forward(self, x, bias, rate, select=None):
        x = x + F.dropout(self.attend(self.ln_1(x), bias, rate), rate)
        if select is not None:  # Nothing after the last attention mixes positions: the rest is for the masked ones only.
            x = x.flatten(0, 1)[select]
        return x + F.dropout(self.c_out(F.gelu(self.c_fc(self.ln_2(x)), approximate="tanh")), rate)


class Encoder(nn.Module):
    def __init__(self, job, attention):
        super().__init__()
        self.wte = nn.Embedding(job["vocabSize"], job["width"])
        self.wpe = nn.Embedding(job["maxLength"], job["width"])
        self.blocks = nn.ModuleList(Block(job["width"], job["heads"], attention) for _ in range(job["layers"]))
        self.ln_f = nn.LayerNorm(job["width"], eps=1e-5)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)

    def loss(self, batch, rate):
        segments = batch["segments"]  # [B, T]
        same = segments[:, None, :, None] == segments[:, None, None, :]
        bias = torch.where(same, 0.0, -1e4)  # [B, 1, T, T]
        x = F.dropout(self.wte(batch["input_ids"]) + self.wpe(batch["positions"]), rate)
        for block in self.blocks[:-1]:
            x = block(x, bias, rate)
        chosen = self.blocks[-1](x, bias, rate, batch["masked_index"])  # [M, H]
        return F.cross_entropy(self.ln_f(chosen) @ self.wte.weight.t(), batch["masked_label"])


def make_step(job, attention, batch):
    torch.manual_seed(job["seed"])
    model, rate = Encoder(job, attention), job["dropout"]
    decayed = [p for p in model.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if p.dim() != 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=job["learningRate"], fused=True)
    low = job.get("precision") == "bf16"

    def step():
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            loss = model.loss(batch, rate)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        value = loss.item()
        return time.perf_counter() - start, value

    return step


def main():
    job = json.loads(sys.stdin.readline())
    torch.set_num_threads(job["threads"])
    B, T = job["rows"], job["tokens"]
    batch = {name: torch.tensor(values) for name, values in job["batch"].items()}
    for name in ("input_ids", "positions", "segments"):
        batch[name] = batch[name].view(B, T)

    trials, times = {}, {}
    for attention in job.get("attention", ["sdpa", "matmul"]):
        trials[attention] = make_step(job, attention, batch)
        times[attention] = min(trials[attention]()[0] for _ in range(3))
    chosen = min(times, key=times.get)
    step = trials[chosen]
    settings = {"torch": torch.__version__, "threads": torch.get_num_threads(), "attention": chosen, "trials": times}
    settings |= {"optimizer": "AdamW(fused=True)", "precision": job.get("precision", "fp32")}
    print(json.dumps({"ready": settings}), flush=True)
    for line in sys.stdin:
        results = [step() for _ in range(int(line))]
        print(json.dumps({"seconds": [r[0] for r in results], "loss": [r[1] for r in results]}), flush=True)


if __name__ == "__main__":
    main()
