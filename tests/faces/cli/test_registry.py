"""The registry's commands against a running server: answers, words, exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from byname.cli.main import app
from byname.operations import lineage, run_alert
from tests.support.runs import make_run
from tests.support.site import Site, serving
from tests.support.world import ORGANIZATION, PROJECT, TEAM, World, link_version, log_version

RUNNER = CliRunner()
MODEL = f"{ORGANIZATION}/Model"
ZOO = f"{MODEL}/Zoo"
SOURCE = f"{TEAM}/{PROJECT}/model:v0"


@pytest.fixture
def site(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(world, tmp_path_factory.mktemp("site")) as made:
        yield made


def run(site: Site, *words: str) -> Result:
    none = dict.fromkeys(("WANDB_BASE_URL", "WANDB_API_KEY"))
    env = {**none, "BYNAME_URL": site.address, "BYNAME_API_KEY": site.key}
    return RUNNER.invoke(app, words, env=env)


def ask(site: Site, *words: str) -> Any:
    result = run(site, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


class TestEveryCallIsACommand:
    """R185: each call of the registry's rules also is a command, with `--json`."""

    def test_registries_and_members(self, site: Site) -> None:
        made = ask(site, "registry", "create", f"{ORGANIZATION}/Mine", "--type", "model")
        assert made["artifact_types"] == ["model"]
        edited = ask(
            site, "registry", "edit", f"{ORGANIZATION}/Mine", "--name", "Ours", "--add-type", "x"
        )
        assert (edited["name"], edited["artifact_types"]) == ("Ours", ["model", "x"])
        ours = f"{ORGANIZATION}/Ours"
        assert ask(site, "registry", "show", ours) == edited
        listed = ask(site, "registry", "ls", ORGANIZATION)["registries"]
        assert [each["name"] for each in listed] == ["Dataset", "Model", "Ours"]
        assert len(ask(site, "registry", "ls", ORGANIZATION, "--limit", "2")["registries"]) == 2
        site.world.add_person("mem", in_organization="member")
        assert ask(site, "member", "add", ours, "mem")["role"] == "restricted_viewer"
        assert ask(site, "member", "role", ours, "mem", "member")["role"] == "member"
        assert ask(site, "member", "add", ours, TEAM, "--team", "--role", "viewer") == {
            "team": TEAM,
            "role": "viewer",
        }
        members = ask(site, "member", "ls", ours)
        assert [each["username"] for each in members["users"]] == ["admin", "mem"]
        assert members["teams"] == [{"team": TEAM, "role": "viewer"}]
        assert ask(site, "registry", "owner", ours, "mem")["owner"] == "mem"
        assert ask(site, "registry", "star", ours) == {"starred": ours}
        listed = ask(site, "registry", "ls", ORGANIZATION)["registries"]
        assert [each["name"] for each in listed] == ["Ours", "Dataset", "Model"]
        assert ask(site, "registry", "unstar", ours) == {"unstarred": ours}
        assert ask(site, "registry", "edit", ours, "--icon", "leaf-green")["icon"] == "leaf-green"
        assert ask(site, "member", "rm", ours, "mem") == {"removed": "mem"}
        assert ask(site, "member", "rm", ours, TEAM, "--team") == {"removed": TEAM}
        assert ask(site, "registry", "rm", ours) == {"deleted": ours}

    def test_collections_versions_and_tags(self, site: Site, tmp_path: Path) -> None:
        log_version(site.world.admin, files={"f": b"text", "sub/g": b"more"})
        made = ask(site, "collection", "create", ZOO, "--type", "model", "--tag", "a")
        assert made["tags"] == ["a"]
        linked = ask(site, "version", "link", SOURCE, ZOO, "--alias", "production")
        assert linked["version"] == "v0"
        assert ask(site, "tag", "add", ZOO, "b") == {"tags": ["a", "b"]}
        assert ask(site, "tag", "rm", ZOO, "a") == {"tags": ["b"]}
        assert ask(site, "tag", "add", f"{ZOO}:production", "t u") == {"tags": ["t u"]}
        assert ask(site, "tag", "rm", f"{ZOO}:v0", "t u") == {"tags": []}
        assert ask(site, "version", "show", f"{ZOO}:production")["full_name"].endswith("Zoo:v0")
        assert len(ask(site, "version", "ls", ZOO)["versions"]) == 1
        assert not ask(site, "version", "ls", ZOO, "--filter", '{"alias": "none"}')["versions"]
        done = ask(site, "download", "Model/Zoo:production", str(tmp_path / "to"))
        assert (done["fetched_bytes"], done["version"]) == (8, "v0")
        assert (tmp_path / "to" / "sub" / "g").read_bytes() == b"more"
        found = ask(site, "search", "zoo", "--kind", "collection")
        assert found["results"][0]["items"][0]["collection"] == "Zoo"
        assert ask(site, "collection", "rename", ZOO, "Park")["name"] == "Park"
        park = f"{MODEL}/Park"
        assert ask(site, "collection", "show", park)["version_count"] == 1
        assert [c["name"] for c in ask(site, "collection", "ls", MODEL)["collections"]] == ["Park"]
        assert ask(site, "version", "unlink", f"{park}:v0") == {"unlinked": f"{park}:v0"}
        assert ask(site, "collection", "rm", park) == {"deleted": park}

    def test_versions_and_collections_are_edited(self, site: Site) -> None:
        admin = site.world.admin
        link_version(admin, log_version(admin, files={"f": b"text", "sub/g": b"more"}))
        log_version(admin, name="loose")
        loose = f"{TEAM}/{PROJECT}/loose:v0"
        edited = ask(site, "version", "edit", loose, "--description", "d", "--metadata", '{"a":1}')
        assert (edited["description"], edited["metadata"]) == ("d", {"a": 1})
        assert (edited["ttl_seconds"], edited["ttl_inherited"]) == (None, True)
        edited = ask(site, "version", "edit", loose, "--ttl", "30d")
        assert (edited["ttl_seconds"], edited["ttl_inherited"]) == (30 * 86400, False)
        assert edited["description"] == "d"
        edited = ask(site, "version", "edit", loose, "--ttl", "never")
        assert (edited["ttl_seconds"], edited["ttl_inherited"]) == (None, False)
        assert ask(site, "version", "edit", loose, "--ttl", "team")["ttl_inherited"]
        edited = ask(site, "version", "edit", f"{ZOO}:latest", "--description", "by the link")
        assert edited["full_name"] == f"{ORGANIZATION}/wandb-registry-Model/Zoo:v0"
        assert ask(site, "version", "show", f"{ZOO}:v0")["description"] == "by the link"
        # R167: what is linked lives for ever.
        assert run(site, "version", "edit", f"{ZOO}:v0", "--ttl", "1h").exit_code == 6
        for wrong in ("1y", "0d", "soon"):
            assert run(site, "version", "edit", loose, "--ttl", wrong).exit_code == 2, wrong
        assert run(site, "version", "edit", loose, "--metadata", "1").exit_code == 2
        files = ask(site, "version", "files", f"{ZOO}:v0")["files"]
        assert [(each["path"], each["size_bytes"]) for each in files] == [("f", 4), ("sub/g", 4)]
        words = run(site, "version", "files", f"{ZOO}:v0").stdout
        assert words.startswith(f"f      4 bytes  {files[0]['sha256']}\n")
        refused = run(site, "version", "rm", loose)
        assert refused.exit_code == 6
        assert ask(site, "version", "rm", loose, "--with-aliases") == {"deleted": loose}
        assert run(site, "version", "rm", loose).exit_code == 5
        link = run(site, "version", "rm", f"{ZOO}:v0")
        assert (link.exit_code, "unlink" in link.stderr) == (6, True)
        assert run(site, "version", "rm", SOURCE, "--with-aliases").exit_code == 6
        assert ask(site, "version", "rm", SOURCE, "--with-aliases", "--with-links")["deleted"]
        assert ask(site, "version", "ls", ZOO)["versions"] == []
        edited = ask(site, "collection", "edit", ZOO, "--description", "Animals", "--name", "Park")
        assert (edited["name"], edited["description"]) == ("Park", "Animals")

    def test_projects_and_runs(self, site: Site) -> None:
        admin = site.world.admin
        make_run(admin, "run1", display_name="first")
        log_version(admin, run="run1")
        place = f"{TEAM}/{PROJECT}"
        assert [each["name"] for each in ask(site, "project", "ls", TEAM)["projects"]] == [PROJECT]
        assert ask(site, "project", "edit", place, "--description", "d")["description"] == "d"
        assert ask(site, "project", "show", place)["created_by"] == "admin"
        found = ask(site, "project", "collections", place)["collections"]
        assert [each["name"] for each in found] == ["model"]
        found = ask(site, "project", "versions", f"{place}/model")["versions"]
        assert [each["aliases"] for each in found] == [["latest"]]
        assert ask(site, "run", "ls", place, "--text", "FIR")["runs"][0]["run"] == "run1"
        assert ask(site, "run", "ls", place, "--state", "failed") == {"runs": []}
        assert ask(site, "run", "show", f"{place}/run1")["config"] == {}
        run_alert.send(
            admin, entity=TEAM, project=PROJECT, run_name="run1", title="t", text="x", severity=None
        )
        assert ask(site, "run", "alerts", f"{place}/run1")["alerts"][0]["title"] == "t"
        assert ask(site, "run", "stop", f"{place}/run1") == {"stopped": f"{place}/run1"}
        for words, told in {
            f"project ls {TEAM}": f"{place}  ",
            f"project show {place}": "Made by      admin",
            f"project collections {place}": "model  model  1 version",
            f"project versions {place}/model": "v0  ",
            f"run ls {place}": "run1  first  running",
            f"run show {place}/run1": "Summary  {}",
            f"run alerts {place}/run1": "t  x",
        }.items():
            assert told in run(site, *words.split()).stdout, words
        assert ask(site, "run", "rm", f"{place}/run1", "--with-versions")["deleted"]
        assert run(site, "run", "show", f"{place}/run1").exit_code == 5
        renamed = ask(site, "project", "edit", place, "--name", "Other")
        assert renamed["full_name"] == f"{TEAM}/Other"
        assert ask(site, "project", "rm", f"{TEAM}/Other") == {"deleted": f"{TEAM}/Other"}
        for wrong in ("run ls x", "run show a/b", "project show x", "project versions a/b"):
            assert run(site, *wrong.split()).exit_code == 2, wrong

    def test_the_server_and_what_is_kept(self, site: Site) -> None:
        link_version(site.world.admin, log_version(site.world.admin, files={"f": b"text"}))
        kept = ask(site, "organization", "storage", ORGANIZATION)
        assert kept["size_bytes"] == kept["teams"][0]["size_bytes"] > 0
        linked = {each["registry"]: each["links"] for each in kept["registries"]}
        assert linked == {"Dataset": 0, "Model": 1}
        words = run(site, "organization", "storage", ORGANIZATION).stdout.splitlines()
        assert words[0].startswith("In all")
        assert words[-1].endswith("behind 1 link")
        found = ask(site, "health")
        assert found["people"] == 1
        assert {"Expire and collect garbage"} <= {each["name"] for each in found["jobs"]}
        assert "Deliveries waiting" in run(site, "health").stdout
        site.world.add_person("mem", in_organization="member")
        assert run(site.by("mem"), "health").exit_code == 4
        assert ask(site, "user", "edit", "mem", "--admin")["admin"]
        assert run(site.by("mem"), "health").exit_code == 0
        assert run(site, "user", "edit", "mem", "--no-admin").stdout == (
            "mem (mem) is no administrator.\n"
        )

    def test_lineage(self, site: Site) -> None:
        admin = site.world.admin
        make_run(admin, "maker")
        make_run(admin, "user")
        made = log_version(admin, run="maker")
        link_version(admin, made)
        lineage.use_version(
            admin, entity=TEAM, project=PROJECT, run_name="user", version_id=made.id
        )
        found = ask(site, "lineage", SOURCE)
        assert len(found["nodes"]) == 3
        assert ask(site, "lineage", f"{ZOO}:v0")["root"] == found["root"]
        lines = run(site, "lineage", SOURCE).stdout.splitlines()
        place = f"{TEAM}/{PROJECT}"
        version, maker, user = f"version {SOURCE}", f"run {place}/maker", f"run {place}/user"
        assert [" ".join(line.split()) for line in lines] == [
            f"{maker} made {version}",
            f"{version} was used by {user}",
        ]
        # Who may not look into the project is told that there is something, and not what.
        site.world.add_person("mem", in_organization="member")
        told = run(site.by("mem"), "lineage", f"{ZOO}:v0").stdout
        assert told.count("(hidden from you)") == 2
        assert PROJECT not in told
        assert len(ask(site, "lineage", f"{place}/user", "--run", "--depth", "1")["nodes"]) == 2
        assert run(site, "lineage", f"{ZOO}:v9").exit_code == 5
        assert run(site, "lineage", "what").exit_code in (2, 5)
        log_version(admin, name="alone")
        assert run(site, "lineage", f"{place}/alone:v0").stdout == (
            "Nothing made it and nothing used it.\n"
        )

    def test_names_move_together(self, site: Site) -> None:
        """Several aliases of several collections, all or none, each with who holds it."""
        admin = site.world.admin
        for text in (b"1", b"2"):
            version = log_version(admin, files={"f": text})
            for name in ("Zoo", "Park"):
                link_version(admin, version, name=name, aliases=["production"])
        moved = ask(site, "alias", "group", MODEL, "Zoo:production=v0,v1", "Park:a=b,c=latest")
        assert [each["version"] for each in moved["aliases"]] == ["v0", "v1"]
        assert moved["aliases"][1]["alias"] == "a=b,c"
        stale = run(site, "alias", "group", MODEL, "Zoo:production=v1", "Park:production=v0,v0")
        assert stale.exit_code == 6
        assert ask(site, "alias", "show", f"{ZOO}:production")["version"] == "v0"
        off = run(site, "alias", "group", MODEL, "Zoo:production=none", "Park:new=v0,none")
        assert off.stdout.splitlines() == [
            "Zoo:production  no version  before: v0",
            "Park:new        v0          before: no version",
        ]
        for wrong in ("Zoo", "Zoo:a", "Zoo:=v1", "a/Zoo:b=v1"):
            assert run(site, "alias", "group", MODEL, wrong).exit_code == 2, wrong

    def test_the_audit_log(self, site: Site) -> None:
        admin = site.world.admin
        link_version(admin, log_version(admin), aliases=["production"])
        found = ask(site, "audit", ORGANIZATION)["entries"]
        assert "alias:add" in {each["action"] for each in found}
        assert found[0]["actor_username"] == "admin"
        assert ask(site, "audit", ORGANIZATION, "--limit", "2")["entries"] == found[:2]
        everything = ask(site, "audit")["entries"]
        assert [each["action"] for each in everything][: len(found)] == [
            each["action"] for each in found
        ]
        hidden = ask(site, "audit", ORGANIZATION, "--anonymize")["entries"]
        assert {each["actor_email"] for each in hidden} == {None}
        assert ask(site, "audit", ORGANIZATION, "--until", "2020-01-01") == {"entries": []}
        words = run(site, "audit", ORGANIZATION, "--until", "2020-01-01").stdout
        assert words == "Nothing happened.\n"
        line = run(site, "audit", ORGANIZATION).stdout.splitlines()[-1]
        assert "admin" in line
        assert run(site, "audit", ORGANIZATION, "--since", "soon").exit_code == 2
        site.world.add_person("mem", in_organization="member")
        assert run(site.by("mem"), "audit", ORGANIZATION).exit_code == 4
        assert run(site.by("mem"), "audit").exit_code == 4

    def test_a_long_audit_log_takes_several_pages(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        admin = site.world.admin
        link_version(admin, log_version(admin), aliases=["a", "b", "c"])
        whole = ask(site, "audit", ORGANIZATION)["entries"]
        monkeypatch.setattr("byname.cli.audit.PAGE_MAX", 2)
        assert ask(site, "audit", ORGANIZATION)["entries"] == whole
        assert len(whole) > 4

    def test_upload_and_link(self, site: Site, tmp_path: Path) -> None:
        (tmp_path / "net" / "deep").mkdir(parents=True)
        (tmp_path / "net" / "deep" / "f").write_bytes(b"text")
        name = f"{TEAM}/{PROJECT}/net"
        words = ["upload", name, str(tmp_path / "net"), "--type", "model", "--link", ZOO]
        made = ask(site, *words, "--alias", "production", "--metadata", '{"a": 1}')
        assert (made["ref"], made["new"], made["sent_bytes"]) == (f"{name}:v0", True, 4)
        assert made["linked"].endswith("Zoo:v0")
        shown = ask(site, "version", "show", f"{ZOO}:production")
        assert shown["metadata"] == {"a": 1}
        assert "It was there already" in run(site, *words).stdout
        assert (
            run(site, "upload", name, str(tmp_path), "--type", "t", "--metadata", "1").exit_code
            == 2
        )
        assert run(site, "upload", "net", str(tmp_path), "--type", "t").exit_code == 2

    def test_two_versions_side_by_side(self, site: Site) -> None:
        """R59, with files that take several pages."""
        files = {f"f{at:04}": b"1" for at in range(1_200)}
        admin = site.world.admin
        link_version(admin, log_version(admin, files=files), aliases=["staging"])
        link_version(admin, log_version(admin, files={**files, "g": b"", "f0000": b"22"}))
        found = ask(site, "version", "compare", ZOO, "staging", "v1", "--limit", "5")
        assert found["file_counts"] == {"added": 1, "removed": 0, "changed": 1}
        assert [each["path"] for each in found["files"]] == ["f0000", "g"]
        assert (found["before"]["version"], found["after"]["version"]) == ("v0", "v1")
        link_version(admin, log_version(admin, files={"g": b""}))
        found = ask(site, "version", "compare", ZOO, "v1", "v2", "--limit", "1100")
        assert (len(found["files"]), found["next"]) == (1_100, "f1099")
        words = run(site, "version", "compare", ZOO, "v0", "v1").stdout
        assert [line.split()[0] for line in words.splitlines()][-2:] == ["~", "+"]
        assert run(site, "version", "compare", ZOO, "v0", "v9").exit_code == 5

    def test_people_get_words(self, site: Site, tmp_path: Path) -> None:
        link_version(site.world.admin, log_version(site.world.admin), aliases=["production"])
        assert "Model" in run(site, "registry", "ls", ORGANIZATION).stdout
        assert "Your role" in run(site, "registry", "show", MODEL).stdout
        assert run(site, "collection", "ls", MODEL).stdout == "Zoo  model  1 version\n"
        assert (
            run(site, "collection", "ls", f"{ORGANIZATION}/Dataset").stdout == "No collections.\n"
        )
        assert "latest, production" in run(site, "version", "ls", ZOO).stdout
        assert f"{SOURCE}" in run(site, "version", "show", f"{ZOO}:v0").stdout
        assert "alias" in run(site, "search", "PROD").stdout
        assert run(site, "search", "nothing").stdout == "Nothing found.\n"
        answer = run(site, "download", f"{ZOO}:production", str(tmp_path / "to"))
        assert "1 file in" in answer.stdout
        assert "verified" in answer.stdout


class TestExitCodes:
    """R185: the exit code says what kind of refusal it was."""

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            (["registry", "show", "Model"], 2),
            (["registry", "create", "Model"], 2),
            (["collection", "show", "Zoo"], 2),
            (["version", "show", ZOO], 2),
            (["tag", "add", ZOO, "a/b"], 5),
            (["registry", "show", f"{ORGANIZATION}/None"], 5),
            (["registry", "create", MODEL], 6),
            (["download", "Model/None:v0", "to"], 5),
            (["collection", "create", f"{MODEL}/a:b", "--type", "t"], 2),
            (["search", " "], 2),
        ],
    )
    def test_codes(
        self,
        site: Site,
        words: list[str],
        code: int,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        answer = run(site, *words, "--json")
        assert answer.exit_code == code, answer.output
        assert json.loads(answer.stderr)["error"]["message"]
        assert not answer.stdout

    def test_a_folder_that_cannot_be(self, site: Site, tmp_path: Path) -> None:
        link_version(site.world.admin, log_version(site.world.admin, files={"f": b"text"}))
        file = tmp_path / "file"
        file.write_text("in the way", encoding="utf-8")
        answer = run(site, "download", f"{ZOO}:v0", str(file))
        assert answer.exit_code == 1
        assert answer.stderr == f"byname: {file}: File exists\n"
        assert file.read_text(encoding="utf-8") == "in the way"

    def test_what_is_not_there_is_named_in_full(self, site: Site, tmp_path: Path) -> None:
        answer = run(site, "download", f"{ZOO}:none", str(tmp_path / "to"))
        assert answer.exit_code == 5
        assert f"{ZOO}:none" in answer.stderr

    def test_without_a_key_and_without_the_role(self, site: Site) -> None:
        site.world.add_person("mem", in_organization="member")
        assert run(site.by("mem"), "registry", "rm", MODEL).exit_code == 4
        site.key = ""
        assert run(site, "registry", "rm", MODEL).exit_code == 3
