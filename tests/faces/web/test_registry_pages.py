"""The pages of registries, collections, versions, projects and runs (R172 to R181)."""

from __future__ import annotations

import json
import re

import pytest

from byname.domain.policy import Role
from byname.operations import collection, member, protected_alias, registry, run
from byname.operations import version as versions
from byname.operations.alias import Place
from tests.faces.web.conftest import App, Counted, words_of
from tests.support.house import House
from tests.support.world import (
    ORGANIZATION,
    PROJECT,
    TEAM,
    holders,
    link_version,
    log_version,
)

MODEL = "/orgs/acme/registry/Model"
ZOO = f"{MODEL}?selectionPath=acme%2Fwandb-registry-Model%2FZoo"
V0 = f"{ZOO}&view=membership&version=v0"
SOURCE = "/vision/training/artifacts/model/model/v0"


@pytest.fixture
def zoo(app: App) -> App:
    """Two versions of Zoo, of which v0 is in production, which is protected."""
    admin = app.world.admin
    for number in range(2):
        made = log_version(admin, files={"weights.bin": b"%d" % number})
        link_version(admin, made, aliases=("production", "best") if number == 0 else ())
    model = registry.get_by_name(admin, ORGANIZATION, "Model")
    protected_alias.create(admin, model.id, "production")
    return app


def aliases_of(app: App) -> dict[str, int]:
    model = registry.get_by_name(app.world.admin, ORGANIZATION, "Model")
    found = collection.find(app.world.admin, model.id, "Zoo")
    assert found is not None
    return holders(app.world.admin, found.id)


class TestHome:
    """R174: registries as cards; R13: making one."""

    def test_r174_cards_say_what_a_registry_holds(self, zoo: App) -> None:
        page = words_of(zoo.by("admin").get("/"))
        assert "2 registries you may see" in page
        assert "1 collection 2 versions Organization" in page
        assert "all types" in page

    def test_r16_restricted_registries_are_for_those_who_were_added(self, zoo: App) -> None:
        zoo.add("eve", Role.VIEWER)
        registry.create(
            zoo.world.admin,
            registry.NewRegistry(ORGANIZATION, "Secret", restricted=True),
        )
        assert "Secret" in zoo.by("admin").get("/")
        eve = zoo.by("eve")
        assert "Secret" not in eve.get("/")
        hidden = eve.get("/orgs/acme/registry/Secret", 404)
        absent = eve.get("/orgs/acme/registry/Absent", 404)
        # R10, R112: the same words; only the name that was asked for and form tokens differ.
        plain = [re.sub(r'value="[^"]+"', "", each) for each in (hidden, absent)]
        assert plain[0].replace("Secret", "N") == plain[1].replace("Absent", "N")

    def test_r13_a_registry_is_created(self, app: App) -> None:
        form = "/orgs/acme/new-registry"
        to = app.by("admin").sent(
            form, name="Fine-tuned Models", visibility="restricted", types="model\r\ndataset",
            description="d",
        )  # fmt: skip
        assert to == "/orgs/acme/registry/Fine-tuned%20Models"
        made = registry.get_by_name(app.world.admin, ORGANIZATION, "Fine-tuned Models")
        assert made.restricted
        assert not made.all_types
        again = app.by("admin").send(form, name="fine-tuned models", types="keep me")
        assert again.status_code == 409
        assert "already exists" in again.text
        assert "keep me" in again.text

    def test_r18_a_viewer_sees_why_not_and_is_refused(self, app: App) -> None:
        app.world.add_person("vic", in_organization="viewer")
        vic = app.by("vic")
        page = vic.get("/")
        assert re.search(r'<button type="button" disabled title="[^"]*role member', page)
        assert vic.send("/orgs/acme/new-registry", name="x").status_code == 403


