"""Messages between processes: a header as JSON and the bytes of its tensors, without an encoding in between.

A frame is `u32 size of the header, u32 zero, u64 size of the body` (little endian), the header, the body. The header
lists its tensors under `tensors` as [name, dtype, dims, bytes]; their bytes follow one another in the body.
"""

import ctypes
import json
import struct

import torch

from .errors import EngineError
from .model_reader import tensor_of

HEAD = struct.Struct("<IIQ")
DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "int32": torch.int32,
    "int64": torch.int64,
    "bool": torch.bool,
    "uint8": torch.uint8,
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def read_frame(stream):
    """(header, body) of the next frame, or None at the end of the stream."""
    head = _exactly(stream, HEAD.size)
    if head is None:
        return None
    size, _, body_size = HEAD.unpack(head)
    header, body = _exactly(stream, size), _exactly(stream, body_size)
    if header is None or body is None:
        return None
    return json.loads(bytes(header)), body


def tensors_of(header, body):
    """The tensors of a frame by name, on the CPU, in the frame's memory."""
    found, at = {}, 0
    for name, dtype, dims, size in header.get("tensors", []):
        kind = DTYPES.get(dtype)
        if kind is None:
            raise EngineError("engine.protocol", f"frame: expected one of {', '.join(DTYPES)}, got {dtype} for {name}")
        if size == 0 or at % kind.itemsize != 0:
            found[name] = tensor_of(kind, dims, memoryview(body)[at : at + size])
        else:
            count = size // kind.itemsize
            found[name] = torch.frombuffer(body, dtype=kind, offset=at, count=count).reshape(dims)
        at += size
    return found


def write_frame(stream, header, tensors=None):
    """Writes a header with tensors of any device."""
    parts, listed = [], []
    for name, tensor in (tensors or {}).items():
        tensor = tensor.detach().to("cpu").contiguous()
        data = bytes_of(tensor)
        listed.append([name, NAMES[tensor.dtype], list(tensor.shape), len(data)])
        parts.append(data)
    text = json.dumps({**header, "tensors": listed}).encode()
    stream.write(HEAD.pack(len(text), 0, sum(len(part) for part in parts)))
    stream.write(text)
    for part in parts:
        stream.write(part)
    stream.flush()


def bytes_of(tensor):
    """The bytes of a contiguous CPU tensor, without a copy."""
    if tensor.numel() == 0:
        return b""
    size = tensor.numel() * tensor.element_size()
    return memoryview((ctypes.c_char * size).from_address(tensor.data_ptr())).cast("B")


def _exactly(stream, size):
    data = bytearray(size)
    view, at = memoryview(data), 0
    while at < size:
        count = stream.readinto(view[at:])
        if not count:
            return None
        at += count
    return data
