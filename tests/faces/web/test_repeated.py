"""A form that is sent twice, as a double click without scripts does it, is done once."""

from __future__ import annotations

import asyncio
import re
import weakref
from dataclasses import dataclass
from typing import Any

import pytest

from byname.domain.errors import Conflict
from byname.domain.integration import IntegrationKind
from byname.operations import integration, key, protected_alias, registry, service_account
from byname.operations.integration import Wanted
from byname.web import repeated
from byname.web.repeated import KEPT_MAX, KEPT_SECONDS, Repeated, name_of
from tests.faces.web.conftest import HTML, App, words_of
from tests.support.forms import form_on, forms_on
from tests.support.house import House
from tests.support.world import ORGANIZATION, TEAM, link_version, log_version

MODEL = "/orgs/acme/registry/Model"
ZOO = f"{MODEL}?selectionPath=acme%2Fwandb-registry-Model%2FZoo"
VERSION = f"{ZOO}&view=membership&version=v0"


@pytest.fixture
def zoo(app: App) -> App:
    """Collection Zoo with a version that holds `best`; production is protected; pat belongs nowhere."""
    admin = app.world.admin
    link_version(admin, log_version(admin), aliases=("best",))
    home = registry.get_by_name(admin, ORGANIZATION, "Model")
    protected_alias.create(admin, home.id, "production")
    service_account.create(admin, organization=ORGANIZATION, name="gateway")
    integration.create(admin, TEAM, IntegrationKind.SLACK, Wanted(name="#m", url="https://a.b/c"))
    app.world.add_person("pat")
    app.world.add_person("max", in_organization="member", in_team="member")
    return app


@dataclass(frozen=True, slots=True)
class Case:
    """A form on a page, what is written into it, and what the answer says both times."""

    page: str
    do: str
    written: tuple[tuple[str, str], ...] = ()
    said: str = ""


CASES = {
    "a key": Case("/account", "make-key", (("name", "laptop"),), "it is shown this one time"),
    "a registry": Case(f"/orgs/{ORGANIZATION}/new-registry", "", (("name", "New"),)),
    "a collection": Case(f"{MODEL}/new-collection", "", (("name", "New"), ("type", "model"))),
    "an alias": Case(VERSION, "add-alias", (("alias", "new"),)),
    "an alias off": Case(f"{VERSION}&confirm=remove-alias&alias=best", "remove-alias"),
    "a tag": Case(VERSION, "add-tag", (("tag", "new"),)),
    "a description": Case(VERSION, "describe", (("description", "new"),)),
    "unlinking": Case(f"{VERSION}&confirm=unlink", "unlink"),
    "another name": Case(f"{ZOO}&confirm=rename", "rename", (("name", "Ark"),)),
    "deleting a collection": Case(f"{ZOO}&confirm=delete", "delete"),
    "deleting a registry": Case(
        f"{MODEL}/settings?confirm=delete", "delete", (("typed", "Model"),)
    ),
    "protection": Case(f"{MODEL}/settings", "protect", (("name", "staging"),)),
    "the end of protection": Case(
        f"{MODEL}/settings?confirm=unprotect&name=production",
        "unprotect", (("typed", "production"),),
    ),
    "a member": Case(f"/orgs/{ORGANIZATION}/members", "add", (("who", "pat"), ("role", "member"))),
    "leaving": Case(
        f"/orgs/{ORGANIZATION}/members?remove=max", "", (("username", "max"), ("do", "remove")),
    ),
    "a team": Case(f"/orgs/{ORGANIZATION}/teams", "", (("name", "new-team"),)),
    "a service account": Case(
        f"/orgs/{ORGANIZATION}/service-accounts", "make-account", (("name", "robot"),), "WANDB_API_KEY"
    ),
    "a key of one": Case(
        f"/orgs/{ORGANIZATION}/service-accounts?account=gateway", "make-account-key",
        (("name", "second"),), "WANDB_API_KEY",
    ),
    "an invitation": Case(
        "/server/people", "invite",
        (("username", "gina"), ("email", "gina@x.org"), ("organization", ORGANIZATION)), "gina",
    ),
    "an organization": Case("/server/organizations", "", (("name", "second"),)),
    "a webhook": Case(
        f"/{TEAM}?tab=integrations", "make-webhook", (("name", "new"), ("url", "https://a.b/c")),
    ),
    "a secret": Case(
        f"/{TEAM}?tab=integrations", "make-secret", (("name", "NEW"), ("value", "value-of-it")),
    ),
}  # fmt: skip


def sealed(page: str, case: Case) -> Any:
    if case.do:
        return form_on(page, case.do)
    names = {name for name, _ in case.written if name != "do"}
    return next(each for each in forms_on(page) if names | {"once"} <= each.fields.keys())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_second_time_changes_nothing_and_says_the_same(zoo: App, case: Case) -> None:
    admin = zoo.by("admin")
    form = sealed(admin.get(case.page), case)
    answers = []
    dumps = [House(zoo.world.nobody, {}).dump()]
    for _ in range(2):
        answers.append(
            admin.client.post(
                form.action or case.page,
                data=form.fields | dict(case.written),
                headers=HTML,
                follow_redirects=False,
            )
        )
        dumps.append(House(zoo.world.nobody, {}).dump())
    first, second = answers
    assert first.status_code in (200, 303), words_of(first.text)[:400]
    assert dumps[0] != dumps[1]
    assert dumps[1] == dumps[2]
    assert (second.status_code, second.headers.get("location"), second.text) == (
        first.status_code, first.headers.get("location"), first.text,
    )  # fmt: skip
    assert case.said in first.text
    assert first.status_code == 303 or case.said


