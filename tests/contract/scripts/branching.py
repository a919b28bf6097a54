"""A run sends an alert, goes back to an earlier step, and another one branches off."""

import sys

import wandb
from outcome import TEAM, tell

PROJECT = sys.argv[1]
first, second = f"{PROJECT}-first", f"{PROJECT}-second"


def rows(name: str) -> list[list[float]]:
    """The steps of a run, each with what was logged there."""
    seen = wandb.Api().run(f"{TEAM}/{PROJECT}/{name}")
    return [[row["_step"], row["loss"]] for row in seen.scan_history(keys=["_step", "loss"])]


with wandb.init(entity=TEAM, project=PROJECT, id=first) as run:
    for step in range(6):
        run.log({"loss": step})
    run.alert("watch out", "it happened", level=wandb.AlertLevel.WARN)
with wandb.init(entity=TEAM, project=PROJECT, id=second, fork_from=f"{first}?_step=2") as run:
    run.log({"loss": 20})
with wandb.init(entity=TEAM, project=PROJECT, id=first, resume_from=f"{first}?_step=3") as run:
    run.log({"loss": 30})
result = {"first": rows(first), "second": rows(second)}
result["summary"] = wandb.Api().run(f"{TEAM}/{PROJECT}/{first}").summary["loss"]
tell(result)
