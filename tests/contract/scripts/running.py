"""Runs are made, continued and read back."""

import sys
from typing import Any

import wandb
from outcome import TEAM, refusal, tell, write

PROJECT = sys.argv[1]
result = {}
run = wandb.init(
    entity=TEAM,
    project=PROJECT,
    name="first of all",
    config={"lr": 0.1, "layers": [1, 2], "inner": {"deep": "ü"}},
    tags=["a", "b"],
    group="grouped",
    job_type="train",
    notes="some notes",
)
for step in range(20):
    run.log({"loss": 1 / (step + 1), "step2": step * 2})
run.summary["best"] = 0.05
run.config["late"] = True
run.log({"animals": wandb.Table(columns=["animal", "legs"], data=[["ant", 6]])})
write("inner/kept file.txt", "kept")
run.save("inner/*.txt", base_path=".")
run.alert("watch out", "it happened")
run.finish()
failed = wandb.init(entity=TEAM, project=PROJECT, config={"lr": 0.2})
failed.log({"loss": 5.0})
failed.finish(exit_code=3)

api = wandb.Api()
seen = api.run(f"{TEAM}/{PROJECT}/{run.id}")
result["run"] = [seen.name, seen.state, sorted(seen.tags), seen.group, seen.job_type, seen.notes]
result["config"] = seen.config
result["summary"] = [seen.summary["best"], seen.summary["loss"], seen.summary["animals"]["nrows"]]
result["history"] = [
    len(seen.history(pandas=False)),
    [row["loss"] for row in seen.history(keys=["loss"], pandas=False)][:3],
    [row["step2"] for row in seen.scan_history(keys=["step2"])][:4],
    len(list(seen.scan_history(page_size=7))),
    [row["_step"] for row in seen.scan_history(min_step=3, max_step=6)],
]
result["last_step"] = seen.lastHistoryStep
result["user"] = seen.user.username
files = sorted(each.name for each in seen.files())
result["files"] = files
result["file"] = seen.file("inner/kept file.txt").download(root="got", replace=True).read()
result["media"] = seen.file(next(n for n in files if n.startswith("media/table"))).size > 0
seen.upload_file(write("later.txt", "later"))
result["uploaded"] = seen.file("later.txt").download(root="got", replace=True).read()
result["failed"] = api.run(f"{TEAM}/{PROJECT}/{failed.id}").state
result["table"] = sorted(each.type for each in seen.logged_artifacts())
result["missing"] = refusal(lambda: api.run(f"{TEAM}/{PROJECT}/nothere"))

# Changing a run from outside.
seen.config["judged"] = "good"
seen.tags.append("c")
seen.display_name = "renamed"
seen.update()
seen.summary["verdict"] = "ok"
seen.summary.update()
seen = wandb.Api().run(f"{TEAM}/{PROJECT}/{run.id}")
result["changed"] = [seen.name, sorted(seen.tags), seen.config["judged"], seen.summary["verdict"]]

# Continuing.
with wandb.init(entity=TEAM, project=PROJECT, id=run.id, resume="must") as more:
    result["resumed"] = [more.resumed, more.starting_step, more.config["lr"], more.summary["best"]]
    more.log({"loss": 0.01})
with wandb.init(entity=TEAM, project=PROJECT, id=f"{PROJECT}-allowed", resume="allow") as more:
    result["allowed"] = more.resumed
result["must"] = refusal(
    lambda: wandb.init(entity=TEAM, project=PROJECT, id="never-was", resume="must")
)
seen = wandb.Api().run(f"{TEAM}/{PROJECT}/{run.id}")
rows = list(seen.scan_history())
result["continued"] = [[row["loss"] for row in rows if row["_step"] == 21], len(rows)]


# Listing.
def names(filters: dict[str, Any] | None = None, order: str = "+created_at") -> list[Any]:
    found = wandb.Api().runs(f"{TEAM}/{PROJECT}", filters=filters, order=order, per_page=1)
    return [[len(found)], *[each.id for each in found]]


ids = {run.id: "first", failed.id: "failed", f"{PROJECT}-allowed": "allowed"}
result["runs"] = {
    said: [ids.get(each, each) if isinstance(each, str) else each for each in names(*asked)]
    for said, asked in {
        "all": (),
        "newest": (None, "-created_at"),
        "failed": ({"state": "failed"},),
        "config": ({"config.lr": 0.1},),
        "deep": ({"config.inner.deep": "ü"},),
        "or": ({"$or": [{"config.lr": {"$gt": 0.15}}, {"tags": "c"}]},),
        "tag": ({"tags": {"$in": ["c"]}},),
        "regex": ({"display_name": {"$regex": "^ren"}},),
        "summary": ({"summary_metrics.best": {"$lt": 1}},),
        "none": ({"state": "crashed"},),
    }.items()
}
result["projects"] = PROJECT in [each.name for each in api.projects(TEAM)]
result["no_project"] = refusal(lambda: list(api.runs(f"{TEAM}/never-{PROJECT}")))
result["no_entity"] = refusal(lambda: wandb.init(entity="no-such-team", project=PROJECT))
seen.delete()
result["deleted"] = refusal(lambda: wandb.Api().run(f"{TEAM}/{PROJECT}/{run.id}"))
tell(result)
