"""How a database comes to have today's schema."""

from __future__ import annotations

from byname.domain.errors import Unavailable
from byname.store import migration_2, schema
from byname.store.database import Database

STEPS: dict[int, tuple[str, ...]] = {
    1: migration_2.STATEMENTS,
    # To schema 3, which is not released yet: columns first, then what is new on the page. With the
    # release these statements are written out, so that later changes of the page leave them alone.
    2: (
        "DROP TRIGGER finding_is_added",
        "DROP TRIGGER finding_is_removed",
        "DROP TABLE finding_part",
        *(
            statement
            for sort in ("registry", "collection", "collection_tag", "version_tag", "alias")
            for statement in (
                *schema.created(
                    f"finding_part_{sort}", f"finding_is_added_{sort}", f"finding_is_removed_{sort}"
                ),
                f"INSERT INTO finding_part_{sort} (rowid, name_key)"
                f" SELECT id, name_key FROM finding WHERE kind = '{sort}' ORDER BY id",
            )
        ),
        "ALTER TABLE automation ADD COLUMN acts_for INTEGER REFERENCES users (id)",
        "UPDATE automation SET acts_for = created_by",
        "DROP INDEX automation_by_creator",
        "ALTER TABLE execution ADD COLUMN about_collection_id INTEGER",
        # The event's entry says in which collection it happened.
        "UPDATE execution SET about_collection_id = CASE WHEN history_id > 0"
        " THEN (SELECT h.collection_id FROM history h WHERE h.id = execution.history_id)"
        " ELSE (SELECT l.collection_id FROM ledger l WHERE l.id = execution.ledger_id) END",
        "DELETE FROM run_watch WHERE run_id IN (SELECT id FROM run WHERE deleted_at IS NOT NULL)",
        "DROP INDEX execution_by_collection",
        "DROP INDEX execution_by_project",
        "ALTER TABLE execution DROP COLUMN collection_id",
        "ALTER TABLE execution DROP COLUMN project_id",
        *schema.created(
            "automation_by_person",
            "execution_about_collection",
            "execution_about_project",
            "execution_leased",
            "run_watch_by_run",
        ),
        "ALTER TABLE membership ADD COLUMN size_bytes INTEGER NOT NULL DEFAULT 0",
        "UPDATE membership SET size_bytes ="
        " (SELECT v.size_bytes FROM version v WHERE v.id = membership.version_id)",
        *schema.created("membership_by_size", "membership_by_time"),
        *schema.created("run_line_place", "run_line_place_by_number"),
        *schema.created("run_alert", "run_alert_by_run"),
        "ALTER TABLE reading ADD COLUMN collection_id INTEGER",
        "ALTER TABLE reading ADD COLUMN number INTEGER",
        *schema.created("refusal", "refusal_by_organization", "refusal_by_actor"),
        *schema.created(
            "deactivation",
            "deactivation_by_user",
            "deactivated_team",
            "deactivated_registry",
            "external_id",
            "external_id_by_value",
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
