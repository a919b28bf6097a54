"""Automations of every event, scope and action that the client offers: made, found, changed, deleted."""

import sys

import wandb
from outcome import ORGANIZATION, TEAM, refusal, tell, write
from wandb.automations import (
    ArtifactEvent,
    DoNothing,
    OnAddArtifactAlias,
    OnAddArtifactTag,
    OnAddCollectionTag,
    OnCreateArtifact,
    OnLinkArtifact,
    OnRemoveArtifactTag,
    OnRemoveCollectionTag,
    OnRunMetric,
    OnRunState,
    OnUnlinkArtifact,
    RunEvent,
    SendNotification,
    SendWebhook,
)

PROJECT, WEBHOOK, SLACK = sys.argv[1:]
result = {}
api = wandb.Api()
REGISTRY = f"{PROJECT} auto"
registry = api.create_registry(REGISTRY, visibility="organization", organization=ORGANIZATION)
with wandb.init(entity=TEAM, project=PROJECT) as run:
    version = wandb.Artifact("net", type="model")
    version.add_file(write("net.bin", PROJECT))
    run.log_artifact(version).wait()
    version.link(f"wandb-registry-{REGISTRY}/alpha")

webhook = next(each for each in api.webhook_integrations(entity=TEAM) if each.name == WEBHOOK)
slack = next(each for each in api.slack_integrations(entity=TEAM) if each.channel_name == SLACK)
result["integrations"] = [webhook.url_endpoint, slack.team_name]

collection = api.artifact_collection("model", f"{ORGANIZATION}/wandb-registry-{REGISTRY}/alpha")
scopes = {
    "collection": collection,
    "sequence": api.artifact_collection("model", f"{TEAM}/{PROJECT}/net"),
    "project": api.project(PROJECT, TEAM),
    "team": api.team(TEAM),
    "organization": api.organization(ORGANIZATION),
}
if wandb.__version__ >= "0.31":
    scopes["registry"] = registry

metric = RunEvent.metric("loss")
mutations = {
    "link": (OnLinkArtifact, ArtifactEvent.alias.eq("prod")),
    "unlink": (OnUnlinkArtifact, ArtifactEvent.alias.exists()),
    "alias": (OnAddArtifactAlias, ArtifactEvent.alias.matches_regex("^prod.*")),
    "tag": (OnAddArtifactTag, ArtifactEvent.tag.in_(["a", "b"])),
    "untag": (OnRemoveArtifactTag, ArtifactEvent.tag.contains("x") | ArtifactEvent.tag.eq("y")),
    "collection_tag": (OnAddCollectionTag, ArtifactEvent.tag.ne("no")),
    "collection_untag": (OnRemoveCollectionTag, ~ArtifactEvent.tag.matches_regex("no")),
    "create": (OnCreateArtifact, None),
}
runs = {
    "state": (OnRunState, RunEvent.state.in_(["finished", "failed"])),
    "threshold": (OnRunMetric, (metric.avg(5) > 1.5) & RunEvent.name.contains("night")),
    "change": (OnRunMetric, metric.decreases_by(frac=0.5)),
    "window": (OnRunMetric, metric.max(3).changes_by(diff=2)),
    "zscore": (OnRunMetric, abs(metric.zscore(10)) > 3),
}
actions = {
    "webhook": SendWebhook.from_integration(webhook, payload={"v": "${artifact_version_string}"}),
    "slack": SendNotification.from_integration(slack, title="New", text="${alias}", level="WARN"),
    "nothing": DoNothing(),
}


def offered(scope: str, event: str) -> bool:
    if event == "create":
        return scope in ("collection", "sequence")
    return event in mutations or scope in ("project", "team", "organization")


made = {}
for event, (kind, where) in {**mutations, **runs}.items():
    for scope, place in scopes.items():
        if not offered(scope, event):
            continue
        for action, sent in actions.items():
            name = f"{PROJECT}/{event}/{scope}/{action}"
            told = {"scope": place} | ({} if where is None else {"filter": where})
            made[name] = api.create_automation(kind(**told) >> sent, name=name, description="d")
result["made"] = len(made)

# What comes back is what was sent: read anew, from every list it must be in.
listed = {}
for entity in (TEAM, ORGANIZATION):
    for each in wandb.Api().automations(entity=entity, per_page=7):
        listed[each.name] = each
ours = {name for name in listed if name.startswith(f"{PROJECT}/")}
result["missing"] = sorted(set(made) - ours)
result["differ"] = sorted(name for name in made if listed.get(name) != made[name])
result["legacy"] = sorted(
    each.name.split("/", 1)[1]
    for each in wandb.Api().automations(per_page=5)
    if each.name.startswith(f"{PROJECT}/alias/")
)
one = f"{PROJECT}/alias/collection/webhook"
again = wandb.Api().automation(one, entity=ORGANIZATION)
result["event"] = [again.event.event_type.value, str(again.event.filter.filter.model_dump())]
result["action"] = [again.action.integration.id == webhook.id, again.action.request_payload]
result["scope"] = [again.scope.name, type(again.scope).__name__]
slacked = listed[f"{PROJECT}/alias/team/slack"].action
result["slack"] = [slacked.title, slacked.message, slacked.severity.value]

# A new name alone leaves the rest, the filter above all (protocol 14.3).
renamed = wandb.Api().update_automation(again, name=f"{one} renamed")
result["renamed"] = [
    renamed.event == again.event,
    renamed.action == again.action,
    renamed.scope == again.scope,
    wandb.Api().automation(f"{one} renamed", entity=ORGANIZATION).event == again.event,
]
off = api.update_automation(renamed, enabled=False, description="off")
result["off"] = [off.enabled, off.description, off.event == again.event]
rerun = listed[f"{PROJECT}/threshold/project/nothing"]
result["run_event"] = api.update_automation(rerun, description="new").event == rerun.event
moved = api.update_automation(
    off, event=OnUnlinkArtifact(scope=collection), action=DoNothing(), enabled=True
)
result["moved"] = [moved.event.event_type.value, type(moved.action).__name__, moved.enabled]

# Refusals.
event = OnLinkArtifact(scope=collection)
taken = f"{PROJECT}/link/collection/nothing"
result["duplicate"] = refusal(lambda: api.create_automation(event >> DoNothing(), name=taken))
fetched = wandb.Api().create_automation(event >> DoNothing(), name=taken, fetch_existing=True)
result["fetched"] = fetched == listed[taken]
bad = OnAddArtifactAlias(scope=collection, filter=ArtifactEvent.alias.matches_regex("("))
result["regex"] = refusal(lambda: api.create_automation(bad >> DoNothing(), name="bad"))
unknown = SendWebhook.from_integration(webhook, payload={"a": "${nobody_knows}"})
result["variable"] = refusal(lambda: api.create_automation(event >> unknown, name="bad"))

# Gone is gone.
result["deleted"] = api.delete_automation(moved)
result["deleted_twice"] = refusal(lambda: wandb.Api().delete_automation(moved))
result["updated_gone"] = refusal(lambda: api.update_automation(moved, name="x"))
for name, each in made.items():
    if name != one:
        api.delete_automation(each)
result["left"] = [
    each.name
    for entity in (TEAM, ORGANIZATION)
    for each in wandb.Api().automations(entity=entity)
    if each.name.startswith(f"{PROJECT}/")
]
tell(result)
