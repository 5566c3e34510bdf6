"""transformers' Trainer with BertForMaskedLM: the peer of `npm run bench -- stage1`, end to end.

As its language modelling example does it: documents are tokenised by the fast tokenizer, joined, cut into blocks of the
row's length and masked by DataCollatorForLanguageModeling (15%), one after the other as the Trainer's loader asks for
them; AdamW (fused), linear schedule, clipping at 1, SDPA attention, `bf16=True` in the second precision.

Protocol: the first line is the job as JSON; the reply is `{"ready": ...}` after two steps. After that every line `N` lets
the Trainer run N steps, data preparation included, and replies `{"seconds": [...], "loss": [...]}` (seconds a step, the
mean over the N).
"""

import json
import os
import sys
import tempfile
import time

import torch
import transformers
from transformers import (
    BertForMaskedLM,
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from _bert import bert_config

transformers.utils.logging.set_verbosity_error()


class Blocks(torch.utils.data.IterableDataset):
    """Rows of `length` tokens out of documents that are tokenised when their turn comes, again and again."""

    def __init__(self, documents, tokenizer, length):
        self.documents, self.tokenizer, self.length = documents, tokenizer, length

    def __iter__(self):
        left = []
        while True:
            for start in range(0, len(self.documents), 64):
                batch = self.tokenizer(self.documents[start : start + 64], add_special_tokens=False)["input_ids"]
                for ids in batch:
                    left.extend(ids)
                    left.append(self.tokenizer.eos_token_id)
                while len(left) >= self.length:
                    yield {"input_ids": left[: self.length]}
                    left = left[self.length :]


class Turns(TrainerCallback):
    """Stops between steps until a command comes."""

    def __init__(self, settings):
        self.settings, self.left, self.count, self.losses = settings, 2, 2, []
        self.ready = False
        self.started = time.perf_counter()

    def on_step_end(self, args, state, control, **kwargs):
        self.left -= 1
        if self.left > 0:
            return control
        took = (time.perf_counter() - self.started) / self.count
        if self.ready:
            print(json.dumps({"seconds": [took], "loss": []}), flush=True)
        else:
            print(json.dumps({"ready": self.settings}), flush=True)
            self.ready = True
        line = sys.stdin.readline()
        if not line:
            os._exit(0)
        self.left = self.count = int(line)
        self.started = time.perf_counter()
        return control


def main():
    job = json.loads(sys.stdin.readline())
    torch.set_num_threads(job["threads"])
    torch.manual_seed(job["seed"])
    with open(job["documents"], encoding="utf8") as file:
        documents = json.load(file)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=job["tokenizer"], pad_token="<pad>", eos_token="<eos>", mask_token="<mask>"
    )
    config = bert_config(job)
    settings = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "threads": torch.get_num_threads(),
        "precision": job["precision"],
    }
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            max_steps=1_000_000,
            per_device_train_batch_size=job["rows"],
            learning_rate=job["learningRate"],
            weight_decay=0.1,
            max_grad_norm=1.0,
            optim="adamw_torch_fused",
            bf16=job["precision"] == "bf16",
            use_cpu=True,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
            seed=job["seed"],
        )
        Trainer(
            model=BertForMaskedLM(config),
            args=arguments,
            train_dataset=Blocks(documents, tokenizer, job["tokens"]),
            data_collator=DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15),
            callbacks=[Turns(settings)],
        ).train()


if __name__ == "__main__":
    main()
