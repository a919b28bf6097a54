"""The past of an alias is a reference like any other, in every call that takes one."""

import sys

import wandb
from outcome import ORGANIZATION, TEAM, refusal, tell, write

PROJECT = sys.argv[1]
STEP = sys.argv[2]
PLACE = f"{ORGANIZATION}/wandb-registry-Model/{PROJECT}"
result = {}

if STEP == "make":
    with wandb.init(entity=TEAM, project=PROJECT) as run:
        for number in range(2):
            version = wandb.Artifact("net", type="model")
            version.add_file(write("net.bin", f"{PROJECT} {number}"))
            logged = run.log_artifact(version).wait()
            run.link_artifact(logged, f"wandb-registry-Model/{PROJECT}", aliases=["production"])
else:
    moment = sys.argv[3]
    api = wandb.Api()
    with wandb.init(entity=TEAM, project=PROJECT) as run:
        result["used"] = run.use_artifact(f"{PLACE}:production~1").version
        result["used_at"] = run.use_artifact(f"{PLACE}:production@{moment}").version
    result["api"] = api.artifact(f"{PLACE}:production~1").version
    result["api_at"] = api.artifact(f"{PLACE}:production@{moment}").version
    result["latest"] = api.artifact(f"{PLACE}:latest~1").version
    result["now"] = api.artifact(f"{PLACE}:production").version
    result["too_far"] = refusal(lambda: api.artifact(f"{PLACE}:production~2"))
    version = api.artifact(f"{PLACE}:production")
    version.aliases.append("a@b")
    result["refused"] = refusal(version.save)
tell(result)
