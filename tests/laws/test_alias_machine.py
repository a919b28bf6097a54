"""Random people link, unlink, move and remove names, and a plain dict says what must come of it.

After each step: one holder per alias (I1), numbers 0 ... next-1 given once (I2), `latest` where the
rules put it (I3), committed content unchanged (I4), the ledger recomputes to the present and its
chain of hashes is whole, and no Member ever changed which version holds a protected alias (I7).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from byname.domain.errors import Conflict, DomainError, Forbidden, HolderChanged, NotFound
from byname.domain.policy import Role
from byname.domain.version import Version
from byname.operations import alias, alias_move, collection, protected_alias, registry
from byname.operations.alias import Place
from byname.operations.alias_move import Expected, Move
from byname.operations.context import Context
from byname.store import alias as alias_rows
from byname.store import ledger as ledger_rows
from tests.support.world import (
    ORGANIZATION,
    REGISTRY,
    World,
    holders,
    link_version,
    log_version,
    make_world,
)

NAMES = ("latest", "best", "production", "eu")
COLLECTIONS = ("Zoo", "Yard")
VERSIONS = 4
ACTORS = st.sampled_from(("admin", "mem"))


class AliasMachine(RuleBasedStateMachine):
    """The model: per collection, live numbers by version, all holders, and the next number."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="byname-laws-"))
        self.world: World = make_world(self.folder)
        self.versions: list[Version] = []
        self.live: dict[str, dict[int, int]] = {name: {} for name in COLLECTIONS}
        self.held: dict[str, dict[str, int]] = {name: {} for name in COLLECTIONS}
        self.next: dict[str, int] = dict.fromkeys(COLLECTIONS, 0)
        self.ids: dict[str, int] = {}
        self.protected: set[str] = set()

    @initialize()
    def begin(self) -> None:
        self.versions = [
            log_version(self.world.admin, files={"f": bytes([n])}) for n in range(VERSIONS)
        ]
        self.world.add_person("mem", in_organization="member", in_team="member")
        self.model = registry.get_by_name(self.world.admin, ORGANIZATION, "Model").id
        change = registry.RegistryEdit(default_role=Role.MEMBER)
        registry.edit(self.world.admin, self.model, change)
        self.viewer = self.world.add_person("viewer", in_organization="viewer")

    def by(self, actor: str) -> Context:
        return self.world.people[actor]

    def done(self, actor: str, touched: Iterable[str], act: Callable[[], object]) -> bool:
        """Whether it was done: what touches a protected alias is refused to a Member, as a whole."""
        if actor == "admin" or not self.protected & set(touched):
            act()
            return True
        with self.world.admin.database.read() as tx:
            before = tx.one("SELECT count(*), max(id) FROM ledger")
        try:
            act()
        except Forbidden:
            with self.world.admin.database.read() as tx:
                after = tx.one("SELECT count(*), max(id) FROM ledger")
            assert before is not None
            assert after is not None
            assert tuple(before) == tuple(after)
            return False
        raise AssertionError("a Member changed which version holds a protected alias")

    @rule(name=st.sampled_from(NAMES[1:]))
    def protect(self, name: str) -> None:
        if name in self.protected:
            protected_alias.end(self.world.admin, self.model, name)
            self.protected.remove(name)
        else:
            made = protected_alias.create(self.world.admin, self.model, name)
            assert made.uses == sum(name in held for held in self.held.values())
            self.protected.add(name)

    def teardown(self) -> None:
        self.world.nobody.database.close()
        shutil.rmtree(self.folder)

    @rule(
        which=st.integers(0, VERSIONS - 1),
        name=st.sampled_from(COLLECTIONS),
        wanted=st.lists(st.sampled_from(NAMES[1:]), max_size=2),
        actor=ACTORS,
    )
    def link(self, which: int, name: str, wanted: list[str], actor: str) -> None:
        there = self.live[name].get(which)
        moving = [a for a in wanted if there is None or self.held[name].get(a) != there]
        made = []

        def act() -> None:
            made.append(link_version(self.by(actor), self.versions[which], name, wanted))

        if not self.done(actor, moving, act):
            return
        ((place, membership),) = made
        self.ids[name] = place.id
        if which in self.live[name]:
            assert membership.number == self.live[name][which]
        else:
            assert membership.number == self.next[name]
            self.live[name][which] = self.next[name]
            self.next[name] += 1
            self.held[name]["latest"] = membership.number
        for each in wanted:
            self.held[name][each] = membership.number

    @precondition(lambda self: any(self.live.values()))
    @rule(data=st.data(), actor=ACTORS)
    def unlink(self, data: st.DataObject, actor: str) -> None:
        name = data.draw(st.sampled_from([c for c in COLLECTIONS if self.live[c]]))
        which = data.draw(st.sampled_from(sorted(self.live[name])))
        carried = [a for a, n in self.held[name].items() if n == self.live[name][which]]
        version_id, place_id = self.versions[which].id, self.ids[name]
        if not self.done(
            actor, carried, lambda: collection.unlink(self.by(actor), version_id, place_id)
        ):
            return
        number = self.live[name].pop(which)
        had_latest = self.held[name].get("latest") == number
        self.held[name] = {a: n for a, n in self.held[name].items() if n != number}
        if had_latest and self.live[name]:
            self.held[name]["latest"] = max(self.live[name].values())

    @precondition(lambda self: any(self.live.values()))
    @rule(data=st.data(), alias_name=st.sampled_from(NAMES), actor=ACTORS)
    def move(self, data: st.DataObject, alias_name: str, actor: str) -> None:
        name = data.draw(st.sampled_from([c for c in COLLECTIONS if self.live[c]]))
        which = data.draw(st.sampled_from(sorted(self.live[name])))
        place = Place(ORGANIZATION, REGISTRY, name)
        there = self.live[name][which]
        moving = [] if self.held[name].get(alias_name) == there else [alias_name]
        version_id = self.versions[which].id
        if self.done(
            actor,
            moving,
            lambda: alias.edit(self.by(actor), version_id, add=[(place, alias_name)]),
        ):
            self.held[name][alias_name] = there

    @precondition(lambda self: any(self.live.values()))
    @rule(data=st.data(), alias_name=st.sampled_from(NAMES), actor=ACTORS)
    def compare_and_set(self, data: st.DataObject, alias_name: str, actor: str) -> None:
        name = data.draw(st.sampled_from([c for c in COLLECTIONS if self.live[c]]))
        target = data.draw(st.sampled_from(sorted(self.live[name].values())))
        expect = data.draw(st.sampled_from([None, *sorted(self.live[name].values())]))
        holds = self.held[name].get(alias_name) == expect
        expected = Expected(version=None if expect is None else f"v{expect}")
        wanted = Move(name, alias_name, f"v{target}", expected)
        moving = [alias_name] if holds and expect != target else []
        try:
            moved = self.done(
                actor, moving, lambda: alias_move.move(self.by(actor), self.model, [wanted])
            )
        except HolderChanged:
            assert not holds
        else:
            assert holds
            if moved:
                self.held[name][alias_name] = target

    @rule(name=st.sampled_from(COLLECTIONS), alias_name=st.sampled_from(NAMES), actor=ACTORS)
    def undo(self, name: str, alias_name: str, actor: str) -> None:
        if name not in self.ids:
            return
        with self.world.admin.database.read() as tx:
            rows = ledger_rows.of_alias(tx, self.ids[name], alias_name, below=None, limit=1)
        if not rows:
            return
        last = rows[0]
        try:
            undone = self.done(
                actor,
                [alias_name] if self._may_return(name, last.from_number) else [],
                lambda: alias_move.undo(
                    self.by(actor), self.model, name, alias_name, last.revision
                ),
            )
        except Conflict:
            assert not self._may_return(name, last.from_number)
            return
        if undone:
            self.held[name].pop(alias_name, None)
            if last.from_number is not None:
                self.held[name][alias_name] = last.from_number

    def _may_return(self, name: str, number: int | None) -> bool:
        return number is None or number in self.live[name].values()

    @precondition(lambda self: any(self.live.values()))
    @rule(data=st.data(), alias_name=st.sampled_from(NAMES), actor=ACTORS)
    def remove(self, data: st.DataObject, alias_name: str, actor: str) -> None:
        name = data.draw(st.sampled_from([c for c in COLLECTIONS if self.live[c]]))
        which = data.draw(st.sampled_from(sorted(self.live[name])))
        place = Place(ORGANIZATION, REGISTRY, name)
        holds = self.held[name].get(alias_name) == self.live[name][which]
        version_id = self.versions[which].id
        try:
            removed = self.done(
                actor,
                [alias_name] if holds else [],
                lambda: alias.edit(self.by(actor), version_id, remove=[(place, alias_name)]),
            )
        except NotFound:
            assert not holds
        else:
            assert holds
            if removed:
                del self.held[name][alias_name]

    @precondition(lambda self: any(self.live.values()))
    @rule(data=st.data(), alias_name=st.sampled_from((*NAMES, "v0", "a/b")))
    def be_refused(self, data: st.DataObject, alias_name: str) -> None:
        name = data.draw(st.sampled_from([c for c in COLLECTIONS if self.live[c]]))
        which = data.draw(st.sampled_from(sorted(self.live[name])))
        place = Place(ORGANIZATION, REGISTRY, name)
        try:
            alias.edit(self.viewer, self.versions[which].id, add=[(place, alias_name)])
        except DomainError:
            pass
        else:
            raise AssertionError("a viewer moved an alias")

    @invariant()
    def each_alias_is_where_the_model_has_it(self) -> None:
        for name, collection_id in self.ids.items():
            assert holders(self.world.admin, collection_id) == self.held[name]
            for alias_name, number in self.held[name].items():
                found = collection.resolve_reference(
                    self.world.admin, f"{REGISTRY}/{name}:{alias_name}"
                )
                assert found.membership.number == number

    @invariant()
    def numbers_were_given_out_once(self) -> None:
        with self.world.admin.database.read() as tx:
            for name, collection_id in self.ids.items():
                given = tx.all(
                    "SELECT number FROM membership WHERE collection_id = ? ORDER BY number",
                    [collection_id],
                )
                assert [row["number"] for row in given] == list(range(self.next[name]))

    @invariant()
    def the_ledger_recomputes_to_the_present(self) -> None:
        with self.world.admin.database.read() as tx:
            assert alias_rows.disagreements(tx) == []
            assert list(ledger_rows.breaks(tx, limit=10)) == []

    @invariant()
    def content_never_changes(self) -> None:
        with self.world.admin.database.read() as tx:
            for version in self.versions:
                row = tx.one("SELECT digest, state FROM version WHERE id = ?", [version.id])
                assert row is not None
                assert (row["digest"], row["state"]) == (version.digest, "committed")


TestAliasMachine = AliasMachine.TestCase
TestAliasMachine.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