class TestWhatIsAnotherForm:
    """The same page again, other words in it, another person: each is a form of its own."""

    def keys_of(self, app: App, name: str = "admin") -> list[str]:
        return [
            each.name for each in key.list_keys(app.world.reload(name)) if each.name == "laptop"
        ]

    def test_a_page_that_is_loaded_again(self, zoo: App) -> None:
        admin = zoo.by("admin")
        for _ in range(2):
            form = form_on(admin.get("/account"), "make-key")
            admin.client.post("/account", data=form.fields | {"name": "laptop"}, headers=HTML)
        assert len(self.keys_of(zoo)) == 2

    def test_another_word(self, zoo: App) -> None:
        admin = zoo.by("admin")
        form = form_on(admin.get("/account"), "make-key")
        for name in ("laptop", "other", "laptop"):
            admin.client.post("/account", data=form.fields | {"name": name}, headers=HTML)
        assert len(self.keys_of(zoo)) == 1

    def test_somebody_else(self, zoo: App) -> None:
        """A secret that was shown to one is not shown to another who knows the form's word."""
        shown = []
        for name in ("admin", "max"):
            browser = zoo.by(name)
            form = form_on(browser.get("/account"), "make-key")
            fields = form.fields | {"name": "laptop", "once": "the-same"}
            page = browser.client.post("/account", data=fields, headers=HTML).text
            found = re.search(r'class="secret"><code>([^<]+)', page)
            assert found is not None
            shown.append(found[1])
        assert shown[0] != shown[1]
        assert [len(self.keys_of(zoo, name)) for name in ("admin", "max")] == [1, 1]

    def test_a_refusal_is_not_remembered(self, zoo: App) -> None:
        admin = zoo.by("admin")
        form = form_on(admin.get(f"{ZOO}&confirm=rename"), "rename")
        fields = form.fields | {"name": "Ark"}
        made = admin.sent(f"{MODEL}/new-collection", name="Ark", type="model")
        assert admin.client.post(form.action, data=fields, headers=HTML).status_code == 409
        admin.sent(f"{made}&confirm=rename", do="rename", name="Gone")
        answer = admin.client.post(form.action, data=fields, headers=HTML, follow_redirects=False)
        assert answer.status_code == 303


class TestTheMemory:
    """It is bounded in time and number, and works while the first is still being done."""

    def test_who_comes_meanwhile_waits_for_the_same(self) -> None:
        done: list[int] = []

        async def both() -> list[int]:
            memory, gate = Repeated(), asyncio.Event()

            async def piece() -> int:
                await gate.wait()
                done.append(1)
                return len(done)

            first = asyncio.ensure_future(memory.run("form", piece))
            second = asyncio.ensure_future(memory.run("form", piece))
            await asyncio.sleep(0)
            # The browser of the first one does not wait for its answer.
            first.cancel()
            await asyncio.sleep(0)
            gate.set()
            return [await second, await memory.run("form", piece)]

        assert asyncio.run(both()) == [1, 1]

    def test_both_who_wait_are_refused_and_the_next_one_is_tried(self) -> None:
        tried: list[int] = []

        async def all_of_them() -> int:
            memory = Repeated()

            async def piece() -> int:
                tried.append(1)
                await asyncio.sleep(0)
                if len(tried) == 1:
                    raise Conflict("not now")
                return len(tried)

            waiting = [memory.run("form", piece), memory.run("form", piece)]
            refused = await asyncio.gather(*waiting, return_exceptions=True)
            assert [type(each) for each in refused] == [Conflict, Conflict]
            return await memory.run("form", piece)

        assert asyncio.run(all_of_them()) == 2

    def test_it_forgets_in_time_and_is_never_large(self) -> None:
        now = [0.0]

        async def fill() -> list[int]:
            memory = Repeated(clock=lambda: now[0])
            made: list[int] = []

            async def piece() -> int:
                made.append(1)
                return len(made)

            answers = [await memory.run("form", piece)]
            now[0] = KEPT_SECONDS - 1
            answers.append(await memory.run("form", piece))
            now[0] = KEPT_SECONDS + 1
            answers.append(await memory.run("form", piece))
            for number in range(KEPT_MAX + 10):
                await memory.run(str(number), piece)
            assert len(memory._tasks) <= KEPT_MAX + 1
            answers.append(await memory.run("form", piece) - len(made))
            return answers

        assert asyncio.run(fill()) == [1, 1, 2, 0]

    def test_it_forgets_although_no_other_form_comes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(repeated, "KEPT_SECONDS", 0.001)

        class Answer:
            pass

        async def alone() -> None:
            memory, gone = Repeated(), asyncio.Event()

            async def piece() -> Answer:
                answer = Answer()
                weakref.finalize(answer, gone.set)
                return answer

            await memory.run("form", piece)
            async with asyncio.timeout(60):
                await gone.wait()

        asyncio.run(alone())

    def test_long_answers_leave_early(self) -> None:
        async def fill() -> list[int]:
            memory = Repeated()
            made: list[int] = []

            async def piece() -> int:
                made.append(1)
                return len(made)

            for name in ("first", "second", "third", "third", "first"):
                await memory.run(name, piece, length=lambda _: repeated.KEPT_LENGTH_MAX // 2)
            return [len(made), len(memory._tasks)]

        assert asyncio.run(fill()) == [4, 2]

    def test_nothing_can_be_read_from_a_name(self) -> None:
        name = name_of("login", fields={"password": "correct horse"})
        assert re.fullmatch("[0-9a-f]{64}", name)
        assert name != name_of("login", fields={"password": "correct horses"})
        assert name_of("a", "b", fields={}) != name_of("a", fields={"b": ""})
