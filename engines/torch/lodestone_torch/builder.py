"""Turns the nodes of a program into instructions: lines of Python over tensors, in order.

An op's builder (ops/*.py) is called once per node, when the program is loaded; it appends instructions. Shapes are
computed with Python's own integers ("host" values: an int for a scalar, a tuple for a vector) and never become tensors.
"""

from dataclasses import dataclass, field

import torch

from .errors import EngineError
from .precision import stays_high

#: (domain, op type) -> builder function(builder, node).
BUILDERS = {}


def op(*names, domain=""):
    """Registers a builder for some op types."""

    def register(function):
        for name in names:
            BUILDERS[domain, name] = function
        return function

    return register


@dataclass(eq=False)
class Value:
    """A tensor variable, a host value, or a literal that stands in the code itself."""

    id: int
    #: "tensor", "host" or "literal" (a scalar constant: `text` is its Python form).
    kind: str = "tensor"
    text: str = ""
    #: Python value of a host constant.
    known: object = None
    #: In half precision.
    low: bool = False
    #: Needs nothing but inputs, so that it may be computed before everything else.
    early: bool = False
    #: Shows memory that belongs to another tensor.
    view: bool = False

    @property
    def name(self):
        return self.text if self.text else f"v{self.id}"


@dataclass(eq=False)
class Instruction:
    #: Python with `{0}`, `{1}`, ... for the inputs.
    code: str
    inputs: list
    outputs: list
    #: Where it comes from: name of the node, its op type and scope.
    node: object
    block: str = ""


@dataclass
class Segment:
    """Instructions that run together: `grad` says whether autograd records them."""

    grad: bool
    early: list = field(default_factory=list)
    main: list = field(default_factory=list)


def scope_of(node):
    """`h.0/attn` of `h.0/attn/matmul_0_Gemm`."""
    return node.name.rpartition("/")[0]


def block_of(scope):
    """The layer that a scope lies in (`text/h.3` of `text/h.3/attn`), or an empty string."""
    parts = scope.split("/")
    for index, part in enumerate(parts):
        if part.startswith("h.") and part[2:].isdigit():
            return "/".join(parts[: index + 1])
    return ""


class Builder:
    """Collects the instructions of one program."""

    def __init__(self, model, device, low):
        self.model, self.device, self.low_dtype = model, device, low
        #: Objects that the code names: functions and constant tensors.
        self.globals = {"torch": torch, "device": device, "low": low}
        self.values = {}
        self.segment = None
        self.node = None
        self._count = 0
        self._casts = {}
        self._shared = {}
        self._functions = {}
        #: Names that some node or result reads.
        self.used = {name for node in model.nodes for name in node.inputs} | set(model.outputs)
        for name in model.inputs:
            self.values[name] = self._new(early=True)

    # --- values ---

    def _new(self, **kind):
        self._count += 1
        return Value(self._count, **kind)

    def value(self, name):
        """The value of that name; constants become literals, host tuples or tensors."""
        known = self.values.get(name)
        if known is None:
            constant = self.model.constants.get(name)
            if constant is None:
                raise EngineError("engine.model", f"program: expected a value \"{name}\" before its use, got none")
            known = self.values[name] = self._constant(constant)
        return known

    def _constant(self, constant):
        if constant.dtype == torch.int64 and constant.dim() <= 1 and constant.numel() <= 16:
            known = constant.item() if constant.dim() == 0 else tuple(constant.tolist())
            return self._new(kind="host", text=repr(known), known=known, early=True)
        if constant.dim() == 0:
            number = constant.item()
            text = repr(number) if number == number and abs(number) != float("inf") else f'float("{number}")'
            return self._new(kind="literal", text=f"({text})", known=constant, early=True)
        value = self._new(early=True)
        self.globals[value.name] = constant.to(self.device)
        value.text = value.name
        return value

    def inputs(self, node=None):
        """All inputs of the node at hand."""
        return [self.value(name) for name in (node or self.node).inputs]

    def tensor(self, value):
        """The value as a tensor, where a literal or a host value will not do."""
        if value.kind == "tensor":
            return value
        if value.kind == "literal":
            made = self._new(early=True)
            self.globals[made.name] = value.known.to(self.device)
            made.text = made.name
            return made
        return self.emit("torch.tensor({0}, device=device)", [value], hoist=True)

    def low(self, value):
        """The value in half precision, where the policy has one; cast once."""
        if self.low_dtype is None or value.low or value.kind != "tensor":
            return value
        return self._cast(value, "{0}.to(low)", True)

    def high(self, value):
        """The value in float32."""
        if not value.low:
            return value
        return self._cast(value, "{0}.float()", False)

    def _cast(self, value, code, low):
        key = (value, low)
        if key not in self._casts:
            self._casts[key] = self.emit(code, [value], low=low)
        return self._casts[key]

    @property
    def products_low(self):
        """Whether products of the node at hand are to be in half precision."""
        return self.low_dtype is not None and self.segment.grad and not stays_high(scope_of(self.node))

    # --- instructions ---

    def function(self, function):
        """A name by which code can call a function."""
        if function not in self._functions:
            name = f"f{len(self._functions)}_{function.__name__}"
            self._functions[function], self.globals[name] = name, function
        return self._functions[function]

    def emit(self, code, inputs, outputs=1, low=False, hoist=False, host=False, view=False):
        """Appends an instruction; gives its output, or a list of several.

        `hoist`: cheap and without gradient, so it goes to the front where all it needs is there.
        """
        early = hoist and all(value.early for value in inputs)
        kind = "host" if host else "tensor"
        made = [self._new(kind=kind, low=low, early=early, view=view) for _ in range(outputs)]
        block = block_of(scope_of(self.node))
        instruction = Instruction(code, list(inputs), made, self.node, "" if early else block)
        (self.segment.early if early else self.segment.main).append(instruction)
        return made[0] if outputs == 1 else made

    def shared(self, key, make):
        """What `make` emits, once per key."""
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]

    def call(self, function, inputs, *extra, **options):
        """Emits a call of a Python function; `extra` are constants after the inputs."""
        slots = [f"{{{index}}}" for index in range(len(inputs))] + [repr(item) for item in extra]
        return self.emit(f"{self.function(function)}({', '.join(slots)})", inputs, **options)

    def result(self, *values):
        """Names the outputs of the node at hand."""
        for name, value in zip(self.node.outputs, values):
            self.values[name] = value

    def build(self, node):
        """Appends the instructions of a node. Raises EngineError `engine.op` for an op that is not known."""
        builder = BUILDERS.get((node.domain, node.op))
        if builder is None:
            full = f"{node.domain}.{node.op}" if node.domain else node.op
            raise EngineError("engine.op", f"program: expected ops that the torch engine has, got {full} ({node.name})")
        self.node = node
        builder(self, node)
