"""Making, reading, editing and deleting versions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from byname.domain import alias as alias_rules
from byname.domain import names
from byname.domain import version as rules
from byname.domain.collection import Collection, check_same_type
from byname.domain.errors import Conflict, Forbidden, Unprocessable, missing
from byname.domain.expiry import FOR_EVER, INHERITED, Ttl, check_takes_ttl, parse_ttl
from byname.domain.policy import Permission, Role
from byname.domain.project import Project
from byname.domain.version import Version, VersionState
from byname.operations import access, alias, deletion, history, protected_alias
from byname.operations import project as project_operations
from byname.operations.context import Context
from byname.store import alias as alias_rows
from byname.store import collection as collection_rows
from byname.store import expiry as expiry_rows
from byname.store import lineage as lineage_rows
from byname.store import project as project_rows
from byname.store import run as run_rows
from byname.store import version as version_rows
from byname.store.database import Transaction

CLIENT_ID_LENGTH_MAX = 256


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What a client says of the version it is about to bring."""

    entity: str
    project: str
    collection: str
    type_name: str
    digest: str
    run: str | None = None
    description: str | None = None
    metadata: str | None = None
    aliases: Sequence[str] = ()
    tags: Sequence[str] = ()
    ttl_seconds: int | None = None
    history_step: int | None = None
    client_id: str | None = None
    distributed_id: str | None = None


def create(ctx: Context, new: NewVersion) -> tuple[Version, Version | None]:
    """There is a version to bring the files of, and the newest committed one before it.

    The version is pending; or committed already, when the sequence has one of the same digest
    (R2): then the aliases and tags given go to it, and `latest` stays. Project, type and sequence
    are made when missing. Repeated with the same client id, it gives the same version.

    Raises:
        NotFound: the entity, project or run is absent or hidden.
        Forbidden: the role in the project is below Member.
        Conflict: the name is taken by a collection of links, or holds another type.
        Unprocessable: a name, alias, tag, digest, metadata or time to live is not allowed.
    """
    names.check_artifact(new.collection)
    names.check_type(new.type_name)
    rules.check_digest(new.digest)
    metadata = rules.check_metadata(new.metadata)
    description = rules.check_description(new.description)
    ttl = INHERITED if new.ttl_seconds is None else parse_ttl(new.ttl_seconds)
    aliases = alias_rules.check_names(new.aliases)
    tags = rules.check_tags(list(new.tags))
    _check_word(new.client_id, "client id")
    _check_word(new.distributed_id, "distributed id")
    if new.history_step is not None and not 0 <= new.history_step < 2**62:
        raise Unprocessable("The history step must not be negative", field="historyStep")
    check_takes_ttl(new.type_name, ttl.seconds)
    with ctx.database.write() as tx:
        project = project_operations.ensure(ctx, tx, new.entity, new.project, Permission.LOG)
        if ttl is not INHERITED:
            _check_sets_ttl(ctx, tx, project)
        run_id = _run_id(tx, project, new.run)
        retried = _retried(ctx, tx, project, new)
        collection = _sequence(ctx, tx, project, new)
        newest = collection_rows.highest_membership(tx, collection.id)
        latest = None if newest is None else version_rows.find(tx, newest.version_id)
        if retried is None and new.distributed_id is not None:
            retried = version_rows.find_pending_distributed(tx, collection.id, new.distributed_id)
            if retried is not None and new.client_id is not None:
                version_rows.add_client_id(tx, new.client_id, retried.id)
        if retried is not None:
            return retried, latest
        same = (
            None
            if new.distributed_id is not None
            else collection_rows.membership_by_digest(tx, collection.id, new.digest)
        )
        if same is not None:
            alias.put_on_old(ctx, tx, same, aliases)
            add_tags(ctx, tx, same.version_id, tags)
            if run_id is not None:
                lineage_rows.add_output(tx, run_id, same.version_id, at=ctx.now())
            if new.client_id is not None:
                version_rows.add_client_id(tx, new.client_id, same.version_id)
            version = version_rows.find(tx, same.version_id)
        else:
            version_id = version_rows.add(
                tx,
                collection_id=collection.id,
                digest=new.digest,
                description=description,
                metadata=metadata,
                ttl=ttl,
                history_step=new.history_step,
                distributed_id=new.distributed_id,
                base_version_id=None if latest is None else latest.id,
                wanted_aliases=json.dumps(aliases),
                wanted_tags=json.dumps(tags),
                run_id=run_id,
                created_by=ctx.who.user_id,
                at=ctx.now(),
            )
            if new.client_id is not None:
                version_rows.add_client_id(tx, new.client_id, version_id)
            version = version_rows.find(tx, version_id)
        if version is None:
            raise missing(f"Version {new.collection}")
        return version, latest


