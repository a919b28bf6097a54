"""The pages of a version: lineage, linking to a registry, deleting, usage, comparing (R43, R149)."""

from __future__ import annotations

import html
import json
import re

import pytest

from byname.domain.ids import to_id
from byname.domain.policy import Role
from byname.domain.version import Version
from byname.operations import collection, lineage, protected_alias, registry, run
from byname.operations import version as versions
from tests.faces.web.conftest import App, Counted, words_of
from tests.support.runs import make_run
from tests.support.world import (
    ORGANIZATION,
    PROJECT,
    TEAM,
    World,
    holders,
    link_version,
    log_version,
)

MODEL = "/orgs/acme/registry/Model"
ZOO = f"{MODEL}?selectionPath=acme%2Fwandb-registry-Model%2FZoo"
V0 = f"{ZOO}&view=membership&version=v0"
SOURCE = "/vision/training/artifacts/model/model/v0"
LINEAGE = f"{V0}&tab=lineage"


def link_to(page: str, label: str) -> str:
    """Where the link with these words, or this aria-label, leads."""
    for found in re.finditer(r"<a ([^>]*)>(.*?)</a>", page, re.DOTALL):
        if words_of(found[2]) == label or f'aria-label="{label}"' in found[1]:
            address = re.search(r'href="([^"]+)"', found[1])
            assert address is not None
            return html.unescape(address[1])
    raise AssertionError(label)


def used(world: World, version: Version, count: int, first: int = 0) -> None:
    """So many runs used the version."""
    for number in range(first, first + count):
        make_run(world.admin, f"user{number:03d}")
        lineage.use_version(
            world.admin,
            entity=TEAM,
            project=PROJECT,
            run_name=f"user{number:03d}",
            version_id=version.id,
        )


@pytest.fixture
def zoo(app: App) -> App:
    """A run made model:v0, which is linked as Zoo:v0; eval used it and made a report."""
    ctx = app.world.admin
    make_run(ctx, "train")
    model = log_version(ctx, run="train")
    link_version(ctx, model)
    make_run(ctx, "eval")
    lineage.use_version(ctx, entity=TEAM, project=PROJECT, run_name="eval", version_id=model.id)
    log_version(ctx, "report", {"r": b"r"}, type_name="report", run="eval")
    return app


def model_of(app: App) -> Version:
    found = collection.resolve_reference(app.world.admin, "vision/training/model:v0")
    return found.version


