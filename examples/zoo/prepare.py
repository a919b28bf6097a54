"""Writes the two files of the demonstration from the Zoo data, with the standard library alone.

`zoo_dataset.pt` holds the attributes (101 by 16), `zoo_labels.pt` the classes (101), both as
unsigned bytes in NumPy's `.npy` format, version 1.0. The same data always makes the same bytes:
that is how a registry knows that a second run brought nothing new.
"""

from __future__ import annotations

import csv
import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MAGIC = b"\x93NUMPY\x01\x00"
HEADER_MULTIPLE = 64
"""The format asks that the numbers begin at a multiple of this many bytes."""


def npy(shape: tuple[int, ...], values: bytes) -> bytes:
    """An array of unsigned bytes, rows first, as NumPy would save it."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode("latin1")
    unpadded = len(MAGIC) + 2 + len(header) + 1
    header += b" " * (-unpadded % HEADER_MULTIPLE) + b"\n"
    return MAGIC + struct.pack("<H", len(header)) + header + values


def main(folder: Path) -> None:
    """Both files are in the folder."""
    with (HERE / "zoo.csv").open(encoding="utf-8", newline="") as file:
        animals = list(csv.DictReader(file))
    attributes = [name for name in animals[0] if name not in {"animal_name", "class_type"}]
    rows = [bytes(int(animal[name]) for name in attributes) for animal in animals]
    labels = bytes(int(animal["class_type"]) for animal in animals)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (
        ("zoo_dataset.pt", npy((len(rows), len(attributes)), b"".join(rows))),
        ("zoo_labels.pt", npy((len(labels),), labels)),
    ):
        (folder / name).write_bytes(content)
        print(f"{name}  {len(content)} bytes")
    print(f"{len(animals)} animals, {len(attributes)} attributes each")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
