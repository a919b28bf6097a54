"""Another process, with an empty cache, gets the same bytes by every name."""

import hashlib
import json
import pathlib
import sys

import wandb

BASE = "wandb-registry-Model/Zoo_Classifier_Models"


def hashes(folder: str) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(pathlib.Path(folder).iterdir())
    }


digest = sys.argv[1] if len(sys.argv) > 1 else None
result = {}
with wandb.init(entity="smle-reg-team-2", project="zoo_experiment") as run:
    refs = ["production-us", "latest", "v0"]
    first = run.use_artifact(f"{BASE}:production-us")
    refs.append(first.digest)
    for ref in refs:
        artifact = run.use_artifact(f"{BASE}:{ref}")
        result[ref] = hashes(artifact.download(root=f"got-{ref}", skip_cache=True))
    result["digest"] = first.digest
artifact = wandb.Api().artifact(f"smle-reg/{BASE}:production-eu")
result["production-eu"] = hashes(artifact.download(root="got-eu", skip_cache=True))
result["version"] = artifact.version
result["aliases"] = sorted(artifact.aliases)
result["qualified_name"] = artifact.qualified_name
result["source"] = artifact.source_qualified_name
result["used_by"] = [r.name for r in artifact.used_by()]
result["logged_by"] = artifact.logged_by().name
print("RESULT " + json.dumps(result))