class TestLineage:
    """R149, R150: artifacts blue, runs green, the type before the name, arrows for direction."""

    def test_r150_nodes_say_what_they_are(self, zoo: App) -> None:
        page = zoo.by("admin").get(LINEAGE)
        nodes = re.findall(
            r'<g class="node ([^"]+)".*?class="kind"[^>]*>([^<]+)<.*?class="what"[^>]*>([^<]+)<',
            page,
            re.DOTALL,
        )
        looks = {name: (look.split()[0], kind) for look, kind, name in nodes}
        assert looks["model:v0"] == ("artifact", "model")
        assert looks["report:v0"] == ("artifact", "report")
        runs = [each for each in looks.values() if each == ("run", "run")]
        assert len(runs) == 2
        assert page.count('class="arrow"') == 3
        assert page.count('marker-end="url(#tip)"') == 3

    def test_r149_a_click_on_a_node_shows_its_details(self, zoo: App) -> None:
        admin = zoo.by("admin")
        page = admin.get(LINEAGE)
        assert "vision/training/model:v0" in words_of(page.split('id="side"')[1])
        links = [
            html.unescape(each)
            for each in re.findall(r'<a id="node-[^"]+" href="([^"]+)" hx-get', page)
        ]
        assert len(links) >= 4
        sides = [words_of(admin.get(each).split('id="side"')[1]) for each in links]
        assert any("vision/training/report:v0" in each for each in sides)
        assert any("vision/training/eval" in each for each in sides)

    def test_r150_five_siblings_fold_and_one_is_pulled_out(self, zoo: App) -> None:
        used(zoo.world, model_of(zoo), 9)
        admin = zoo.by("admin")
        page = admin.get(LINEAGE)
        assert "10 runs" in words_of(page)
        assert "user003" not in page
        cluster = re.search(r'class="node run cluster.*?href="([^"]+)"', page, re.DOTALL)
        assert cluster is not None
        opened = html.unescape(cluster[1])
        listed = admin.get(opened)
        assert listed.count(">Show</a>") == 10
        found = admin.get(f"{opened}&q=USER003")
        assert found.count(">Show</a>") == 1
        pulled = admin.get(html.unescape(re.findall(r'href="([^"]+)"[^>]*>Show</a>', found)[0]))
        assert "9 runs" in words_of(pulled)
        assert "vision/training/user003" in words_of(pulled)
        whole = admin.get(link_to(pulled, "Back to the whole picture"))
        assert "10 runs" in words_of(whole)

    def test_r152_it_is_expanded_on_demand_and_nodes_are_hidden(self, zoo: App) -> None:
        report = collection.resolve_reference(zoo.world.admin, "vision/training/report:v0").version
        make_run(zoo.world.admin, "show")
        lineage.use_version(
            zoo.world.admin, entity=TEAM, project=PROJECT, run_name="show", version_id=report.id
        )
        admin = zoo.by("admin")
        page = admin.get(LINEAGE)
        assert page.count('class="arrow"') == 3
        more = re.search(r'<a class="more" id="[^"]+" href="([^"]+)"', page)
        assert more is not None
        wider = admin.get(html.unescape(more[1]))
        assert wider.count('class="arrow"') == 4
        node = to_id("Run", run.id_of(zoo.world.admin, TEAM, PROJECT, "eval"))
        hidden = admin.get(f"{LINEAGE}&hide={node.replace('=', '%3D')}")
        assert "report:v0" not in words_of(hidden.split('<svg class="graph"')[1])

    def test_r152_what_is_hidden_has_no_name(self, zoo: App) -> None:
        zoo.add("eve", Role.VIEWER)
        page = zoo.by("eve").get(LINEAGE)
        for secret in ("report", "eval", "vision/", "training"):
            assert secret not in page.split('id="lineage"')[1], secret
        assert page.count('class="node restricted"') == 2
        node = to_id("Run", run.id_of(zoo.world.admin, TEAM, PROJECT, "eval"))
        other = zoo.by("eve").get(f"{LINEAGE}&node={node.replace('=', '%3D')}")
        assert "eval" not in other.split('id="lineage"')[1]

    def test_five_hundred_runs_stay_readable_and_cost_no_more(
        self, zoo: App, counted: type[Counted]
    ) -> None:
        """A version with 500 runs stays readable and fast: few nodes, few statements."""
        admin = zoo.by("admin")
        model = model_of(zoo)
        used(zoo.world, model, 8)
        counted.count = 0
        few = admin.get(LINEAGE)
        counts = [counted.count]
        with zoo.world.nobody.database.write() as tx:
            for number in range(8, 500):
                row = tx.one("SELECT * FROM run WHERE name = 'eval'")
                assert row is not None
                copied = {**dict(row), "id": None, "name": f"user{number:03d}"}
                marks = ", ".join(f":{each}" for each in copied)
                tx.run(f"INSERT INTO run ({', '.join(copied)}) VALUES ({marks})", copied)
                tx.run(
                    "INSERT INTO run_input (run_id, version_id, created_at) SELECT id, :version,"
                    " created_at FROM run WHERE name = :name",
                    {"version": model.id, "name": f"user{number:03d}"},
                )
        counted.count = 0
        many = admin.get(LINEAGE)
        counts.append(counted.count)
        assert "501 runs" in words_of(many)
        assert many.count('class="node') == few.count('class="node')
        assert len(many) < len(few) + 200
        # The neighbours beyond the fan-out are counted with one statement more.
        assert counts[1] <= counts[0] + 1


