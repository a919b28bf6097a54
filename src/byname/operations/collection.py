"""Finding, linking, unlinking, editing and deleting in collections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from byname.domain import alias as alias_rules
from byname.domain import history as history_rules
from byname.domain import names
from byname.domain import version as version_rules
from byname.domain.collection import (
    Collection,
    Membership,
    check_accepts_type,
    check_same_type,
)
from byname.domain.errors import Conflict, Forbidden, NotFound, Unprocessable, missing
from byname.domain.expiry import FOR_EVER
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.version import Version, VersionState
from byname.operations import (
    access,
    alias,
    automation_fate,
    deletion,
    history,
    protected_alias,
)
from byname.operations import project as project_operations
from byname.operations import version as version_operations
from byname.operations.context import Context
from byname.store import collection as collection_rows
from byname.store import entity as entity_rows
from byname.store import ledger as ledger_rows
from byname.store import project as project_rows
from byname.store import version as version_rows
from byname.store.database import Transaction
from byname.store.moment import microseconds


def find(ctx: Context, project_id: int, name: str) -> Collection | None:
    """The collection of that name in a project the actor was shown."""
    with ctx.database.read() as tx:
        return collection_rows.find_by_name(tx, project_id, name)


def get(ctx: Context, collection_id: int) -> Collection | None:
    """The collection of that id, when the actor may see it."""
    with ctx.database.read() as tx:
        collection = collection_rows.find(tx, collection_id)
        if collection is None:
            return None
        project = project_rows.find(tx, collection.project_id)
        if project is None or not access.may(ctx, tx, project, Permission.SEE):
            return None
        return collection


def resolve_in(tx: Transaction, collection_id: int, ref: str) -> Membership | None:
    """The membership that the words behind the colon name (R9, R65; protocol 8.1).

    - `v` and digits: the version of that number.
    - Otherwise an alias of the collection.
    - `latest` that nobody holds: the highest number.
    - The digest of a version: the newest of that content.
    - `alias@20260102T150405Z`: what held the alias at that time; `alias~2`: what held it two
      holders before (R189). Numbers that have left the collection since are not found.
    """
    if names.is_number(ref):
        return (
            collection_rows.membership_by_number(tx, collection_id, int(ref[1:]))
            if len(ref) < 19
            else None
        )
    membership = collection_rows.membership_by_alias(tx, collection_id, ref)
    if membership is None and ref == names.LATEST:
        return collection_rows.highest_membership(tx, collection_id)
    if membership is None and version_rules.is_digest(ref):
        return collection_rows.membership_by_digest(tx, collection_id, ref)
    past = history_rules.parse_past(ref) if membership is None else None
    return membership if past is None else _resolve_past(tx, collection_id, past)


def _resolve_past(
    tx: Transaction, collection_id: int, past: history_rules.Past
) -> Membership | None:
    number: int | None = None
    if past.at is not None:
        at = microseconds(past.at)
        row = ledger_rows.at_time(tx, collection_id, past.alias, at)
        number = None if row is None else row.to_number
        if number is None and past.alias == names.LATEST:
            number = ledger_rows.highest_at_time(tx, collection_id, at)
    elif past.steps == 0:
        return resolve_in(tx, collection_id, past.alias)
    elif past.steps is not None:
        number = ledger_rows.holder_before(tx, collection_id, past.alias, past.steps)
    if number is None:
        return None
    return collection_rows.membership_by_number(tx, collection_id, number)


def resolve(ctx: Context, project_id: int, name: str) -> tuple[Collection, Membership] | None:
    """What `collection:ref` names in a project the actor was shown, or None."""
    collection_name, ref = names.split_ref(name)
    with ctx.database.read() as tx:
        collection = collection_rows.find_by_name(tx, project_id, collection_name)
        if collection is None:
            return None
        membership = resolve_in(tx, collection.id, ref)
        return None if membership is None else (collection, membership)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a reference names."""

    project: Project
    collection: Collection
    membership: Membership
    version: Version