class TestBadges:
    """R172, R173, R179: how aliases look, and what a role may not press."""

    def test_r172_r173_protected_ones_carry_lock_and_word(self, zoo: App) -> None:
        for path in (ZOO, V0, MODEL):
            page = zoo.by("admin").get(path)
            badge = re.search(r'<span class="alias protected" title="production">(.*?)production',
                              page, re.DOTALL)  # fmt: skip
            assert badge is not None, path
            assert "<svg" in badge[1]
            assert words_of(badge[1]) == "protected"
        ordinary = re.search(r'<span class="alias" title="best">', zoo.by("admin").get(V0))
        assert ordinary is not None

    def test_r179_who_may_see_which_buttons(self, zoo: App) -> None:
        zoo.add("max", Role.MEMBER)
        zoo.add("vic", Role.VIEWER)
        admin, member_page, viewer = (zoo.by(n).get(V0) for n in ("admin", "max", "vic"))
        assert "Remove the alias production" in admin
        assert "Remove the alias production" not in member_page
        assert "Remove the alias best" in member_page
        assert 'aria-label="Add an alias"' in member_page
        assert "Remove the alias" not in viewer
        assert 'aria-label="Add an alias"' not in viewer
        assert "To change aliases you need the role member; yours is viewer." in viewer
        assert re.search(r'aria-disabled="true">\+ <span class="reason">To change aliases', viewer)


