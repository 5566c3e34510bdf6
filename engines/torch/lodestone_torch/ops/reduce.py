"""Reductions, in float32."""

from ..builder import op

FUNCTIONS = {"ReduceSum": "torch.sum", "ReduceMean": "torch.mean", "ReduceMax": "torch.amax"}


@op(*FUNCTIONS)
def reduction(b, node):
    x, axes = b.inputs()
    keep = bool(node.attributes.get("keepdims", 1))
    b.result(b.emit(f"{FUNCTIONS[node.op]}({{0}}, dim={axes.known!r}, keepdim={keep})", [b.high(b.tensor(x))]))


@op("ReduceLogSumExp")
def log_sum_exp(b, node):
    x, axes = b.inputs()
    keep = bool(node.attributes.get("keepdims", 1))
    b.result(b.emit(f"torch.logsumexp({{0}}, dim={axes.known!r}, keepdim={keep})", [b.high(x)]))


@op("ArgMax")
def argmax(b, node):
    (x,) = b.inputs()
    b.result(b.emit(f"torch.argmax({{0}}, dim={node.attributes['axis']})", [b.high(x)]))
