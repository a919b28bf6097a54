"""The webhooks and Slack channels of a team: managed by its admins, used by its members (R132, R133)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from byname.domain import integration as rules
from byname.domain import secret as secret_rules
from byname.domain.entity import Entity
from byname.domain.errors import Conflict, Unprocessable, missing
from byname.domain.integration import Credentials, Integration, IntegrationKind
from byname.domain.target import check_url
from byname.operations import automation_fate, automation_rights, history
from byname.operations.context import Context
from byname.operations.secret import require_member
from byname.operations.team import get_own_team
from byname.store import entity as entity_rows
from byname.store import integration as rows
from byname.store import secret as secret_rows
from byname.store.database import Transaction
from byname.store.integration import Sealed

WISH = "manage webhooks and Slack channels"
WORDS = {IntegrationKind.WEBHOOK: "webhook", IntegrationKind.SLACK: "Slack channel"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an integration is to be like. None leaves a thing as it is; the empty text takes it off.

    `access_token` and `secret` are the name of a secret of the team where it has one of that name,
    else the value itself.
    """

    name: str | None = None
    url: str | None = None
    access_token: str | None = None
    secret: str | None = None
    access_token_name: str | None = None
    """The name of a secret that must exist, for those who never mean a value."""
    secret_name: str | None = None

    def __repr__(self) -> str:
        return f"Wanted(name={self.name!r})"


def create(ctx: Context, team: str, kind: IntegrationKind, wanted: Wanted) -> Integration:
    """The team has the webhook or Slack channel.

    Raises:
        NotFound: no such team (or the actor is not in its organization), or no such secret.
        Forbidden: the actor is no admin of the team.
        Conflict: the team has one of that kind and name.
        Unprocessable: a name, address or value is not allowed, or the team has 1,000.
    """
    name = rules.check_name(wanted.name or "")
    with ctx.database.write() as tx:
        found = get_own_team(ctx, tx, team, WISH)
        _check_free(tx, found, kind, name)
        if rows.count_of_team(tx, found.id) >= rules.OF_TEAM_MAX:
            raise Unprocessable(
                f"A team has at most {rules.OF_TEAM_MAX:,} integrations", field="name"
            )
        integration_id = rows.add(
            tx,
            team_id=found.id,
            kind=kind,
            name=name,
            sealed=_seal(ctx, tx, found.id, kind, Sealed(), wanted),
            created_by=ctx.who.row_id,
            at=ctx.now(),
        )
        made = _reread(tx, integration_id)
        _record(ctx, tx, "create", made, after=_told(made))
        return made


def edit(ctx: Context, team: str, kind: IntegrationKind, name: str, wanted: Wanted) -> Integration:
    """The webhook or Slack channel is like this; what is None stays.

    Raises:
        NotFound: no such team (or the actor is not in its organization), integration or secret.
        Forbidden: the actor is no admin of the team.
        Conflict: the new name is taken.
        Unprocessable: a name, address or value is not allowed.
    """
    with ctx.database.write() as tx:
        found = get_own_team(ctx, tx, team, WISH)
        present = _get(tx, found, kind, name)
        new_name = present.name if wanted.name is None else rules.check_name(wanted.name)
        if new_name != present.name:
            _check_free(tx, found, kind, new_name)
        before = rows.find_sealed(tx, present.id)
        assert before is not None  # noqa: S101  It was found just now.
        after = _seal(ctx, tx, found.id, kind, before, wanted)
        if (new_name, after) == (present.name, before):
            return present
        rows.edit(tx, present.id, name=new_name, sealed=after, at=ctx.now())
        edited = _reread(tx, present.id)
        _record(ctx, tx, "update", edited, before=_told(present), after=_told(edited))
        return edited


def delete(ctx: Context, team: str, kind: IntegrationKind, name: str) -> None:
    """The integration is gone with its secrets; the automations that use it are off (R145).

    Raises:
        NotFound: no such team (or the actor is not in its organization), or no such integration.
        Forbidden: the actor is no admin of the team.
    """
    with ctx.database.write() as tx:
        found = get_own_team(ctx, tx, team, WISH)
        present = _get(tx, found, kind, name)
        automation_fate.end_integration(ctx, tx, present)
        rows.remove(tx, present.id, at=ctx.now())
        _record(ctx, tx, "delete", present, before=_told(present))


def list_all(
    ctx: Context,
    team: str,
    kind: IntegrationKind | None = None,
    *,
    after: int = 0,
    limit: int = 100,
) -> list[Integration]:
    """Some of the team's integrations, oldest first, from behind an id; for its members.

    Raises:
        NotFound: no such team, or the actor is not in its organization.
        Forbidden: the actor is no member of the team.
    """
    with ctx.database.read() as tx:
        found = require_member(ctx, tx, team, "see webhooks and Slack channels")
        return rows.list_of_team(tx, found.id, kind, after=after, limit=limit)


def get(ctx: Context, team: str, kind: IntegrationKind, name: str) -> Integration:
    """The team's integration of that name; for its members.

    Raises:
        NotFound: no such team (or the actor is not in its organization), or no such integration.
        Forbidden: the actor is no member of the team.
    """
    with ctx.database.read() as tx:
        found = require_member(ctx, tx, team, "see webhooks and Slack channels")
        return _get(tx, found, kind, name)