def resolve_reference(ctx: Context, text: str) -> Resolved:
    """The version that a reference names to the actor.

    A registry without an organization belongs to the actor's only one (R7).

    Raises:
        NotFound: absent or hidden; the message names what was asked for (R9).
        Unprocessable: it is no reference, or the organization must be said.
    """
    reference = names.Reference.parse(text)
    with ctx.database.read() as tx:
        entity = reference.entity or _entity_for(ctx, tx, reference)
        place = (reference.entity, reference.project, reference.collection)
        what = f"Version {'/'.join(part for part in place if part)}:{reference.ref}"
        project = project_rows.find_by_name(tx, entity, reference.project or "uncategorized")
        if project is None or not access.may(ctx, tx, project, Permission.SEE):
            raise missing(what)
        collection = collection_rows.find_by_name(tx, project.id, reference.collection)
        membership = None if collection is None else resolve_in(tx, collection.id, reference.ref)
        version = None if membership is None else version_rows.find(tx, membership.version_id)
        if collection is None or membership is None or version is None:
            raise missing(what)
        return Resolved(project, collection, membership, version)


def _entity_for(ctx: Context, tx: Transaction, reference: names.Reference) -> str:
    """The entity of a path that names none."""
    who = ctx.who
    if reference.project is None or not names.is_registry(reference.project):
        return who.entity_name
    if len(who.organizations) == 1:
        (organization_id,) = who.organizations
        organization = entity_rows.find(tx, organization_id)
        if organization is not None:
            return organization.name
    found = entity_rows.find_many(tx, list(who.organizations))
    listed = ", ".join(sorted(each.name for each in found.values())) or "none"
    raise Unprocessable(
        "Multiple organizations found: say which one holds the registry, as "
        f"ORGANIZATION/{reference.project}/{reference.collection}. Yours: {listed}"
        if found
        else "You are in no organization, so you must say which one holds the registry",
        code="organization_needed",
        field="ref",
    )


# ---- linking -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewLink:
    """Which version to link, and where. Either of `version_id` and `client_id`."""

    entity: str
    project: str
    collection: str
    version_id: int | None = None
    client_id: str | None = None
    aliases: Sequence[str] = ()
    expected: Mapping[str, str | None] = field(default_factory=dict)
    """Where the asker was told that some of the aliases are: on a version such as `v3`, or on none.
    They are not taken from anywhere else."""


def link(ctx: Context, new: NewLink) -> tuple[Collection, Membership]:
    """The version is in the collection, and holds the aliases there: all or nothing (R33, R52).

    - A registry must exist; an ordinary project, and the collection, are made when missing.
    - A version that is new there gets the next number, and `latest` (R46, R48).
    - A version that is there already keeps its number, and `latest` stays (R49).

    Raises:
        NotFound: the version, registry or entity is absent or hidden.
        Forbidden: no right to link there (R44), or to read the version.
        HolderChanged: an alias is elsewhere than was expected (R70).
        Conflict: the version is not committed, or the collection is a sequence or of another type.
        Unprocessable: a name or alias is not allowed, the type is not accepted (R20), or the source
            is not in a team of the registry's organization (R45).
    """
    new = replace(new, collection=names.check_collection(new.collection))
    aliases = alias_rules.check_names(new.aliases)
    with ctx.database.write() as tx:
        version = _linkable(ctx, tx, new)
        target = _target(ctx, tx, new)
        access.require(ctx, tx, target, Permission.LINK)
        _check_source(tx, version, target)
        accepted = project_rows.list_accepted_types(tx, target.id)
        check_accepts_type(target, accepted, version.type_name)
        collection = _portfolio(ctx, tx, target, new.collection, version.type_name)
        membership = collection_rows.membership_of(tx, collection.id, version.id)
        if new.expected:
            alias.check_holders(
                tx,
                f"{target.place}/{collection.name}",
                collection.id,
                new.expected,
                but=None if membership is None else membership.id,
            )
        if membership is not None:
            alias.put_on_old(ctx, tx, membership, aliases)
        else:
            membership = collection_rows.add_membership(
                tx,
                collection_id=collection.id,
                version_id=version.id,
                created_by=ctx.who.user_id,
                at=ctx.now(),
            )
            history.record(
                ctx,
                tx,
                "link:create",
                f"{collection.name}:v{membership.number}",
                project=target,
                collection_id=collection.id,
                version_id=version.id,
                number=membership.number,
                after=f"{version.collection_name}:v{version.number}",
                aliases=[*dict.fromkeys([*aliases, names.LATEST])],
            )
            alias.put_on_new(ctx, tx, membership, aliases)
            if version.ttl != FOR_EVER:
                # Linking switches the time to live off, and for good (R166).
                version_rows.live_for_ever(tx, version.id, ctx.now())
        return collection, membership