class TestMetadata:
    """R178: the tab for metadata, with the metrics that the run of the version had logged."""

    METADATA = f"{V0}&tab=metadata"

    def test_r178_metadata_and_what_the_run_logged(self, zoo: App) -> None:
        told = json.dumps({"task": "detect"})
        versions.edit(zoo.world.admin, model_of(zoo).id, versions.VersionEdit(metadata=told))
        summary = json.dumps({"accuracy": 0.875, "_wandb": {"runtime": 4}})
        make_run(zoo.world.admin, "train", summary=summary)
        said, logged = zoo.by("admin").get(self.METADATA).split('id="logged"')
        assert "detect" in said
        assert "0.875" not in said
        assert "0.875" in logged
        assert "_wandb" not in logged
        assert "/vision/training/runs/train?tab=charts" in logged

    def test_a_run_without_metrics_leads_on(self, zoo: App) -> None:
        assert "run.log(" in zoo.by("admin").get(self.METADATA).split('id="logged"')[1]

    def test_r55_who_may_not_see_the_project_learns_nothing_of_the_run(self, zoo: App) -> None:
        make_run(zoo.world.admin, "train", summary=json.dumps({"accuracy": 0.875}))
        zoo.world.add_person("mia", in_organization="member")
        page = zoo.by("mia").get(self.METADATA)
        assert "0.875" not in page
        assert "runs/train" not in page
        assert "that you may not see" in page

    def test_without_a_run_it_says_so(self, zoo: App) -> None:
        link_version(zoo.world.admin, log_version(zoo.world.admin, files={"w": b"alone"}))
        page = zoo.by("admin").get(f"{ZOO}&view=membership&version=v1&tab=metadata")
        assert "logged without a run" in page


class TestComparing:
    """R59: two versions side by side; changed keys first, files by digest, size, producing run."""

    def test_r59_what_differs(self, zoo: App) -> None:
        ctx = zoo.world.admin
        first = model_of(zoo)
        second = log_version(ctx, files={"weights": b"other", "new": b"n"}, run="train")
        for made, accuracy in ((first, 0.5), (second, 0.75)):
            told = json.dumps({"accuracy": accuracy, "task": "detect"})
            versions.edit(ctx, made.id, versions.VersionEdit(metadata=told, add_tags=["t"]))
        link_version(ctx, second, aliases=["best"])
        admin = zoo.by("admin")
        page = words_of(admin.get(f"{ZOO}&compare=v1&compare=v0"))
        assert "v0 and v1" in page
        assert "accuracy changed 0.5 0.75" in page
        assert page.index("accuracy changed") < page.index("task detect")
        assert "1 changed 1 added 0 removed" in page
        assert "new added" in page
        assert "best latest" in page
        swapped = words_of(admin.get(link_to(admin.get(f"{ZOO}&compare=v0&compare=v1"), "Swap")))
        assert "accuracy changed 0.75 0.5" in swapped
        assert "0 added 1 removed" in swapped

    def test_it_takes_two(self, zoo: App) -> None:
        admin = zoo.by("admin")
        for path in (f"{ZOO}&compare=v0", f"{ZOO}&compare=v0&compare=v0"):
            assert "Tick two versions" in admin.get(path, 400)
        admin.get(f"{ZOO}&compare=v0&compare=v9", 404)
        assert 'form="compare" name="compare" value="v0"' in admin.get(ZOO)


