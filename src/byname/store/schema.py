"""The whole database on one page.

Times are whole microseconds since 1970 in UTC. Names that are compared without case carry a second
column `..._key` that holds the folded form. What is deleted keeps its row and a `deleted_at`, so that
history stays readable and numbers are never given out twice (R47, R163).
"""

from __future__ import annotations

import re

SCHEMA_VERSION = 3

TABLES: tuple[str, ...] = (
    # One row a fact about this server: schema_version, setup_token, ...
    """CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)""",
    # ---- who -------------------------------------------------------------------------------
    # An entity is a user, team or organization as it stands in a path. The organization's row is
    # both the organization and its own entity, under which its registries live (R1).
    """CREATE TABLE entity (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('user', 'team', 'organization')),
        name TEXT NOT NULL,
        name_key TEXT NOT NULL,
        organization_id INTEGER REFERENCES entity (id),
        created_at INTEGER NOT NULL,
        deleted_at INTEGER)""",
    "CREATE UNIQUE INDEX entity_by_name ON entity (name_key) WHERE deleted_at IS NULL",
    "CREATE INDEX entity_by_organization ON entity (organization_id)",
    # A person, or a service account of a team or organization (then entity_id is that).
    """CREATE TABLE users (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('person', 'service')),
        username TEXT NOT NULL,
        username_key TEXT NOT NULL,
        full_name TEXT NOT NULL,
        email TEXT,
        email_key TEXT,
        password_hash TEXT,
        server_admin INTEGER NOT NULL DEFAULT 0,
        entity_id INTEGER NOT NULL REFERENCES entity (id),
        created_at INTEGER NOT NULL,
        deleted_at INTEGER)""",
    "CREATE UNIQUE INDEX users_by_username ON users (username_key) WHERE deleted_at IS NULL",
    "CREATE UNIQUE INDEX users_by_email ON users (email_key) WHERE deleted_at IS NULL",
    "CREATE INDEX users_by_entity ON users (entity_id)",
    # Only the SHA-256 of a key is kept (R193); `start` is the part shown to recognise it.
    """CREATE TABLE api_key (
        id INTEGER PRIMARY KEY,
        user_id INTEGER NOT NULL REFERENCES users (id),
        name TEXT NOT NULL,
        start TEXT NOT NULL,
        sha256 TEXT NOT NULL UNIQUE,
        created_at INTEGER NOT NULL,
        last_used_at INTEGER)""",
    "CREATE INDEX api_key_by_user ON api_key (user_id)",
    # A browser that somebody is logged in with (A8). Only the SHA-256 of its token is kept; it ends
    # with the API key it was opened with. `browser` is what the browser says it is.
    """CREATE TABLE session (
        id INTEGER PRIMARY KEY,
        user_id INTEGER NOT NULL REFERENCES users (id),
        key_id INTEGER REFERENCES api_key (id) ON DELETE CASCADE,
        sha256 TEXT NOT NULL UNIQUE,
        created_at INTEGER NOT NULL,
        last_used_at INTEGER NOT NULL,
        browser TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX session_by_user ON session (user_id)",
    "CREATE INDEX session_by_key ON session (key_id)",
    "CREATE INDEX session_by_time ON session (created_at)",
    # A link with which a person chooses a password, once: the latest one counts. Only the SHA-256
    # of its token is kept.
    """CREATE TABLE invitation (
        user_id INTEGER PRIMARY KEY REFERENCES users (id),
        sha256 TEXT NOT NULL UNIQUE,
        created_by INTEGER REFERENCES users (id),
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL)""",
    # Who somebody is to a provider that they log in with: the provider's address and its word for
    # them, which never changes hands.
    """CREATE TABLE identity (
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        user_id INTEGER NOT NULL REFERENCES users (id),
        created_at INTEGER NOT NULL,
        PRIMARY KEY (issuer, subject)) WITHOUT ROWID""",
    "CREATE INDEX identity_by_user ON identity (user_id)",
    """CREATE TABLE organization_member (
        organization_id INTEGER NOT NULL REFERENCES entity (id),
        user_id INTEGER NOT NULL REFERENCES users (id),
        role TEXT NOT NULL CHECK (role IN ('admin', 'member', 'viewer')),
        created_at INTEGER NOT NULL,
        PRIMARY KEY (organization_id, user_id)) WITHOUT ROWID""",
    "CREATE INDEX organization_member_by_user ON organization_member (user_id)",
    # Who is out of an organization until they are let in again, and what they had there.
    """CREATE TABLE deactivation (
        organization_id INTEGER NOT NULL REFERENCES entity (id),
        user_id INTEGER NOT NULL REFERENCES users (id),
        role TEXT NOT NULL CHECK (role IN ('admin', 'member', 'viewer')),
        created_at INTEGER NOT NULL,
        PRIMARY KEY (organization_id, user_id)) WITHOUT ROWID""",
    "CREATE INDEX deactivation_by_user ON deactivation (user_id)",
    """CREATE TABLE deactivated_team (
        user_id INTEGER NOT NULL REFERENCES users (id),
        team_id INTEGER NOT NULL REFERENCES entity (id),
        role TEXT NOT NULL,
        PRIMARY KEY (user_id, team_id)) WITHOUT ROWID""",
    """CREATE TABLE deactivated_registry (
        user_id INTEGER NOT NULL REFERENCES users (id),
        project_id INTEGER NOT NULL REFERENCES project (id),
        role TEXT NOT NULL,
        PRIMARY KEY (user_id, project_id)) WITHOUT ROWID""",
    # What a provider of identities calls a user or team of an organization (R194).
    """CREATE TABLE external_id (
        organization_id INTEGER NOT NULL REFERENCES entity (id),
        sort TEXT NOT NULL CHECK (sort IN ('user', 'team')),
        object_id INTEGER NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (organization_id, sort, object_id)) WITHOUT ROWID""",
    "CREATE INDEX external_id_by_value ON external_id (organization_id, sort, value)",
    """CREATE TABLE team_member (
        team_id INTEGER NOT NULL REFERENCES entity (id),
        user_id INTEGER NOT NULL REFERENCES users (id),
        role TEXT NOT NULL CHECK (role IN ('admin', 'member', 'viewer')),
        created_at INTEGER NOT NULL,
        PRIMARY KEY (team_id, user_id)) WITHOUT ROWID""",
    "CREATE INDEX team_member_by_user ON team_member (user_id)",
    # The time to live of a team's versions that have none of their own, and whether only the team's
    # admins may set one (R165).
    """CREATE TABLE team_ttl (
        team_id INTEGER PRIMARY KEY REFERENCES entity (id),
        seconds INTEGER,
        admins_only INTEGER NOT NULL)""",
    "CREATE INDEX team_with_ttl ON team_ttl (team_id) WHERE seconds IS NOT NULL",
    # ---- where -----------------------------------------------------------------------------
    # A registry is a project of the organization's entity, named with the registry prefix.
    """CREATE TABLE project (
        id INTEGER PRIMARY KEY,
        entity_id INTEGER NOT NULL REFERENCES entity (id),
        kind TEXT NOT NULL CHECK (kind IN ('project', 'registry')),
        name TEXT NOT NULL,
        name_key TEXT NOT NULL,
        description TEXT,
        visibility TEXT NOT NULL DEFAULT 'organization'
            CHECK (visibility IN ('organization', 'restricted')),
        all_types INTEGER NOT NULL DEFAULT 1,
        default_role TEXT NOT NULL DEFAULT 'viewer',
        created_by INTEGER REFERENCES users (id),
        owner_id INTEGER REFERENCES users (id),
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        deleted_at INTEGER,
        purged_at INTEGER,
        icon TEXT)""",
    "CREATE INDEX project_to_purge ON project (deleted_at)"
    " WHERE deleted_at IS NOT NULL AND purged_at IS NULL",
    "CREATE UNIQUE INDEX project_by_name ON project (entity_id, name_key) WHERE deleted_at IS NULL",
    """CREATE TABLE registry_user (
        project_id INTEGER NOT NULL REFERENCES project (id),
        user_id INTEGER NOT NULL REFERENCES users (id),
        role TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (project_id, user_id)) WITHOUT ROWID""",
    "CREATE INDEX registry_user_by_user ON registry_user (user_id)",
    """CREATE TABLE registry_team (
        project_id INTEGER NOT NULL REFERENCES project (id),
        team_id INTEGER NOT NULL REFERENCES entity (id),
        role TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (project_id, team_id)) WITHOUT ROWID""",
    "CREATE INDEX registry_team_by_team ON registry_team (team_id)",
    # Which registries somebody wants to see first (R28).
    """CREATE TABLE registry_star (
        user_id INTEGER NOT NULL REFERENCES users (id),
        project_id INTEGER NOT NULL REFERENCES project (id),
        created_at INTEGER NOT NULL,
        PRIMARY KEY (user_id, project_id)) WITHOUT ROWID""",
    "CREATE INDEX registry_star_by_project ON registry_star (project_id)",
    # `accepted`: on the registry's list of accepted types, from which it is never removed (R22).
    """CREATE TABLE artifact_type (
        id INTEGER PRIMARY KEY,
        project_id INTEGER NOT NULL REFERENCES project (id),
        name TEXT NOT NULL,
        description TEXT,
        accepted INTEGER NOT NULL DEFAULT 0,
        created_at INTEGER NOT NULL,
        UNIQUE (project_id, name))""",
    # ---- names -----------------------------------------------------------------------------
    # `next_number` only grows, so numbers are gap-free and never reused (R46, R47).
    # `version_count` counts the live memberships; it spares a list its COUNT(*).
    """CREATE TABLE collection (
        id INTEGER PRIMARY KEY,
        project_id INTEGER NOT NULL REFERENCES project (id),
        type_id INTEGER NOT NULL REFERENCES artifact_type (id),
        kind TEXT NOT NULL CHECK (kind IN ('sequence', 'portfolio')),
        name TEXT NOT NULL,
        description TEXT,
        next_number INTEGER NOT NULL DEFAULT 0,
        version_count INTEGER NOT NULL DEFAULT 0,
        created_by INTEGER REFERENCES users (id),
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        deleted_at INTEGER)""",
    "CREATE UNIQUE INDEX collection_by_name ON collection (project_id, name)"
    " WHERE deleted_at IS NULL",
    "CREATE INDEX collection_by_type ON collection (type_id)",
    # A version belongs to the sequence in which it was logged. It is `pending` until its manifest
    # and all its bytes are here. `same_as_id`: at its commit the content turned out to be that of
    # an older version, which answers in its place (R2). `ttl_own`: what `ttl_seconds` says was set
    # for this version, so that its team's default does not count (R165).
    """CREATE TABLE version (
        id INTEGER PRIMARY KEY,
        collection_id INTEGER NOT NULL REFERENCES collection (id),
        state TEXT NOT NULL CHECK (state IN ('pending', 'committed', 'deleted')),
        digest TEXT NOT NULL,
        description TEXT,
        metadata TEXT,
        ttl_seconds INTEGER,
        history_step INTEGER,
        size_bytes INTEGER NOT NULL DEFAULT 0,
        file_count INTEGER NOT NULL DEFAULT 0,
        manifest_id INTEGER,
        base_version_id INTEGER,
        same_as_id INTEGER REFERENCES version (id),
        distributed_id TEXT,
        wanted_aliases TEXT NOT NULL DEFAULT '[]',
        wanted_tags TEXT NOT NULL DEFAULT '[]',
        run_id INTEGER REFERENCES run (id),
        created_by INTEGER REFERENCES users (id),
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        deleted_at INTEGER,
        purged_at INTEGER,
        emptied_at INTEGER,
        ttl_own INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX version_by_digest ON version (digest, collection_id)",
    # For the jobs of the server itself: what is past its time, and what still names bytes although
    # it is deleted. `purged_at`: it cannot come back. `emptied_at`: it names no bytes any more.
    "CREATE INDEX version_expiring ON version ((created_at + ttl_seconds * 1000000))"
    " WHERE ttl_seconds IS NOT NULL AND state = 'committed'",
    "CREATE INDEX version_to_purge ON version (deleted_at)"
    " WHERE state = 'deleted' AND emptied_at IS NULL",
    "CREATE UNIQUE INDEX version_by_distributed_id ON version (collection_id, distributed_id)"
    " WHERE distributed_id IS NOT NULL AND state = 'pending'",
    "CREATE INDEX version_pending ON version (created_at) WHERE state = 'pending'",
    "CREATE INDEX version_by_run ON version (run_id) WHERE run_id IS NOT NULL",
    # The values in the metadata of committed versions, by which filters find them: the path as a
    # number, then the value. `domain/metadata_index.py` says what is kept of it.
    """CREATE TABLE metadata_value (
        path INTEGER NOT NULL,
        sort INTEGER NOT NULL,
        number REAL NOT NULL,
        text TEXT NOT NULL,
        version_id INTEGER NOT NULL REFERENCES version (id),
        PRIMARY KEY (path, sort, number, text, version_id)) WITHOUT ROWID""",
    # The client's own word for a version, chosen before the server knows it (protocol 10.4).
    """CREATE TABLE client_id (
        client_id TEXT PRIMARY KEY,
        version_id INTEGER NOT NULL REFERENCES version (id)) WITHOUT ROWID""",
    "CREATE INDEX client_id_by_version ON client_id (version_id)",
    # A version's place in one collection: its own sequence, or a portfolio it is linked into.
    """CREATE TABLE membership (
        id INTEGER PRIMARY KEY,
        collection_id INTEGER NOT NULL REFERENCES collection (id),
        version_id INTEGER NOT NULL REFERENCES version (id),
        number INTEGER NOT NULL,
        created_by INTEGER REFERENCES users (id),
        created_at INTEGER NOT NULL,
        deleted_at INTEGER,
        size_bytes INTEGER NOT NULL DEFAULT 0,
        UNIQUE (collection_id, number))""",
    "CREATE UNIQUE INDEX membership_by_version ON membership (version_id, collection_id)"
    " WHERE deleted_at IS NULL",
    "CREATE INDEX membership_live ON membership (collection_id, number) WHERE deleted_at IS NULL",
    # The version's size, which never changes, stands in each membership for the order by size.
    "CREATE INDEX membership_by_size ON membership (collection_id, size_bytes, number)"
    " WHERE deleted_at IS NULL",
    "CREATE INDEX membership_by_time ON membership (collection_id, created_at, number)"
    " WHERE deleted_at IS NULL",
    # The present holder of each alias. One row for ever per name, so that one holder is all there
    # can be (R67) and `revision` grows by one at every change, over removals too.
    """CREATE TABLE alias (
        collection_id INTEGER NOT NULL REFERENCES collection (id),
        name TEXT NOT NULL,
        membership_id INTEGER REFERENCES membership (id),
        revision INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        PRIMARY KEY (collection_id, name)) WITHOUT ROWID""",
    "CREATE INDEX alias_by_membership ON alias (membership_id, name)",
    "CREATE INDEX alias_by_name ON alias (name, collection_id) WHERE membership_id IS NOT NULL",
    # The ledger: one row for each change of an alias, only ever added to. The table `alias` can be
    # recomputed from it. Numbers, not ids, so that a row can be read on its own. `hash` chains the
    # rows of one collection: it covers the row and the hash of the row before it.
    """CREATE TABLE ledger (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        project_id INTEGER NOT NULL REFERENCES project (id),
        collection_id INTEGER NOT NULL REFERENCES collection (id),
        alias TEXT NOT NULL,
        revision INTEGER NOT NULL,
        from_number INTEGER,
        to_number INTEGER,
        cause TEXT NOT NULL,
        actor_id INTEGER REFERENCES users (id),
        actor_name TEXT NOT NULL,
        face TEXT NOT NULL,
        at INTEGER NOT NULL,
        hash TEXT NOT NULL,
        actor_ip TEXT,
        client TEXT,
        UNIQUE (collection_id, alias, revision))""",
    "CREATE INDEX ledger_by_collection ON ledger (collection_id, id)",
    "CREATE INDEX ledger_by_project ON ledger (project_id, id)",
    """CREATE TRIGGER ledger_is_never_changed BEFORE UPDATE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is only ever added to'); END""",
    """CREATE TRIGGER ledger_is_never_shortened BEFORE DELETE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is only ever added to'); END""",
    # All else that happened (R188). `ledger_id` is the last row of the ledger at that time, so that
    # both can be read as one list in the order of their commits. What was is told in JSON.
    """CREATE TABLE history (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        ledger_id INTEGER NOT NULL,
        organization_id INTEGER,
        project_id INTEGER,
        collection_id INTEGER,
        version_id INTEGER,
        number INTEGER,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        before TEXT,
        after TEXT,
        actor_id INTEGER,
        actor_name TEXT NOT NULL,
        face TEXT NOT NULL,
        at INTEGER NOT NULL,
        actor_ip TEXT,
        client TEXT,
        names TEXT)""",
    "CREATE INDEX history_by_collection ON history (collection_id, ledger_id, id)"
    " WHERE collection_id IS NOT NULL",
    "CREATE INDEX history_by_project ON history (project_id, ledger_id, id)"
    " WHERE project_id IS NOT NULL",
    "CREATE INDEX history_by_organization ON history (organization_id, ledger_id, id)"
    " WHERE organization_id IS NOT NULL",
    """CREATE TRIGGER history_is_never_changed BEFORE UPDATE ON history
        BEGIN SELECT RAISE(ABORT, 'history is only ever added to'); END""",
    """CREATE TRIGGER history_is_never_shortened BEFORE DELETE ON history
        BEGIN SELECT RAISE(ABORT, 'history is only ever added to'); END""",
    # Who read which version's files, and through which project (R190). Written in batches, so that it
    # lies where history was at that time.
    """CREATE TABLE reading (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        ledger_id INTEGER NOT NULL,
        history_id INTEGER NOT NULL,
        organization_id INTEGER,
        project_id INTEGER NOT NULL,
        version_id INTEGER NOT NULL,
        actor_id INTEGER,
        actor_name TEXT NOT NULL,
        face TEXT NOT NULL,
        at INTEGER NOT NULL,
        actor_ip TEXT,
        client TEXT,
        collection_id INTEGER,
        number INTEGER)""",
    "CREATE INDEX reading_by_organization ON reading (organization_id, ledger_id, history_id, id)"
    " WHERE organization_id IS NOT NULL",
    # What was refused (R190), written in batches: its place is behind everything that was committed
    # before, `reading_id` the last of `reading` then. The same again and again is one row with a
    # count; of each actor the newest ones are kept. Nothing of what was sent is in it.
    """CREATE TABLE refusal (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        ledger_id INTEGER NOT NULL,
        history_id INTEGER NOT NULL,
        reading_id INTEGER NOT NULL,
        organization_id INTEGER,
        project_id INTEGER,
        kind TEXT NOT NULL,
        call TEXT NOT NULL,
        status INTEGER NOT NULL,
        code TEXT NOT NULL,
        subject TEXT NOT NULL,
        count INTEGER NOT NULL,
        actor_id INTEGER,
        actor_name TEXT NOT NULL,
        outside INTEGER NOT NULL,
        face TEXT NOT NULL,
        at INTEGER NOT NULL,
        actor_ip TEXT,
        client TEXT)""",
    "CREATE INDEX refusal_by_organization ON refusal"
    " (organization_id, ledger_id, history_id, reading_id, id)",
    "CREATE INDEX refusal_by_actor ON refusal (actor_id, id)",
    # The names that only Admins of a registry move (R79). One row for all ways to write a name in
    # upper and lower case, so that nobody can fake one (R90).
    """CREATE TABLE protected_alias (
        project_id INTEGER NOT NULL REFERENCES project (id),
        name_key TEXT NOT NULL,
        name TEXT NOT NULL,
        created_by INTEGER REFERENCES users (id),
        created_at INTEGER NOT NULL,
        PRIMARY KEY (project_id, name_key)) WITHOUT ROWID""",
    # What was answered to a write that carried an Idempotency-Key; kept for a day.
    """CREATE TABLE answered (
        user_id INTEGER NOT NULL REFERENCES users (id),
        key TEXT NOT NULL,
        request_sha256 TEXT NOT NULL,
        answer TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (user_id, key)) WITHOUT ROWID""",
    "CREATE INDEX answered_by_time ON answered (created_at)",
    # Tags keep the order in which they were given (R95).
    """CREATE TABLE version_tag (
        version_id INTEGER NOT NULL REFERENCES version (id),
        name TEXT NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (version_id, name)) WITHOUT ROWID""",
    "CREATE INDEX version_tag_by_name ON version_tag (name, version_id)",
    """CREATE TABLE collection_tag (
        collection_id INTEGER NOT NULL REFERENCES collection (id),
        name TEXT NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (collection_id, name)) WITHOUT ROWID""",
    "CREATE INDEX collection_tag_by_name ON collection_tag (name, collection_id)",
    # ---- search by people (R113, R115) -----------------------------------------------------
    # One row a name that people may look for: of a registry (object: the project), a collection,
    # a collection's tag or alias (object: the collection), a version's tag (object: the version).
    # A row says only that the name was given; whether it still holds is asked of the tables above.
    # Ids grow, so that they order names from new to old.
    """CREATE TABLE finding (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL CHECK (kind IN
            ('registry', 'collection', 'collection_tag', 'version_tag', 'alias')),
        object_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        name_key TEXT NOT NULL)""",
    "CREATE UNIQUE INDEX finding_by_object ON finding (kind, object_id, name)",
    "CREATE INDEX finding_by_name ON finding (kind, name_key, id)",
    # Every three letters in a row of these names, so that a part of a name is looked up, not walked
    # for. A table a kind: to look for tags is not to pass over everybody's aliases.
    *(
        statement.format(kind=kind)
        for kind in ("registry", "collection", "collection_tag", "version_tag", "alias")
        for statement in (
            "CREATE VIRTUAL TABLE finding_part_{kind} USING fts5 (name_key, content='',"
            " contentless_delete=1, tokenize='trigram case_sensitive 1')",
            "CREATE TRIGGER finding_is_added_{kind} AFTER INSERT ON finding"
            " WHEN NEW.kind = '{kind}' BEGIN INSERT INTO finding_part_{kind} (rowid, name_key)"
            " VALUES (NEW.id, NEW.name_key); END",
            "CREATE TRIGGER finding_is_removed_{kind} AFTER DELETE ON finding"
            " WHEN OLD.kind = '{kind}' BEGIN DELETE FROM finding_part_{kind}"
            " WHERE rowid = OLD.id; END",
        )
    ),
    # The prefix of registries has 15 letters, and nobody looks for it.
    """CREATE TRIGGER registry_is_found AFTER INSERT ON project WHEN NEW.kind = 'registry' BEGIN
        INSERT INTO finding (kind, object_id, name, name_key) VALUES
        ('registry', NEW.id, substr(NEW.name, 16), byname_fold(substr(NEW.name, 16))); END""",
    """CREATE TRIGGER registry_is_renamed AFTER UPDATE OF name ON project
        WHEN NEW.kind = 'registry' AND NEW.name <> OLD.name BEGIN
        DELETE FROM finding WHERE kind = 'registry' AND object_id = NEW.id;
        INSERT INTO finding (kind, object_id, name, name_key) VALUES
        ('registry', NEW.id, substr(NEW.name, 16), byname_fold(substr(NEW.name, 16))); END""",
    """CREATE TRIGGER collection_is_found AFTER INSERT ON collection
        WHEN NEW.kind = 'portfolio' BEGIN
        INSERT INTO finding (kind, object_id, name, name_key) VALUES
        ('collection', NEW.id, NEW.name, byname_fold(NEW.name)); END""",
    """CREATE TRIGGER collection_is_renamed AFTER UPDATE OF name ON collection
        WHEN NEW.kind = 'portfolio' AND NEW.name <> OLD.name BEGIN
        DELETE FROM finding WHERE kind = 'collection' AND object_id = NEW.id;
        INSERT INTO finding (kind, object_id, name, name_key) VALUES
        ('collection', NEW.id, NEW.name, byname_fold(NEW.name)); END""",
    """CREATE TRIGGER collection_tag_is_found AFTER INSERT ON collection_tag BEGIN
        INSERT INTO finding (kind, object_id, name, name_key) VALUES
        ('collection_tag', NEW.collection_id, NEW.name, byname_fold(NEW.name)); END""",
    """CREATE TRIGGER collection_tag_is_gone AFTER DELETE ON collection_tag BEGIN
        DELETE FROM finding WHERE kind = 'collection_tag' AND object_id = OLD.collection_id
        AND name = OLD.name; END""",
    """CREATE TRIGGER version_tag_is_found AFTER INSERT ON version_tag BEGIN
        INSERT INTO finding (kind, object_id, name, name_key) VALUES
        ('version_tag', NEW.version_id, NEW.name, byname_fold(NEW.name)); END""",
    """CREATE TRIGGER version_tag_is_gone AFTER DELETE ON version_tag BEGIN
        DELETE FROM finding WHERE kind = 'version_tag' AND object_id = OLD.version_id
        AND name = OLD.name; END""",
    # An alias keeps its row for ever, so that a move costs nothing here.
    """CREATE TRIGGER alias_is_found AFTER INSERT ON alias
        WHEN (SELECT c.kind FROM collection c WHERE c.id = NEW.collection_id) = 'portfolio' BEGIN
        INSERT INTO finding (kind, object_id, name, name_key) VALUES
        ('alias', NEW.collection_id, NEW.name, byname_fold(NEW.name)); END""",
    # ---- automations -----------------------------------------------------------------------
    # What a team keeps secret. Every `..._sealed` is encrypted with the key of this server (R148).
    """CREATE TABLE secret (
        id INTEGER PRIMARY KEY,
        team_id INTEGER NOT NULL REFERENCES entity (id),
        name TEXT NOT NULL,
        value_sealed TEXT NOT NULL,
        created_by INTEGER REFERENCES users (id),
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        UNIQUE (team_id, name))""",
    # A webhook or Slack channel. Its access token and its secret are named secrets of the team, or
    # its own. A name stays when the secret of that name goes: then nothing is sent unsigned.
    """CREATE TABLE integration (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        team_id INTEGER NOT NULL REFERENCES entity (id),
        kind TEXT NOT NULL CHECK (kind IN ('webhook', 'slack')),
        name TEXT NOT NULL,
        url TEXT,
        url_sealed TEXT,
        access_token_name TEXT,
        access_token_sealed TEXT,
        secret_name TEXT,
        secret_sealed TEXT,
        created_by INTEGER REFERENCES users (id),
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        deleted_at INTEGER)""",
    "CREATE UNIQUE INDEX integration_by_name ON integration (team_id, kind, name)"
    " WHERE deleted_at IS NULL",
    # An event, a scope and an action. The scope is a collection, project or entity; the columns of
    # what it lies in are filled, too. `since_...`: it fires for what is behind these rows. `acts_for`:
    # the person with whose rights it acts.
    """CREATE TABLE automation (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        organization_id INTEGER REFERENCES entity (id),
        entity_id INTEGER NOT NULL REFERENCES entity (id),
        project_id INTEGER REFERENCES project (id),
        collection_id INTEGER REFERENCES collection (id),
        name TEXT NOT NULL,
        description TEXT,
        event TEXT NOT NULL,
        filter TEXT NOT NULL,
        action TEXT NOT NULL CHECK (action IN ('webhook', 'slack', 'nothing')),
        config TEXT NOT NULL,
        integration_id INTEGER REFERENCES integration (id),
        enabled INTEGER NOT NULL,
        disabled_reason TEXT,
        since_ledger_id INTEGER NOT NULL,
        since_history_id INTEGER NOT NULL,
        created_by INTEGER REFERENCES users (id),
        created_at INTEGER NOT NULL,
        updated_at INTEGER,
        last_run_at INTEGER,
        deleted_at INTEGER,
        acts_for INTEGER REFERENCES users (id))""",
    "CREATE INDEX automation_by_name ON automation (entity_id, name) WHERE deleted_at IS NULL",
    "CREATE INDEX automation_by_project ON automation (project_id) WHERE deleted_at IS NULL",
    "CREATE INDEX automation_by_collection ON automation (collection_id)"
    " WHERE deleted_at IS NULL AND collection_id IS NOT NULL",
    "CREATE INDEX automation_by_organization ON automation (organization_id)"
    " WHERE deleted_at IS NULL",
    "CREATE INDEX automation_by_integration ON automation (integration_id)"
    " WHERE deleted_at IS NULL",
    "CREATE INDEX automation_by_person ON automation (acts_for) WHERE deleted_at IS NULL",
    "CREATE INDEX automation_by_event ON automation (entity_id, event) WHERE deleted_at IS NULL",
    # What an automation has seen of its metric in a run: the last values that it looks at, and
    # whether its condition holds. It fires when that begins.
    """CREATE TABLE run_watch (
        automation_id INTEGER NOT NULL REFERENCES automation (id),
        run_id INTEGER NOT NULL REFERENCES run (id),
        last_values TEXT NOT NULL,
        holding INTEGER NOT NULL,
        PRIMARY KEY (automation_id, run_id)) WITHOUT ROWID""",
    "CREATE INDEX run_watch_by_run ON run_watch (run_id)",
    # How far ledger and history have been looked through for what fires automations.
    """CREATE TABLE dispatch (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        ledger_id INTEGER NOT NULL,
        history_id INTEGER NOT NULL)""",
    # What an automation does because of one event, from the moment the event was seen. Organization
    # and entity are the automation's; those named `about` are where it happened. `body` is the
    # payload in parts, without secrets. `next_at`: when the next attempt is due; while one is being
    # made by `lease_owner`, when that worker counts as dead. `repeat`: 0, or the replay it is of.
    """CREATE TABLE execution (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        automation_id INTEGER NOT NULL REFERENCES automation (id),
        organization_id INTEGER,
        entity_id INTEGER NOT NULL,
        about_project_id INTEGER,
        about_collection_id INTEGER,
        integration_id INTEGER REFERENCES integration (id),
        delivery_id TEXT NOT NULL UNIQUE,
        event TEXT NOT NULL,
        ledger_id INTEGER NOT NULL,
        history_id INTEGER NOT NULL,
        repeat INTEGER NOT NULL DEFAULT 0,
        subject TEXT NOT NULL,
        author TEXT NOT NULL,
        event_at INTEGER NOT NULL,
        action TEXT NOT NULL,
        target TEXT,
        body TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'finished', 'failed')),
        attempt_count INTEGER NOT NULL DEFAULT 0,
        started_at INTEGER,
        next_at INTEGER NOT NULL,
        lease_owner TEXT,
        status INTEGER,
        error TEXT,
        created_at INTEGER NOT NULL,
        finished_at INTEGER)""",
    "CREATE UNIQUE INDEX execution_by_event ON execution"
    " (automation_id, ledger_id, history_id, event, repeat)",
    "CREATE INDEX execution_due ON execution (next_at) WHERE state = 'pending'",
    "CREATE INDEX execution_leased ON execution (lease_owner) WHERE lease_owner IS NOT NULL",
    "CREATE INDEX execution_started ON execution (automation_id, started_at)"
    " WHERE started_at IS NOT NULL",
    "CREATE INDEX execution_by_automation ON execution (automation_id, id)",
    "CREATE INDEX execution_about_collection ON execution (about_collection_id, id)"
    " WHERE about_collection_id IS NOT NULL",
    "CREATE INDEX execution_about_project ON execution (about_project_id, id)"
    " WHERE about_project_id IS NOT NULL",
    "CREATE INDEX execution_by_entity ON execution (entity_id, id)",
    "CREATE INDEX execution_by_organization ON execution (organization_id, id)"
    " WHERE organization_id IS NOT NULL",
    "CREATE INDEX execution_by_time ON execution (created_at)",
    # One attempt to deliver it: the beginning of the answer, or why there was none.
    """CREATE TABLE attempt (
        execution_id INTEGER NOT NULL REFERENCES execution (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        at INTEGER NOT NULL,
        milliseconds INTEGER NOT NULL,
        status INTEGER,
        answer TEXT NOT NULL,
        error TEXT,
        PRIMARY KEY (execution_id, number)) WITHOUT ROWID""",
    # ---- trash -----------------------------------------------------------------------------
    # One row a deletion, written with it, from which it can be undone for seven days (R164).
    """CREATE TABLE deletion (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL CHECK (kind IN
            ('registry', 'project', 'collection', 'link', 'version')),
        project_id INTEGER NOT NULL REFERENCES project (id),
        name TEXT NOT NULL,
        actor_id INTEGER REFERENCES users (id),
        actor_name TEXT NOT NULL,
        face TEXT NOT NULL,
        at INTEGER NOT NULL,
        restored_at INTEGER)""",
    "CREATE INDEX deletion_by_project ON deletion (project_id, id)",
    "CREATE INDEX deletion_by_time ON deletion (at)",
    # What went with it: the ids of collections, versions and memberships that were live until
    # then, and the aliases that these memberships held.
    """CREATE TABLE deletion_item (
        deletion_id INTEGER NOT NULL REFERENCES deletion (id),
        kind TEXT NOT NULL CHECK (kind IN ('collection', 'version', 'membership', 'alias')),
        item_id INTEGER NOT NULL,
        alias TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (deletion_id, kind, item_id, alias)) WITHOUT ROWID""",
    # ---- bytes -----------------------------------------------------------------------------
    # A blob belongs to one entity; equal content is shared inside it only (reliability A5).
    """CREATE TABLE blob (
        entity_id INTEGER NOT NULL REFERENCES entity (id),
        sha256 TEXT NOT NULL,
        md5 TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (entity_id, sha256)) WITHOUT ROWID""",
    "CREATE INDEX blob_by_md5 ON blob (entity_id, md5)",
    # Which bytes were brought (or found already there) for a version that is being made.
    """CREATE TABLE upload (
        version_id INTEGER NOT NULL REFERENCES version (id),
        md5 TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (version_id, md5)) WITHOUT ROWID""",
    "CREATE INDEX upload_by_sha256 ON upload (sha256)",
    # A file that arrives in parts. `key` names the folder of its parts.
    """CREATE TABLE multipart (
        key TEXT PRIMARY KEY,
        version_id INTEGER NOT NULL REFERENCES version (id),
        md5 TEXT NOT NULL,
        part_count INTEGER NOT NULL,
        finished_at INTEGER,
        created_at INTEGER NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX multipart_by_version ON multipart (version_id)",
    """CREATE TABLE manifest (
        id INTEGER PRIMARY KEY,
        version_id INTEGER NOT NULL REFERENCES version (id),
        kind TEXT NOT NULL CHECK (kind IN ('full', 'incremental', 'patch')),
        name TEXT NOT NULL,
        digest TEXT NOT NULL,
        base_version_id INTEGER REFERENCES version (id),
        sha256 TEXT,
        size_bytes INTEGER,
        created_at INTEGER NOT NULL)""",
    "CREATE INDEX manifest_by_version ON manifest (version_id)",
    "CREATE INDEX manifest_by_sha256 ON manifest (sha256) WHERE sha256 IS NOT NULL",
    # One line of a manifest. Exactly one of `sha256` (bytes we keep) and `ref` (an address that we
    # never open) is set. `digest` is the client's: base64 MD5 for bytes, free text for references.
    """CREATE TABLE entry (
        version_id INTEGER NOT NULL REFERENCES version (id),
        path TEXT NOT NULL,
        digest TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        sha256 TEXT,
        ref TEXT,
        birth_version_id INTEGER,
        extra TEXT,
        PRIMARY KEY (version_id, path)) WITHOUT ROWID""",
    "CREATE INDEX entry_by_digest ON entry (version_id, digest)",
    "CREATE INDEX entry_by_sha256 ON entry (sha256) WHERE sha256 IS NOT NULL",
    # ---- runs ------------------------------------------------------------------------------
    """CREATE TABLE run (
        id INTEGER PRIMARY KEY,
        project_id INTEGER NOT NULL REFERENCES project (id),
        name TEXT NOT NULL,
        display_name TEXT NOT NULL,
        state TEXT NOT NULL,
        config TEXT NOT NULL DEFAULT '{}',
        summary TEXT NOT NULL DEFAULT '{}',
        description TEXT,
        notes TEXT,
        tags TEXT NOT NULL DEFAULT '[]',
        group_name TEXT,
        job_type TEXT,
        sweep_name TEXT,
        git_commit TEXT,
        repo TEXT,
        program TEXT,
        host TEXT,
        exit_code INTEGER,
        history_count INTEGER NOT NULL DEFAULT 0,
        events_count INTEGER NOT NULL DEFAULT 0,
        log_count INTEGER NOT NULL DEFAULT 0,
        stop_requested INTEGER NOT NULL DEFAULT 0,
        created_by INTEGER REFERENCES users (id),
        created_at INTEGER NOT NULL,
        heartbeat_at INTEGER NOT NULL,
        deleted_at INTEGER)""",
    "CREATE UNIQUE INDEX run_by_name ON run (project_id, name) WHERE deleted_at IS NULL",
    "CREATE INDEX run_by_time ON run (project_id, created_at, id)",
    "CREATE INDEX run_by_display_name ON run (project_id, display_name, id)",
    "CREATE INDEX run_alive ON run (id)"
    " WHERE state IN ('running', 'preempting') AND deleted_at IS NULL",
    "CREATE INDEX run_deleted ON run (deleted_at) WHERE deleted_at IS NOT NULL",
    # One line of a run's stream: 'history', 'events' (system metrics) or 'output' (console).
    """CREATE TABLE run_line (
        run_id INTEGER NOT NULL REFERENCES run (id),
        stream TEXT NOT NULL,
        number INTEGER NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (run_id, stream, number)) WITHOUT ROWID""",
    # Where a line stands that did not come to stand under the number that its writer gave it, since
    # another writer of the same run holds that one. `said` is a digest of who says it.
    """CREATE TABLE run_line_place (
        run_id INTEGER NOT NULL REFERENCES run (id),
        stream TEXT NOT NULL,
        said_number INTEGER NOT NULL,
        said TEXT NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (run_id, stream, said_number, said)) WITHOUT ROWID""",
    "CREATE INDEX run_line_place_by_number ON run_line_place (run_id, stream, number)",
    # The keys a run has logged, with the kinds of their values, kept as lines come in.
    """CREATE TABLE run_key (
        run_id INTEGER NOT NULL REFERENCES run (id),
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        line_count INTEGER NOT NULL,
        last_value TEXT,
        last_step INTEGER,
        PRIMARY KEY (run_id, name)) WITHOUT ROWID""",
    # What a run's script sent for people to read, by `run.alert`.
    """CREATE TABLE run_alert (
        id INTEGER PRIMARY KEY,
        run_id INTEGER NOT NULL REFERENCES run (id),
        title TEXT NOT NULL,
        text TEXT NOT NULL,
        severity TEXT NOT NULL,
        author_id INTEGER REFERENCES users (id),
        at INTEGER NOT NULL)""",
    "CREATE INDEX run_alert_by_run ON run_alert (run_id, id)",
    """CREATE TABLE run_file (
        id INTEGER PRIMARY KEY,
        run_id INTEGER NOT NULL REFERENCES run (id),
        name TEXT NOT NULL,
        sha256 TEXT,
        md5 TEXT,
        size_bytes INTEGER NOT NULL DEFAULT 0,
        updated_at INTEGER NOT NULL,
        UNIQUE (run_id, name))""",
    "CREATE INDEX run_file_by_sha256 ON run_file (sha256) WHERE sha256 IS NOT NULL",
    # Lineage: what a run used, and through which collection and name (R151, R157) ...
    """CREATE TABLE run_input (
        run_id INTEGER NOT NULL REFERENCES run (id),
        version_id INTEGER NOT NULL REFERENCES version (id),
        used_as TEXT,
        through_project_id INTEGER REFERENCES project (id),
        created_at INTEGER NOT NULL,
        PRIMARY KEY (run_id, version_id)) WITHOUT ROWID""",
    "CREATE INDEX run_input_by_version ON run_input (version_id, run_id)",
    # ... and what it made (or claimed by logging the same content again).
    """CREATE TABLE run_output (
        run_id INTEGER NOT NULL REFERENCES run (id),
        version_id INTEGER NOT NULL REFERENCES version (id),
        created_at INTEGER NOT NULL,
        PRIMARY KEY (run_id, version_id)) WITHOUT ROWID""",
    "CREATE INDEX run_output_by_version ON run_output (version_id, run_id)",
)

_CREATED = re.compile(r"CREATE (?:UNIQUE |VIRTUAL )?(?:TABLE|INDEX|TRIGGER) (\w+)")


def created(*names: str) -> tuple[str, ...]:
    """The statements that create these tables, indexes and triggers, in the order of the page.

    Raises:
        KeyError: one of them is not on the page.
    """
    found = {match[1]: each for each in TABLES if (match := _CREATED.match(each)) is not None}
    wanted = {name: found[name] for name in names}
    return tuple(each for name, each in found.items() if name in wanted)
