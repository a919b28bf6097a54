"""The protected aliases of a registry: the list itself, and what it holds off (R78 to R92)."""

from __future__ import annotations

from collections.abc import Sequence

from byname.domain import protected_alias as rules
from byname.domain.alias import Change
from byname.domain.errors import Conflict, Forbidden, Unprocessable, missing
from byname.domain.page import Page, decode_text, encode_cursor, page_of, parse_first
from byname.domain.policy import Permission
from byname.domain.project import Project
from byname.domain.protected_alias import ProtectedAlias, Use
from byname.operations import access, history
from byname.operations.context import Context
from byname.store import entity as entity_rows
from byname.store import project as project_rows
from byname.store import protected_alias as rows
from byname.store.database import Transaction

SHOWN_MAX = 20
LIST = "protected"
"""What cursors of the list are marked with."""


def list_all(ctx: Context, project_id: int) -> list[ProtectedAlias]:
    """The registry's protected aliases by name; for everybody who may see it.

    Raises:
        NotFound: the registry is absent or hidden.
    """
    with ctx.database.read() as tx:
        project = _project(tx, project_id)
        access.require(ctx, tx, project, Permission.SEE, "This registry")
        return rows.list_of_registry(tx, project.id)


def list_page(
    ctx: Context, project_id: int, *, after: str | None = None, first: int | None = None
) -> Page[ProtectedAlias]:
    """A page of them by name; for everybody who may see the registry.

    Raises:
        NotFound: the registry is absent or hidden.
        Unprocessable: the cursor is not of this list.
    """
    size = parse_first(first, 50)
    start = decode_text(LIST, after)
    with ctx.database.read() as tx:
        project = _project(tx, project_id)
        access.require(ctx, tx, project, Permission.SEE, "This registry")
        found = rows.list_of_registry(tx, project.id, after=start, limit=size + 1)
        total = rows.count_of_registry(tx, project.id)
    return page_of(found, size, lambda each: encode_cursor(LIST, each.name), total=total)


def find(ctx: Context, project_id: int, name: str) -> ProtectedAlias | None:
    """The protected alias of exactly that name; None where the registry protects none."""
    with ctx.database.read() as tx:
        project = _project(tx, project_id)
        access.require(ctx, tx, project, Permission.SEE, "This registry")
        known = entity_rows.lookup_key(name) is not None
        return rows.get(tx, project.id, name) if known else None


def count_uses(ctx: Context, project_id: int, name: str) -> int:
    """How many uses of the name would be protected at once, if it were protected now (R89).

    Raises:
        NotFound: the registry is absent or hidden.
        Unprocessable: the name cannot be protected (R66, R90).
    """
    name = rules.check_name(name)
    with ctx.database.read() as tx:
        project = _project(tx, project_id)
        access.require(ctx, tx, project, Permission.SEE, "This registry")
        return rows.count_uses(tx, project.id, name)


def create(ctx: Context, project_id: int, name: str) -> ProtectedAlias:
    """The registry protects the name in all its collections, present uses included (R79, R89).

    Raises:
        NotFound: the registry is absent or hidden.
        Forbidden: the role is below Admin (R80).
        Conflict: it is protected already, or a name that differs by letter case only is; or this
            is no registry.
        Unprocessable: the name is not allowed (R66, R90), or 1,000 are protected.
    """
    name = rules.check_name(name)
    with ctx.database.write() as tx:
        project = _project(tx, project_id)
        access.require(ctx, tx, project, Permission.MANAGE_PROTECTED, "This registry")
        if not project.is_registry:
            raise Conflict(f"{project.place} is no registry; only registries protect aliases")
        known = rows.find(tx, project.id, name)
        if known is not None:
            raise Conflict(
                f"{project.place} already protects the alias {known!r}", code="name_taken"
            )
        if rows.count_of_registry(tx, project.id) >= rules.PROTECTED_MAX:
            raise Unprocessable(
                f"A registry protects at most {rules.PROTECTED_MAX} aliases", field="name"
            )
        rows.add(tx, project.id, name, created_by=ctx.who.user_id, at=ctx.now())
        history.record(ctx, tx, "protected_alias:create", name, project=project, after=name)
        made = rows.get(tx, project.id, name)
        if made is None:
            raise missing(f"Protected alias {name!r}")
        return made


