"""Runs transformers' own models on weights that a test of this room wrote, as an oracle that imports nothing of ours.

usage: agreement.py INPUT.safetensors OUTPUT.safetensors

INPUT holds parameters under GPT-2's names, `input_ids` [B, T], `attention_mask` [B, T] (1 real, 0 padding),
`segments` [B, T], `positions` [B, T] (int64), and metadata `heads`, `eps`, `activation`, `pad_id`.
OUTPUT gets `gpt2_padding`, `gpt2_segments` (GPT-2 with all attention allowed within a text or a segment) and
`xlm_roberta_xl` (padding), each last_hidden_state [B, T, H].

Where INPUT has `masked_index` and `masked_label` [M] too, OUTPUT gets `loss` (mean cross-entropy of GPT-2's states within
segments at those places, flat into B*T, head tied to wte) and `grad/NAME` for every parameter, by PyTorch's autograd.
"""

import sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2Model, XLMRobertaXLConfig, XLMRobertaXLModel

DATA = {"input_ids", "attention_mask", "segments", "positions", "masked_index", "masked_label"}


def read(path):
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        return tensors, file.metadata()


def gpt2(weights, meta, layers):
    vocabulary, width = weights["wte.weight"].shape
    config = GPT2Config(
        vocab_size=vocabulary,
        n_positions=weights["wpe.weight"].shape[0],
        n_embd=width,
        n_layer=layers,
        n_head=int(meta["heads"]),
        activation_function=meta["activation"],
        layer_norm_epsilon=float(meta["eps"]),
        attn_implementation="eager",
        bos_token_id=None,
        eos_token_id=None,
    )
    model = GPT2Model(config).eval()
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and not [name for name in missing if "attn.bias" not in name], (missing, unexpected)
    return model


def xlm_roberta_xl(weights, meta, layers):
    vocabulary, width = weights["wte.weight"].shape
    pad = int(meta["pad_id"])
    positions = weights["wpe.weight"]
    config = XLMRobertaXLConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=int(meta["heads"]),
        intermediate_size=4 * width,
        hidden_act=meta["activation"],
        max_position_embeddings=positions.shape[0] + pad + 1,
        layer_norm_eps=float(meta["eps"]),
        pad_token_id=pad,
        type_vocab_size=1,
        attn_implementation="eager",
        bos_token_id=None,
        eos_token_id=None,
    )
    model = XLMRobertaXLModel(config, add_pooling_layer=False).eval()
    state = {
        "embeddings.word_embeddings.weight": weights["wte.weight"],
        # Positions of this family start at pad id + 1.
        "embeddings.position_embeddings.weight": torch.cat([torch.zeros(pad + 1, width), positions]),
        "embeddings.token_type_embeddings.weight": torch.zeros(1, width),
        "encoder.LayerNorm.weight": weights["ln_f.weight"],
        "encoder.LayerNorm.bias": weights["ln_f.bias"],
    }
    pairs = {
        "attn.c_proj": "attention.output.dense",
        "mlp.c_fc": "intermediate.dense",
        "mlp.c_proj": "output.dense",
    }
    for layer in range(layers):
        ours, theirs = f"h.{layer}", f"encoder.layer.{layer}"
        for kind in ("weight", "bias"):
            state[f"{theirs}.attention.self_attn_layer_norm.{kind}"] = weights[f"{ours}.ln_1.{kind}"]
            state[f"{theirs}.LayerNorm.{kind}"] = weights[f"{ours}.ln_2.{kind}"]
            parts = weights[f"{ours}.attn.c_attn.{kind}"].split(width, dim=-1)
            for name, part in zip(("query", "key", "value"), parts):
                state[f"{theirs}.attention.self.{name}.{kind}"] = part.T if part.dim() == 2 else part
            for a, b in pairs.items():
                value = weights[f"{ours}.{a}.{kind}"]
                state[f"{theirs}.{b}.{kind}"] = value.T if value.dim() == 2 else value
    missing, unexpected = model.load_state_dict({name: value.contiguous() for name, value in state.items()}, strict=False)
    assert not unexpected and not [name for name in missing if "_ids" not in name], (missing, unexpected)
    return model


def main():
    tensors, meta = read(sys.argv[1])
    weights = {name: value for name, value in tensors.items() if name not in DATA}
    ids, mask, segments = tensors["input_ids"], tensors["attention_mask"], tensors["segments"]
    layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("h."))

    def additive(allowed):
        return torch.where(allowed[:, None], 0.0, -10000.0)

    padding = (mask[:, None, :] == 1).expand(-1, mask.shape[1], -1)
    within = (segments[:, :, None] == segments[:, None, :]) & (segments[:, None, :] != 0)
    with torch.no_grad():
        first = gpt2(weights, meta, layers)
        plain = torch.arange(ids.shape[1])[None].expand_as(ids)
        by_padding = first(input_ids=ids, position_ids=plain, attention_mask=additive(padding))
        by_segment = first(input_ids=ids, position_ids=tensors["positions"], attention_mask=additive(within))
        # Ids given, so positions come from counting tokens that are not padding.
        second = xlm_roberta_xl(weights, meta, layers)(input_ids=ids, attention_mask=mask)
    out = {
        "gpt2_padding": by_padding.last_hidden_state,
        "gpt2_segments": by_segment.last_hidden_state,
        "xlm_roberta_xl": second.last_hidden_state,
    }
    if "masked_index" in tensors:
        states = first(
            input_ids=ids, position_ids=tensors["positions"], attention_mask=additive(within)
        ).last_hidden_state
        logits = states.flatten(0, 1)[tensors["masked_index"]] @ first.wte.weight.T
        loss = torch.nn.functional.cross_entropy(logits, tensors["masked_label"])
        loss.backward()
        out["loss"] = loss.detach()
        out.update({f"grad/{name}": value.grad for name, value in first.named_parameters()})
    save_file({name: value.contiguous() for name, value in out.items()}, sys.argv[2])


main()