class TestAliases:
    """R73, R80, R180: putting aliases on and taking them off."""

    def test_r73_plus_puts_one_on_and_moves_it(self, zoo: App) -> None:
        zoo.add("max", Role.MEMBER)
        v1 = f"{ZOO}&view=membership&version=v1"
        max_ = zoo.by("max")
        assert max_.sent(v1, do="add-alias", alias="new") == v1
        # R70: it says where it was, before it does it.
        asked = max_.send(v1, do="add-alias", alias="best")
        assert asked.status_code == 200
        assert "best is on v0 now" in words_of(asked.text)
        assert aliases_of(zoo)["best"] == 0
        assert max_.sent(v1, do="move-alias", alias="best", expected="v0") == v1
        assert aliases_of(zoo)["best"] == 1
        late = max_.send(V0, do="move-alias", alias="best", expected="v0")
        assert late.status_code == 409
        told = words_of(late.text)
        assert "Meanwhile something changed. best is on v1 now: max put it there just now." in told
        assert 'name="expected" value="v1"' in late.text
        assert aliases_of(zoo)["best"] == 1

    def test_a_stale_form_takes_nothing_off_that_has_moved_on(self, zoo: App) -> None:
        zoo.add("max", Role.MEMBER)
        v1 = f"{ZOO}&view=membership&version=v1"
        admin, max_ = zoo.by("admin"), zoo.by("max")
        assert "Remove this alias?" in admin.get(f"{V0}&confirm=remove-alias&alias=best")
        unlink = admin.get(f"{V0}&confirm=unlink")
        seen = re.findall(r'name="seen" value="([^"]*)"', unlink)[0]
        max_.sent(v1, do="move-alias", alias="best", expected="v0")
        told = "best is not on v0 any more. best is on v1 now: max put it there just now."
        late = admin.send(V0, do="remove-alias", alias="best")
        assert (late.status_code, told in words_of(late.text)) == (404, True)
        assert told in words_of(admin.get(f"{V0}&confirm=remove-alias&alias=best", 404))
        asked = admin.send(f"{V0}&confirm=unlink", do="unlink", seen=seen)
        assert asked.status_code == 409
        assert "Meanwhile its aliases changed" in words_of(asked.text)
        assert aliases_of(zoo)["best"] == 1
        max_.sent(v1, do="remove-alias", alias="best")
        gone = words_of(admin.send(v1, do="remove-alias", alias="best").text)
        assert "best is on no version now: max took it off just now." in gone

    def test_r92_a_member_is_refused_a_protected_one_and_not_asked_first(self, zoo: App) -> None:
        zoo.add("max", Role.MEMBER)
        v1 = f"{ZOO}&view=membership&version=v1"
        for fields in (
            {"do": "add-alias", "alias": "production"},
            {"do": "move-alias", "alias": "production", "expected": "v0"},
        ):
            answer = zoo.by("max").send(v1, **fields)
            assert answer.status_code == 403
            assert "needs the role admin" in words_of(answer.text)
        assert aliases_of(zoo)["production"] == 0

    @pytest.mark.parametrize(
        ("alias", "status", "words"),
        [("a/b", 422, "must not contain"), ("v3", 422, "version number"), ("", 422, "empty"),
         ("Production", 409, "letter case"), ("x" * 200, 422, "at most 128")],
    )  # fmt: skip
    def test_r73_what_is_wrong_stands_beside_the_form(
        self, zoo: App, alias: str, status: int, words: str
    ) -> None:
        before = aliases_of(zoo)
        answer = zoo.by("admin").send(V0, do="add-alias", alias=alias)
        assert answer.status_code == status
        form = answer.text.split('aria-label="Add an alias"')[1].split("</details>")[0]
        assert words in words_of(form)
        assert f'value="{alias}"' in form
        assert aliases_of(zoo) == before

    def test_r80_r92_the_role_is_asked_again_when_the_click_arrives(self, zoo: App) -> None:
        zoo.add("max", Role.MEMBER)
        zoo.add("vic", Role.VIEWER)
        before = aliases_of(zoo)
        for name, fields in [
            ("max", {"do": "remove-alias", "alias": "production", "typed": "production"}),
            ("max", {"do": "unlink"}),
            ("vic", {"do": "add-alias", "alias": "new"}),
            ("vic", {"do": "remove-alias", "alias": "best"}),
            ("vic", {"do": "add-tag", "tag": "new"}),
            ("vic", {"do": "describe", "description": "new"}),
            ("vic", {"do": "unlink"}),
        ]:
            answer = zoo.by(name).send(V0, **fields)
            assert answer.status_code == 403, (name, fields)
            assert "role" in answer.text
        assert aliases_of(zoo) == before

    def test_r180_removing_asks_first(self, zoo: App) -> None:
        admin = zoo.by("admin")
        link = re.search(r'href="([^"]+)" aria-label="Remove the alias best"', admin.get(V0))
        assert link is not None
        ask = link[1].replace("&amp;", "&")
        before = House(zoo.world.nobody, {}).dump()
        assert "leads nowhere" in admin.get(ask)
        assert House(zoo.world.nobody, {}).dump() == before
        assert admin.sent(ask, do="remove-alias", alias="best") == V0
        assert "best" not in aliases_of(zoo)
        admin.get(ask, 404)

    def test_r180_a_protected_one_wants_its_name_typed(self, zoo: App) -> None:
        ask = f"{V0}&confirm=remove-alias&alias=production"
        admin = zoo.by("admin")
        answer = admin.send(ask, do="remove-alias", alias="production", typed="prod")
        assert answer.status_code == 400
        assert "Type the alias" in answer.text
        assert aliases_of(zoo)["production"] == 0
        admin.sent(ask, do="remove-alias", alias="production", typed="production")
        assert "production" not in aliases_of(zoo)

    def test_r160_unlinking_asks_first_and_says_what_goes(self, zoo: App) -> None:
        admin = zoo.by("admin")
        page = words_of(admin.get(f"{V0}&confirm=unlink"))
        assert "production" in page
        assert "never given again" in page
        # A protected name goes with it, so that it must be meant (R180).
        refused = admin.send(f"{V0}&confirm=unlink", do="unlink", typed="v1")
        assert refused.status_code == 400
        assert "Type v0 to confirm" in words_of(refused.text)
        assert aliases_of(zoo)["production"] == 0
        assert admin.sent(f"{V0}&confirm=unlink", do="unlink", typed="v0") == ZOO
        admin.get(V0, 404)
        assert aliases_of(zoo) == {"latest": 1}


