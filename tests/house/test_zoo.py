"""The demonstration: its files are what they say, and it does the right thing twice."""

import ast
import csv
import hashlib
import json
import os
import stat
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ZOO = ROOT / "examples" / "zoo"


def prepare(folder: Path) -> None:
    """Run `prepare.py` for the folder, with nothing but the standard library to import."""
    command = [sys.executable, "-I", "-S", str(ZOO / "prepare.py"), str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def array(path: Path) -> tuple[tuple[int, ...], bytes]:
    """Shape and values of a file in NumPy's format."""
    content = path.read_bytes()
    assert content[:8] == b"\x93NUMPY\x01\x00"
    (length,) = struct.unpack("<H", content[8:10])
    assert (10 + length) % 64 == 0
    header = ast.literal_eval(content[10 : 10 + length].decode("latin1"))
    assert header["descr"] == "|u1"
    assert header["fortran_order"] is False
    return header["shape"], content[10 + length :]


def test_the_files_hold_the_data(tmp_path: Path) -> None:
    prepare(tmp_path)
    with (ZOO / "zoo.csv").open(encoding="utf-8", newline="") as file:
        animals = list(csv.reader(file))[1:]
    shape, values = array(tmp_path / "zoo_dataset.pt")
    assert shape == (101, 16)
    assert [list(values[at : at + 16]) for at in range(0, len(values), 16)] == [
        [int(value) for value in animal[1:17]] for animal in animals
    ]
    shape, values = array(tmp_path / "zoo_labels.pt")
    assert shape == (101,)
    assert list(values) == [int(animal[17]) for animal in animals]
    assert set(values) == set(range(1, 8))


def test_the_same_data_makes_the_same_bytes(tmp_path: Path) -> None:
    prepare(tmp_path / "once")
    prepare(tmp_path / "again")
    for name in ("zoo_dataset.pt", "zoo_labels.pt"):
        first, second = (tmp_path / folder / name for folder in ("once", "again"))
        assert (
            hashlib.sha256(first.read_bytes()).digest()
            == hashlib.sha256(second.read_bytes()).digest()
        )


def demonstrate(folder: Path) -> str:
    """What `make demo` prints, ended after the job."""
    answer = subprocess.run(
        [sys.executable, str(ZOO / "demo.py"), "--once", "--port", "0", "--data", str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


@pytest.mark.timeout(500)
def test_the_demonstration_does_its_job_twice(tmp_path: Path) -> None:
    first = demonstrate(tmp_path)
    assert "v0 is new" in first
    second = demonstrate(tmp_path)
    assert "v0 was there before: identical content made no new version" in second
    for told in (first, second):
        assert told.count("bytes equal") == 6
        assert "Zoo_Classifier_Models:latest -> v0" in told
        assert "The server has stopped (exit code 0)." in told
    credentials = tmp_path / "credentials.json"
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
    api_key = json.loads(credentials.read_text(encoding="utf-8"))["api_key"]
    assert api_key not in first + second
    assert api_key not in (tmp_path / "server.log").read_text(encoding="utf-8")
