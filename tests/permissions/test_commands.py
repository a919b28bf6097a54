"""Each command asks for the operations that are said of it; its permission is theirs (A1, A2)."""

from __future__ import annotations

import io
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from typing import Any

import pytest
import typer

from byname.cli import client as cli_client
from byname.cli.main import app
from byname.operations import key
from byname.operations.context import Context
from tests.permissions.commands import OTHERWISE, USES, Use
from tests.permissions.operations import ELSEWHERE, ROWS
from tests.permissions.people import FOREIGN, OPEN, SECRET, Town, make_town
from tests.support.faces import Answer, Faces, Told, open_faces
from tests.support.world import make_world


class Undo(Exception):
    """Ends a transaction without a trace."""


class Street:
    """The town, and its faces."""

    def __init__(self, town: Town, faces: Faces) -> None:
        self.town = town
        self.faces = faces
        self.keys: dict[str, str] = {}

    def key(self, ctx: Context) -> str:
        name = ctx.who.username
        if name not in self.keys:
            self.keys[name] = key.create_key(ctx).secret
        return self.keys[name]

    def run(self, use: Use, who: str, place: str) -> Answer:
        """What the command came to. Nothing of it remains."""
        words = self.town.targets[place].words
        given = [word.format(**words) for word in use.words.split()]
        secret = self.key(self.town.world.reload(who))
        self.faces.asked.clear()
        found: list[Answer] = []
        with pytest.raises(Undo), self.town.world.nobody.database.write():
            found.append(self.faces.cli(secret, *given))
            raise Undo
        return found[0]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    folder = tmp_path_factory.mktemp("street")
    world = make_world(folder)
    town = make_town(world)
    with open_faces(world.nobody, folder) as faces:
        yield Street(town, faces)
    world.nobody.blobs.close()
    world.nobody.database.close()


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command, as it is typed."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(words)
        return
    for name, each in inner.items():
        yield from commands(each, (*words, name))


def spelled(key_of_row: str) -> str:
    """The operation without the names of its parameters."""
    return re.sub(r"{[^}]*}", "{}", key_of_row)


def asked_for(method: str, path: str, known: set[str]) -> str:
    """Which of the operations a request is of."""
    fits = [
        each
        for each in known
        if re.fullmatch(re.escape(each).replace(r"\{\}", "[^/]+"), f"{method} {path}")
    ]
    assert fits, f"{method} {path} is no operation of the table"
    # `/search` and the like are no `/{}`.
    return max(fits, key=lambda each: len(each.replace("{}", "")))


OPERATIONS = {spelled(row.key) for row in ROWS} | {spelled(each) for each in ELSEWHERE}


