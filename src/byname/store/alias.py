"""Aliases and their ledger, as rows. The ledger row and the holder change in one statement pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byname.domain.alias import Alias, Change, Holder, chain
from byname.domain.names import composed, fold
from byname.store.database import Transaction


def holders(tx: Transaction, collection_id: int, aliases: Sequence[str]) -> dict[str, Holder]:
    """The present holders of these aliases, as written; those that nobody holds are left out."""
    if not aliases:
        return {}
    rows = tx.all(
        "SELECT a.name, a.membership_id, m.number FROM alias a"
        " JOIN membership m ON m.id = a.membership_id"
        f" WHERE a.collection_id = ? AND a.name IN ({','.join('?' * len(aliases))})",
        [collection_id, *(composed(alias) for alias in aliases)],
    )
    found = {row["name"]: Holder(row["membership_id"], row["number"]) for row in rows}
    return {
        alias: holder for alias in aliases if (holder := found.get(composed(alias))) is not None
    }


def held_by(tx: Transaction, membership_id: int) -> list[str]:
    """The aliases a membership holds, by name."""
    rows = tx.all(
        "SELECT name FROM alias WHERE membership_id = :membership ORDER BY name",
        {"membership": membership_id},
    )
    return [row["name"] for row in rows]


def count_held_by(tx: Transaction, membership_id: int) -> int:
    """How many aliases a membership holds."""
    row = tx.one(
        "SELECT count(*) AS n FROM alias WHERE membership_id = :membership",
        {"membership": membership_id},
    )
    return int(row["n"]) if row is not None else 0


def held_by_many(tx: Transaction, membership_ids: list[int]) -> dict[int, list[str]]:
    """The aliases of these memberships, by membership id."""
    found: dict[int, list[str]] = {each: [] for each in membership_ids}
    if membership_ids:
        for row in tx.all(
            "SELECT membership_id, name FROM alias"
            f" WHERE membership_id IN ({','.join('?' * len(membership_ids))})"
            " ORDER BY membership_id, name",
            membership_ids,
        ):
            found[row["membership_id"]].append(row["name"])
    return found


def of_versions(tx: Transaction, version_ids: list[int]) -> dict[int, list[tuple[int, str]]]:
    """For these versions, in whatever collection: pairs of collection id and name there.

    The names are the number, as `v3`, and then the aliases.
    """
    found: dict[int, list[tuple[int, str]]] = {each: [] for each in version_ids}
    if version_ids:
        numbered = set()
        for row in tx.all(
            "SELECT m.id, m.version_id, m.collection_id, m.number, a.name FROM membership m"
            " LEFT JOIN alias a ON a.membership_id = m.id"
            f" WHERE m.version_id IN ({','.join('?' * len(version_ids))})"
            " AND m.deleted_at IS NULL ORDER BY m.id, a.name",
            version_ids,
        ):
            names = found[row["version_id"]]
            if row["id"] not in numbered:
                numbered.add(row["id"])
                names.append((row["collection_id"], f"v{row['number']}"))
            if row["name"] is not None:
                names.append((row["collection_id"], row["name"]))
    return found


def of_versions_in(
    tx: Transaction, places: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], list[tuple[int, str]]]:
    """The same for pairs of version and collection: in the version's own sequence and there."""
    found: dict[tuple[int, int], list[tuple[int, str]]] = {each: [] for each in places}
    numbered = set()
    for row in tx.all(
        f"WITH place (version_id, collection_id) AS (VALUES {','.join(['(?, ?)'] * len(places))})"
        " SELECT p.version_id, p.collection_id AS through, m.collection_id, m.number, a.name"
        " FROM place p JOIN version v ON v.id = p.version_id"
        " JOIN membership m ON m.version_id = v.id"
        " AND m.collection_id IN (v.collection_id, p.collection_id)"
        " LEFT JOIN alias a ON a.membership_id = m.id"
        " WHERE m.deleted_at IS NULL ORDER BY m.id, a.name",
        [value for place in places for value in place],
    ):
        place = (row["version_id"], row["through"])
        if (*place, row["collection_id"]) not in numbered:
            numbered.add((*place, row["collection_id"]))
            found[place].append((row["collection_id"], f"v{row['number']}"))
        if row["name"] is not None:
            found[place].append((row["collection_id"], row["name"]))
    return found


def list_of_collection(
    tx: Transaction, collection_id: int, *, after: str, limit: int
) -> list[Alias]:
    """The collection's held aliases by name, from behind the name `after`."""
    rows = tx.all(
        "SELECT a.name, a.revision, m.number FROM alias a"
        " JOIN membership m ON m.id = a.membership_id"
        " WHERE a.collection_id = :collection AND a.name > :after ORDER BY a.name LIMIT :limit",
        {"collection": collection_id, "after": after, "limit": limit},
    )
    return [Alias(collection_id, row["name"], row["number"], row["revision"]) for row in rows]


def find(tx: Transaction, collection_id: int, name: str) -> Alias | None:
    """The alias, when it was ever given in the collection; its holder may be nobody."""
    row = tx.one(
        "SELECT a.revision, m.number FROM alias a LEFT JOIN membership m ON m.id = a.membership_id"
        " WHERE a.collection_id = :collection AND a.name = :name",
        {"collection": collection_id, "name": name},
    )
    return None if row is None else Alias(collection_id, name, row["number"], row["revision"])