def _check_word(word: str | None, what: str) -> None:
    if word is not None and not (0 < len(word) <= CLIENT_ID_LENGTH_MAX and word.isprintable()):
        raise Unprocessable(
            f"The {what} must be 1 to {CLIENT_ID_LENGTH_MAX} printable characters", field=what
        )


def _run_id(tx: Transaction, project: Project, name: str | None) -> int | None:
    if not name:
        return None
    run = run_rows.find_by_name(tx, project.id, name)
    if run is None:
        raise missing(f"Run {project.place}/{name}")
    return run.id


def _retried(ctx: Context, tx: Transaction, project: Project, new: NewVersion) -> Version | None:
    """The version an earlier, perhaps unanswered, request of the same client made (D2)."""
    found = None
    if new.client_id is not None:
        known = version_rows.find_by_client_id(tx, new.client_id)
        found = None if known is None else version_rows.find(tx, known)
        if known is not None and found is None:
            raise Conflict("This artifact was deleted meanwhile; log it anew")
    if found is None:
        return None
    if found.project_id != project.id or found.collection_name != new.collection:
        raise Conflict("This client id belongs to another artifact")
    access.require(ctx, tx, project, Permission.LOG)
    return found


def _sequence(ctx: Context, tx: Transaction, project: Project, new: NewVersion) -> Collection:
    """The sequence the version belongs to, made when missing; of the same type (R31)."""
    collection = collection_rows.find_by_name(tx, project.id, new.collection)
    if collection is None:
        type_id = project_rows.add_type(tx, project.id, new.type_name, at=ctx.now())
        collection_id = collection_rows.add(
            tx,
            project_id=project.id,
            type_id=type_id,
            is_sequence=True,
            name=new.collection,
            created_by=ctx.who.user_id,
            at=ctx.now(),
        )
        collection = collection_rows.find(tx, collection_id)
        history.record(
            ctx,
            tx,
            "collection:create",
            new.collection,
            project=project,
            collection_id=collection_id,
            after={"type": new.type_name},
        )
    if collection is None:
        raise missing(f"Collection {new.collection}")
    if not collection.is_sequence:
        raise Conflict(
            f"{project.place}/{new.collection} is a collection of links; "
            "log under another name and link the version there"
        )
    check_same_type(collection.name, collection.type_name, new.type_name)
    return collection


def add_tags(ctx: Context, tx: Transaction, version_id: int, tags: Sequence[str]) -> None:
    """The version has these tags too.

    Raises:
        Forbidden: it would get a new one while it holds a protected alias (R87).
    """
    if tags:
        present = version_rows.tags_of_many(tx, [version_id])[version_id]
        wanted = rules.check_tags([*present, *tags])
        if wanted != present:
            protected_alias.check_edit(ctx, tx, version_id)
            version_rows.set_tags(tx, version_id, wanted)
            record_everywhere(ctx, tx, version_id, "artifact:tag", present, wanted)


def record_everywhere(
    ctx: Context, tx: Transaction, version_id: int, kind: str, before: Any, after: Any
) -> None:
    """The change of the version is in the history of every collection it is in."""
    memberships = collection_rows.memberships_of_version(tx, version_id, after=0, limit=10_000)
    collections = collection_rows.find_many(tx, [each.collection_id for each in memberships])
    projects = project_rows.find_many(tx, list({c.project_id for c in collections.values()}))
    for each in memberships:
        collection = collections[each.collection_id]
        project = projects.get(collection.project_id)
        if project is not None:
            history.record(
                ctx,
                tx,
                kind,
                f"{collection.name}:v{each.number}",
                project=project,
                collection_id=collection.id,
                version_id=version_id,
                number=each.number,
                before=before,
                after=after,
            )


def visible(ctx: Context, tx: Transaction, version: Version, permission: Permission) -> bool:
    """Whether the actor has the permission where the version was made or wherever it is linked.

    A pending version is seen only by those who may log in its project.
    """
    project = project_rows.find(tx, version.project_id)
    if version.state is VersionState.PENDING:
        return project is not None and access.may(ctx, tx, project, Permission.LOG)
    if project is not None and access.may(ctx, tx, project, permission):
        return True
    links = collection_rows.links_of_version(tx, version.id)
    collections = collection_rows.find_many(tx, [link.collection_id for link in links])
    projects = project_rows.find_many(tx, list({c.project_id for c in collections.values()}))
    return any(access.may(ctx, tx, each, permission) for each in projects.values())


def get(ctx: Context, version_id: int) -> Version | None:
    """The version of that id, when the actor may see it."""
    with ctx.database.read() as tx:
        version = version_rows.find(tx, version_id)
        if version is None or not visible(ctx, tx, version, Permission.SEE):
            return None
        return version


