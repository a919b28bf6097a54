"""Rows of a linked version, without the story of how one comes to be."""

from __future__ import annotations

from byname.domain.names import fold
from byname.store import project
from byname.store.database import Transaction
from tests.support.house import House


def link_between(house: House, source: str, target: str, target_project: str) -> None:
    """A committed version of a project `zoo` of entity `source`, linked as `Zoo:v0`."""
    with house.ctx.database.write() as tx:
        row = tx.one("SELECT id FROM entity WHERE name_key = ?", [fold(source)])
        assert row is not None
        zoo = project.add(tx, entity_id=row["id"], name="zoo", created_by=None, at=1)
        found = project.find_by_name(tx, target, target_project)
        assert found is not None
        sequence = _collection(tx, zoo, "sequence", "zoo")
        version = tx.insert(
            "INSERT INTO version (collection_id, state, digest, created_at, updated_at)"
            " VALUES (?, 'committed', 'd', 1, 1) RETURNING id",
            [sequence],
        )
        for collection in (sequence, _collection(tx, found.id, "portfolio", "Zoo")):
            tx.run(
                "INSERT INTO membership (collection_id, version_id, number, created_at)"
                " VALUES (?, ?, 0, 1)",
                [collection, version],
            )


def _collection(tx: Transaction, project_id: int, kind: str, name: str) -> int:
    return tx.insert(
        "INSERT INTO collection (project_id, type_id, kind, name, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, 1, 1) RETURNING id",
        [project_id, project.add_type(tx, project_id, "dataset", at=1), kind, name],
    )
