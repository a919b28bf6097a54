"""The files of a version: folder by folder, and a viewer for small ones (R178, A11).

Nothing of a file is ever markup on our pages: text is shown as text, tables are made of cells of
text, and pictures come by an address of their own that gives out raster images only.
"""

from __future__ import annotations

import csv
import io
import json
import time
from typing import Any
from urllib.parse import quote

from byname.domain.errors import Forbidden
from byname.domain.image import image_type
from byname.domain.manifest import Entry
from byname.domain.version import Version
from byname.operations import content
from byname.web.looks import with_query
from byname.web.pager import pager_of
from byname.web.tree import make_tree
from byname.web.visitor import Ask

PAGE = 100
LINK_SECONDS = 900
VIEWED_BYTES_MAX = 128 * 1024
"""Of a longer file the beginning is shown."""
IMAGE_BYTES_MAX = 20 * 1000 * 1000
ROWS_MAX, COLUMNS_MAX, CELL_MAX = 200, 40, 300
SEPARATORS = {"csv": ",", "tsv": "\t"}


def values_of(ask: Ask, values: dict[str, Any]) -> dict[str, Any]:
    """A folder of the version, or with `file=` one of its files."""
    version: Version = values["version"]
    through = values["project"].id
    path = ask.query("file")
    try:
        if path is not None:
            seen = content.read_beginning(
                ask.ctx, version, path, through=through, limit=VIEWED_BYTES_MAX
            )
            return _viewed(ask, values, seen)
        folder = ask.query("folder") or ""
        folder += "" if not folder or folder.endswith("/") else "/"
        found = content.list_folder(
            ask.ctx, version, folder, through=through, after=ask.query("after") or "", limit=PAGE
        )
    except Forbidden as refusal:
        return {"refusal": refusal.message, "lines": [], "folder": "", "above": []}
    here = with_query(values["here"], tab="files", folder=folder)
    lines = [
        (
            each.removeprefix(folder).removesuffix("/"),
            _address(values, each, entry),
            entry,
            None if entry is None else _link(ask, found.project_id, found.namespace, entry),
        )
        for each, entry in found.lines
    ]
    last = found.lines[-1][0] if found.has_next else None
    return {
        "refusal": None,
        "lines": lines,
        "folder": folder,
        "above": above(values, folder),
        "pager": pager_of(ask.query, here, last),
    }


def _address(values: dict[str, Any], path: str, entry: Entry | None) -> str:
    if entry is None:
        return with_query(values["here"], tab="files", folder=path)
    return with_query(values["here"], tab="files", file=path)


def above(values: dict[str, Any], folder: str) -> list[tuple[str, str]]:
    """The folders on the way to this one, which is empty or ends with a slash, with addresses."""
    here = with_query(values["here"], tab="files")
    parts = folder.split("/")[:-1]
    return [
        ("All files", here),
        *(
            (part, with_query(here, folder="/".join(parts[: number + 1]) + "/"))
            for number, part in enumerate(parts)
        ),
    ]


def _link(
    ask: Ask, project_id: int, namespace: int, entry: Entry, purpose: str = "version-file"
) -> str | None:
    """A signed address of the file's bytes; None where they are kept elsewhere."""
    if entry.sha256 is None or entry.ref is not None:
        return None
    name = entry.path.rpartition("/")[2]
    fields: list[int | str] = [ask.ctx.who.user_id, project_id, namespace, entry.sha256, name]
    token = ask.site.signer.sign(purpose, fields, int(time.time()) + LINK_SECONDS)
    return f"{ask.root}content/{purpose}/{quote(token)}"


def _viewed(ask: Ask, values: dict[str, Any], seen: content.Beginning) -> dict[str, Any]:
    entry = seen.entry
    folder, slash, name = entry.path.rpartition("/")
    shown: dict[str, Any] = {
        "template": "version_file.html",
        "entry": entry,
        "name": name,
        "above": above(values, folder + slash),
        "link": _link(ask, seen.project_id, seen.namespace, entry),
        "cut": entry.size_bytes > len(seen.content),
        "shown_bytes": len(seen.content),
        "image": None,
        "rows": None,
        "nodes": None,
        "text": None,
    }
    if entry.ref is not None:
        return shown
    if image_type(seen.content) is not None:
        if entry.size_bytes <= IMAGE_BYTES_MAX:
            shown["image"] = _link(
                ask, seen.project_id, seen.namespace, entry, purpose="version-image"
            )
        return shown
    text = as_text(seen.content, cut=shown["cut"])
    ending = name.rpartition(".")[2].lower()
    if text is None:
        return shown
    if ending in SEPARATORS:
        shown["rows"] = as_rows(text, SEPARATORS[ending])
    elif ending == "json" and not shown["cut"]:
        shown["nodes"] = as_nodes(text)
    if not shown["rows"] and not shown["nodes"]:
        shown["text"] = text
    return shown


def as_text(data: bytes, *, cut: bool) -> str | None:
    """The bytes as text; None where they are something else."""
    if b"\0" in data:
        return None
    for less in range(4 if cut else 1):
        # The cut may have gone through the middle of a letter.
        try:
            return data[: len(data) - less].decode("utf-8")
        except UnicodeDecodeError:
            continue
    return None


def as_rows(text: str, separator: str) -> tuple[list[list[str]], bool] | None:
    """The first rows of a table, and whether there is more of it; None where it is none."""
    rows: list[list[str]] = []
    cut = False
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            if len(rows) > ROWS_MAX:
                cut = True
                break
            cut = cut or len(row) > COLUMNS_MAX
            rows.append([cell[:CELL_MAX] for cell in row[:COLUMNS_MAX]])
    except csv.Error:
        return None
    rows = [row for row in rows if row]
    width = max((len(row) for row in rows), default=0)
    return ([row + [""] * (width - len(row)) for row in rows], cut) if rows else None


def as_nodes(text: str) -> tuple[list[Any], bool] | None:
    """A JSON object or list as a tree; None where it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list):
        value = {str(number): each for number, each in enumerate(value)}
    return make_tree(value) if isinstance(value, dict) and value else None
