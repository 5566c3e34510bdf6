"""LayerNorm and softmax, in float32."""

from ..builder import op


@op("LayerNormalization")
def layer_norm(b, node):
    x, scale, bias = (b.high(value) for value in b.inputs())
    eps = node.attributes["epsilon"]
    shape = "({0}.shape[-1],)"
    if len(node.outputs) > 1 and any(name in b.used for name in node.outputs[1:]):
        b.result(*b.emit(f"torch.native_layer_norm({{0}}, {shape}, {{1}}, {{2}}, {eps!r})", [x, scale, bias], outputs=3))
        return
    b.result(b.emit(f"torch.nn.functional.layer_norm({{0}}, {shape}, {{1}}, {{2}}, {eps!r})", [x, scale, bias]))


@op("Softmax")
def softmax(b, node):
    (x,) = b.inputs()
    b.result(b.emit(f"torch.softmax({{0}}, dim={node.attributes['axis']})", [b.high(x)]))