class TestLinkToRegistry:
    """R43: a version in a project, *Link to registry*, collection, optional aliases."""

    def test_r43_registry_collection_aliases(self, zoo: App) -> None:
        admin = zoo.by("admin")
        choose = link_to(admin.get(SOURCE), "Link to registry")
        step = link_to(admin.get(choose), "Model")
        page = admin.get(step)
        assert '<option value="Zoo">' in page
        to = admin.sent(
            SOURCE, step, do="link", organization="acme", registry="Model", collection="Ark",
            aliases="best, first one",
        )  # fmt: skip
        assert to == V0.replace("Zoo", "Ark")
        home = registry.get_by_name(zoo.world.admin, ORGANIZATION, "Model")
        made = collection.get_in(zoo.world.admin, home, "Ark")
        assert holders(zoo.world.admin, made.id) == {"best": 0, "first one": 0, "latest": 0}

    def test_what_is_wrong_stands_in_the_form(self, zoo: App) -> None:
        home = registry.get_by_name(zoo.world.admin, ORGANIZATION, "Model")
        protected_alias.create(zoo.world.admin, home.id, "production")
        zoo.world.add_person("max", in_organization="member", in_team="member")
        zoo.add_role("max", Role.MEMBER)
        step = f"{SOURCE}?link=Model"
        browser = zoo.by("max")
        for fields, status, words in (
            ({"collection": "a/b"}, 422, "must not contain"),
            ({"collection": "Ark", "aliases": "production"}, 403, "role admin"),
        ):
            answer = browser.send(step, do="link", organization="acme", registry="Model", **fields)
            assert answer.status_code == status
            assert words in answer.text
            assert f'value="{fields["collection"]}"' in answer.text
        assert collection.find(zoo.world.admin, home.id, "Ark") is None

    def test_r20_r44_registries_that_will_not_take_it_say_why(self, zoo: App) -> None:
        registry.create(
            zoo.world.admin, registry.NewRegistry(ORGANIZATION, "Sets", types=["dataset"])
        )
        page = words_of(zoo.by("admin").get(f"{SOURCE}?link="))
        assert "Sets It takes no artifact of type model; accepted: dataset." in page
        zoo.world.add_person("tim", in_organization="member", in_team="viewer")
        assert "you need the role member" in words_of(zoo.by("tim").get(f"{SOURCE}?link="))


class TestDeleting:
    """R161, R162: a source version is deleted with what the page said goes too."""

    def test_it_says_what_goes_and_it_goes(self, zoo: App) -> None:
        admin = zoo.by("admin")
        ask = f"{SOURCE}?confirm=delete"
        page = words_of(admin.get(ask))
        assert "latest" in page
        assert "acme/wandb-registry-Model/Zoo:v0" in page
        admin.sent(ask, do="delete")
        admin.get(SOURCE, 404)
        admin.get(V0, 404)

    def test_r86_not_while_a_protected_name_holds_it(self, zoo: App) -> None:
        home = registry.get_by_name(zoo.world.admin, ORGANIZATION, "Model")
        protected_alias.create(zoo.world.admin, home.id, "production")
        link_version(zoo.world.admin, model_of(zoo), aliases=["production"])
        answer = zoo.by("admin").send(f"{SOURCE}?confirm=delete", do="delete")
        assert answer.status_code == 409
        assert "acme/wandb-registry-Model/Zoo:production" in answer.text
        zoo.by("admin").get(SOURCE)


class TestUsage:
    """R155: ready-made code for this version, by whichever of its names one likes."""

    def test_every_way_names_the_chosen_alias(self, zoo: App) -> None:
        link_version(zoo.world.admin, model_of(zoo), aliases=["best"])
        admin = zoo.by("admin")
        page = words_of(admin.get(f"{V0}&tab=usage&by=best"))
        full = "acme/wandb-registry-Model/Zoo:best"
        for code in (
            f'run.use_artifact("{full}")',
            f'wandb.Api().artifact("{full}").download()',
            f'client.download("{full}", "FOLDER")',
            f"byname download {full} FOLDER",
            f"--data-urlencode ref={full}",
        ):
            assert code in page
        exact = words_of(admin.get(f"{V0}&tab=usage&by=v0"))
        assert "Zoo:v0" in exact
        assert "for ever" in exact
        # A name that it does not hold is not taken over from the address.
        assert "evil" not in admin.get(f"{V0}&tab=usage&by=evil")


class TestProtectedVersions:
    """R84, R87, R179: what a Member may not do to a version with a protected name says so."""

    def test_reasons_stand_on_the_page(self, zoo: App) -> None:
        home = registry.get_by_name(zoo.world.admin, ORGANIZATION, "Model")
        protected_alias.create(zoo.world.admin, home.id, "production")
        link_version(zoo.world.admin, model_of(zoo), aliases=["production"])
        zoo.add("max", Role.MEMBER)
        page = zoo.by("max").get(V0)
        assert "confirm=unlink" not in page
        assert 'aria-label="Add a tag"' not in page
        assert "edit a version that holds a protected alias you need the role admin" in words_of(
            page
        )
        assert 'aria-label="Add an alias"' in page
