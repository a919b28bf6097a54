"""Versions are linked in every way the client has, and refused where they must be."""

import sys

import wandb
from outcome import ORGANIZATION, TEAM, refusal, tell, write

PROJECT = sys.argv[1]
result = {}


def place(artifact: wandb.Artifact) -> list[object]:
    return [artifact.qualified_name, artifact.version, sorted(artifact.aliases), artifact.is_link]


def registry_versions(name: str) -> dict[str, list[str]]:
    found = wandb.Api().artifacts("model", f"{ORGANIZATION}/wandb-registry-Model/{name}")
    return {each.name.rpartition(":")[2]: sorted(each.aliases) for each in found}


run = wandb.init(entity=TEAM, project=PROJECT)
versions = []
for number in range(3):
    version = wandb.Artifact("net", type="model")
    version.add_file(write("net.bin", f"{PROJECT} {number}"))
    versions.append(run.log_artifact(version).wait())
name = f"{PROJECT}-net"
first = run.link_artifact(versions[0], f"wandb-registry-Model/{name}", aliases=["blue", "green"])
result["first"] = place(first)
second = run.link_artifact(versions[1], f"{ORGANIZATION}/wandb-registry-Model/{name}", ["blue"])
result["second"] = place(second)
result["third"] = place(versions[2].link(f"wandb-registry-Model/{name}"))
result["three"] = registry_versions(name)
# The same version once more, and a link of a link.
result["again"] = place(run.link_artifact(versions[0], f"wandb-registry-Model/{name}", ["red"]))
api = wandb.Api()
linked = api.artifact(f"{ORGANIZATION}/wandb-registry-Model/{name}:red")
chained = linked.link(f"wandb-registry-Dataset/{name}", aliases=["copy"])
result["chained"] = [*place(chained), chained.source_qualified_name]
result["versions"] = registry_versions(name)
# A portfolio in an ordinary project, which comes to be by this.
result["portfolio"] = place(run.link_artifact(versions[0], f"{PROJECT}-shelf/nets", ["kept"]))
result["kinds"] = {
    each.name: each.is_sequence()
    for each in api.artifact_collections(f"{TEAM}/{PROJECT}-shelf", "model")
}
# An artifact that was not logged before is logged by linking it.
fresh = wandb.Artifact("fresh", type="model")
fresh.add_file("net.bin", name="other.bin")
result["fresh"] = place(run.link_artifact(fresh, f"wandb-registry-Model/{name}-fresh"))
# Refusals change nothing.
result["no_registry"] = refusal(
    lambda: run.link_artifact(versions[0], f"wandb-registry-Nowhere-{PROJECT}/x")
)
result["bad_alias"] = refusal(
    lambda: run.link_artifact(versions[0], f"wandb-registry-Model/{name}-bad", ["a/b"])
)
result["v3"] = refusal(
    lambda: run.link_artifact(versions[0], f"wandb-registry-Model/{name}-bad", ["ok", "v3"])
)
dataset = wandb.Artifact("rows", type="dataset")
dataset.add_file("net.bin", name="rows.bin")
run.log_artifact(dataset).wait()
result["other_type"] = refusal(lambda: dataset.link(f"wandb-registry-Model/{name}"))
result["bad_name"] = refusal(lambda: dataset.link(f"wandb-registry-Model/{'x' * 129}"))
run.finish()
with wandb.init(entity="ann", project=PROJECT) as personal:
    mine = wandb.Artifact("mine", type="model")
    mine.add_file("net.bin")
    personal.log_artifact(mine).wait()
    result["personal"] = refusal(
        lambda: personal.link_artifact(mine, f"wandb-registry-Model/{name}-mine")
    )
result["left_over"] = [
    api.artifact_collection_exists(f"{ORGANIZATION}/wandb-registry-Model/{name}-{end}", "model")
    for end in ("bad", "mine", "fresh")
]
result["after"] = registry_versions(name)
tell(result)
