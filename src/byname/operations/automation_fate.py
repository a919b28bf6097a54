"""What becomes of automations when that goes on which they depend: they are off, and say why (R145).

Called in the transaction in which it goes. What was deleted and comes back finds its automations off,
so that nothing is sent before somebody has looked (R164).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from byname.domain.collection import Collection
from byname.domain.entity import Entity, User
from byname.domain.integration import Integration, IntegrationKind
from byname.domain.project import Project
from byname.operations import automation_rights, history
from byname.operations.context import Context
from byname.store import automation as rows
from byname.store import integration as integration_rows
from byname.store import project as project_rows
from byname.store.database import Transaction

OF_PROJECT_MAX = 10_000
"""As many automations as there may be below one entity."""


def end_integration(ctx: Context, tx: Transaction, integration: Integration) -> None:
    """The automations that send to it are off."""
    word = "webhook" if integration.kind is IntegrationKind.WEBHOOK else "Slack channel"
    _disable(
        ctx,
        tx,
        "integration",
        integration.id,
        f"The {word} {integration.name} of team {integration.team_name} was deleted",
    )


def end_receiver(ctx: Context, tx: Transaction, integration_id: int, reason: str) -> None:
    """The automations that send to it are off: its receiver wants no more."""
    _disable(ctx, tx, "integration", integration_id, reason)


def end_collection(ctx: Context, tx: Transaction, collection: Collection) -> None:
    """Those that watch the collection are off."""
    _disable(ctx, tx, "collection", collection.id, "The collection was deleted")


def end_project(ctx: Context, tx: Transaction, project: Project) -> None:
    """Those that watch the project or registry, or a collection in it, are off."""
    word = "registry" if project.is_registry else "project"
    _disable(ctx, tx, "project", project.id, f"The {word} was deleted")


def end_teams(ctx: Context, tx: Transaction, teams: Iterable[Entity]) -> None:
    """Those that watch the teams, or send to what was theirs, are off; their secrets are gone."""
    gone = list(teams)
    for team in gone:
        _disable(ctx, tx, "entity", team.id, f"The team {team.name} was deleted")
    if gone:
        integration_rows.remove_of_teams(tx, [team.id for team in gone], at=ctx.now())


def end_users(ctx: Context, tx: Transaction, users: Iterable[User]) -> None:
    """Those that act for these people or service accounts are off."""
    for user in users:
        reason = f"{user.username}, for whom it acted, is not on this server any more"
        _disable(ctx, tx, "person", user.id, reason)


def end_membership(ctx: Context, tx: Transaction, organization: Entity, user: User) -> None:
    """Those that act for the person in the organization are off."""
    _disable(
        ctx,
        tx,
        "person in organization",
        user.id,
        f"{user.username}, for whom it acted, is not in {organization.name} any more",
        organization=organization.id,
    )


def follow_roles(ctx: Context, tx: Transaction, user_id: int) -> None:
    """Of those that act for the person those are off that they may not have any more.

    Called after a role of theirs has changed.
    """
    end_lost(ctx, tx, automation_rights.lost(tx, rows.list_acting_for(tx, user_id)))


def follow_roles_in(ctx: Context, tx: Transaction, project: Project) -> None:
    """Of those in the project or registry those are off whose people may not have them any more.

    Called after a role in it has changed.
    """
    found = rows.list_within(tx, "project", project.id, limit=OF_PROJECT_MAX)
    end_lost(ctx, tx, automation_rights.lost(tx, [each for each in found if each.enabled]))


def end_lost(ctx: Context, tx: Transaction, reasons: Mapping[int, str]) -> None:
    """These are off, for these reasons."""
    for automation_id, reason in reasons.items():
        _disable(ctx, tx, "automation", automation_id, reason)


def come_back(tx: Transaction, project: Project, collection_ids: Iterable[int] | None) -> None:
    """Those of what was restored are there, off, under names that no other has taken meanwhile.

    Of the whole project where `collection_ids` is None.
    """
    ids = None if collection_ids is None else list(collection_ids)
    rows.rename_returning(tx, project.entity_id, project.id, ids)


def _disable(
    ctx: Context, tx: Transaction, what: str, what_id: int, reason: str, *, organization: int = 0
) -> None:
    found = rows.disable(tx, what, what_id, reason, organization=organization, at=ctx.now())
    projects = project_rows.find_many(tx, list({x.project_id for x in found if x.project_id}))
    for each in found:
        history.record(
            ctx,
            tx,
            "automation:disable",
            each.name,
            project=None if each.project_id is None else projects.get(each.project_id),
            organization_id=each.organization_id,
            collection_id=each.collection_id,
            before={"enabled": True},
            after={"enabled": False, "reason": reason},
        )
