"""What happens at the edges: races, protected names, roles, numbers, names, the time to live."""

import json
import sys
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from os import environ
from typing import Any

import wandb
from outcome import ORGANIZATION, TEAM, hashes, refusal, tell, write

PROJECT, MEMBER_KEY, READER_KEY, STRANGER_KEY = sys.argv[1:]
A, B = f"{PROJECT}-a", f"{PROJECT}-b"
result: dict[str, Any] = {}
api = wandb.Api()
member = wandb.Api(api_key=MEMBER_KEY)
reader = wandb.Api(api_key=READER_KEY)
stranger = wandb.Api(api_key=STRANGER_KEY)


def rest(method: str, path: str, body: dict[str, Any] | None = None) -> None:
    """What the client has no call for, as the administrator."""
    request = urllib.request.Request(
        f"{environ['WANDB_BASE_URL']}/api/v1/registries/{ORGANIZATION}/{A}{path}",
        json.dumps(body or {}).encode(),
        {
            "Authorization": f"Bearer {environ['WANDB_API_KEY']}",
            "Content-Type": "application/json",
        },
        method=method,
    )
    urllib.request.urlopen(request, timeout=30).close()


def of(who: wandb.Api, registry: str, name: str) -> wandb.Artifact:
    return wandb.Api(api_key=who.api_key).artifact(
        f"{ORGANIZATION}/wandb-registry-{registry}/{name}"
    )


def number(artifact: wandb.Artifact) -> str:
    """The number in the collection it was reached by."""
    ref = artifact.name.rpartition(":")[2]
    return ref if ref[1:].isdigit() else artifact.version


def source(ref: str) -> wandb.Artifact:
    return wandb.Api().artifact(f"{TEAM}/{PROJECT}/net:{ref}")


def held(registry: str, name: str) -> dict[str, list[str]]:
    place = f"{ORGANIZATION}/wandb-registry-{registry}/{name}"
    found = wandb.Api().artifacts("model", place)
    return {number(each): sorted(each.aliases) for each in found}


def change(artifact: wandb.Artifact, *, add: str = "", remove: str = "") -> Callable[[], None]:
    def save() -> None:
        if add:
            artifact.aliases.append(add)
        if remove:
            artifact.aliases.remove(remove)
        artifact.save()

    return save


with wandb.init(entity=TEAM, project=PROJECT) as run:
    for index in range(4):
        version = wandb.Artifact("net", type="model")
        version.add_file(write("net.bin", f"{PROJECT} {index}"))
        run.log_artifact(version, tags=["all", "even"] if index % 2 == 0 else ["all"]).wait()

# 4: a number is not given twice, and `latest` passes on.
source("v0").link(f"wandb-registry-{A}/zoo", aliases=["staging"])
source("v1").link(f"wandb-registry-{A}/zoo")
of(api, A, "zoo:v1").unlink()
result["after_unlink"] = number(of(api, A, "zoo:latest"))
source("v1").link(f"wandb-registry-{A}/zoo")
result["numbers"] = held(A, "zoo")

# 10: the same alias in two collections and in two registries.
source("v0").link(f"wandb-registry-{A}/zoo", aliases=["best"])
source("v1").link(f"wandb-registry-{A}/yard", aliases=["best", "staging"])
source("v1").link(f"wandb-registry-{B}/zoo", aliases=["best"])
change(of(api, A, "zoo:v2"), add="best")()
result["apart"] = [of(api, *place).source_version for place in (
    (A, "zoo:best"), (A, "yard:best"), (B, "zoo:best"))]  # fmt: skip

# 6: what may be an alias.
for name in ("v3-final", "V3"):
    change(of(api, B, "zoo:v0"), add=name)()
result["odd"] = held(B, "zoo")
result["bad"] = [
    refusal(change(of(api, B, "zoo:v0"), add=name)) for name in ("v3", "a/b", "a:b", "x" * 129)
]

# 1: two Members move `best` at the same instant.
holders = set()
for turn in range(4):
    pieces = [change(of(who, A, f"zoo:{ref}"), add=f"raced-{turn}") for who, ref in (
        (member, "v0"), (api, "v2"))]  # fmt: skip
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda piece: piece(), pieces))
    now = held(A, "zoo")
    holders.add(sum(f"raced-{turn}" in aliases for aliases in now.values()))