class TestEditing:
    """R177, R178, R98: tags and descriptions."""

    def test_tags_and_descriptions_of_versions_and_collections(self, zoo: App) -> None:
        admin = zoo.by("admin")
        for path in (V0, ZOO, SOURCE):
            admin.sent(path, do="add-tag", tag="night run")
            admin.sent(path, do="describe", description="two\r\nlines")
            page = admin.get(path)
            assert 'title="night run"' in page
            assert "two\nlines" in page
            admin.sent(path, do="remove-tag", tag="night run")
            assert 'title="night run"' not in admin.get(path)
            wrong = admin.send(path, do="add-tag", tag="no/slash")
            assert wrong.status_code == 422
            assert "words of letters" in wrong.text

    def test_r98_the_table_of_versions_has_their_tags(self, zoo: App) -> None:
        admin = zoo.by("admin")
        admin.sent(V0, do="add-tag", tag="night run")
        table = admin.get(ZOO).partition("<table")[2]
        assert ">Tags<" in table.partition("</thead>")[0]
        assert "night run" in table

    def test_an_unknown_wish_is_refused(self, zoo: App) -> None:
        for path in (V0, ZOO, SOURCE, "/account"):
            assert zoo.by("admin").send(path, do="anything").status_code == 400


class TestVersionPage:
    """R178: tabs, names and files of a version."""

    def test_r178_each_tab_has_an_address(self, zoo: App) -> None:
        admin = zoo.by("admin")
        page = words_of(admin.get(V0))
        assert "acme/wandb-registry-Model/Zoo:v0" in page
        assert "vision/training/model:v0" in page
        for tab in ("metadata", "usage", "files", "lineage"):
            assert f"tab={tab}" in admin.get(V0)
            assert f'tab={tab}" aria-current="page"' in admin.get(f"{V0}&tab={tab}")
        usage = words_of(admin.get(f"{V0}&tab=usage"))
        assert 'run.use_artifact("acme/wandb-registry-Model/Zoo:best")' in usage

    def test_any_reference_leads_to_the_version(self, zoo: App) -> None:
        for ref, number in (("production", 0), ("latest", 1), ("v1", 1)):
            page = zoo.by("admin").get(f"{ZOO}&version={ref}")
            assert f'Zoo<span class="number">v{number}</span>' in page
        for ref in ("v9", "nothing", "v99999999999999999999"):
            zoo.by("admin").get(f"{ZOO}&version={ref}", 404)

    def test_a11_files_come_as_downloads_by_links_that_expire(self, zoo: App) -> None:
        admin = zoo.by("admin")
        page = admin.get(f"{V0}&tab=files")
        link = re.search(r'href="(/content/version-file/[^"]+)"', page)
        assert link is not None
        answer = zoo.stranger().client.get(link[1])
        assert answer.content == b"0"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["content-security-policy"]

    def test_r107_a_restricted_viewer_sees_no_links(self, zoo: App) -> None:
        made = registry.create(
            zoo.world.admin, registry.NewRegistry(ORGANIZATION, "Closed", restricted=True)
        )
        zoo.world.add_person("rita", in_organization="member")
        member.add(
            zoo.world.admin,
            made.id,
            user_ids=[zoo.world.people["rita"].who.user_id],
            role=Role.RESTRICTED_VIEWER,
        )
        link_version(
            zoo.world.admin,
            log_version(zoo.world.admin, files={"w": b"closed"}),
            "C",
            project="wandb-registry-Closed",
        )
        path = "/orgs/acme/registry/Closed?selectionPath=acme%2Fwandb-registry-Closed%2FC"
        rita = zoo.by("rita")
        page = rita.get(f"{path}&version=v0&tab=files")
        assert "/content/" not in page
        assert "needs the role viewer" in words_of(page)
        # R55: nothing of the source is told.
        facts = rita.get(f"{path}&version=v0")
        assert "in a project that you may not see" in facts
        assert "vision" not in facts
        rita.get(SOURCE, 404)

    def test_metadata_is_a_tree(self, zoo: App) -> None:
        found = versions.create(
            zoo.world.admin,
            versions.NewVersion(
                entity=TEAM, project=PROJECT, collection="model", type_name="model", digest="0" * 32
            ),
        )[1]
        assert found is not None
        versions.edit(
            zoo.world.admin,
            found.id,
            versions.VersionEdit(metadata=json.dumps({"a": {"b": [1, {"c": None}]}, "e": {}})),
        )
        page = words_of(
            zoo.by("admin").get("/vision/training/artifacts/model/model/v1?tab=metadata")
        )
        assert "a 1 b 2 0 1 1 1 c null e {}" in page


