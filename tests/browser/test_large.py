"""What is very long or very many: names of 128 characters, 100 on one version, 100,000 files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from byname.domain import names
from byname.domain.automation import Action, ActionKind, ScopeKind
from byname.domain.event import EventType
from byname.domain.integration import IntegrationKind
from byname.domain.manifest import Entry, digest_of
from byname.domain.policy import GroupRole, Role
from byname.http.authentication import actor_of_user
from byname.operations import (
    alias,
    automation,
    collection,
    integration,
    key,
    manifest,
    member,
    organization,
    protected_alias,
    registry,
    run,
    service_account,
    team,
    user,
)
from byname.operations import version as versions
from byname.operations.context import Context
from byname.operations.integration import Wanted
from byname.settings import Settings
from byname.wiring import build_context
from tests.browser.conftest import DESKTOP, PATIENCE_MILLISECONDS, PHONE, Visitor
from tests.support.rig import ORGANIZATION, TEAM, Rig, make_rig
from tests.support.world import bring_manifest, link_version, log_version

LONG = "Unbreakable" * 11 + "Names"
"""As long as an alias, tag, type or collection may be, without a place to break it."""
REGISTRY = LONG[:113]
GROUP = LONG[:64]
ALIASES = names.ALIASES_MAX - 1
"""Beside `latest`, which a version has as well."""
FILES = 100_000
MANY = "many"
LARGE = "large"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A server on which everything is as long or as many as it may be."""
    made = make_rig(Path(tmp_path_factory.mktemp("large")))
    base = build_context(Settings(data=made.data))
    actor = actor_of_user(base.database, 1)
    assert actor is not None
    ann = base.acting(actor, "sdk")
    fill_long(ann)
    fill_many(ann)
    base.database.close()
    made.start()
    yield made
    made.kill()
    assert "Traceback" not in made.log.read_text()


def fill_long(ann: Context) -> None:
    """Everything that has a name has the longest one."""
    assert len(LONG) >= 126
    user.create_user(ann, username=GROUP, email=f"{GROUP}@{'example' * 8}.org", full_name=LONG)
    team.create_team(ann, organization=ORGANIZATION, name=f"t{GROUP[:63]}")
    service_account.create(ann, organization=ORGANIZATION, name=f"s{GROUP[:63]}")
    key.create_key(ann, name=LONG, username=f"s{GROUP[:63]}")
    key.create_key(ann, name=LONG)
    home = registry.create(ann, registry.NewRegistry(ORGANIZATION, REGISTRY, description=LONG * 3))
    person = user.get_user(ann, GROUP)
    organization.put_member(ann, ORGANIZATION, GROUP, GroupRole.MEMBER)
    member.add(ann, home.id, user_ids=[person.id], role=Role.MEMBER)
    member.put_named_team(ann, home.id, f"t{GROUP[:63]}", Role.VIEWER)
    protected_alias.create(ann, home.id, LONG)
    run.upsert(
        ann,
        run.RunChange(
            entity=TEAM, project=LONG, name=LONG[:64], display_name=LONG, notes=LONG, tags=[LONG],
            config=json.dumps({LONG: {"value": LONG * 2}}),
        ),
    )  # fmt: skip
    made = log_version(
        ann, LONG, {f"{LONG}/{LONG}.csv": f"{LONG},{LONG}\n{LONG},1\n".encode(), LONG: b"{}"},
        type_name=LONG, entity=TEAM, project=LONG, run=LONG[:64], aliases=("latest", LONG),
    )  # fmt: skip
    second = log_version(ann, LONG, {LONG: b"2"}, type_name=LONG, entity=TEAM, project=LONG)
    for each in (made, second):
        edit = versions.VersionEdit(
            add_tags=[LONG], description=LONG * 2, metadata=json.dumps({LONG: {LONG: LONG}})
        )
        versions.edit(ann, each.id, edit)
        place, _ = link_version(ann, each, LONG, project=home.name, entity=ORGANIZATION)
    there = alias.Place(ORGANIZATION, home.name, LONG)
    alias.edit(ann, made.id, add=[(there, LONG), (there, f"x{LONG[:120]}")])
    collection.edit_tags(ann, there, add=[LONG])
    collection.edit(ann, place.id, is_sequence=False, description=f"# {LONG}\n\n{LONG}\n\n`{LONG}`")
    hook = integration.create(
        ann, TEAM, IntegrationKind.WEBHOOK,
        Wanted(name=LONG[:64], url=f"https://example.org/{LONG}"),
    )  # fmt: skip
    automation.create(
        ann,
        automation.NewAutomation(
            name=LONG,
            scope_kind=ScopeKind.PROJECT,
            scope_id=home.id,
            event=EventType.LINK_ARTIFACT,
            action=Action(ActionKind.WEBHOOK, hook.id, payload=json.dumps({LONG: LONG})),
            description=LONG,
        ),
    )


