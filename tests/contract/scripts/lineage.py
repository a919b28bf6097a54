"""Who made a version and who used it, seen from both sides, through registry and source."""

import sys

import wandb
from outcome import ORGANIZATION, TEAM, refusal, tell, write

PROJECT = sys.argv[1]
LINKED = f"{ORGANIZATION}/wandb-registry-Model/{PROJECT}-net"
SOURCE = f"{TEAM}/{PROJECT}/net"
result = {}
with wandb.init(entity=TEAM, project=PROJECT, id=f"{PROJECT}-maker") as maker:
    version = wandb.Artifact("net", type="model")
    version.add_file(write("net.bin", PROJECT))
    maker.link_artifact(version, f"wandb-registry-Model/{PROJECT}-net", aliases=["good"])
with wandb.init(entity=TEAM, project=PROJECT, id=f"{PROJECT}-one") as user:
    used = user.use_artifact(f"wandb-registry-Model/{PROJECT}-net:good", type="model")
    result["used"] = [used.qualified_name, used.source_qualified_name]
    result["wrong_type"] = refusal(lambda: user.use_artifact(f"{SOURCE}:v0", type="dataset"))
    result["missing"] = refusal(lambda: user.use_artifact(f"{SOURCE}:v9"))
    # Repeating it changes nothing.
    user.use_artifact(f"wandb-registry-Model/{PROJECT}-net:v0")
    made = wandb.Artifact("tuned", type="model")
    made.add_file("net.bin")
    user.log_artifact(made).wait()
with wandb.init(entity=TEAM, project=PROJECT, id=f"{PROJECT}-two") as user:
    user.use_artifact(f"{SOURCE}:latest")

api = wandb.Api()
for name, path in (("link", f"{LINKED}:good"), ("source", f"{SOURCE}:v0")):
    found = api.artifact(path)
    result[name] = [sorted(each.id for each in found.used_by()), found.logged_by().id]
one = api.run(f"{TEAM}/{PROJECT}/{PROJECT}-one")
result["inputs"] = [each.name for each in one.used_artifacts()]
result["outputs"] = [[len(one.logged_artifacts())], *[e.name for e in one.logged_artifacts()]]
result["maker"] = [each.name for each in api.run(f"{TEAM}/{PROJECT}/{maker.id}").logged_artifacts()]
# The public API too may say that a run used or made a version.
two = api.run(f"{TEAM}/{PROJECT}/{PROJECT}-two")
two.use_artifact(api.artifact(f"{TEAM}/{PROJECT}/tuned:v0"))
# Releases up to 0.28 send plain words here, where their own document says objects.
two.log_artifact(api.artifact(f"{SOURCE}:v0"), aliases=["endorsed"], tags=["judged"])
result["two"] = [
    sorted(each.name for each in two.used_artifacts()),
    [each.name for each in two.logged_artifacts()],
    sorted(api.artifact(f"{SOURCE}:v0").aliases),
    list(api.artifact(f"{SOURCE}:v0").tags),
]
tell(result)
