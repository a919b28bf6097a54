"""The people who ask, what they are in each place, and the places they ask for."""

from __future__ import annotations

from dataclasses import dataclass, field

from byname.domain.automation import Action, ActionKind, ScopeKind
from byname.domain.event import EventType
from byname.domain.policy import GroupRole, Role
from byname.operations import (
    automation,
    collection,
    member,
    organization,
    protected_alias,
    registry,
    team,
    trash,
)
from byname.operations import version as versions
from byname.operations.context import Context
from byname.store import entity as entity_rows
from byname.store import user as user_rows
from tests.support.runs import make_run
from tests.support.world import (
    ORGANIZATION,
    PROJECT,
    TEAM,
    World,
    begin_version,
    link_version,
    log_version,
)

NOBODY = "nobody"
OTHER = "other"
ABSENT = 999_999
NOTHING = Action(ActionKind.NOTHING)
SECRET, OPEN, FOREIGN, MISSING = "secret", "open", "foreign", "missing"


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody, and by hand what they are: the policy is checked against this, not against itself."""

    name: str
    organization: GroupRole | None = GroupRole.MEMBER
    secret: Role | None = None
    """In the restricted registry."""
    open: Role | None = Role.VIEWER
    """In the registry that the whole organization sees; its default role is viewer."""
    team: Role | None = None
    """In the team where versions are logged."""

    def role_in(self, place: str) -> Role | None:
        """Their role in the registry at that place."""
        if place == FOREIGN:
            return Role.ADMIN if self.name == "outsider" else None
        return {SECRET: self.secret, OPEN: self.open}.get(place)

    def group_role_in(self, place: str) -> GroupRole | None:
        """Their role in the organization at that place."""
        if place == FOREIGN:
            return GroupRole.ADMIN if self.name == "outsider" else None
        return None if place == MISSING else self.organization


ASKERS = [
    Asker(NOBODY, None, None, None),
    Asker("outsider", None, None, None),
    Asker("org_viewer", GroupRole.VIEWER),
    Asker("org_member"),
    *(Asker(f"direct_{role.word}", secret=role) for role in Role),
    *(Asker(f"through_{role.word}", secret=role) for role in Role),
    # R103: an organization viewer whom a registry made a member may write there.
    Asker("lifted", GroupRole.VIEWER, secret=Role.MEMBER),
    # R105: service accounts are members where everybody sees, and where their team is a member.
    Asker("robot", secret=Role.MEMBER, open=Role.MEMBER),
    Asker("robot_of_viewers", open=Role.MEMBER),
    *(Asker(f"team_{role.value}", team=Role[role.name]) for role in GroupRole),
    Asker("org_admin", GroupRole.ADMIN, Role.ADMIN, Role.ADMIN, Role.ADMIN),
]


@dataclass(slots=True)
class Target:
    """One place to ask for: words of its address, and ids."""

    words: dict[str, str]
    ids: dict[str, int]


@dataclass(slots=True)
class Town:
    """A server with all these people and places."""

    world: World
    targets: dict[str, Target] = field(default_factory=dict)

    def ctx(self, asker: Asker) -> Context:
        """The context of a request by the asker."""
        return self.world.nobody if asker.name == NOBODY else self.world.reload(asker.name)


def make_town(world: World) -> Town:
    """The world with the people and places above."""
    admin = world.admin
    _settle(world)
    organization.create_organization(admin, name=OTHER, owner="outsider")
    theirs = world.reload("outsider")
    team.create_team(theirs, organization=OTHER, name="theirs", admins=["outsider"])
    town = Town(world)
    for place, ctx, place_organization, home, restricted in (
        (SECRET, admin, ORGANIZATION, TEAM, True),
        (OPEN, admin, ORGANIZATION, TEAM, False),
        (FOREIGN, theirs, OTHER, "theirs", True),
    ):
        made = registry.create(
            ctx, registry.NewRegistry(place_organization, place, restricted=restricted)
        )
        one, two = (
            log_version(ctx, f"model-{place}", {"f": text}, entity=home) for text in (b"1", b"2")
        )
        versions.edit(ctx, one.id, versions.VersionEdit(add_tags=["t"]))
        for version, alias in ((one, "production"), (two, "next")):
            zoo, _ = link_version(
                ctx, version, aliases=[alias], project=made.name, entity=place_organization
            )
        protected_alias.create(ctx, made.id, "guarded")
        gone = collection.create(ctx, made.id, collection.NewCollection("Gone", "model"))
        collection.delete(ctx, gone.id, is_sequence=False)
        deletion = trash.list_page(ctx, place_organization).items[0].id
        of_collection, of_registry = (
            automation.create(
                ctx,
                automation.NewAutomation(
                    f"{kind}-{place}", kind, scope_id, EventType.LINK_ARTIFACT, NOTHING
                ),
            ).id
            for kind, scope_id in ((ScopeKind.COLLECTION, zoo.id), (ScopeKind.PROJECT, made.id))
        )
        run = make_run(ctx, "run1", entity=home)
        username, of_people = ("pat", "crew") if place != FOREIGN else ("outsider", "theirs")
        with ctx.database.read() as tx:
            person = user_rows.find_by_name(tx, username)
            people = entity_rows.find_by_name(tx, of_people)
        assert person is not None
        assert people is not None
        pending = begin_version(ctx, f"pending-{place}", {"f": b"3"}, entity=home)
        town.targets[place] = Target(
            {
                "organization": place_organization,
                "whole": place_organization,
                "registry": place,
                "team_home": home,
                "project": PROJECT,
                "creator": ctx.who.username,
                "username": username,
                "user_id": str(person.id),
                "team": of_people,
                "team_id": str(people.id),
                "source": f"{home}/{PROJECT}/model-{place}:v0",
                "run": "run1",
                "sequence": f"model-{place}",
                "deletion": str(deletion),
                "of_collection": str(of_collection),
                "of_registry": str(of_registry),
            },
            {
                "project": made.id,
                "collection": zoo.id,
                "version": one.id,
                "sequence": one.collection_id,
                "pending": pending.id,
                "run": run.id,
                "of_collection": of_collection,
                "of_registry": of_registry,
                "creator": ctx.who.user_id,
            },
        )
    missing = town.targets[OPEN]
    town.targets[MISSING] = Target(
        {
            **missing.words,
            "registry": "missing",
            "whole": "nowhere",
            "team_home": "nowhere",
            "source": "nowhere/training/model:v0",
            "deletion": str(ABSENT),
            "of_collection": str(ABSENT),
            "of_registry": str(ABSENT),
        },
        dict.fromkeys(missing.ids, ABSENT),
    )
    _give_roles(town)
    return town


def _settle(world: World) -> None:
    admin = world.admin
    for asker in ASKERS:
        if asker.name in (NOBODY, "robot", "robot_of_viewers"):
            continue
        group = "" if asker.organization is None else asker.organization.value
        in_team = asker.name.removeprefix("team_") if asker.name.startswith("team_") else ""
        world.add_person(asker.name, in_organization=group, in_team=in_team)
    world.add_person("pat", in_organization="member")
    for name in ("crew", "machines", "watchers", *(f"of_{role.word}" for role in Role)):
        team.create_team(admin, organization=ORGANIZATION, name=name, admins=["admin"])
    for role in Role:
        # Whatever somebody is inside the team, the registry's role of the team counts (R102).
        team.put_member(admin, f"of_{role.word}", f"through_{role.word}", GroupRole.VIEWER)
    team.create_service_account(admin, team="machines", name="robot")
    team.create_service_account(admin, team="watchers", name="robot_of_viewers")


def _give_roles(town: Town) -> None:
    admin, project_id = town.world.admin, town.targets[SECRET].ids["project"]
    for role in Role:
        member.put_named_user(admin, project_id, f"direct_{role.word}", role)
        member.put_named_team(admin, project_id, f"of_{role.word}", role)
    member.put_named_user(admin, project_id, "lifted", Role.MEMBER)
    member.put_named_team(admin, project_id, "machines", Role.MEMBER)
    member.put_named_team(admin, project_id, "watchers", Role.VIEWER)
