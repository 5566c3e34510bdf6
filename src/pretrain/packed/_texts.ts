/** `python RUN/` trains the folder: Python runs this file. */
export const MAIN_PY = `"""Trains the packed run in this folder: python FOLDER --help."""

import sys
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))

from lodestone_torch.__main__ import main  # noqa: E402

sys.exit(main([str(here), *sys.argv[1:]]))
`;

export const README = `A packed training run of Lodestone.

Needs Python 3.11 or newer and torch 2.11 or newer, nothing else.

  python FOLDER                       train it to its end
  python FOLDER --minutes 8           stop in time, and go on with the next call
  python FOLDER --device cuda --precision bf16
  python FOLDER --help

Checkpoints go to checkpoints/, one line an update to metrics.jsonl. Afterwards, where Lodestone is:

  lodestone pretrain unpack FOLDER --out RUN

sha256sum -c checksums.txt says whether every file is as it was packed.
`;