def get_many(ctx: Context, ids: Sequence[int]) -> dict[int, Version]:
    """Of these versions those that are there, by id.

    For lists whose members were found through something the actor may see (a membership, a run).
    """
    with ctx.database.read() as tx:
        return version_rows.find_many(tx, list(ids))


def find_by_client_id(ctx: Context, client_id: str) -> int | None:
    """The id of the version that a client knows by its own word, when the actor may see it."""
    with ctx.database.read() as tx:
        version_id = version_rows.find_by_client_id(tx, client_id)
        version = None if version_id is None else version_rows.find(tx, version_id)
        if version is None or not visible(ctx, tx, version, Permission.SEE):
            return None
        return version.id


@dataclass(frozen=True, slots=True)
class VersionEdit:
    """What to change of a version; None leaves a thing as it is."""

    description: str | None = None
    metadata: str | None = None
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[str] = ()
    ttl_seconds: int | None = None
    """Positive, or the protocol's -1 (as the team has it) and -2 (for ever)."""


def edit(ctx: Context, version_id: int, change: VersionEdit) -> Version:
    """The version has the description, metadata, tags and time to live given.

    - Members of the source project may edit everything.
    - Members of a registry where the version is linked may edit description and tags (R58).

    Raises:
        NotFound: absent or hidden.
        Forbidden: the role allows less; nothing is changed.
        Conflict: a time to live for a version that is linked somewhere (R167).
        Unprocessable: a value is not allowed.
    """
    description = rules.check_description(change.description)
    metadata = rules.check_metadata(change.metadata)
    wanted_ttl = None if change.ttl_seconds is None else parse_ttl(change.ttl_seconds)
    adding = rules.check_tags(list(change.add_tags))
    removing = rules.check_tags(list(change.remove_tags))
    with ctx.database.write() as tx:
        version = version_rows.find(tx, version_id)
        if version is None or not visible(ctx, tx, version, Permission.SEE):
            raise missing("This version")
        new_metadata = version.metadata if change.metadata is None else metadata
        new_description = version.description if description is None else description
        new_ttl = version.ttl if wanted_ttl is None else wanted_ttl
        if new_ttl != version.ttl:
            check_takes_ttl(version.type_name, new_ttl.seconds)
        _check_edit(
            ctx,
            tx,
            version,
            beyond_the_link=(new_metadata, new_ttl) != (version.metadata, version.ttl),
        )
        if new_ttl != version.ttl:
            _check_may_expire(ctx, tx, version, new_ttl)
        present = version_rows.tags_of_many(tx, [version.id])[version.id]
        tags = rules.check_tags([*(tag for tag in present if tag not in removing), *adding])
        before = _told(version.description, version.metadata, version.ttl)
        after = _told(new_description, new_metadata, new_ttl)
        if before != after or tags != present:
            protected_alias.check_edit(ctx, tx, version.id)
        version_rows.edit(
            tx,
            version.id,
            description=new_description,
            metadata=new_metadata,
            ttl=new_ttl,
            at=ctx.now(),
        )
        if before != after:
            changed = [name for name in before if before[name] != after[name]]
            record_everywhere(
                ctx,
                tx,
                version.id,
                "artifact:update",
                {name: before[name] for name in changed},
                {name: after[name] for name in changed},
            )
        if tags != present:
            version_rows.set_tags(tx, version.id, tags)
            record_everywhere(ctx, tx, version.id, "artifact:tag", present, tags)
        edited = version_rows.find(tx, version.id)
        if edited is None:
            raise missing("This version")
        return edited


def _check_may_expire(ctx: Context, tx: Transaction, version: Version, ttl: Ttl) -> None:
    """Return when the version may get that time to live (R165, R167)."""
    project = project_rows.find(tx, version.project_id)
    if project is not None:
        _check_sets_ttl(ctx, tx, project)
    if ttl != FOR_EVER and collection_rows.links_of_version(tx, version.id):
        raise Conflict(
            "A linked version has no time to live: unlink it everywhere first", code="linked"
        )


def _check_sets_ttl(ctx: Context, tx: Transaction, project: Project) -> None:
    """Return when the actor may set a time to live in that project (R165)."""
    if not expiry_rows.find_policy(tx, project.entity_id).admins_only:
        return
    role = access.role_in(tx, ctx.who, project)
    if role is None or role < Role.ADMIN:
        raise Forbidden(
            f"You may not set a time to live in {project.place}: team {project.entity_name} leaves "
            "that to its admins",
            role=Role.ADMIN.word,
        )


_TTL_WORDS = {INHERITED: "inherited", FOR_EVER: None}


