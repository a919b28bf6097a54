"""Writes the pages of the documentation that are made from the code, so that they never disagree.

`docs/settings.md` comes from `byname.settings`, `docs/rules.md` from the tests (`rules.py`). A test
fails while a page is not what this writes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from byname.settings import Settings

SETTINGS_PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
SETTINGS_HEAD = """# Settings

A setting comes from the command line where `byname serve` has an option of that name, else from the
environment, else from its default. This page is made from `src/byname/settings.py` by `make docs`.

| environment variable | default | what it is for |
|---|---|---|
"""


def shown(value: Any) -> str:
    """A default as one would type it."""
    if value is None or value in ("", ()):
        return "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{','.join(value) if isinstance(value, tuple) else value}`"


def settings_page() -> str:
    """The text of `docs/settings.md`."""
    rows = [
        f"| `BYNAME_{name.upper()}` | {shown(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return SETTINGS_HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    SETTINGS_PAGE.write_text(settings_page(), encoding="utf-8")
    print(f"{SETTINGS_PAGE.name} is up to date")
    import rules

    rules.PAGE.write_text(rules.rules_page(), encoding="utf-8")
    print(f"{rules.PAGE.name} is up to date")
