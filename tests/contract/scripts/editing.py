"""What is said about versions and collections is changed, and they are deleted."""

import sys
from datetime import timedelta

import wandb
from outcome import ORGANIZATION, TEAM, refusal, tell, write

PROJECT, VIEWER_KEY = sys.argv[1:]
REGISTRY = f"{ORGANIZATION}/wandb-registry-Model"
name = f"{PROJECT}-net"
result = {}
with wandb.init(entity=TEAM, project=PROJECT) as run:
    for number in range(3):
        version = wandb.Artifact("net", type="model")
        version.add_file(write("net.bin", f"{PROJECT} {number}"))
        run.link_artifact(version, f"wandb-registry-Model/{name}", aliases=[f"number-{number}"])
    lone = wandb.Artifact("lone", type="model")
    lone.add_file("net.bin")
    run.log_artifact(lone).wait()


def get(ref: str) -> wandb.Artifact:
    return wandb.Api().artifact(f"{REGISTRY}/{name}:{ref}")


def source(ref: str) -> wandb.Artifact:
    return wandb.Api().artifact(f"{TEAM}/{PROJECT}/net:{ref}")


# Aliases: add, remove, assign, move.
one = get("v1")
one.aliases.append("best")
one.save()
result["appended"] = sorted(get("best").aliases)
one = get("v1")
one.aliases.remove("number-1")
one.save()
result["removed"] = sorted(get("v1").aliases)
two = get("v2")
two.aliases = ["best", "newest"]
two.save()
result["moved"] = {ref: sorted(get(ref).aliases) for ref in ("v0", "v1", "v2")}
result["source_aliases"] = sorted(source("v2").aliases)
bad = get("v1")
bad.aliases.append("v7")
result["v7"] = refusal(bad.save)

# Things said of the version are said wherever it is linked.
one = get("v1")
one.description = "through the link"
one.metadata["accuracy"] = 0.5
one.tags = ["tried", "shelf 2"]
one.save()
told = source("v1")
result["told"] = [told.description, told.metadata, sorted(told.tags)]
one.tags = ["tried"]
one.save()
result["tags"] = list(source("v1").tags)
bad = source("v1")
result["bad_tag"] = refusal(lambda: setattr(bad, "tags", ["a/b"]))
result["ttl_link"] = refusal(lambda: setattr(get("v1"), "ttl", timedelta(days=1)))
lone = wandb.Api().artifact(f"{TEAM}/{PROJECT}/lone:v0")
lone.ttl = timedelta(days=2)
lone.save()
result["ttl"] = wandb.Api().artifact(f"{TEAM}/{PROJECT}/lone:v0").ttl.days
lone.ttl = None
lone.save()
result["no_ttl"] = wandb.Api().artifact(f"{TEAM}/{PROJECT}/lone:v0").ttl is None

# Where it comes from and where it went.
one = get("v1")
result["link"] = [
    *(one.is_link, one.source_entity, one.source_project, one.source_name, one.source_version),
    *(one.source_artifact.qualified_name, one.source_collection.name, one.collection.name),
]
result["linked"] = [each.qualified_name for each in source("v1").linked_artifacts]
result["url"] = one.url.split("/", 3)[3]

# A viewer may not; what they read says so.
viewer = wandb.Api(api_key=VIEWER_KEY)
seen = viewer.artifact(f"{REGISTRY}/{name}:v1")
result["viewer_sees"] = [seen.version, seen.source_project]
seen.aliases.append("theirs")
result["viewer_alias"] = refusal(seen.save)
result["viewer_unlink"] = refusal(viewer.artifact(f"{REGISTRY}/{name}:v1").unlink)
result["viewer_source"] = refusal(lambda: viewer.artifact(f"{TEAM}/{PROJECT}/net:v1"))
result["after_viewer"] = sorted(get("v1").aliases)
tell(result)
