"""One of several writers of one version; the last one finishes it."""

import sys

import wandb
from outcome import TEAM, hashes, tell, write

PROJECT, writer, last = sys.argv[1:]
run = wandb.init(entity=TEAM, project=PROJECT, group="writers")
part = wandb.Artifact("shared", type="dataset")
part.add_file(write(f"{writer}.txt", f"by {writer}"))
run.upsert_artifact(part, distributed_id=f"{PROJECT}-writers")
if last == "last":
    done = wandb.Artifact("shared", type="dataset")
    done.add_file(write("done.txt", "done"))
    run.finish_artifact(done, distributed_id=f"{PROJECT}-writers").wait()
run.finish()
path = f"{TEAM}/{PROJECT}/shared"
api = wandb.Api()
result = {"versions": [each.name for each in api.artifacts("dataset", path)]}
if result["versions"]:
    found = api.artifact(f"{path}:latest")
    result["files"] = sorted(hashes(found.download(root="shared", skip_cache=True)))
    result["count"] = found.file_count
tell(result)
