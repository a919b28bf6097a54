"""How commands are called: one word each is shown, and what people type instead is understood."""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

MEANT: dict[str, str] = {"list": "ls", "delete": "rm", "remove": "rm"}
"""What else people call it; a command that really has this name goes before."""
WRONG_WORDS: Any = typer.BadParameter.__base__
"""What is raised where the words cannot be read; its name is not public."""
EXIT_ABORTED = 1


class Group(TyperGroup):
    """A command that holds commands."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or the one that is meant by it."""
        return super().get_command(ctx, cmd_name) or super().get_command(
            ctx, MEANT.get(cmd_name, cmd_name)
        )


class Root(Group):
    """`byname` itself: with --json, words that cannot be read are refused as JSON, too."""

    def main(self, *given: Any, **more: Any) -> Any:
        """Run the command and end the process with its code."""
        args = given[0] if given else more.get("args")
        words = sys.argv[1:] if args is None else args
        if "--json" in words and more.get("standalone_mode", True):
            self._as_json(*given, **more)
        return super().main(*given, **more)

    def _as_json(self, *given: Any, **more: Any) -> NoReturn:
        try:
            code = super().main(*given, **{**more, "standalone_mode": False})
        except WRONG_WORDS as error:
            told = {"code": "invalid", "message": " ".join(error.format_message().split())}
            print(json.dumps({"error": told}), file=sys.stderr)
            sys.exit(error.exit_code)
        except typer.Abort:
            sys.exit(EXIT_ABORTED)
        sys.exit(code if isinstance(code, int) else 0)
