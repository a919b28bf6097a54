"""The bytes of a version come by every way that the client has to ask for them."""

import os
import pathlib
import secrets
import sys

import wandb
from outcome import ORGANIZATION, TEAM, hashes, refusal, tell, write
from wandb.sdk.artifacts import artifact_file_cache  # noqa: F401

PROJECT = sys.argv[1]
name = f"{PROJECT}-net"
result = {}
bodies = {
    "net.bin": secrets.token_bytes(3_000_000),
    "inner/a b.txt": b"inner",
    "inner/deep/50%.txt": b"deep",
    "other/empty": b"",
}
with wandb.init(entity=TEAM, project=PROJECT) as run:
    version = wandb.Artifact("net", type="model")
    for path, body in bodies.items():
        version.add_file(write(f"up/{path}", body), name=path)
    run.link_artifact(version, f"wandb-registry-Model/{name}")
    single = wandb.Artifact("single", type="model")
    single.add_file("up/inner/a b.txt")
    run.log_artifact(single).wait()
result["sent"] = hashes("up")
# Nothing may come from what this process just put into its cache.
os.environ["WANDB_CACHE_DIR"] = str(pathlib.Path("fresh-cache").resolve())