def load(ctx: Context, ids: Sequence[int]) -> dict[int, Integration]:
    """The integrations of automations that the actor sees, by id.

    Whoever may not use one sees of its address the host only.
    """
    with ctx.database.read() as tx:
        found = rows.find_many(tx, ids)
    return {
        each.id: each if may_use(ctx, each) else replace(each, url=each.host or None)
        for each in found.values()
    }


def may_use(ctx: Context, integration: Integration) -> bool:
    """Whether the actor may have automations send to it: members of its team may."""
    return ctx.actor is not None and automation_rights.may_use(ctx.actor, integration)


def open_credentials(ctx: Context, tx: Transaction, integration_id: int) -> Credentials:
    """What sending to the integration needs; for the server itself, when it sends.

    Raises:
        NotFound: it is gone, or a secret that it uses is.
        Unavailable: the server has not the key that they are encrypted with.
    """
    found = rows.find(tx, integration_id)
    sealed = rows.find_sealed(tx, integration_id)
    if found is None or sealed is None:
        raise missing("The webhook or Slack channel")
    named: dict[str, str] = {}

    def value(name: str | None, own: str | None) -> str | None:
        if name is None:
            return None if own is None else ctx.safe.open(own)
        text = secret_rows.find_sealed(tx, found.team_id, name)
        if text is None:
            raise missing(f"Secret {name} of team {found.team_name}")
        named[name] = ctx.safe.open(text)
        return named[name]

    url = sealed.url if sealed.url_sealed is None else ctx.safe.open(sealed.url_sealed)
    return Credentials(
        url=url or "",
        access_token=value(sealed.access_token_name, sealed.access_token_sealed),
        secret=value(sealed.secret_name, sealed.secret_sealed),
        named=named,
    )


def _seal(
    ctx: Context,
    tx: Transaction,
    team_id: int,
    kind: IntegrationKind,
    present: Sealed,
    wanted: Wanted,
) -> Sealed:
    if kind is IntegrationKind.SLACK:
        if any((wanted.access_token, wanted.secret, wanted.access_token_name, wanted.secret_name)):
            raise Unprocessable(
                "A Slack channel has an address only: no access token, no secret", field="secret"
            )
        if wanted.url is None and present.url_sealed is not None:
            return present
        return Sealed(url_sealed=ctx.safe.seal(check_url(wanted.url or "", ctx.targets)))
    url = present.url if wanted.url is None else check_url(wanted.url, ctx.targets)
    if url is None:
        raise Unprocessable("A webhook needs an address", field="url")
    token = _reference(
        ctx,
        tx,
        team_id,
        "access_token",
        (present.access_token_name, present.access_token_sealed),
        wanted.access_token,
        wanted.access_token_name,
    )
    secret = _reference(
        ctx,
        tx,
        team_id,
        "secret",
        (present.secret_name, present.secret_sealed),
        wanted.secret,
        wanted.secret_name,
    )
    return Sealed(
        url=url,
        access_token_name=token[0],
        access_token_sealed=token[1],
        secret_name=secret[0],
        secret_sealed=secret[1],
    )


def _reference(
    ctx: Context,
    tx: Transaction,
    team_id: int,
    field: str,
    present: tuple[str | None, str | None],
    given: str | None,
    name: str | None,
) -> tuple[str | None, str | None]:
    """The name of a secret of the team, or a sealed value of its own; both None: there is none."""
    if name:
        if secret_rows.find(tx, team_id, name) is None:
            raise missing(f"Secret {name[:128]!r} of this team")
        return name, None
    if given is None and name is None:
        return present
    if not given:
        return None, None
    if secret_rules.is_name(given):
        known = secret_rows.find(tx, team_id, given)
        if known is not None:
            return known.name, None
    check = secret_rules.check_token if field == "access_token" else secret_rules.check_value
    return None, ctx.safe.seal(check(given, field))


def _get(tx: Transaction, team: Entity, kind: IntegrationKind, name: str) -> Integration:
    known = entity_rows.lookup_key(name) is not None
    found = rows.find_by_name(tx, team.id, kind, name) if known else None
    if found is None:
        raise missing(f"The {WORDS[kind]} {name[:80]!r} of team {team.name}")
    return found


def _check_free(tx: Transaction, team: Entity, kind: IntegrationKind, name: str) -> None:
    if rows.find_by_name(tx, team.id, kind, name) is not None:
        raise Conflict(
            f"Team {team.name} already has a {WORDS[kind]} {name!r}; use a different name",
            code="name_taken",
        )


def _reread(tx: Transaction, integration_id: int) -> Integration:
    found = rows.find(tx, integration_id)
    if found is None:
        raise missing("This integration")
    return found


def _told(integration: Integration) -> dict[str, object]:
    """What the history tells: never a secret, and of an address the host."""
    told: dict[str, object] = {"name": integration.name}
    if integration.kind is IntegrationKind.WEBHOOK:
        told |= {
            "host": integration.host,
            "access_token": integration.access_token_name or integration.has_access_token,
            "secret": integration.secret_name or integration.has_secret,
        }
    return told


def _record(
    ctx: Context,
    tx: Transaction,
    verb: str,
    integration: Integration,
    *,
    before: object = None,
    after: object = None,
) -> None:
    history.record(
        ctx,
        tx,
        f"{'webhook' if integration.kind is IntegrationKind.WEBHOOK else 'slack'}:{verb}",
        f"{integration.team_name}/{integration.name}",
        organization_id=integration.organization_id,
        before=before,
        after=after,
    )