def _linkable(ctx: Context, tx: Transaction, new: NewLink) -> Version:
    version_id = new.version_id
    if version_id is None and new.client_id is not None:
        version_id = version_rows.find_by_client_id(tx, new.client_id)
    version = None if version_id is None else version_rows.find(tx, version_id)
    if version is None or not version_operations.visible(ctx, tx, version, Permission.SEE):
        raise missing("The version to be linked")
    if version.state is not VersionState.COMMITTED:
        raise Conflict("The version to be linked is still being uploaded", code="pending")
    if not version_operations.visible(ctx, tx, version, Permission.DOWNLOAD):
        raise Forbidden("To link a version you must be able to read its files", role="viewer")
    return version


def _target(ctx: Context, tx: Transaction, new: NewLink) -> Project:
    if names.is_registry(new.project):
        registry = project_rows.find_by_name(tx, new.entity, new.project)
        if registry is None or not access.may(ctx, tx, registry, Permission.SEE):
            raise missing(f"Registry {new.entity}/{new.project}")
        return registry
    return project_operations.ensure(ctx, tx, new.entity, new.project, Permission.LINK)


def _check_source(tx: Transaction, version: Version, target: Project) -> None:
    """What a registry takes was made in a team of the same organization (R45)."""
    source = project_rows.find(tx, version.project_id)
    if not target.is_registry:
        return
    if source is None or source.organization_id != target.organization_id:
        raise Unprocessable(
            f"Registry {target.place} takes versions made in a team of {target.entity_name}; "
            "this one was made elsewhere (for instance under a personal entity). "
            "Log it again in a project of such a team, then link it",
            field="artifactID",
            code="source_not_in_organization",
        )


def _portfolio(
    ctx: Context, tx: Transaction, project: Project, name: str, type_name: str
) -> Collection:
    """The collection of links of that name, made when missing, of the version's type."""
    collection = collection_rows.find_by_name(tx, project.id, name)
    if collection is None:
        type_name = names.composed(type_name)
        type_id = project_rows.add_type(tx, project.id, type_name, at=ctx.now())
        collection_id = collection_rows.add(
            tx,
            project_id=project.id,
            type_id=type_id,
            is_sequence=False,
            name=name,
            created_by=ctx.who.user_id,
            at=ctx.now(),
        )
        collection = collection_rows.find(tx, collection_id)
        history.record(
            ctx,
            tx,
            "collection:create",
            name,
            project=project,
            collection_id=collection_id,
            after={"type": type_name},
        )
    if collection is None:
        raise missing(f"Collection {name}")
    if collection.is_sequence:
        raise Conflict(
            f"{project.place}/{name} is where versions are logged; link under another name"
        )
    check_same_type(name, collection.type_name, type_name)
    return collection


def unlink(ctx: Context, version_id: int, collection_id: int) -> None:
    """The version is not in the collection any more; its number there is retired (R158, R160).

    Raises:
        NotFound: the collection is absent or hidden, or the version is not in it.
        Forbidden: the role there is below Member.
        Conflict: the collection is a sequence: what was logged there can be deleted, not unlinked.
    """
    with ctx.database.write() as tx:
        project, collection = _editable(ctx, tx, collection_id, Permission.UNLINK)
        if collection.is_sequence:
            raise Conflict(
                f"{collection.name} is where this version was logged; delete the version instead"
            )
        membership = collection_rows.membership_of(tx, collection.id, version_id)
        if membership is None:
            raise NotFound(f"This version is not linked in {project.place}/{collection.name}")
        deletion.remember_link(ctx, tx, project, collection, membership)
        held = alias.take_all(ctx, tx, membership, cause="unlink")
        collection_rows.remove_membership(tx, membership, ctx.now())
        history.record(
            ctx,
            tx,
            "link:delete",
            f"{collection.name}:v{membership.number}",
            project=project,
            collection_id=collection.id,
            version_id=version_id,
            number=membership.number,
            aliases=held,
        )


def _editable(
    ctx: Context, tx: Transaction, collection_id: int, permission: Permission
) -> tuple[Project, Collection]:
    collection = collection_rows.find(tx, collection_id)
    project = None if collection is None else project_rows.find(tx, collection.project_id)
    if collection is None or project is None:
        raise missing("This collection")
    access.require(ctx, tx, project, permission, "This collection")
    return project, collection


