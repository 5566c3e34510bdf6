"""Reads packed batches: the tensors that Node's loop would feed, rebuilt from lengths, ids and one bit a token."""

import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import torch

from .errors import EngineError

MAGIC = b"LODEPAK\x01"
# Python's bytes have no unsigned 16 and 32 bit torch types on every version: read as signed, then widened by a mask.
WIDTHS = {1: (torch.uint8, 0xFF), 2: (torch.int16, 0xFFFF), 4: (torch.int32, 0xFFFFFFFF)}


@dataclass
class Update:
    """One update: its batch on the CPU, and what the loop needs beside it."""

    step: int
    """Updates done before it."""
    batch: dict
    meta: dict
    """`stats`, `next`, `dropout_key`, `learning_rate`."""


@dataclass
class Block:
    first: int
    count: int
    offset: int
    length: int


class BatchFile:
    """`batches.bin` of a packed run."""

    def __init__(self, path, shape):
        """`shape`: `{stage, rows, length, pad_id, mask_id}` (stage 1) or `{stage, rows, pad_id}` (stage 2)."""
        self.path, self.shape = Path(path), shape
        self.blocks = self._scan()

    @property
    def first(self):
        return self.blocks[0].first if self.blocks else 0

    @property
    def end(self):
        return self.blocks[-1].first + self.blocks[-1].count if self.blocks else 0

    def updates(self, start):
        """Updates from step `start` on, block by block."""
        decode = decode_stage1 if self.shape["stage"] == "stage1" else decode_stage2
        with open(self.path, "rb") as file:
            for block in self.blocks:
                if block.first + block.count <= start:
                    continue
                metas, columns = self._read(file, block)
                for i, batch in enumerate(decode(metas, columns, self.shape)):
                    if block.first + i >= start:
                        yield Update(block.first + i, batch, metas[i])

    def _scan(self):
        size = self.path.stat().st_size
        blocks = []
        with open(self.path, "rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise damaged(self.path, "its first bytes are not those of packed batches of this version")
            at = len(MAGIC)
            while at < size:
                head = file.read(12)
                if len(head) < 12:
                    raise damaged(self.path, "it is cut short")
                length, first, count = struct.unpack("<III", head)
                at += 12 + length
                if at > size:
                    raise damaged(self.path, "it is cut short")
                blocks.append(Block(first, count, at - length, length))
                file.seek(at)
        return blocks

    def _read(self, file, block):
        file.seek(block.offset)
        try:
            raw = zlib.decompress(file.read(block.length))
            (length,) = struct.unpack_from("<I", raw)
            meta = json.loads(raw[4 : 4 + length])
        except (zlib.error, ValueError, struct.error) as error:
            raise damaged(self.path, f"the batches of updates {block.first + 1} and after: {error}") from error
        columns, at = {}, 4 + length
        for name, width, count in meta["columns"]:
            dtype, mask = WIDTHS[width]
            values = torch.empty(0, dtype=torch.int64)
            if count > 0:
                # A copy of its own: a column may begin at any byte.
                values = torch.frombuffer(bytearray(raw[at : at + width * count]), dtype=dtype).to(torch.int64) & mask
            columns[name] = values
            at += width * count
        return meta["updates"], columns


def damaged(path, what):
    return EngineError("pack.damaged", f"{path}: expected packed batches, but {what}", "Pack or copy the run again")


def masked_capacity(count, tokens):
    """Room for masked places, as `maskedCapacity` in src/pretrain/packing.ts."""
    unit = max(1, -(-tokens // 16))
    return max(1, -(-count // unit)) * unit


def decode_stage1(metas, columns, shape):
    rows, length = shape["rows"], shape["length"]
    place = rows * length
    pieces, lengths = columns["pieces"], columns["lengths"]  # [S * rows], [P]
    row = torch.repeat_interleave(torch.arange(pieces.numel()), pieces)  # [P]
    first_piece = torch.cumsum(pieces, 0) - pieces
    segment = torch.arange(lengths.numel()) - first_piece[row] + 1  # [P], from 1 in every row
    start = torch.cumsum(lengths, 0) - lengths  # [P], among the real tokens
    row_start = start[first_piece.clamp(max=max(0, lengths.numel() - 1))] if lengths.numel() else first_piece
    piece = torch.repeat_interleave(torch.arange(lengths.numel()), lengths)  # [K]
    token = torch.arange(piece.numel())
    position = token - start[piece]
    flat = row[piece] * length + token - row_start[row[piece]]  # [K], into [S * rows * length]

    total = len(metas) * place
    ids = columns["ids"]
    seen = torch.full((total,), shape["pad_id"], dtype=torch.int32)
    seen[flat] = ids.to(torch.int32)
    positions = torch.zeros(total, dtype=torch.int32)
    positions[flat] = position.to(torch.int32)
    segments = torch.zeros(total, dtype=torch.int32)
    segments[flat] = segment[piece].to(torch.int32)

    masked = torch.nonzero(mask_bits(columns["masks"], [meta["real"] for meta in metas])).flatten()  # [all masked]
    index, label = flat[masked], ids[masked].to(torch.int32)
    seen[index] = columns["replaced"].to(torch.int32) if "replaced" in columns else shape["mask_id"]
    objective = columns["objectives"][piece[masked]].to(torch.int32)

    at = 0
    for number, meta in enumerate(metas):
        count = meta["masked"]
        room = masked_capacity(count, place)
        here = slice(at, at + count)
        at += count

        def padded(values):
            out = torch.zeros(room, dtype=torch.int32)
            out[:count] = values
            return out

        weight = torch.zeros(room, dtype=torch.float32)
        weight[:count] = 1 / max(1, count)
        part = slice(number * place, (number + 1) * place)
        yield {
            "input_ids": seen[part].view(rows, length),
            "positions": positions[part].view(rows, length),
            "segments": segments[part].view(rows, length),
            "masked_index": padded(index[here] - number * place),
            "masked_label": padded(label[here]),
            "masked_weight": weight,
            "objective": padded(objective[here]),
            "row_ids": torch.arange(rows, dtype=torch.int32),
        }


def mask_bits(packed, counts):
    """One flag a token; the bits of every batch begin a new byte."""
    bits = (packed.unsqueeze(1) >> torch.arange(8)) & 1
    bits = bits.flatten()
    parts, at = [], 0
    for count in counts:
        parts.append(bits[at : at + count])
        at += 8 * (-(-count // 8))
    return torch.cat(parts)


def decode_stage2(metas, columns, shape):
    rows = shape["rows"]
    lengths, ids = columns["lengths"], columns["ids"]
    row_at = token_at = 0
    for meta in metas:
        batch = {}
        for side in ("text", "code"):
            width = meta["stats"][f"{side}_length"]
            own = lengths[row_at : row_at + rows]
            real = int(own.sum())
            inside = torch.arange(width).unsqueeze(0) < own.unsqueeze(1)  # [rows, width]
            padded = torch.full((rows, width), shape["pad_id"], dtype=torch.int32)
            padded[inside] = ids[token_at : token_at + real].to(torch.int32)
            batch[f"{side}_ids"] = padded
            batch[f"{side}_segments"] = inside.to(torch.int32)
            row_at += rows
            token_at += real
        batch["row_ids"] = torch.arange(rows, dtype=torch.int32)
        yield batch
