"""With whose rights an automation acts, and whether that person still has them (R109, R145).

Asked when an event fires it and before each attempt to deliver, so that it does not go on after its
person has lost the role, whatever took it from them; and at once where a person's own place is
changed, so that it is seen to be off.
"""

from __future__ import annotations

from collections.abc import Sequence

from byname.domain.automation import Automation, ScopeKind, permission_for
from byname.domain.integration import Integration
from byname.domain.policy import Actor, Role, team_project_role
from byname.operations import access
from byname.store import integration as integration_rows
from byname.store import key as key_rows
from byname.store import project as project_rows
from byname.store import user as user_rows
from byname.store.database import Transaction


def lost(tx: Transaction, found: Sequence[Automation]) -> dict[int, str]:
    """Of these automations those whose person may not do any more what they do, with the reason.

    - The person is there, and may still change automations where it watches.
    - They are still a member of the team whose webhook or Slack channel it uses.
    """
    people = {each.acts_for for each in found if each.acts_for is not None}
    actors = key_rows.find_actors_of_users(tx, list(people))
    names = user_rows.find_many(tx, list(people))
    projects = project_rows.find_many(
        tx, list({each.scope.project_id for each in found if each.scope.project_id is not None})
    )
    used = {each.action.integration_id for each in found} - {None}
    integrations = integration_rows.find_many(tx, [each for each in used if each is not None])
    roles = {each: access.roles_in(tx, actors[each], projects.values()) for each in actors}
    reasons: dict[int, str] = {}
    for each in found:
        person = each.acts_for or 0
        reason = _reason(
            actors.get(person),
            names[person].username if person in names else "Whom it acted for",
            each,
            roles.get(person, {}).get(each.scope.project_id or 0),
            integrations.get(each.action.integration_id or 0),
        )
        if reason is not None:
            reasons[each.id] = reason
    return reasons


def may_use(actor: Actor, integration: Integration) -> bool:
    """Whether somebody may have automations send to it: members of its team may."""
    role = team_project_role(
        actor, entity_id=integration.team_id, organization_id=integration.organization_id
    )
    return role is not None and role >= Role.MEMBER


def _reason(
    actor: Actor | None,
    name: str,
    automation: Automation,
    role: Role | None,
    integration: Integration | None,
) -> str | None:
    scope = automation.scope
    if actor is None:
        return f"{name}, for whom it acted, is not on this server any more"
    permission = permission_for(scope)
    if scope.kind is ScopeKind.ENTITY and scope.is_organization:
        if not actor.administers(scope.entity_id):
            return f"{name}, for whom it acted, is no admin of {scope.name} any more"
    else:
        if scope.project_id is None:
            role = team_project_role(
                actor, entity_id=scope.entity_id, organization_id=scope.organization_id
            )
        if role is None or role < permission.least:
            return (
                f"{name}, for whom it acted, may not {permission.wording} in {scope.name} any "
                f"more: it needs the role {permission.least.word}"
            )
    if integration is None:
        return None
    if not may_use(actor, integration):
        return (
            f"{name}, for whom it acted, may not use the integrations of team "
            f"{integration.team_name} any more: it needs the role member there"
        )
    return None
