"""Versions are logged in every way the client has; then read back through its public API."""

import math
import pathlib
import secrets
import sys
from datetime import timedelta

import wandb
from outcome import TEAM, hashes, refusal, tell, write

PROJECT = sys.argv[1]
result = {}
run = wandb.init(entity=TEAM, project=PROJECT)

# All that a version may carry.
zoo = wandb.Artifact(
    "zoo",
    type="dataset",
    description="animals",
    metadata={"nan": math.nan, **{f"key{n}": n for n in range(99)}},
)
zoo.ttl = timedelta(days=3)
zoo.add_file(write("a.bin", b"first"), name="a.bin")
run.log_artifact(zoo, aliases=["best", "latest"], tags=["checked", "two words"])
zoo.wait()
result["zoo"] = {
    "name": zoo.name,
    "version": zoo.version,
    "aliases": sorted(zoo.aliases),
    "tags": sorted(zoo.tags),
    "description": zoo.description,
    "metadata": len(zoo.metadata),
    "nan": zoo.metadata["nan"],
    "ttl_days": zoo.ttl.days,
    "state": zoo.state,
    "size": zoo.size,
    "file_count": zoo.file_count,
    "commit_hash": zoo.commit_hash == zoo.digest,
}

# The same content again, while a newer version holds `latest`.
second = wandb.Artifact("zoo", type="dataset")
second.add_file(write("b.bin", b"second"), name="a.bin")
run.log_artifact(second).wait()
again = wandb.Artifact("zoo", type="dataset")
again.add_file("a.bin", name="a.bin")
run.log_artifact(again, aliases=["rerun"]).wait()
result["again"] = again.version
api = wandb.Api()
path = f"{TEAM}/{PROJECT}/zoo"
result["zoo_versions"] = {
    each.version: sorted(each.aliases) for each in api.artifacts("dataset", path)
}

# A draft of a committed version carries its files over.
draft = api.artifact(f"{path}:v0").new_draft()
draft.add_file(write("c.bin", b"third"), name="inner/c.bin")
run.log_artifact(draft).wait()
result["draft"] = draft.version
result["draft_files"] = hashes(draft.download(root="draft", skip_cache=True))

# Wrong type for a name that is taken.
wrong = wandb.Artifact("zoo", type="model")
wrong.add_file("a.bin")
result["wrong_type"] = refusal(lambda: run.log_artifact(wrong).wait())

# References: to elsewhere, to an entry of a version, and to one of a draft by its client id.
elsewhere = wandb.Artifact("elsewhere", type="dataset")
elsewhere.add_reference("https://example.org/x.bin", name="x.bin", checksum=False)
run.log_artifact(elsewhere).wait()
result["elsewhere"] = [elsewhere.get_entry("x.bin").ref_target()]
result["elsewhere_files"] = [[each.name, each.direct_url] for each in elsewhere.files()]
references = wandb.Artifact("references", type="dataset")
references.add_reference(api.artifact(f"{path}:v1").get_entry("a.bin"), name="inner.bin")
unlogged = wandb.Artifact("unlogged", type="dataset")
table = wandb.Table(columns=["animal", "legs"], data=[["ant", 6], ["bee", 6]])
unlogged.add(table, "animals")
run.log_artifact(unlogged)
references.add(table, "again")
run.log_artifact(references).wait()
references = api.artifact(f"{TEAM}/{PROJECT}/references:latest")
result["references"] = {
    name: (entry.ref or "").split("://")[0] for name, entry in references.manifest.entries.items()
}
inner = references.get_entry("inner.bin").download(root="referenced")
result["reference_bytes"] = pathlib.Path(inner).read_text()
result["reference_table"] = references.get("again").data
result["reference_files"] = sorted(each.name for each in references.files())

# Only what is new is sent, and is put on top of the version before.
grown = wandb.Artifact("zoo", type="dataset", incremental=True)
grown.add_file(write("d.bin", b"fourth"), name="d.bin")
run.log_artifact(grown).wait()
result["grown"] = hashes(api.artifact(f"{path}:latest").download(root="grown", skip_cache=True))
result["grown_count"] = api.artifact(f"{path}:latest").file_count

# Empty files, many files, names of every kind.
names = ["a b.txt", "ünï/ça.txt", "50%.txt", "100%41.txt", "a+b&c=d.txt", "#1?.txt", "empty.txt"]
odd = wandb.Artifact("odd", type="dataset")
for name in names:
    with odd.new_file(name) as file:
        file.write("" if name == "empty.txt" else name)
run.log_artifact(odd).wait()
got = odd.download(root="odd", skip_cache=True)
result["odd"] = {name: pathlib.Path(got, name).read_text() for name in names}
many = wandb.Artifact("many", type="dataset")
for number in range(300):
    with many.new_file(f"part{number % 7}/{number}.txt") as file:
        file.write(f"{number} {secrets.token_hex(4)}")
run.log_artifact(many).wait()
result["many"] = len(hashes(many.download(root="many", skip_cache=True)))
result["many_count"] = many.file_count
nothing = wandb.Artifact("nothing", type="dataset")
run.log_artifact(nothing).wait()
result["nothing"] = [nothing.version, nothing.size, nothing.file_count]

# Using a draft logs it first, as nobody's output.
used = wandb.Artifact("used", type="dataset")
used.add_file("a.bin")
run.use_artifact(used).wait()
result["used"] = used.version
run.finish()
result["used_by"] = [each.id == run.id for each in used.used_by()]
result["logged_by"] = used.logged_by() is None
tell(result)
