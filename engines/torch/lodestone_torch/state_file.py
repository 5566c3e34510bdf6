"""The safetensors format, read and written with torch alone (no numpy): parameters and moments."""

import ctypes
import hashlib
import json
import os

import torch

from .errors import EngineError

DTYPES = {
    "F32": torch.float32,
    "F16": torch.float16,
    "I32": torch.int32,
    "I64": torch.int64,
    "BOOL": torch.bool,
    "U8": torch.uint8,
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def read_state(path):
    """Tensors by name, in the file's order, on the CPU."""
    with open(path, "rb") as file:
        content = bytearray(file.read())
    try:
        length = int.from_bytes(content[:8], "little")
        header = json.loads(bytes(content[8 : 8 + length]))
        header.pop("__metadata__", None)
        tensors = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            dtype, shape = DTYPES[entry["dtype"]], entry["shape"]
            if 8 + length + end > len(content):
                raise ValueError(f"tensor {name} is cut short")
            if begin == end:
                tensors[name] = torch.empty(shape, dtype=dtype)
                continue
            count = (end - begin) // dtype.itemsize
            # A copy: the offset need not be aligned, and the file's buffer can go.
            whole = torch.frombuffer(content, dtype=torch.uint8, count=end - begin, offset=8 + length + begin)
            tensors[name] = whole.clone().view(dtype)[:count].reshape(shape)
        return tensors
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        fix = "Copy or pack the run again; if there is an older step beside it, remove this one"
        raise EngineError("safetensors.invalid", f"{path}: expected a safetensors file, but {error}", fix) from error


def write_state(path, tensors):
    """Writes and flushes the file. Returns its SHA-256."""
    header, offset = {"__metadata__": {}}, 0
    ready = {name: value.detach().to("cpu").contiguous() for name, value in tensors.items()}
    for name, value in ready.items():
        size = value.numel() * value.element_size()
        header[name] = {
            "dtype": NAMES[value.dtype],
            "shape": list(value.shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        for part in [len(text).to_bytes(8, "little") + text, *map(raw_bytes, ready.values())]:
            digest.update(part)
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def raw_bytes(value):
    """The memory of a contiguous CPU tensor, without a copy."""
    size = value.numel() * value.element_size()
    if size == 0:
        return b""
    return memoryview((ctypes.c_char * size).from_address(value.data_ptr())).cast("B")
