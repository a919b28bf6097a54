"""Gets the version back by every name it has, and compares the bytes with the originals.

Run it anywhere, with nothing but `WANDB_BASE_URL` and `WANDB_API_KEY`; the argument is the folder
with the original files. Ends with 1 when one name gives other bytes.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

import wandb

COLLECTION = "wandb-registry-Model/Zoo_Classifier_Models"
FILES = {"zoo_dataset": "zoo_dataset.pt", "zoo_labels": "zoo_labels.pt"}


def sha256(path: Path) -> str:
    """The digest of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def same_bytes(artifact: wandb.Artifact, originals: Path) -> bool:
    """Whether a fresh download, past the client's cache, equals the original files."""
    with tempfile.TemporaryDirectory() as folder:
        got = Path(artifact.download(root=folder, skip_cache=True))
        found = {path.name: sha256(path) for path in got.rglob("*") if path.is_file()}
    return found == {name: sha256(originals / file) for name, file in FILES.items()}


def main(originals: Path) -> int:
    """Ask by alias, by latest, by number and by digest, inside a run and without one."""
    run = wandb.init(entity="smle-reg-team-2", project="zoo_experiment", job_type="pull")
    api = wandb.Api()
    first = run.use_artifact(f"{COLLECTION}:production-us")
    ways = [("run.use_artifact", name) for name in ("production-us", "latest", "v0", first.digest)]
    ways += [("Api().artifact", name) for name in ("production-us", "production-eu")]
    all_equal = True
    for way, name in ways:
        get = run.use_artifact if way == "run.use_artifact" else api.artifact
        artifact = get(f"{COLLECTION}:{name}")
        equal = artifact.digest == first.digest and same_bytes(artifact, originals)
        all_equal = all_equal and equal
        verdict = "bytes equal" if equal else "BYTES DIFFER"
        print(
            f"RESULT {way}(...:{name}) is {artifact.version}, digest {artifact.digest}: {verdict}"
        )
    run.finish()
    return 0 if all_equal else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
