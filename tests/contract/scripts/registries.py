"""Registries are made, searched, changed, shared and deleted."""

import sys
from typing import Any

import wandb
from outcome import ORGANIZATION, TEAM, refusal, tell, write

PROJECT, PERSON = sys.argv[1:]
result = {}
api = wandb.Api()
made = api.create_registry(
    name=f"{PROJECT} one",
    visibility="organization",
    organization=ORGANIZATION,
    description="for tests",
    artifact_types=["model", "dataset"],
)
result["made"] = [
    *(made.name, made.full_name, made.organization, made.visibility, made.description),
    *(made.allow_all_artifact_types, sorted(made.artifact_types)),
]
other = api.create_registry(f"{PROJECT} two", visibility="restricted")
result["other"] = [other.visibility, other.allow_all_artifact_types, list(other.artifact_types)]
result["duplicate"] = refusal(
    lambda: api.create_registry(f"{PROJECT} one", visibility="organization")
)
result["bad_name"] = refusal(lambda: api.create_registry("a/b", visibility="organization"))
result["bad_visibility"] = refusal(lambda: api.create_registry("abc", visibility="public"))
result["missing"] = refusal(lambda: api.registry(f"{PROJECT} never").load())
result["missing_organization"] = refusal(lambda: api.registry("Model", organization="nobody"))

# Members.
result["creator"] = [[each.user.username, each.role] for each in made.user_members()]
person = api.user(PERSON)
made.add_members(person)
result["added"] = {each.user.username: each.role for each in made.user_members()}
made.add_members(person)
made.update_member(person, "member")
result["updated"] = {each.user.username: each.role for each in made.user_members()}
made.remove_members(person)
made.remove_members(person)
result["removed"] = [each.user.username for each in made.user_members()]
team = api.team(TEAM)
made.add_members(team)
made.update_member(team, "viewer")
result["teams"] = [[each.team.name, each.role] for each in made.team_members()]
made.remove_members(team)
result["no_teams"] = list(made.team_members())
result["last_admin"] = refusal(lambda: made.remove_members(api.user("ann")))

# What is in them.
with wandb.init(entity=TEAM, project=PROJECT) as run:
    for number in range(4):
        version = wandb.Artifact("net", type="model", metadata={"accuracy": number / 10})
        version.add_file(write("net.bin", f"{PROJECT} {number}"))
        aliases = [f"n{number}", "production"] if number == 2 else [f"n{number}"]
        run.log_artifact(version, tags=["even"] if number % 2 == 0 else []).wait()
        version.link(f"wandb-registry-{PROJECT} one/alpha", aliases=aliases)
        if number < 2:
            version.link(f"wandb-registry-{PROJECT} two/beta")
    result["type_not_accepted"] = refusal(
        lambda: run.link_artifact(
            run.log_artifact(write("net.bin", "x"), name="odd", type="odd").wait(),
            f"wandb-registry-{PROJECT} one/odd",
        )
    )
alpha = api.artifact_collection("model", f"{ORGANIZATION}/wandb-registry-{PROJECT} one/alpha")
alpha.tags = ["shelf"]
alpha.save()


def registries(where: dict[str, Any] | None = None, **more: Any) -> Any:
    return wandb.Api().registries(organization=ORGANIZATION, filter=where, **more)


ours = {"name": {"$regex": PROJECT}}
result["registries"] = {
    "ours": [each.name for each in registries(ours, order="name")],
    "backwards": [each.name for each in registries(ours, order="-name", per_page=1)],
    "plain": [each.name for each in registries({"name": f"{PROJECT} one"})],
    "in": [each.name for each in registries({"name": {"$in": [f"{PROJECT} two", "x"]}})],
    "contains": [each.name for each in registries({"name": {"$contains": f"{PROJECT} t"}})],
    "described": [
        each.name for each in registries({"$and": [ours, {"description": {"$regex": "^for"}}]})
    ],
    "none": [each.name for each in registries({"name": "none at all"})],
}
result["unknown_field"] = refusal(lambda: list(registries({"colour": "red"})))
both = registries(ours)
result["collections"] = {
    "all": sorted(each.name for each in both.collections()),
    "tag": [each.name for each in registries(ours).collections(filter={"tag": "shelf"})],
    "name": [each.name for each in registries(ours).collections({"name": {"$contains": "bet"}})],
    "of_one": [each.name for each in made.collections()],
}


def found(where: dict[str, Any] | None = None, **more: Any) -> list[str]:
    return sorted(
        each.name for each in registries(ours).collections().versions(filter=where, **more)
    )


result["versions"] = {
    "all": found(per_page=1),
    "alias": found({"alias": "production"}),
    "tag": found({"tag": "even"}),
    "metadata": found({"metadata.accuracy": {"$gte": 0.2}}),
    "or": found({"$or": [{"tag": "even"}, {"alias": "production"}]}),
    "version": found({"version": "v1"}),
    "none": found({"alias": "nobody"}),
    "chain": sorted(
        each.name
        for each in registries({"name": f"{PROJECT} one"})
        .collections({"tag": "shelf"})
        .versions({"$and": [{"tag": "even"}, {"created_at": {"$gt": "2020-01-01"}}]})
    ),
    "straight": sorted(each.name for each in made.versions()),
}
paged = made.versions(per_page=2)
first = [next(paged).name, next(paged).name]
rest = [each.name for each in made.versions(per_page=2, start=paged.cursor)]
result["resumed"] = [sorted([*first, *rest]), len(first), len(rest)]
aliases = {each.name: sorted(each.aliases) for each in made.versions()}
result["aliases"] = aliases

# Changing.
made.description = "changed"
made.artifact_types.append("weights")
made.save()
made.load()
result["changed"] = [made.description, sorted(made.artifact_types)]
result["type_removed"] = refusal(lambda: made.artifact_types.remove("model"))
made.name = f"{PROJECT} renamed"
made.save()
result["renamed"] = [
    [each.name for each in registries(ours, order="name")],
    wandb.Api().artifact_exists(f"{ORGANIZATION}/wandb-registry-{PROJECT} renamed/alpha:v0"),
    wandb.Api().artifact_exists(f"{ORGANIZATION}/wandb-registry-{PROJECT} one/alpha:v0"),
]
other.visibility = "organization"
other.save()
result["widened"] = api.registry(f"{PROJECT} two").visibility
other.delete()
result["deleted"] = [
    [each.name for each in registries(ours)],
    wandb.Api().artifact_exists(f"{TEAM}/{PROJECT}/net:v0"),
]
result["deleted_twice"] = refusal(other.delete)
tell(result)
