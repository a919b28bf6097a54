"""A run is made without a server; and seen on it later."""

import pathlib
import sys

import wandb
from outcome import TEAM, refusal, tell, write

PROJECT, mode = sys.argv[1:]
REGISTRY = "wandb-registry-Model"
result = {}
if mode == "make":
    with wandb.init(entity=TEAM, project=PROJECT, id=f"{PROJECT}-off", config={"lr": 1}) as run:
        for step in range(5):
            run.log({"loss": step})
        version = wandb.Artifact("offline", type="dataset")
        version.add_file(write("off.txt", "made without a server"))
        run.log_artifact(version, aliases=["kept", "latest"])
        result["linked"] = refusal(lambda: run.link_artifact(version, f"{REGISTRY}/{PROJECT}"))
        result["folder"] = run.dir.rpartition("/")[0]
else:
    api = wandb.Api()
    seen = api.run(f"{TEAM}/{PROJECT}/{PROJECT}-off")
    result["state"] = seen.state
    result["config"] = seen.config
    result["loss"] = [row["loss"] for row in seen.scan_history(keys=["loss"])]
    result["logged"] = [[each.name, sorted(each.aliases)] for each in seen.logged_artifacts()]
    file = api.artifact(f"{TEAM}/{PROJECT}/offline:kept").file(root="got")
    result["collection"] = api.artifact_collection_exists(f"{REGISTRY}/{PROJECT}", "dataset")
    result["bytes"] = pathlib.Path(file).read_text()
tell(result)
