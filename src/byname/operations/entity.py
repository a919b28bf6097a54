"""What one may know of users, teams and organizations that stand in a path."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from byname.domain.entity import Entity, EntityKind, GroupMember, User
from byname.domain.policy import GroupRole, Permission, team_project_role
from byname.operations.context import Context
from byname.store import entity as entity_rows
from byname.store import organization as organization_rows
from byname.store import registry as registry_rows
from byname.store import team as team_rows
from byname.store import user as user_rows
from byname.store.database import Transaction
from byname.store.moment import moment


def find(ctx: Context, name: str) -> Entity | None:
    """The entity of that name, when the actor may know of it; None otherwise.

    - Their own personal entity, and those of people with whom they share an organization.
    - Their organizations, and all teams in these.
    - Every one, as a server administrator.
    """
    actor = ctx.actor
    if actor is None:
        return None
    with ctx.database.read() as tx:
        entity = entity_rows.find_by_name(tx, name)
        return entity if entity is not None and _is_known(ctx, tx, entity) else None


def _is_known(ctx: Context, tx: Transaction, entity: Entity) -> bool:
    actor = ctx.who
    if actor.server_admin or entity.id == actor.entity_id:
        return True
    if entity.kind is not EntityKind.USER:
        return actor.belongs_to(entity.organization_id)
    owner = user_rows.find_by_name(tx, entity.name)
    return owner is not None and any(
        organization.id in actor.organizations
        for organization in organization_rows.list_of_user(tx, owner.id)
    )


def load(ctx: Context, ids: Sequence[int]) -> dict[int, Entity]:
    """The live entities of these ids, by id. For the places of things the actor sees."""
    with ctx.database.read() as tx:
        return entity_rows.find_many(tx, ids)


def members(ctx: Context, entity: Entity) -> list[GroupMember]:
    """Who is in a team or organization that the actor was shown; of a person, the person."""
    with ctx.database.read() as tx:
        if entity.kind is EntityKind.TEAM:
            return team_rows.list_members(tx, entity.id)
        if entity.kind is EntityKind.ORGANIZATION:
            return organization_rows.list_members(tx, entity.id)
        owner = user_rows.find_by_name(tx, entity.name)
        return [] if owner is None else [GroupMember(owner, GroupRole.ADMIN)]


def owner(ctx: Context, entity: Entity) -> User | None:
    """The person behind a personal entity that the actor was shown."""
    if entity.kind is not EntityKind.USER:
        return None
    with ctx.database.read() as tx:
        return user_rows.find_by_name(tx, entity.name)


def teams_of(ctx: Context, user: User) -> list[Entity]:
    """The entities the user works in, as far as the actor may know of them: theirs, then teams."""
    with ctx.database.read() as tx:
        own = entity_rows.find(tx, user.entity_id)
        found = [own] if own is not None and own.kind is EntityKind.USER else []
        found += team_rows.list_of_user(tx, user.id)
    return [each for each in found if _shares(ctx, user, each)]


def organizations_of(ctx: Context, user: User) -> list[Entity]:
    """The organizations the user is in, as far as the actor may know of them."""
    with ctx.database.read() as tx:
        found = organization_rows.list_of_user(tx, user.id)
    return [each for each in found if _shares(ctx, user, each)]


def _shares(ctx: Context, user: User, entity: Entity) -> bool:
    actor = ctx.who
    if actor.user_id == user.id or entity.kind is EntityKind.USER:
        return True
    return actor.belongs_to(entity.organization_id)


def may_log(ctx: Context, entity: Entity) -> bool:
    """Whether the actor may log in the entity's projects; nobody logs in an organization itself."""
    if entity.kind is EntityKind.ORGANIZATION:
        return False
    role = team_project_role(ctx.who, entity_id=entity.id, organization_id=entity.organization_id)
    return role is not None and role >= Permission.LOG.least


def sum_bytes(ctx: Context, entity: Entity) -> int:
    """How many bytes are kept for an entity that the actor was shown; equal content once."""
    with ctx.database.read() as tx:
        return registry_rows.sum_bytes(tx, entity.id)


def find_user(ctx: Context, wanted: str) -> User | None:
    """The person of exactly that name or e-mail address, when the actor may know of them.

    An admin of any organization may: they can add everybody who has an account (R192).
    """
    actor = ctx.who
    with ctx.database.read() as tx:
        user = user_rows.find_by_name(tx, wanted) or user_rows.find_by_email(tx, wanted)
        if user is None or user.service:
            return None
        if actor.server_admin or GroupRole.ADMIN in actor.organizations.values():
            return user
        entity = entity_rows.find(tx, user.entity_id)
        return user if entity is not None and _is_known(ctx, tx, entity) else None


def get_time(ctx: Context) -> datetime:
    """The present moment, as the server's clock says."""
    return moment(ctx.now())
