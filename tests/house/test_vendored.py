"""What others wrote and we carry along is named, licensed and unchanged."""

import hashlib
import json
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "src" / "byname" / "web" / "static"
OURS = {
    "byname.css",
    "byname.js",
    "parts.css",
    "people.css",
    "registries.css",
    "versions.css",
}


def test_every_script_and_style_of_others_is_what_its_makers_released() -> None:
    listed = json.loads((STATIC / "vendored.json").read_text(encoding="utf-8"))
    files = {each.name for each in STATIC.iterdir() if each.suffix in {".css", ".js"}}
    assert files - OURS == set(listed), "Name the file, its licence and SHA-256 in vendored.json."
    for name, told in listed.items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == told["sha256"], name
        assert (STATIC / told["licence"].split("see ")[1]).exists()