def _told(description: str | None, metadata: str | None, ttl: Ttl) -> dict[str, str | int | None]:
    """What of a version can be edited, as its history tells it: of metadata only the digest."""
    told = None if metadata is None else hashlib.sha256(metadata.encode()).hexdigest()
    return {
        "description": description,
        "metadata_sha256": told,
        "ttl_seconds": _TTL_WORDS.get(ttl, ttl.seconds),
    }


def _check_edit(ctx: Context, tx: Transaction, version: Version, *, beyond_the_link: bool) -> None:
    source = project_rows.find(tx, version.project_id)
    if source is not None and access.may(ctx, tx, source, Permission.EDIT_VERSION):
        return
    if beyond_the_link or not visible(ctx, tx, version, Permission.EDIT_VERSION):
        raise Forbidden(
            "You may not edit this here: description and tags need the role member where the "
            "version is linked, metadata and time to live need it in the source project",
            role="member",
        )


def delete(
    ctx: Context, version_id: int, *, delete_aliases: bool = False, unlink: bool = False
) -> Version:
    """The version is deleted and hidden at once; `latest` passes to the highest remaining (R163).

    With `unlink` its links go too, with the aliases they hold: all of it or nothing (R162). For
    7 days it can be restored as a whole (R164).

    Raises:
        NotFound: absent or hidden.
        Forbidden: the role in the source project, or where it is linked, is below Member.
        Conflict: it still has aliases and `delete_aliases` was not said (R161), or it is linked
            somewhere and `unlink` was not said (R162); the message lists what stands in the way.
    """
    with ctx.database.write() as tx:
        version = version_rows.find(tx, version_id)
        if version is None or not visible(ctx, tx, version, Permission.SEE):
            raise missing("This version")
        project = project_rows.find(tx, version.project_id)
        if project is None:
            raise missing("This version")
        access.require(ctx, tx, project, Permission.DELETE_VERSION, "This version's project")
        protected_alias.check_version_may_go(ctx, tx, version.id)
        if not unlink:
            _check_not_linked(ctx, tx, version)
        membership = collection_rows.membership_of(tx, version.collection_id, version.id)
        if membership is not None:
            held = alias_rows.held_by(tx, membership.id)
            if held and not delete_aliases:
                raise Conflict(
                    f"{version.collection_name}:v{membership.number} still has the "
                    f"aliases {', '.join(held)}; remove them first, or say delete_aliases=True",
                    code="has_aliases",
                    aliases=held,
                )
            deletion.remember_version(ctx, tx, project, version)
            links = collection_rows.links_of_version(tx, version.id)
            deletion.unlink_everywhere(
                ctx, tx, links, "This version", allowed_in=version.project_id
            )
            alias.take_all(ctx, tx, membership, cause="delete")
            collection_rows.remove_membership(tx, membership, ctx.now())
            history.record(
                ctx,
                tx,
                "artifact:delete",
                f"{version.collection_name}:v{membership.number}",
                project=project,
                collection_id=version.collection_id,
                version_id=version.id,
                number=membership.number,
                before=version.digest,
            )
        version_rows.remove(tx, version.id, ctx.now())
        return version


def _check_not_linked(ctx: Context, tx: Transaction, version: Version) -> None:
    links = collection_rows.links_of_version(tx, version.id)
    if not links:
        return
    collections = collection_rows.find_many(tx, [link.collection_id for link in links])
    projects = project_rows.find_many(tx, list({c.project_id for c in collections.values()}))
    shown, hidden = [], 0
    for link in links:
        collection = collections[link.collection_id]
        project = projects.get(collection.project_id)
        if project is not None and access.may(ctx, tx, project, Permission.SEE):
            shown.append(f"{project.place}/{collection.name}:v{link.number}")
        else:
            hidden += 1
    if hidden:
        shown.append(f"{hidden} more that you may not see")
    raise Conflict(
        f"This version is linked as {', '.join(shown)}; unlink it there first",
        code="linked",
        links=shown,
    )


def not_pending(version: Version) -> Conflict:
    """The refusal to bring bytes for a version whose content is settled (I4)."""
    return Conflict(
        f"Version {version.collection_name}:v{version.number} is committed; "
        "its content never changes"
    )


def find_pending(ctx: Context, tx: Transaction, version_id: int) -> tuple[Version, Project]:
    """A version that the actor may still bring bytes for, and its project.

    Raises:
        NotFound: absent or hidden.
        Forbidden: the role is below Member.
        Conflict: it is committed.
    """
    version = version_rows.find(tx, version_id)
    project = None if version is None else project_rows.find(tx, version.project_id)
    if version is None or project is None:
        raise missing("This version")
    access.require(ctx, tx, project, Permission.LOG, "This version")
    if version.state is not VersionState.PENDING:
        raise not_pending(version)
    return version, project