result["raced"] = sorted(holders)

# 7 and 8: protecting a name that is in use, and ending it.
rest("POST", "/protected-aliases", {"name": "staging"})
result["locked"] = [
    refusal(change(of(member, A, f"{name}:staging"), remove="staging")) for name in ("zoo", "yard")
]
result["still"] = [number(of(api, A, f"{name}:staging")) for name in ("zoo", "yard")]
rest("DELETE", "/protected-aliases/staging")
change(of(member, A, "yard:staging"), remove="staging")()
result["freed"] = held(A, "yard")

# 3 and 9: a Member's link with a protected alias, and what holds one.
rest("POST", "/protected-aliases", {"name": "production"})
before = held(A, "zoo")
mine = member.artifact(f"{TEAM}/{PROJECT}/net:v3")
for place in ("zoo", "anew"):
    result[f"link_{place}"] = refusal(
        lambda place=place: mine.link(f"wandb-registry-{A}/{place}", ["best", "production"])
    )
result["unchanged"] = held(A, "zoo") == before
result["anew"] = wandb.Api().artifact_collection_exists(
    f"{ORGANIZATION}/wandb-registry-{A}/anew", "model"
)
change(of(api, A, "zoo:v0"), add="production")()
collection = f"{ORGANIZATION}/wandb-registry-{A}/zoo"
result["member_unlinks"] = refusal(of(member, A, "zoo:production").unlink)
result["member_deletes"] = refusal(member.artifact_collection("model", collection).delete)
result["member_source"] = refusal(
    lambda: member.artifact(f"{TEAM}/{PROJECT}/net:v0").delete(delete_aliases=True)
)
result["admin_source"] = refusal(lambda: source("v0").delete(delete_aliases=True))
result["kept"] = number(of(api, A, "zoo:production"))

# 11, 12, 13: who may fetch, through which registry; and who learns nothing.
source("v0").link(f"wandb-registry-{B}/zoo", aliases=["shared"])
seen = of(reader, A, "zoo:production")
result["sees"] = [number(seen), seen.state]
result["no_download"] = refusal(lambda: seen.download(root="no"))
result["got"] = sorted(hashes(of(reader, B, "zoo:shared").download(root="yes")))
result["hidden"] = refusal(lambda: of(stranger, A, "zoo:production"))
result["absent"] = refusal(lambda: of(stranger, f"{PROJECT}-x", "zoo:production"))
result["listed"] = [
    each.name
    for each in wandb.Api(api_key=STRANGER_KEY).registries(
        organization=ORGANIZATION, filter={"name": {"$regex": PROJECT}}
    )
]

# 9 again: an Admin may unlink it and delete the collection.
of(api, A, "zoo:production").unlink()
change(of(api, A, "zoo:v2"), add="production")()
wandb.Api().artifact_collection("model", collection).delete()
result["gone"] = wandb.Api().artifact_collection_exists(collection, "model")

# 17: many who link at once into a collection that is not there yet.
with wandb.init(entity=TEAM, project=PROJECT) as run:
    many = []
    for index in range(100):
        version = wandb.Artifact(f"many-{index}", type="model")
        version.add_file(write(f"many-{index}.bin", f"{PROJECT} many {index}"))
        many.append(run.log_artifact(version))
    many = [version.wait() for version in many]
with ThreadPoolExecutor(16) as pool:
    links = list(pool.map(lambda v: v.link(f"wandb-registry-{A}/crowd"), many))
result["crowd"] = sorted(int(number(each)[1:]) for each in links)
result["crowd_latest"] = number(of(api, A, "crowd:latest"))

# 18: linking switches the time to live off, and unlinking does not bring it back.
short = source("v2")
short.ttl = timedelta(days=1)
short.save()
result["ttl"] = [source("v2").ttl.days]
source("v2").link(f"wandb-registry-{A}/short")
result["ttl"].append(source("v2").ttl)
of(api, A, "short:v0").unlink()
result["ttl"].append(source("v2").ttl)

# Versions with all of some tags.
result["tagged"] = {
    ",".join(tags): sorted(
        number(each)
        for each in wandb.Api().artifacts("model", f"{TEAM}/{PROJECT}/net", tags=list(tags))
    )
    for tags in (("all",), ("all", "even"), ("even", "none"))
}
tell(result)