def fill_many(ann: Context) -> None:
    """A version with all the names it may have, and one with 100,000 files that are kept elsewhere."""
    made = log_version(ann, MANY, {"w": b"w"}, entity=TEAM, project=MANY)
    link_version(ann, made, MANY, entity=ORGANIZATION)
    there = alias.Place(ORGANIZATION, "wandb-registry-Model", MANY)
    alias.edit(ann, made.id, add=[(there, f"name-{number:03}") for number in range(ALIASES)])
    entries = [
        Entry(f"part-{number:06}.bin", "d41d8cd98f00b204e9800998ecf8427e", 1,
              ref=f"s3://bucket/part-{number:06}.bin")
        for number in range(FILES)
    ]  # fmt: skip
    version, _ = versions.create(
        ann,
        versions.NewVersion(
            entity=TEAM, project=LARGE, collection=LARGE, type_name="dataset",
            digest=digest_of(entries), aliases=("latest",),
        ),
    )  # fmt: skip
    bring_manifest(ann, version.id, entries)
    manifest.commit(ann, version.id)


def pages() -> dict[str, str]:
    """The pages on which long names stand."""
    q = quote(LONG, safe="")
    there = f"/orgs/{ORGANIZATION}/registry/{REGISTRY}"
    place = f"{there}?selectionPath={ORGANIZATION}%2Fwandb-registry-{REGISTRY}%2F{q}"
    version = f"{place}&view=membership&version=v0"
    source = f"/{TEAM}/{q}/artifacts/{q}/{q}/v0"
    run_page = f"/{TEAM}/{q}/runs/{LONG[:64]}"
    orgs, team_page = f"/orgs/{ORGANIZATION}", f"/t{GROUP[:63]}"
    return {
        "landing": "/",
        "search": f"/search?q={q}",
        "account": "/account",
        "projects": "/projects",
        "team": f"/{TEAM}",
        "team-members": f"{team_page}?tab=members",
        "team-integrations": f"/{TEAM}?tab=integrations",
        "organization-members": f"{orgs}/members",
        "organization-teams": f"{orgs}/teams",
        "organization-accounts": f"{orgs}/service-accounts?account=s{GROUP[:63]}",
        "organization-account-delete": f"{orgs}/service-accounts?remove=s{GROUP[:63]}",
        "organization-storage": f"{orgs}/storage",
        "organization-audit": f"{orgs}/audit",
        "server-people": "/server/people",
        "server-person": f"/server/people/{GROUP}",
        "registry": there,
        "registry-open": f"{there}?open={q}",
        "settings": f"{there}/settings",
        "settings-unprotect": f"{there}/settings?confirm=unprotect&name={q}",
        "access": f"{there}/access",
        "automations": f"{there}/automations",
        "automation": f"{there}/automations/1",
        "automation-edit": f"{there}/automations/1/edit",
        "link": f"{there}/link?collection={q}",
        "collection": place,
        "collection-metrics": f"{place}&metric={LONG}.{LONG}",
        "collection-aliases": f"{place}&tab=aliases",
        "collection-timeline": f"{place}&tab=aliases&alias={q}",
        "collection-history": f"{place}&tab=history",
        "collection-rename": f"{place}&confirm=rename",
        "compare": f"{place}&compare=v0&compare=v1",
        "version": version,
        "version-metadata": f"{version}&tab=metadata",
        "version-usage": f"{version}&tab=usage",
        "version-files": f"{version}&tab=files",
        "version-folder": f"{version}&tab=files&folder={q}",
        "version-csv": f"{version}&tab=files&file={q}%2F{q}.csv",
        "version-lineage": f"{version}&tab=lineage",
        "version-unalias": f"{version}&confirm=remove-alias&alias={q}",
        "version-unlink": f"{version}&confirm=unlink",
        "source": source,
        "source-link": f"{source}?link={REGISTRY}",
        "project": f"/{TEAM}/{q}",
        "project-runs": f"/{TEAM}/{q}?tab=runs",
        "run": run_page,
        "run-artifacts": f"{run_page}?tab=artifacts",
    }