class TestEveryCommand:
    """A2: a command resolves to operations of the table, or the build fails."""

    def test_has_a_line(self) -> None:
        offered = set(commands(typer.main.get_command(app)))
        said = {
            name
            for name in offered
            if any(f"{use.words} ".startswith(f"{name} ") for use in USES) or name in OTHERWISE
        }
        assert not offered - said, (
            "Say in tests/permissions/commands.py which operations these ask for: "
            + ", ".join(sorted(offered - said))
        )
        stale = set(OTHERWISE) - offered
        stale |= {
            u.words for u in USES if not any(f"{u.words} ".startswith(f"{n} ") for n in offered)
        }
        assert not stale, f"These are no commands any more: {stale}"

    @pytest.mark.parametrize("use", USES, ids=lambda use: use.words)
    def test_asks_for_what_is_said_of_it(self, street: Street, use: Use) -> None:
        assert set(use.asks) <= OPERATIONS
        who = "admin" if not use.hides else "org_admin"
        answer = street.run(use, who, OPEN)
        asked = [asked_for(*each, OPERATIONS) for each in street.faces.asked]
        assert tuple(dict.fromkeys(asked)) == use.asks
        assert answer.code in use.ends, answer

    @pytest.mark.parametrize("use", [use for use in USES if use.hides], ids=lambda use: use.words)
    def test_hides_a_registry_as_if_it_were_missing(self, street: Street, use: Use) -> None:
        """R107: in the same words, to who is not in the organization and to who is."""
        for who in ("outsider", "org_member"):
            hidden = street.run(use, who, SECRET)
            word = street.town.targets[SECRET].words["registry"]
            absent = Use(use.words.replace("{registry}", "m1ss1ng"), use.asks)
            missing = street.run(absent, who, SECRET)
            assert hidden.code == missing.code == 5, hidden
            assert str(hidden.body).replace(word, "m1ss1ng") == str(missing.body)

    def test_says_which_role_is_needed(self, street: Street) -> None:
        """R10: a refusal names the role."""
        refused = street.run(
            next(u for u in USES if u.words.startswith("tag add")), "org_member", OPEN
        )
        assert refused.code == 4
        assert "it needs the role member, yours is viewer" in str(refused.body)

    def test_a_hole_is_seen(self, street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
        use = next(use for use in USES if use.words.startswith("registry show"))
        assert street.run(use, "outsider", SECRET).code == 5
        from byname.domain.policy import Role

        monkeypatch.setattr(
            "byname.operations.registry.access.role_in", lambda *_: Role.RESTRICTED_VIEWER
        )
        assert street.run(use, "outsider", SECRET).code == 0
        assert street.run(use, "org_admin", FOREIGN).code == 0


EXITS = {400: 2, 401: 3, 403: 4, 404: 5, 405: 2, 409: 6, 410: 7, 412: 6, 413: 7, 422: 2, 429: 7}
EXITS |= {500: 1, 501: 7, 503: 1, 507: 7}
"""The exit code of every command for each status of a refusal."""


class TestEveryAnswerIsJson:
    """R185: `--json` and exit codes by kind of error, of every command, whatever the server says."""

    def test_every_command_has_it(self) -> None:
        waiting: list[tuple[str, Any]] = [("", typer.main.get_command(app))]
        without = []
        while waiting:
            name, command = waiting.pop()
            inner = getattr(command, "commands", None)
            if inner is not None:
                waiting += [(f"{name} {word}".strip(), each) for word, each in inner.items()]
            elif not any("--json" in each.opts for each in command.params):
                without.append(name)
        assert without == ["serve"]  # It tells nothing but its log.

    @pytest.mark.parametrize("use", USES, ids=lambda use: use.words)
    def test_answers_and_refusals(self, street: Street, use: Use) -> None:
        for who in ("admin", "org_admin", "org_member", "outsider"):
            self.check(street.run(use, who, OPEN))

    @pytest.mark.parametrize("use", USES, ids=lambda use: use.words)
    def test_without_a_key(self, street: Street, use: Use) -> None:
        words = street.town.targets[OPEN].words
        answer = street.faces.cli("", *(word.format(**words) for word in use.words.split()))
        self.check(answer)
        assert (answer.code, answer.body["error"]["code"]) == (3, "unauthenticated")

    @pytest.mark.parametrize("use", USES, ids=lambda use: use.words)
    def test_whatever_the_server_says(
        self, street: Street, use: Use, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = street.town.targets[OPEN].words
        given = [word.format(**words) for word in use.words.split()]
        for status, code in EXITS.items():
            monkeypatch.setattr(cli_client, "_OPENER", Refusing(status))
            answer = street.faces.cli("key", *given)
            self.check(answer)
            assert (answer.code, answer.body["error"]["code"]) == (code, f"said-{status}"), status
        for odd in (b"<html>", b"[]", b"\xff", OSError("no route")):
            monkeypatch.setattr(cli_client, "_OPENER", Odd(odd))
            answer = street.faces.cli("key", *given)
            self.check(answer)
            assert (answer.code, answer.body["error"]["code"]) == (1, "unreachable"), odd

    @staticmethod
    def check(answer: Answer) -> None:
        """One JSON object: what was asked for, or an error with its code and its words."""
        assert isinstance(answer.body, dict), answer
        if answer.code == 0:
            assert "error" not in answer.body, answer
        else:
            assert answer.body["error"].keys() == {"code", "message"}, answer
            assert all(answer.body["error"].values()), answer


class Refusing:
    """In the place of an opener: a server that refuses everything with one status."""

    def __init__(self, status: int) -> None:
        self._status = status

    def open(self, request: urllib.request.Request, timeout: float) -> Any:
        del timeout
        told = {"error": {"code": f"said-{self._status}", "message": "No."}}
        raise urllib.error.HTTPError(
            request.full_url, self._status, "", Message(), io.BytesIO(json.dumps(told).encode())
        )


class Odd:
    """In the place of an opener: something that is no Byname server, or nothing at all."""

    def __init__(self, said: bytes | OSError) -> None:
        self._said = said

    def open(self, request: urllib.request.Request, timeout: float) -> Any:
        del request, timeout
        if isinstance(self._said, OSError):
            raise self._said
        return Told(self._said, {})
