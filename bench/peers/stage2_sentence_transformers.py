"""sentence-transformers' CachedMultipleNegativesRankingLoss, fp32 or bf16 by autocast: the peer of `npm run bench -- stage2`.

transformers' BERT of the same sizes and rates (GELU's tanh form, SDPA attention), mean pooling, unit vectors, scale 20 (a
temperature of 0.05), AdamW and clipping as ours. The loss is the library's own, with its default direction (summary to
code), so it has less to compute per pair than ours, which has both and all 2N-2 negatives.

Commands `{"pairs", "chunk", "steps"}`, and `"bf16": true` for that, are answered with `{"seconds", "loss", "peak"}`: peak is the process's high-water
mark in bytes.
"""

import json
import resource
import sys
import time

import sentence_transformers
import torch
import torch.nn.functional as F
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss
from transformers import BertModel

from _bert import bert_config


class Encoder(torch.nn.Module):
    """Token ids in, unit vectors out, in the dict that the library's modules hand on."""

    def __init__(self, job):
        super().__init__()
        config = bert_config(job)
        self.bert = BertModel(config, add_pooling_layer=False)

    def forward(self, features, **_):
        mask = features["attention_mask"]
        states = self.bert(features["input_ids"], attention_mask=mask).last_hidden_state
        real = mask.unsqueeze(-1)
        mean = (states * real).sum(1) / real.sum(1)
        return features | {"sentence_embedding": F.normalize(mean, dim=-1)}


class Peer:
    def __init__(self, job):
        torch.manual_seed(job["seed"])
        self.job = job
        self.model = SentenceTransformer(modules=[Encoder(job)], device="cpu").train()
        decayed = [p for p in self.model.parameters() if p.dim() == 2]
        others = [p for p in self.model.parameters() if p.dim() != 2]
        groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=job["learningRate"], fused=True)
        self.ids = {side: torch.tensor(job[side]).view(-1, job[f"{side}Length"]) for side in ("text", "code")}

    def step(self, pairs, chunk, bf16):
        loss_of = CachedMultipleNegativesRankingLoss(self.model, scale=20.0, mini_batch_size=chunk)
        # More pairs than the job has, to see what memory they take: the same rows again.
        rows = torch.arange(pairs) % self.ids["text"].shape[0]
        features = [
            {"input_ids": self.ids[side][rows], "attention_mask": torch.ones_like(self.ids[side][rows])}
            for side in ("text", "code")
        ]
        start = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        # The backward pass repeats the forward one, so it belongs under autocast as well.
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            loss = loss_of(features, torch.zeros(pairs))
            loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        value = loss.item()
        return time.perf_counter() - start, value


def main():
    job = json.loads(sys.stdin.readline())
    torch.set_num_threads(job["threads"])
    peer = Peer(job)
    settings = {
        "sentence-transformers": sentence_transformers.__version__,
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "attention": peer.model[0].bert.config._attn_implementation,
        "optimizer": "AdamW(fused=True)",
    }
    print(json.dumps({"ready": settings}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        results = [peer.step(command["pairs"], command["chunk"], command.get("bf16", False)) for _ in range(command["steps"])]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        answer = {"seconds": [r[0] for r in results], "loss": [r[1] for r in results], "peak": peak}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
