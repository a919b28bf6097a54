"""Automations are made with the client, and then made to fire by what it does."""

import sys

import wandb
from outcome import ORGANIZATION, TEAM, tell, write
from wandb.automations import (
    OnAddArtifactAlias,
    OnAddArtifactTag,
    OnLinkArtifact,
    SendWebhook,
)

PROJECT, WEBHOOK, STEP = sys.argv[1:]
PLACE = f"{ORGANIZATION}/wandb-registry-Model/{PROJECT}"
api = wandb.Api()
if STEP == "make":
    with wandb.init(entity=TEAM, project=PROJECT) as run:
        version = wandb.Artifact("net", type="model", metadata={"note": 'a "quoted"\nnote'})
        version.add_file(write("net.bin", PROJECT))
        run.log_artifact(version).wait()
        version.link(f"wandb-registry-Model/{PROJECT}")
    webhook = next(each for each in api.webhook_integrations(entity=TEAM) if each.name == WEBHOOK)
    payload = {
        "event": "${event_type}",
        "who": "${event_author}",
        "alias": "${alias}",
        "tag": "${tag}",
        "ref": "${artifact_version_string}",
        "note": "${artifact_metadata.note}",
        "token": "${ACCESS_TOKEN}",
    }
    collection = api.artifact_collection("model", PLACE)
    for event in (OnLinkArtifact, OnAddArtifactAlias, OnAddArtifactTag):
        api.create_automation(
            event(scope=collection) >> SendWebhook.from_integration(webhook, payload=payload),
            name=f"{PROJECT} {event.__name__}",
        )
else:
    artifact = api.artifact(f"{PLACE}:v0")
    if STEP == "alias":
        artifact.aliases.append("production")
        artifact.save()
    elif STEP == "tag":
        artifact.tags = ["good"]
        artifact.save()
    else:
        with wandb.init(entity=TEAM, project=PROJECT) as run:
            version = wandb.Artifact("net", type="model")
            version.add_file(write("net.bin", PROJECT + "second"))
            run.log_artifact(version).wait()
            version.link(f"wandb-registry-Model/{PROJECT}", aliases=["staging"])
tell({"done": STEP})
