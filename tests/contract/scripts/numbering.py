"""Versions whose numbers differ where they were logged and where they are linked, read anew.

The first step logs and links; the second one runs with a home and cache of its own, so that every
file comes from the server, and each way of reading gets a process of its own for the same reason.
"""

import pathlib
import sys
from collections.abc import Iterable

import wandb
from outcome import ORGANIZATION, TEAM, tell, write

PROJECT, STEP = sys.argv[1:]
PLACE = f"{ORGANIZATION}/wandb-registry-Model/{PROJECT}"
api = wandb.Api()


def read(versions: Iterable[wandb.Artifact]) -> dict[str, list[object]]:
    """By its number in the registry: the version's `version`, aliases, files and their content."""
    return {
        each.name: [
            each.version,
            sorted(each.aliases),
            [file.name for file in each.files()],
            pathlib.Path(each.download(root=f"{STEP}-{index}"), "net.bin").read_text(),
        ]
        for index, each in enumerate(versions)
    }


if STEP == "make":
    with wandb.init(entity=TEAM, project=PROJECT) as run:
        logged = []
        for number in range(3):
            version = wandb.Artifact("net", type="model")
            version.add_file(write("net.bin", f"logged as v{number}"))
            logged.append(run.log_artifact(version).wait())
        for number in (2, 0, 1):
            logged[number].link(f"wandb-registry-Model/{PROJECT}", aliases=[f"was-{number}"])
    tell({})
elif STEP == "listed":
    tell(read(api.artifacts("model", PLACE)))
elif STEP == "collection":
    tell(read(api.artifact_collection("model", PLACE).artifacts()))
elif STEP == "searched":
    found = api.registries(organization=ORGANIZATION, filter={"name": "Model"})
    tell(read(found.collections(filter={"name": PROJECT}).versions()))
elif STEP == "linked":
    sources = api.artifacts("model", f"{TEAM}/{PROJECT}/net")
    tell(read(link for each in sources for link in each.linked_artifacts))
elif STEP == "aliases":
    tell(read(api.artifact(f"{PLACE}:was-{number}") for number in range(3)))
else:
    tell(read(api.artifact(f"{PLACE}:v{number}") for number in range(3)))