@pytest.fixture(scope="module")
def looker(chromium: Browser, rig: Rig) -> Iterator[Page]:
    """The administrator's browser."""
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    visitor = Visitor(context.new_page(), rig.url)
    visitor.log_in(rig.api_key)
    yield visitor.page
    context.close()


class TestLongNames:
    """A name without a space, as long as it may be, widens no page and pushes no button off it."""

    @pytest.mark.parametrize("name", pages())
    def test_no_page_is_widened(self, rig: Rig, looker: Page, name: str) -> None:
        for size in (PHONE, DESKTOP):
            looker.set_viewport_size(size)  # type: ignore[arg-type]
            answer = looker.goto(rig.url + pages()[name])
            assert answer is not None
            assert answer.status == 200
            found = looker.evaluate(
                """() => {
                  const aside = ".scroll, .canvas, .tabs, .viewer, pre, dialog, .unseen, .brief";
                  const wide = [...document.querySelectorAll("body *")].filter((each) =>
                    each.getBoundingClientRect().right > innerWidth + 1 && !each.closest(aside));
                  return [document.documentElement.scrollWidth,
                    wide.slice(0, 3).map((each) => each.outerHTML.slice(0, 120))];
                }"""
            )
            assert found[0] <= size["width"], found[1]

    @pytest.mark.parametrize("name", ["version", "collection", "registry", "settings"])
    def test_what_one_works_with_is_on_the_screen(self, rig: Rig, looker: Page, name: str) -> None:
        """On a phone no button lies outside, where only a sideways move would find it."""
        looker.set_viewport_size(PHONE)  # type: ignore[arg-type]
        looker.goto(rig.url + pages()[name])
        outside = looker.evaluate(
            """() => [...document.querySelectorAll("main :is(button, a.button, summary, a.x)")]
              .filter((each) => each.checkVisibility() && !each.closest(".tabs, dialog"))
              .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
              .map((each) => each.outerHTML.slice(0, 160))"""
        )
        assert outside == []


class TestMany:
    """Many of a thing are cut or paged, and what is cut is told."""

    def test_as_many_names_on_one_version_as_there_may_be(self, rig: Rig, looker: Page) -> None:
        path = f"{ORGANIZATION}%2Fwandb-registry-Model%2F{MANY}"
        there = f"/orgs/{ORGANIZATION}/registry/Model?selectionPath={path}"
        looker.set_viewport_size(PHONE)  # type: ignore[arg-type]
        looker.goto(rig.url + there)
        row = looker.locator("tbody tr").first
        expect(row).to_contain_text(f"and {ALIASES + 1 - 8} more")
        looker.goto(f"{rig.url}{there}&view=membership&version=v0")
        # All of them can be worked with in one place, and the head of the page stays a head.
        expect(looker.locator("#aliases .alias")).to_have_count(ALIASES + 1)
        head = looker.locator(".head").first.bounding_box()
        assert head is not None
        assert head["height"] < 400
        expect(looker.locator(".head .badges")).to_contain_text("more")
        looker.goto(f"{rig.url}{there}&view=membership&version=v0&tab=usage")
        expect(looker.locator("main")).to_contain_text("name-000")
        looker.goto(f"{rig.url}{there}&tab=aliases")
        expect(looker.locator("tbody tr")).to_have_count(50)

    def test_100_000_files_in_one_folder(self, rig: Rig, visit: Callable[..., Visitor]) -> None:
        page = visit(rig.api_key).goto(f"/{TEAM}/{LARGE}/artifacts/dataset/{LARGE}/v0?tab=files")
        rows = page.locator("table.files tbody tr")
        expect(rows).to_have_count(100)
        expect(rows.first).to_contain_text("part-000000.bin")
        page.get_by_role("link", name="Next").click()
        expect(rows.first).to_contain_text("part-000100.bin")
        page.get_by_role("link", name="First page").click()
        expect(rows.first).to_contain_text("part-000000.bin")
        page.get_by_role("link", name="part-000007.bin").click()
        expect(page.locator("main")).to_contain_text("s3://bucket/part-000007.bin")
        page.goto(f"{rig.url}/{TEAM}/{LARGE}/artifacts/dataset/{LARGE}/v0")
        expect(page.locator(".sheet")).to_contain_text("100,000 files")