class TestProjectAndRun:
    """Protocol 2: every link that the client prints leads somewhere."""

    def test_the_addresses_that_the_client_prints(self, zoo: App) -> None:
        """Protocol 2: project, run, source version; a registry's path as a project leads on."""
        made, _ = run.upsert(
            zoo.world.admin,
            run.RunChange(
                entity=TEAM,
                project=PROJECT,
                name="abcd1234",
                display_name="amber-owl-1",
                config='{"lr": {"value": 0.5}, "_wandb": {"value": {"secret": 1}}}',
                summary='{"accuracy": 0.93}',
            ),
        )
        log_version(zoo.world.admin, "trained", run=made.name)
        admin = zoo.by("admin")
        assert "model" in words_of(admin.get("/vision/training"))
        assert "amber-owl-1" in admin.get("/vision/training?tab=runs")
        overview = words_of(admin.get("/vision/training/runs/abcd1234"))
        assert "lr 0.5" in overview
        assert "accuracy 0.93" in overview
        assert "secret" not in overview
        lineage = admin.get("/vision/training/runs/abcd1234?tab=lineage")
        assert "vision/training/trained:v0" in words_of(lineage)
        assert "No files" in admin.get("/vision/training/runs/abcd1234?tab=files")
        version = admin.get("/vision/training/artifacts/model/trained/v0")
        assert "/vision/training/runs/abcd1234" in version
        assert admin.goes("/acme/wandb-registry-Model") == MODEL

    def test_hidden_and_absent_ones_look_the_same(self, zoo: App) -> None:
        zoo.add("eve", Role.VIEWER)
        eve = zoo.by("eve")
        pages = [
            re.sub(r'value="[^"]+"', "", eve.get(path, 404)).replace(name, "N")
            for path, name in [("/vision/training", "training"), ("/vision/absent", "absent")]
        ]
        assert pages[0] == pages[1]
        eve.get("/vision/training/runs/x", 404)


class TestHistory:
    """R187, R177: what happened in a collection."""

    def test_r187_the_ledger_can_be_read(self, zoo: App) -> None:
        page = words_of(zoo.by("admin").get(f"{ZOO}&tab=history"))
        assert "production" in page
        assert re.search(r"latest moved, by link v0 v1", page)

    def test_r188_it_says_what_was_done_and_of_an_edit_only_what_it_changed(self, zoo: App) -> None:
        admin = zoo.world.admin
        found = collection.get_in(admin, registry.get_by_name(admin, ORGANIZATION, "Model"), "Zoo")
        collection.edit(admin, found.id, is_sequence=False, description="Seven classes.")
        collection.edit_tags(
            admin, Place(ORGANIZATION, "wandb-registry-Model", "Zoo"), add=["a", "b"]
        )
        page = words_of(zoo.by("admin").get(f"{ZOO}&tab=history"))
        assert re.search(r"edited it description (none|empty) description Seven classes\. ", page)
        assert "changed its tags none a, b" in page
        assert "{" not in page.partition("When Who What")[2]


