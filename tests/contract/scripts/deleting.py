"""Collections are renamed and described; links, versions and collections go."""

import sys

import wandb
from outcome import ORGANIZATION, TEAM, refusal, tell, write

PROJECT = sys.argv[1]
REGISTRY = f"{ORGANIZATION}/wandb-registry-Model"
name = f"{PROJECT}-net"
result = {}
with wandb.init(entity=TEAM, project=PROJECT) as run:
    for number in range(3):
        version = wandb.Artifact("net", type="model")
        version.add_file(write("net.bin", f"{PROJECT} {number}"))
        run.link_artifact(version, f"wandb-registry-Model/{name}", aliases=[f"number-{number}"])
    free = wandb.Artifact("free", type="model")
    free.add_file("net.bin")
    run.log_artifact(free, aliases=["kept"]).wait()

api = wandb.Api()


def versions(path: str) -> dict[str, list[str]]:
    return {
        each.name.rpartition(":")[2]: sorted(each.aliases)
        for each in wandb.Api().artifacts("model", path)
    }


collection = api.artifact_collection("model", f"{REGISTRY}/{name}")
collection.name = f"{name}-renamed"
collection.description = "All the **nets**"
collection.tags = ["tried", "shelf 2"]
collection.save()
found = wandb.Api().artifact_collection("model", f"{REGISTRY}/{name}-renamed")
result["renamed"] = [found.name, found.description, sorted(found.tags), sorted(found.aliases)]
result["old_name"] = wandb.Api().artifact_collection_exists(f"{REGISTRY}/{name}", "model")
found.tags.remove("tried")
found.save()
result["tags"] = list(api.artifact_collection("model", f"{REGISTRY}/{name}-renamed").tags)
name = f"{name}-renamed"
result["moved_type"] = refusal(lambda: setattr(found, "type", "dataset"))
sequence = api.artifact_collection("model", f"{TEAM}/{PROJECT}/free")
sequence.description = "free things"
sequence.type = "weights"
sequence.save()
again = api.artifact_collection("weights", f"{TEAM}/{PROJECT}/free")
result["sequence"] = [again.type, again.description]

# Unlink: `latest` goes back, the number does not come again.
wandb.Api().artifact(f"{REGISTRY}/{name}:v2").unlink()
result["unlinked"] = versions(f"{REGISTRY}/{name}")
wandb.Api().artifact(f"{TEAM}/{PROJECT}/net:v2").link(f"{REGISTRY}/{name}")
result["linked_again"] = versions(f"{REGISTRY}/{name}")
result["not_a_link"] = refusal(api.artifact(f"{TEAM}/{PROJECT}/net:v0").unlink)
api.artifact(f"{REGISTRY}/{name}:v0").delete()
result["deleted_link"] = [
    wandb.Api().artifact_exists(f"{REGISTRY}/{name}:v0"),
    wandb.Api().artifact_exists(f"{TEAM}/{PROJECT}/net:v0"),
]

# Delete: with aliases only when that is said, and never while linked.
free = f"{TEAM}/{PROJECT}/free"
result["aliased"] = refusal(api.artifact(f"{free}:v0").delete)
result["linked"] = refusal(
    lambda: api.artifact(f"{TEAM}/{PROJECT}/net:v1").delete(delete_aliases=True)
)
api.artifact(f"{free}:v0").delete(delete_aliases=True)
result["gone"] = wandb.Api().artifact_exists(f"{free}:v0")
wandb.Api().artifact(f"{TEAM}/{PROJECT}/net:v0").delete(delete_aliases=True)
result["without_aliases"] = versions(f"{TEAM}/{PROJECT}/net")

# Collections: the links go, the sources stay.
api.artifact_collection("model", f"{REGISTRY}/{name}").delete()
result["collection_gone"] = [
    wandb.Api().artifact_collection_exists(f"{REGISTRY}/{name}", "model"),
    wandb.Api().artifact_exists(f"{TEAM}/{PROJECT}/net:v1"),
]
api.artifact_collection("model", f"{TEAM}/{PROJECT}/net").delete()
result["sequence_gone"] = [
    wandb.Api().artifact_collection_exists(f"{TEAM}/{PROJECT}/net", "model"),
    wandb.Api().artifact_exists(f"{TEAM}/{PROJECT}/net:v1"),
]
missing = (
    f"{TEAM}/{PROJECT}/never:v0",
    f"{TEAM}/never-{PROJECT}/never:v0",
    f"{REGISTRY}/never:v0",
    f"{ORGANIZATION}/wandb-registry-Never-{PROJECT}/never:latest",
    f"never-{PROJECT}/p/never:v0",
)
result["missing"] = [
    [api.artifact_exists(path), api.artifact_collection_exists(path.partition(":")[0], "model")]
    for path in missing
]
result["missing_texts"] = [refusal(lambda p=path: api.artifact(p)) for path in missing[:4]]
# The name is free again, and counts from v0.
with wandb.init(entity=TEAM, project=PROJECT) as run:
    version = wandb.Artifact("net", type="dataset")
    version.add_file("net.bin")
    run.log_artifact(version).wait()
    result["reborn"] = [version.version, version.type]
tell(result)
