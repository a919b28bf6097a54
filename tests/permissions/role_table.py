"""The table of roles and permissions as text: `python -m tests.permissions.role_table` writes it."""

from __future__ import annotations

from pathlib import Path

from byname.domain.policy import Permission, Role

FILE = Path(__file__).with_name("role_table.txt")


def text() -> str:
    """A line a permission: its name, a mark below each role that has it, and its wording."""
    roles = list(Role)
    head = "permission".ljust(24) + "".join(f"{role.word:>19}" for role in roles)
    lines = [
        f"{permission.name:24}"
        + "".join(f"{'yes' if role >= permission.least else '-':>19}" for role in roles)
        + f"   {permission.wording}"
        for permission in Permission
    ]
    return "\n".join([head, *lines]) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
