"""Hand-written PyTorch contrastive step: the peer that `npm run bench -- engines` runs beside ours.

The same network, mean pooling and hard-negative loss as `src/pretrain/losses/contrastive.ts`, by gradient caching in
chunks (Gao et al. 2021): embed all chunks without gradient, the loss's gradient by the vectors, then every chunk again.
Random dropout is drawn alike in both passes by restoring the generator's state. Fast paths, precision and protocol are
those of `train_step_pytorch.py`.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

from train_step_pytorch import Encoder


def embed(model, ids, segments, rate):
    B, T = ids.shape
    bias = torch.where(segments[:, None, None, :] > 0, 0.0, -1e4)  # [B, 1, 1, T]
    x = F.dropout(model.wte(ids) + model.wpe(torch.arange(T)), rate)
    for block in model.blocks:
        x = block(x, bias, rate)
    x = model.ln_f(x).float()
    real = (segments > 0).unsqueeze(-1)
    return F.normalize((x * real).sum(1) / real.sum(1), dim=-1)


def contrastive(text, code, temperature):
    """Anchors on both sides; negatives of both modalities, weighted by their own softmax (hard negatives)."""
    N = text.shape[0]
    same = torch.eye(N, dtype=torch.bool)
    cross, tt, cc = text @ code.T / temperature, text @ text.T / temperature, code @ code.T / temperature
    positive = cross.diagonal()
    total = 0.0
    for own, other in ((tt, cross), (cc, cross.T)):
        s = torch.cat([own.masked_fill(same, -1e4), other.masked_fill(same, -1e4)], 1)  # [N, 2N]
        weighted = torch.logsumexp(s + (s - torch.logsumexp(s, 1, keepdim=True)), 1)
        total = total + F.softplus(weighted - positive).mean()
    return total


def make_step(job, attention, batch):
    torch.manual_seed(job["seed"])
    model, rate, chunk = Encoder(job, attention), job["dropout"], job["chunk"]
    decayed = [p for p in model.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if p.dim() != 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=job["learningRate"], fused=True)
    low = job.get("precision") == "bf16"

    def autocast():
        return torch.autocast("cpu", torch.bfloat16, enabled=low, cache_enabled=False)

    def step(pairs=job["pairs"]):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        parts = [
            (side, slice(at, min(pairs, at + chunk))) for side in ("text", "code") for at in range(0, pairs, chunk)
        ]
        seeds, vectors = [], {"text": [], "code": []}
        with torch.no_grad(), autocast():
            for side, rows in parts:
                seeds.append(torch.get_rng_state())
                vectors[side].append(embed(model, batch[f"{side}_ids"][rows], batch[f"{side}_segments"][rows], rate))
        leaves = {side: torch.cat(found).requires_grad_() for side, found in vectors.items()}
        loss = contrastive(leaves["text"], leaves["code"], job["temperature"])
        loss.backward()
        for seed, (side, rows) in zip(seeds, parts):
            torch.set_rng_state(seed)
            with autocast():
                again = embed(model, batch[f"{side}_ids"][rows], batch[f"{side}_segments"][rows], rate)
            again.backward(leaves[side].grad[rows])
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        value = loss.item()
        return time.perf_counter() - start, value

    return step


def main():
    job = json.loads(sys.stdin.readline())
    torch.set_num_threads(job["threads"])
    batch = {}
    for side in ("text", "code"):
        length = job[f"{side}Length"]
        batch[f"{side}_ids"] = torch.tensor(job["batch"][f"{side}_ids"]).view(-1, length)
        batch[f"{side}_segments"] = torch.tensor(job["batch"][f"{side}_segments"]).view(-1, length)
    trials, times = {}, {}
    for attention in ["sdpa", "matmul"]:
        trials[attention] = make_step(job, attention, batch)
        trials[attention](job["chunk"])
        times[attention] = min(trials[attention](job["chunk"])[0] for _ in range(2))
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