@dataclass(frozen=True, slots=True)
class Head:
    """What the next row of a collection's ledger needs to know."""

    collection_id: int
    project_id: int
    hash: str
    """Of the ledger's last row; empty when there is none."""
    protected: dict[str, str]
    """Of the names asked for those that the registry protects, in whatever case, by folded form."""


def head(tx: Transaction, collection_id: int, names: Sequence[str]) -> Head:
    """The end of the collection's ledger, and which of these names are protected there."""
    keys = [fold(name) for name in names]
    rows = tx.all(
        "SELECT c.project_id, p.name, p.name_key, (SELECT l.hash FROM ledger l"
        " WHERE l.collection_id = c.id ORDER BY l.id DESC LIMIT 1) AS hash FROM collection c"
        " LEFT JOIN protected_alias p ON p.project_id = c.project_id"
        f" AND p.name_key IN ({','.join('?' * len(keys))}) WHERE c.id = ?",
        [*keys, collection_id],
    )
    return Head(
        collection_id,
        rows[0]["project_id"],
        rows[0]["hash"] or "",
        {row["name_key"]: row["name"] for row in rows if row["name"] is not None},
    )


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change, through which face, and when (in microseconds)."""

    actor_id: int | None
    actor_name: str
    face: str
    at: int
    address: str | None = None
    client: str | None = None


def apply(tx: Transaction, head: Head, changes: Sequence[Change], author: Author) -> None:
    """The changes hold, and each is a row in the ledger with the alias's next revision."""
    previous = head.hash
    for change in changes:
        after = change.after
        row = tx.one(
            "INSERT INTO alias (collection_id, name, membership_id, revision, updated_at)"
            " VALUES (:collection, :name, :membership, 1, :at)"
            " ON CONFLICT (collection_id, name) DO UPDATE SET membership_id = :membership,"
            " revision = alias.revision + 1, updated_at = :at RETURNING revision",
            {
                "collection": head.collection_id,
                "name": change.name,
                "membership": None if after is None else after.membership_id,
                "at": author.at,
            },
        )
        revision = row["revision"] if row is not None else 1
        before_number = None if change.before is None else change.before.number
        after_number = None if after is None else after.number
        previous = chain(
            previous,
            collection_id=head.collection_id,
            change=(change.name, revision, before_number, after_number, change.cause),
            actor=(author.actor_id, author.actor_name, author.face),
            at=author.at,
        )
        tx.run(
            "INSERT INTO ledger (project_id, collection_id, alias, revision, from_number,"
            " to_number, cause, actor_id, actor_name, face, at, hash, actor_ip, client) VALUES"
            " (:project, :collection, :name, :revision, :from, :to, :cause, :actor, :actor_name,"
            " :face, :at, :hash, :address, :client)",
            {
                "project": head.project_id,
                "collection": head.collection_id,
                "name": change.name,
                "revision": revision,
                "from": before_number,
                "to": after_number,
                "cause": change.cause,
                "actor": author.actor_id,
                "actor_name": author.actor_name,
                "face": author.face,
                "address": author.address,
                "client": author.client,
                "at": author.at,
                "hash": previous,
            },
        )


def list_held(tx: Transaction, collection_id: int, *, limit: int) -> list[tuple[str, Holder]]:
    """Some of the collection's held aliases, with their holders."""
    rows = tx.all(
        "SELECT a.name, a.membership_id, m.number FROM alias a"
        " JOIN membership m ON m.id = a.membership_id"
        " WHERE a.collection_id = :collection ORDER BY a.name LIMIT :limit",
        {"collection": collection_id, "limit": limit},
    )
    return [(row["name"], Holder(row["membership_id"], row["number"])) for row in rows]


def disagreements(tx: Transaction, *, limit: int = 100) -> list[str]:
    """Where the present holders are not what the ledger recomputes to; empty when all is well."""
    rows = tx.all(
        "SELECT a.collection_id, a.name, a.revision, m.number, l.revision AS ledger_revision,"
        " l.to_number FROM alias a LEFT JOIN membership m ON m.id = a.membership_id"
        " LEFT JOIN ledger l ON l.collection_id = a.collection_id AND l.alias = a.name"
        " AND l.revision = (SELECT max(revision) FROM ledger x"
        "   WHERE x.collection_id = a.collection_id AND x.alias = a.name)"
        " WHERE l.revision IS NULL OR l.revision <> a.revision OR l.to_number IS NOT m.number"
        " LIMIT :limit",
        {"limit": limit},
    )
    found = [
        f"alias {row['name']!r} of collection {row['collection_id']} is on v{row['number']} at "
        f"revision {row['revision']}, but the ledger ends at revision {row['ledger_revision']} "
        f"on v{row['to_number']}"
        for row in rows
    ]
    broken = tx.all(
        "SELECT collection_id, alias, count(*) AS n, max(revision) AS top FROM ledger"
        " GROUP BY collection_id, alias HAVING count(*) <> max(revision) LIMIT :limit",
        {"limit": limit},
    )
    found += [
        f"the ledger of alias {row['alias']!r} of collection {row['collection_id']} has "
        f"{row['n']} rows but ends at revision {row['top']}"
        for row in broken
    ]
    return found
