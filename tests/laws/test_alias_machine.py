"""Random people link, unlink, move and remove names, and a plain dict says what must come of it.

After each step: one holder per alias (I1), numbers 0 ... next-1 given once (I2), `latest` where the
rules put it (I3), committed content unchanged (I4), and the ledger recomputes to the present.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from byname.domain.errors import DomainError, NotFound
from byname.domain.version import Version
from byname.operations import alias, collection
from byname.operations.alias import Place
from byname.store import alias as alias_rows
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

    @initialize()
    def begin(self) -> None:
        self.versions = [
            log_version(self.world.admin, files={"f": bytes([n])}) for n in range(VERSIONS)
        ]
        self.viewer = self.world.add_person("viewer", in_organization="member")

    def teardown(self) -> None:
        self.world.nobody.database.close()
        shutil.rmtree(self.folder)

    @rule(
        which=st.integers(0, VERSIONS - 1),
        name=st.sampled_from(COLLECTIONS),
        wanted=st.lists(st.sampled_from(NAMES[1:]), max_size=2),
    )
    def link(self, which: int, name: str, wanted: list[str]) -> None:
        place, membership = link_version(self.world.admin, self.versions[which], name, wanted)
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
    @rule(data=st.data())
    def unlink(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([c for c in COLLECTIONS if self.live[c]]))
        which = data.draw(st.sampled_from(sorted(self.live[name])))
        collection.unlink(self.world.admin, self.versions[which].id, self.ids[name])
        number = self.live[name].pop(which)
        had_latest = self.held[name].get("latest") == number
        self.held[name] = {a: n for a, n in self.held[name].items() if n != number}
        if had_latest and self.live[name]:
            self.held[name]["latest"] = max(self.live[name].values())

    @precondition(lambda self: any(self.live.values()))
    @rule(data=st.data(), alias_name=st.sampled_from(NAMES))
    def move(self, data: st.DataObject, alias_name: str) -> None:
        name = data.draw(st.sampled_from([c for c in COLLECTIONS if self.live[c]]))
        which = data.draw(st.sampled_from(sorted(self.live[name])))
        place = Place(ORGANIZATION, REGISTRY, name)
        alias.edit(self.world.admin, self.versions[which].id, add=[(place, alias_name)])
        self.held[name][alias_name] = self.live[name][which]

    @precondition(lambda self: any(self.live.values()))
    @rule(data=st.data(), alias_name=st.sampled_from(NAMES))
    def remove(self, data: st.DataObject, alias_name: str) -> None:
        name = data.draw(st.sampled_from([c for c in COLLECTIONS if self.live[c]]))
        which = data.draw(st.sampled_from(sorted(self.live[name])))
        place = Place(ORGANIZATION, REGISTRY, name)
        holds = self.held[name].get(alias_name) == self.live[name][which]
        try:
            alias.edit(self.world.admin, self.versions[which].id, remove=[(place, alias_name)])
        except NotFound:
            assert not holds
        else:
            assert holds
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
