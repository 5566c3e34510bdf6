"""Writes packed batches as safetensors, tensors named STEP/NAME: dump_batches.py BATCHES SHAPE-JSON OUT."""

import json
import sys

from lodestone_torch.batches import BatchFile
from lodestone_torch.state_file import write_state

path, shape, out = sys.argv[1:]
found = {}
for update in BatchFile(path, json.loads(shape)).updates(0):
    for name, value in update.batch.items():
        found[f"{update.step}/{name}"] = value
write_state(out, found)