def end(ctx: Context, project_id: int, name: str) -> None:
    """The registry does not protect the name; versions keep it as an ordinary alias (R89).

    Raises:
        NotFound: the registry is absent or hidden, or does not protect the name.
        Forbidden: the role is below Admin (R80).
    """
    with ctx.database.write() as tx:
        project = _project(tx, project_id)
        access.require(ctx, tx, project, Permission.MANAGE_PROTECTED, "This registry")
        known = entity_rows.lookup_key(name) is not None
        if not known or rows.find(tx, project.id, name) != name:
            raise missing(f"Protected alias {name[:200]!r} of {project.place}")
        rows.remove(tx, project.id, name)
        history.record(ctx, tx, "protected_alias:delete", name, project=project, before=name)


def held_in(ctx: Context, collection_id: int) -> list[Use]:
    """The protected aliases that versions hold in a collection the actor was shown."""
    with ctx.database.read() as tx:
        return rows.uses_of_collection(tx, collection_id, limit=1_000)


def check_changes(
    ctx: Context,
    tx: Transaction,
    project_id: int,
    protected: rules.Protected,
    changes: Sequence[Change],
) -> None:
    """Return when the actor may make these changes of aliases, as roles are now (R80, R90, R92).

    Raises:
        Forbidden: one is of a protected alias, and the role is below Admin.
        Conflict: one makes an alias that looks like a protected one.
    """
    if not protected:
        return
    locked = rules.locked(protected, changes)
    if locked:
        project = _project(tx, project_id)
        rules.check_role(locked, access.role_in(tx, ctx.who, project), project.place)
    rules.check_look_alikes(protected, changes)


def _project(tx: Transaction, project_id: int) -> Project:
    project = project_rows.find(tx, project_id)
    if project is None:
        raise missing("This registry")
    return project


def check_edit(ctx: Context, tx: Transaction, version_id: int) -> None:
    """Return when no protected alias keeps the actor from editing the version (R87).

    Description, metadata and tags of a version that holds one are for the Admins of each registry
    in which it does, through whatever way they are edited.

    Raises:
        Forbidden: the actor is no Admin of one of them; it is named only if they may see it.
    """
    for use in rows.uses_of_version(tx, version_id, limit=1_000):
        project = _project(tx, use.project_id)
        role = access.role_in(tx, ctx.who, project)
        least = Permission.EDIT_PROTECTED_VERSION.least
        if role is None or role < least:
            where = (
                "in a registry that you may not see"
                if role is None
                else f"as {project.place}/{use.collection}:v{use.number}"
            )
            alias = "a protected alias" if role is None else f"the protected alias {use.alias!r}"
            raise Forbidden(
                f"You may not edit this version while it holds {alias} {where}: "
                f"it needs the role {least.word} there"
                + ("" if role is None else f", yours is {role.word}"),
                code="protected_alias",
                role=least.word,
            )


def check_version_may_go(ctx: Context, tx: Transaction, version_id: int) -> None:
    """Return when no protected alias holds the source version (R86).

    Raises:
        Conflict: one does; whoever asks, an Admin must take it off first.
    """
    _refuse(ctx, tx, rows.uses_of_version(tx, version_id, limit=SHOWN_MAX + 1))


def check_sequence_may_go(ctx: Context, tx: Transaction, collection_id: int) -> None:
    """Return when no protected alias holds a version that was logged in this sequence (R86).

    Raises:
        Conflict: one does.
    """
    _refuse(ctx, tx, rows.uses_of_sequence(tx, collection_id, limit=SHOWN_MAX + 1))


def check_project_may_go(ctx: Context, tx: Transaction, project_id: int) -> None:
    """Return when no protected alias elsewhere holds a version logged in this project (R86).

    Raises:
        Conflict: one does.
    """
    _refuse(ctx, tx, rows.uses_of_project(tx, project_id, limit=SHOWN_MAX + 1))


def _refuse(ctx: Context, tx: Transaction, uses: list[Use]) -> None:
    if not uses:
        return
    projects = project_rows.find_many(tx, list({use.project_id for use in uses}))
    roles = access.roles_in(tx, ctx.actor, projects.values())
    shown = [
        f"{projects[use.project_id].place}/{use.collection}:{use.alias} (v{use.number})"
        for use in uses[:SHOWN_MAX]
        if roles.get(use.project_id) is not None
    ]
    listed = list(shown)
    hidden = sum(roles.get(use.project_id) is None for use in uses[:SHOWN_MAX])
    if hidden:
        listed.append(f"{hidden} more that you may not see")
    if len(uses) > SHOWN_MAX:
        listed.append("and others")
    raise Conflict(
        f"Protected aliases hold this: {', '.join(listed)}. Nobody can delete it until an Admin of "
        "the registry takes them off; nothing was changed",
        code="protected_alias",
        held=shown,
    )