def get_in(ctx: Context, project: Project, name: str) -> Collection:
    """The collection of that name in a project the actor was shown.

    Raises:
        NotFound: there is none.
    """
    found = None if entity_rows.lookup_key(name) is None else find(ctx, project.id, name)
    if found is None:
        raise missing(f"Collection {project.place}/{name[:200]}")
    return found


def get_version_in(
    ctx: Context, project: Project, collection: Collection, ref: str
) -> tuple[Membership, Version]:
    """The version that a number or alias names in a collection the actor was shown (R9).

    Raises:
        NotFound: there is none.
    """
    with ctx.database.read() as tx:
        known = entity_rows.lookup_key(ref) is not None
        membership = resolve_in(tx, collection.id, ref) if known else None
        version = None if membership is None else version_rows.find(tx, membership.version_id)
        if membership is None or version is None:
            raise missing(f"Version {project.place}/{collection.name}:{ref[:200]}")
        return membership, version


@dataclass(frozen=True, slots=True)
class NewCollection:
    """What a new, empty collection of links is to be like."""

    name: str
    type_name: str
    description: str | None = None
    tags: Sequence[str] = ()


def create(ctx: Context, project_id: int, new: NewCollection) -> Collection:
    """The registry has the empty collection, which stays until it is deleted (R32, R39).

    Raises:
        NotFound: the registry is absent or hidden.
        Forbidden: the role is below Member (P8).
        Conflict: the name is taken (R34).
        Unprocessable: a name or tag is not allowed, or the type is not accepted (R20, R31).
    """
    name = names.check_collection(new.name)
    type_name = names.check_type(new.type_name)
    description = version_rules.check_description(new.description)
    tags = version_rules.check_tags(list(new.tags))
    with ctx.database.write() as tx:
        project = project_rows.find(tx, project_id)
        if project is None:
            raise missing("This registry")
        access.require(ctx, tx, project, Permission.CREATE_COLLECTION, "This registry")
        if not project.is_registry:
            raise NotFound(f"{project.place} is no registry")
        check_accepts_type(project, project_rows.list_accepted_types(tx, project.id), type_name)
        if collection_rows.find_by_name(tx, project.id, name) is not None:
            raise Conflict(
                f"{project.place} already has a collection {name!r}; use a different name",
                code="name_taken",
            )
        collection = _portfolio(ctx, tx, project, name, type_name)
        if description is not None:
            collection_rows.edit(
                tx, collection.id, name=name, description=description, at=ctx.now()
            )
        if tags:
            collection_rows.set_tags(tx, collection.id, tags)
            history.record(
                ctx,
                tx,
                "collection:tag",
                collection.name,
                project=project,
                collection_id=collection.id,
                before=[],
                after=tags,
            )
        return _reread(tx, collection.id)


# ---- the collection itself ---------------------------------------------------------------------


def edit(
    ctx: Context,
    collection_id: int,
    *,
    is_sequence: bool,
    name: str | None = None,
    description: str | None = None,
) -> Collection:
    """The collection has this name and description; None leaves one as it is. Its id stays (R37).

    Raises:
        NotFound: absent or hidden, or of the other kind.
        Forbidden: the role is below Member.
        Conflict: the name is taken.
        Unprocessable: the name is not allowed.
    """
    description = version_rules.check_description(description)
    with ctx.database.write() as tx:
        project, collection = _editable(ctx, tx, collection_id, Permission.EDIT_COLLECTION)
        if collection.is_sequence is not is_sequence:
            raise missing("This collection")
        new_name = collection.name if name is None else name
        if new_name != collection.name:
            check = names.check_artifact if is_sequence else names.check_collection
            new_name = check(new_name)
            if collection_rows.find_by_name(tx, project.id, new_name) is not None:
                raise Conflict(
                    f"{project.place} already has a collection {new_name!r}; use a different name"
                )
        new_description = collection.description if description is None else description
        if (new_name, new_description) != (collection.name, collection.description):
            collection_rows.edit(
                tx, collection.id, name=new_name, description=new_description, at=ctx.now()
            )
            renamed = new_name != collection.name
            described = new_description != collection.description
            history.record(
                ctx,
                tx,
                "collection:rename" if renamed and not described else "collection:update",
                new_name,
                project=project,
                collection_id=collection.id,
                before={"name": collection.name, "description": collection.description},
                after={"name": new_name, "description": new_description},
            )
        return _reread(tx, collection.id)


