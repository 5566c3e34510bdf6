"""Reads an ONNX ModelProto without the onnx package: just the fields that Lodestone writes.

Field numbers are those of onnx.proto (github.com/onnx/onnx); the wire format is protobuf's
(protobuf.dev/programming-guides/encoding).
"""

import struct
from dataclasses import dataclass, field

import torch

from .errors import EngineError

#: TensorProto.DataType -> torch dtype.
DTYPES = {
    1: torch.float32,
    2: torch.uint8,
    6: torch.int32,
    7: torch.int64,
    9: torch.bool,
    10: torch.float16,
}


@dataclass
class Node:
    op: str = ""
    domain: str = ""
    name: str = ""
    inputs: list = field(default_factory=list)
    outputs: list = field(default_factory=list)
    attributes: dict = field(default_factory=dict)


@dataclass
class Model:
    name: str = ""
    nodes: list = field(default_factory=list)
    #: Constants: name -> tensor on the CPU.
    constants: dict = field(default_factory=dict)
    #: Name -> (torch dtype, dims: int or symbol).
    inputs: dict = field(default_factory=dict)
    outputs: dict = field(default_factory=dict)


def read_model(data):
    """The model in some bytes. Raises EngineError `engine.model` where they are none."""
    try:
        for number, value in _fields(memoryview(data)):
            if number == 7:
                return _graph(value)
    except (IndexError, struct.error, KeyError, UnicodeDecodeError, ValueError) as error:
        raise EngineError("engine.model", f"program: expected an ONNX model, got damaged bytes ({error!r})") from error
    raise EngineError("engine.model", "program: expected an ONNX model, got bytes without a graph")


def tensor_of(dtype, dims, data):
    """A tensor with memory of its own from raw little-endian bytes."""
    if len(data) == 0:
        return torch.empty(dims, dtype=dtype)
    return torch.frombuffer(bytearray(data), dtype=dtype).reshape(dims)


def _fields(view):
    """(field number, value): an int for varints and 32-bit fields, a memoryview for the rest."""
    at, end = 0, len(view)
    while at < end:
        key, at = _varint(view, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(view, at)
        elif kind == 2:
            size, at = _varint(view, at)
            if at + size > end:
                raise ValueError("cut off")
            value, at = view[at : at + size], at + size
        elif kind == 5:
            value, at = view[at : at + 4], at + 4
        elif kind == 1:
            value, at = view[at : at + 8], at + 8
        else:
            raise ValueError(f"wire type {kind}")
        yield key >> 3, value


def _varint(view, at):
    value = shift = 0
    while True:
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _signed(value):
    return value - (1 << 64) if value >= 1 << 63 else value


def _text(view):
    return bytes(view).decode("utf-8")


def _graph(view):
    model = Model()
    for number, value in _fields(view):
        if number == 1:
            model.nodes.append(_node(value))
        elif number == 2:
            model.name = _text(value)
        elif number == 5:
            name, tensor = _tensor(value)
            model.constants[name] = tensor
        elif number in (11, 12):
            name, kind = _value_info(value)
            (model.inputs if number == 11 else model.outputs)[name] = kind
    return model


def _node(view):
    node = Node()
    for number, value in _fields(view):
        if number == 1:
            node.inputs.append(_text(value))
        elif number == 2:
            node.outputs.append(_text(value))
        elif number == 3:
            node.name = _text(value)
        elif number == 4:
            node.op = _text(value)
        elif number == 5:
            name, attribute = _attribute(value)
            node.attributes[name] = attribute
        elif number == 7:
            node.domain = _text(value)
    return node


def _attribute(view):
    name, kind, number_of, floats, text, ints = "", 0, 0, 0.0, "", []
    for number, value in _fields(view):
        if number == 1:
            name = _text(value)
        elif number == 2:
            floats = struct.unpack("<f", value)[0]
        elif number == 3:
            number_of = _signed(value)
        elif number == 4:
            text = _text(value)
        elif number == 8:
            ints.append(_signed(value))
        elif number == 20:
            kind = value
    return name, {1: floats, 2: number_of, 3: text, 7: tuple(ints)}[kind]


def _tensor(view):
    name, kind, dims, data = "", 1, [], b""
    for number, value in _fields(view):
        if number == 1:
            dims.append(value)
        elif number == 2:
            kind = value
        elif number == 8:
            name = _text(value)
        elif number == 9:
            data = value
    return name, tensor_of(DTYPES[kind], dims, data)


def _value_info(view):
    name, dtype, dims = "", 1, []
    for number, value in _fields(view):
        if number == 1:
            name = _text(value)
            continue
        for kind, tensor_type in _fields(value):
            if kind != 1:
                continue
            for part, content in _fields(tensor_type):
                if part == 1:
                    dtype = content
                elif part == 2:
                    dims = [_dimension(dim) for _, dim in _fields(content)]
    return name, (DTYPES[dtype], tuple(dims))


def _dimension(view):
    for number, value in _fields(view):
        return value if number == 1 else _text(value)
    return 0
