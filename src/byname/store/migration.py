"""How a database comes to have today's schema."""

from __future__ import annotations

from byname.domain.errors import Unavailable
from byname.store import metadata_index, schema
from byname.store.database import Database

STEPS: dict[int, tuple[str, ...]] = {
    # To schema 2, which is not released yet: columns first, then what is new on the page. With the
    # release these statements are written out, so that later changes of the page leave them alone.
    1: (
        "ALTER TABLE project ADD COLUMN icon TEXT",
        "ALTER TABLE version ADD COLUMN ttl_own INTEGER NOT NULL DEFAULT 0",
        "UPDATE version SET ttl_own = 1 WHERE ttl_seconds IS NOT NULL OR id IN (SELECT m.version_id"
        " FROM membership m JOIN collection c ON c.id = m.collection_id AND c.kind = 'portfolio')",
        "ALTER TABLE history ADD COLUMN names TEXT",
        "ALTER TABLE history ADD COLUMN actor_ip TEXT",
        "ALTER TABLE history ADD COLUMN client TEXT",
        "ALTER TABLE ledger ADD COLUMN actor_ip TEXT",
        "ALTER TABLE ledger ADD COLUMN client TEXT",
        *schema.created("reading", "reading_by_organization"),
        *schema.created("registry_star", "registry_star_by_project", "team_ttl", "team_with_ttl"),
        *schema.created(
            "secret",
            "integration",
            "integration_by_name",
            "automation",
            "automation_by_name",
            "automation_by_project",
            "automation_by_collection",
            "automation_by_organization",
            "automation_by_integration",
            "automation_by_creator",
            "automation_by_event",
            "run_watch",
            "run_alive",
        ),
        *schema.created("metadata_value"),
        metadata_index.FILL,
        "ALTER TABLE session ADD COLUMN browser TEXT NOT NULL DEFAULT ''",
        *schema.created("invitation", "identity", "identity_by_user", "run_by_display_name"),
        *schema.created(
            "dispatch",
            "execution",
            "execution_by_event",
            "execution_due",
            "execution_started",
            "execution_by_automation",
            "execution_by_collection",
            "execution_by_project",
            "execution_by_entity",
            "execution_by_organization",
            "execution_by_time",
            "attempt",
        ),
    ),
}
"""For each schema version that was ever released, the statements that lead to the next one."""


def present_version(database: Database) -> int:
    """The schema version the database has; 0 when it is empty."""
    with database.read() as tx:
        if tx.one("SELECT 1 FROM sqlite_master WHERE name = 'meta'") is None:
            return 0
        row = tx.one("SELECT value FROM meta WHERE key = 'schema_version'")
    return int(row["value"]) if row is not None else 0


def migrate(database: Database) -> None:
    """The database has today's schema. One transaction: a kill in the middle leaves the old one.

    Raises:
        Unavailable: the database was made by a newer Byname.
    """
    found = present_version(database)
    if found > schema.SCHEMA_VERSION:
        raise Unavailable(
            f"This database has schema {found}, made by a newer Byname; "
            f"this one knows schemas up to {schema.SCHEMA_VERSION}"
        )
    if found == schema.SCHEMA_VERSION:
        return
    with database.write() as tx:
        # Another process may have started on the same folder meanwhile.
        found = present_version(database)
        if found == 0:
            for statement in schema.TABLES:
                tx.run(statement)
        else:
            for version in range(found, schema.SCHEMA_VERSION):
                for statement in STEPS[version]:
                    tx.run(statement)
        tx.run(
            "INSERT INTO meta (key, value) VALUES ('schema_version', :version)"
            " ON CONFLICT (key) DO UPDATE SET value = :version",
            {"version": str(schema.SCHEMA_VERSION)},
        )