def _reread(tx: Transaction, collection_id: int) -> Collection:
    collection = collection_rows.find(tx, collection_id)
    if collection is None:
        raise missing("This collection")
    return collection


def set_type(ctx: Context, collection_id: int, type_name: str) -> Collection:
    """The sequence's versions are of this type from now on (`UpdateArtifactSequenceType`).

    Raises:
        NotFound: absent or hidden.
        Forbidden: the role is below Member.
        Conflict: it is a collection of links (R183), or versions of it are linked: a collection
            that holds them is of one type.
        Unprocessable: the type's name is not allowed.
    """
    names.check_type(type_name)
    with ctx.database.write() as tx:
        project, collection = _editable(ctx, tx, collection_id, Permission.EDIT_COLLECTION)
        if not collection.is_sequence:
            raise Conflict("The type of a collection of links is fixed for ever")
        if collection.type_name != type_name:
            if collection_rows.is_linked_anywhere(tx, collection.id):
                raise Conflict(
                    f"Versions of {collection.name} are linked in other collections, whose type "
                    "is fixed; unlink them first",
                    code="linked",
                )
            type_id = project_rows.add_type(tx, project.id, type_name, at=ctx.now())
            collection_rows.set_type(tx, collection.id, type_id, ctx.now())
            history.record(
                ctx,
                tx,
                "collection:update",
                collection.name,
                project=project,
                collection_id=collection.id,
                before={"type": collection.type_name},
                after={"type": type_name},
            )
        return _reread(tx, collection.id)


def delete(ctx: Context, collection_id: int, *, is_sequence: bool) -> Collection:
    """The collection is deleted and its name is free; the value returned says so.

    - A collection of links: the links go, the versions stay (R169).
    - A sequence: its versions go too, and so do their links everywhere (protocol 9.9).

    Raises:
        NotFound: absent or hidden, or of the other kind.
        Forbidden: the role is below Member here, or where a version is linked.
    """
    with ctx.database.write() as tx:
        project, collection = _editable(ctx, tx, collection_id, Permission.DELETE_COLLECTION)
        if collection.is_sequence is not is_sequence:
            raise missing("This collection")
        if is_sequence:
            protected_alias.check_sequence_may_go(ctx, tx, collection.id)
        deletion.remember_collection(ctx, tx, project, collection)
        if is_sequence:
            deletion.unlink_everywhere(
                ctx,
                tx,
                collection_rows.links_of_sequence(tx, collection.id),
                f"A version of {collection.name}",
                allowed_in=project.id,
            )
            collection_rows.remove_versions(tx, collection.id, ctx.now())
        automation_fate.end_collection(ctx, tx, collection)
        alias.drop_all(ctx, tx, collection.id, cause="delete")
        collection_rows.remove_memberships(tx, collection.id, ctx.now())
        collection_rows.remove(tx, collection.id, ctx.now())
        history.record(
            ctx,
            tx,
            "collection:delete",
            collection.name,
            project=project,
            collection_id=collection.id,
        )
        return collection_rows.find_many(tx, [collection.id])[collection.id]


def edit_tags(
    ctx: Context,
    place: alias.Place,
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
) -> tuple[Collection, list[str]]:
    """The collection has the tags added and none of those removed; all its tags (R96).

    Raises:
        NotFound: absent or hidden.
        Forbidden: the role is below Member.
        Unprocessable: a tag is not allowed.
    """
    adding = version_rules.check_tags(list(add))
    removing = version_rules.check_tags(list(remove))
    with ctx.database.write() as tx:
        project, collection = alias.find_place(ctx, tx, place)
        access.require(ctx, tx, project, Permission.TAG)
        present = collection_rows.tags_of_many(tx, [collection.id])[collection.id]
        wanted = version_rules.check_tags(
            [*(tag for tag in present if tag not in removing), *adding]
        )
        if wanted != present:
            collection_rows.set_tags(tx, collection.id, wanted)
            history.record(
                ctx,
                tx,
                "collection:tag",
                collection.name,
                project=project,
                collection_id=collection.id,
                before=present,
                after=wanted,
            )
        return collection, wanted
