"""The bytes of a version come by every way that the client has to ask for them."""

import os
import pathlib
import random
import sys

import wandb
from outcome import ORGANIZATION, TEAM, hashes, refusal, tell, write
from wandb.sdk.artifacts.storage_policies import _multipart

PROJECT = sys.argv[1]
LINKED = f"{ORGANIZATION}/wandb-registry-Model/{PROJECT} 50% net:v0"
result = {}
bodies = {
    "net.bin": random.Random(PROJECT).randbytes(3_000_000),
    "inner/a b.txt": b"inner",
    "inner/deep/50%.txt": b"deep",
    "other/empty": b"",
    "other/#1?.txt": b"odd",
    "other/100%41.txt": b"escape",
}
with wandb.init(entity=TEAM, project=PROJECT) as run:
    version = wandb.Artifact("net", type="model")
    for path, body in bodies.items():
        version.add_file(write(f"up/{path}", body), name=path)
    run.link_artifact(version, f"wandb-registry-Model/{PROJECT} 50% net")
    single = wandb.Artifact("single", type="model")
    single.add_file("up/inner/a b.txt")
    run.log_artifact(single).wait()
result["sent"] = hashes("up")
# Nothing may come from what this process just put into its cache.
os.environ["WANDB_CACHE_DIR"] = str(pathlib.Path("empty-cache").resolve())
api = wandb.Api()
linked = api.artifact(LINKED)
result["download"] = hashes(linked.download(root="all"))
result["prefix"] = hashes(linked.download(root="prefix", path_prefix="inner", skip_cache=True))
result["source"] = hashes(
    api.artifact(f"{TEAM}/{PROJECT}/net:latest").download(root="source", skip_cache=True)
)
entry = linked.get_entry("inner/a b.txt")
result["entry"] = pathlib.Path(entry.download(root="entry", skip_cache=True)).read_text()
result["get_path"] = pathlib.Path(
    linked.get_path("inner/deep/50%.txt").download(root="path", skip_cache=True)
).read_text()
result["file"] = pathlib.Path(
    api.artifact(f"{TEAM}/{PROJECT}/single:v0").file(root="single")
).read_text()
result["not_single"] = refusal(lambda: linked.file(root="single"))
files = linked.files()
result["files"] = [[len(files)], sorted([each.name, each.size] for each in files)]
result["named"] = [each.name for each in linked.files(names=["net.bin"])]
result["pages"] = len(list(linked.files(per_page=1)))
(one,) = linked.files(names=["inner/a b.txt"])
with one.download(root="one", replace=True) as file:
    result["one"] = file.read()
# Parts of one MiB instead of a hundred, so that a small file is fetched in several.
_multipart.multipart_download.__defaults__ = (_multipart.MiB,)
result["multipart"] = hashes(linked.download(root="parts", skip_cache=True, multipart=True))
# What is in the folder too much goes, what differs is noticed.
write("all/too-much.txt", "x")
write("all/net.bin", "broken")
result["broken"] = refusal(lambda: linked.verify(root="all"))
result["checkout"] = hashes(linked.checkout(root="all"))
linked.verify(root="all")
tell(result)