class TestEmptyPlaces:
    """R39: an empty place tells the next step, with code."""

    def test_registry_collection_and_home(self, app: App) -> None:
        admin = app.by("admin")
        page = words_of(admin.get(MODEL))
        assert "No collection yet" in page
        assert 'run.link_artifact(artifact, "acme/wandb-registry-Model/COLLECTION")' in page
        page = words_of(admin.get("/"))
        assert "Nothing is published yet" in page
        assert "wandb login --host http://testserver" in page
        model = registry.get_by_name(app.world.admin, ORGANIZATION, "Model")
        collection.create(app.world.admin, model.id, collection.NewCollection("Zoo", "model"))
        assert "Nothing is published yet" not in admin.get("/")
        page = words_of(admin.get(ZOO))
        assert 'artifact.link("acme/wandb-registry-Model/Zoo")' in page
        app.world.add_person("new")
        assert "You are in no organization yet" in app.by("new").get("/")


def test_no_page_runs_a_query_per_row(app: App, counted: type[Counted]) -> None:
    """A page of 50 rows costs as many statements as one of 5."""
    admin = app.world.admin
    browser = app.by("admin")
    model = registry.get_by_name(admin, ORGANIZATION, "Model")
    made, _ = run.upsert(admin, run.RunChange(entity=TEAM, project=PROJECT, name="r"))
    paths = (
        "/", MODEL, f"{MODEL}/settings", f"{MODEL}/access?who={TEAM}", "/search?q=C",
        ZOO, f"{ZOO}&tab=history", V0, f"{V0}&tab=files", "/account",
        f"{ZOO}&tab=aliases", f"{ZOO}&tab=aliases&alias=latest", f"{ZOO}&compare=v0&compare=v4",
        f"{ZOO}&metric=accuracy&sort=-metric%3Aaccuracy", f"{ZOO}&filter=latest",
        f"{ZOO}&choose=metrics",
        "/vision/training", "/vision/training?tab=runs", "/vision/training/runs/r?tab=lineage",
        "/vision/training/artifacts/model/model",
    )  # fmt: skip
    costs: dict[str, list[int]] = {path: [] for path in paths}
    files = {f"f{number}": b"%d" % number for number in range(60)}
    rows = 0
    for size in (5, 50):
        for number in range(rows, size):
            logged = log_version(admin, files={**files, "w": b"w%d" % number}, run=made.name)
            link_version(admin, logged, aliases=(f"a{number}",))
            versions.edit(admin, logged.id, versions.VersionEdit(add_tags=[f"t{number}"]))
            collection.create(
                admin, model.id, collection.NewCollection(f"C{number}", "model", tags=["x"])
            )
            registry.create(admin, registry.NewRegistry(ORGANIZATION, f"R{number}", types=["m"]))
            protected_alias.create(admin, model.id, f"p{number}")
            run.upsert(admin, run.RunChange(entity=TEAM, project=PROJECT, name=f"r{number}"))
            log_version(admin, f"line{number}", files={"w": b"x%d" % number})
        rows = size
        for path in paths:
            counted.count = 0
            page = browser.get(path)
            costs[path].append(counted.count)
            assert page.count("<tr") + page.count("<li") >= min(size, 2)
    assert all(few == many for few, many in costs.values()), costs
    assert all(many < 45 for _, many in costs.values()), costs


def test_a9_looking_at_every_page_changes_nothing(zoo: App) -> None:
    admin = zoo.by("admin")
    before = House(zoo.world.nobody, {}).dump()
    for path in ("/", "/account", "/account?delete=1", MODEL, ZOO, V0, SOURCE, "/login", "/logout",
                 f"{V0}&confirm=unlink", f"{V0}&tab=files", "/vision/training",
                 "/orgs/acme/new-registry", f"{V0}&do=add-alias&alias=x"):  # fmt: skip
        for method in ("GET", "HEAD"):
            admin.client.request(method, path, follow_redirects=False)
    assert House(zoo.world.nobody, {}).dump() == before
