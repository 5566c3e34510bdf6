"""The encoder's shape as transformers' BERT."""

from transformers import BertConfig


def bert_config(job):
    return BertConfig(
        vocab_size=job["vocabSize"],
        hidden_size=job["width"],
        num_hidden_layers=job["layers"],
        num_attention_heads=job["heads"],
        intermediate_size=4 * job["width"],
        max_position_embeddings=job["maxLength"],
        hidden_act="gelu_pytorch_tanh",
        hidden_dropout_prob=job["dropout"],
        attention_probs_dropout_prob=job["dropout"],
        attn_implementation="sdpa",
    )
