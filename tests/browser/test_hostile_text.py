"""A10: a hundred and more script payloads in every field people write, in a real browser.

None runs, no page asks another server for anything, and nothing even tries what the policy forbids.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Error, Page

from byname import wiring
from byname.domain import automation as rules
from byname.domain.automation import Action, ActionKind, ScopeKind
from byname.domain.errors import DomainError
from byname.domain.event import EventType
from byname.domain.file_stream import StreamPost
from byname.domain.history import to_csv
from byname.domain.integration import IntegrationKind
from byname.domain.slack import Severity
from byname.http.authentication import actor_of_user
from byname.operations import (
    alias,
    automation,
    collection,
    file_stream,
    integration,
    organization,
    project,
    protected_alias,
    registry,
    run,
    run_alert,
    run_file,
    secret,
    service_account,
    team,
    user,
)
from byname.operations import key as keys
from byname.operations import session as sessions
from byname.operations import version as versions
from byname.operations.context import Context
from byname.settings import Settings
from tests.browser.conftest import DESKTOP, PATIENCE_MILLISECONDS
from tests.browser.crawl import walk
from tests.support.hostile import PAYLOADS, distinct, fit
from tests.support.rig import ORGANIZATION, TEAM, Rig, make_rig
from tests.support.world import link_version, log_version

PROJECT = "hostile"
SLASHES = "/" + chr(92)
WATCH = """
window.__fired = []; window.__violations = [];
window.canary = (...told) => window.__fired.push(String(told));
window.alert = window.confirm = window.prompt = () => window.__fired.push('dialog');
document.addEventListener('securitypolicyviolation', (event) =>
  window.__violations.push(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample));
"""
SIGNS = """() => {
  const wrong = [];
  for (const each of document.querySelectorAll('*')) {
    for (const { name, value } of each.attributes) {
      if (name.startsWith('on') || name === 'srcdoc' || name === 'style' || name.startsWith('hx-on'))
        wrong.push(each.tagName + ' ' + name + '=' + value);
      if (['href', 'src', 'action', 'formaction', 'xlink:href', 'hx-get', 'hx-post'].includes(name)
          && !/^(\\/|#|\\?|$|https?:\\/\\/|data:image\\/)/.test(value))
        wrong.push(each.tagName + ' ' + name + '=' + value);
    }
    for (const kind of ['mouseover', 'pointerover', 'focus', 'toggle', 'animationstart'])
      each.dispatchEvent(new Event(kind));
  }
  return { wrong, fired: window.__fired, violations: window.__violations,
           links: [...document.querySelectorAll('main a[href], header a[href]')].map(
             (each) => each.getAttribute('href')) };
}"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A server whose every field somebody filled in with malice."""
    made = make_rig(tmp_path_factory.mktemp("hostile"))
    ctx = wiring.build_context(Settings(data=made.data))
    fill(ctx)
    ctx.blobs.close()
    ctx.database.close()
    made.start()
    yield made
    made.kill()
    log = made.log.read_text()
    assert "Traceback" not in log, log[-5000:]


def fill(base: Context) -> None:
    """Many payloads into few objects, and each field of every kind of object with all of them."""
    actor = actor_of_user(base.database, 1)
    assert actor is not None
    ann = base.acting(actor, "sdk")
    together = "\n".join(PAYLOADS)
    with base.database.write():
        everybody(ann)
        target = registry.create(
            ann,
            registry.NewRegistry(
                ORGANIZATION, "Main", description=together[:9_000], types=["model"]
            ),
        )
        for payload in distinct("/\\#?%:"):
            registry.create(ann, registry.NewRegistry(ORGANIZATION, payload, description=payload))
    for start in range(0, len(PAYLOADS), 50):
        runs(ann, start)
    files = {f"{n}/{fit(p, SLASHES)}": b"x" for n, p in enumerate(PAYLOADS)}
    source = log_version(ann, "weights", files, entity=TEAM, project=PROJECT, run="r0")
    # Tags take words only, so that none of this can be one.
    aliases = distinct("/:@~")
    place, _ = link_version(
        ann, source, "Zoo", aliases[:60], project=target.name, entity=ORGANIZATION
    )
    collection.edit(ann, place.id, is_sequence=False, description=together)
    half = len(PAYLOADS) // 2
    metadata = {
        each: {other: [other]} for each, other in zip(PAYLOADS, PAYLOADS[half:], strict=False)
    }
    versions.edit(
        ann,
        source.id,
        versions.VersionEdit(description=together, metadata=json.dumps(metadata)),
    )
    for name in aliases[60:80]:
        protected_alias.create(ann, target.id, name)
    more_kinds(ann, target.id)
    for number, name in enumerate(distinct("/:")[:110]):
        made = log_version(
            ann, f"w{number}", {"f": name.encode()}, entity=TEAM, project=PROJECT, type_name="model"
        )
        there, _ = link_version(
            ann, made, name, [aliases[number % len(aliases)]], project=target.name,
            entity=ORGANIZATION,
        )  # fmt: skip
        with base.database.write():
            collection.edit(ann, there.id, is_sequence=False, description=PAYLOADS[number])


FILES = {
    "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='canary()'>"
    b"<script>canary()</script></svg>",
    "page.html": b"<!doctype html><body onload=canary()><script>canary()</script>",
    "page.xhtml": b"<html xmlns='http://www.w3.org/1999/xhtml'><script>canary()</script></html>",
    "card.md": "\n".join(PAYLOADS).encode(),
    "table.csv": to_csv(["a", "b"], [[each, each] for each in PAYLOADS]).encode(),
    "table.tsv": b"<script>canary()</script>\t=cmd|'/c calc'!A1\n'\"><img src=x onerror=canary()>\tx\n",
    "tree.json": json.dumps({each: {each: [each]} for each in PAYLOADS}).encode(),
    "lone.json": b'{"\\ud800<script>canary()</script>": "\\udfff<img src=x onerror=canary()>"}',
    "deep.json": b'{"a":' * 400 + b'"<script>canary()</script>"' + b"}" * 400,
    "utf16.html": "<script>canary()</script>".encode("utf-16"),
    "utf7.html": b"+ADw-script+AD4-canary()+ADw-/script+AD4-",
    "iso2022.html": b"\x1b$B<script>canary()</script>\x1b(B<img src=x onerror=canary()>",
    "latin.html": b"\xe9<script>canary()</script>",
    "bom.txt": b"\xef\xbb\xbf<script>canary()</script>",
    "controls.txt": b"\x0c\x0b\x1b[31m<script>canary()</script>\r<img src=x onerror=canary()>",
    "fake.png": b"<script>canary()</script>",
    "both.gif": b"GIF89a/*" + b"\0" * 20 + b"*/=1;canary();<script>canary()</script>",
    "code.js": b"canary()",
    "sheet.css": b"*{background:url(//evil.example)}",
    "paper.pdf": b"%PDF-1.4 /OpenAction << /S /JavaScript /JS (canary()) >>",
}  # fmt: skip
"""Files that a browser would run, were they shown as what they say they are, and in odd encodings."""


def more_kinds(ann: Context, registry_id: int) -> None:
    """Automations, integrations, alerts, types, browsers of sessions, and files to be looked at."""
    log_version(ann, "files", FILES, entity=TEAM, project=PROJECT, type_name="files")
    for number, payload in enumerate(PAYLOADS[:30]):
        name = fit(payload, length=60)
        hook = integration.Wanted(
            name=f"{number} {name}"[:64], url=f"https://x.example/{quote(payload)}?<{number}>"
        )
        try:
            made = integration.create(ann, TEAM, IntegrationKind.WEBHOOK, hook)
        except DomainError:
            hook = integration.Wanted(name=hook.name, url=f"https://x.example/{quote(payload)}")
            made = integration.create(ann, TEAM, IntegrationKind.WEBHOOK, hook)
        channel = integration.Wanted(name=hook.name, url="https://x.example/services/x")
        slack = integration.create(ann, TEAM, IntegrationKind.SLACK, channel)
        actions = (
            Action(ActionKind.WEBHOOK, made.id, payload=json.dumps({payload: payload})),
            Action(ActionKind.SLACK, slack.id, title=payload, message=payload),
        )
        automation.create(
            ann,
            automation.NewAutomation(
                name=f"{number} {payload}"[:200],
                description=payload,
                scope_kind=ScopeKind.PROJECT,
                scope_id=registry_id,
                event=EventType.ADD_ARTIFACT_ALIAS,
                filter=rules.simple_filter(rules.Simple("alias", fit(payload), exact=True)),
                action=actions[number % 2],
                enabled=False,
            ),
        )
        run_alert.send(
            ann, TEAM, PROJECT, "r0", title=payload, text=payload, severity=Severity.WARN
        )
        registry.edit(ann, registry_id, registry.RegistryEdit(add_types=[fit(payload, "/:")]))
    executions(ann, registry_id)
    secret = keys.create_key(ann, name="browsers").secret
    for payload in PAYLOADS:
        sessions.log_in_with_key(replace(ann, actor=None), api_key=secret, browser=payload)


def executions(ann: Context, registry_id: int) -> None:
    """Deliveries that were answered so, each by two attempts."""
    home = project.get(ann, registry_id)
    with ann.database.write() as tx:
        for number, payload in enumerate(PAYLOADS[:30], 1):
            tx.run(
                "INSERT INTO execution (id, automation_id, organization_id, entity_id,"
                " about_project_id, delivery_id, event, ledger_id, history_id, subject, author,"
                " event_at, action, target, body, state, attempt_count, next_at, status, error,"
                " created_at) VALUES (:id, :id, :organization, :entity, :project, :delivery, :event,"
                " :id, :id, :text, :text, 1, 'webhook', :text, :body, 'failed', 2, 1, 500, :text, 1)",
                {
                    "id": number,
                    "organization": home.organization_id,
                    "entity": home.entity_id,
                    "project": home.id,
                    "delivery": f"{number} {payload}",
                    "event": EventType.LINK_ARTIFACT,
                    "body": json.dumps([payload]),
                    "text": payload,
                },
            )
            for attempt in (1, 2):
                tx.run(
                    "INSERT INTO attempt (execution_id, number, at, milliseconds, status, answer,"
                    " error) VALUES (:id, :attempt, 1, 1, 500, :text, :text)",
                    {"id": number, "attempt": attempt, "text": payload},
                )


def everybody(ann: Context) -> None:
    """People with such full names; keys with such names; the name of ann herself."""
    for number, payload in enumerate(PAYLOADS):
        user.create_user(
            ann, username=f"p{number}", email=f"p{number}@x.org", full_name=fit(payload)
        )
    user.rename_self(ann, fit(PAYLOADS[0]))
    for payload in PAYLOADS[:90]:
        keys.create_key(ann, name=fit(payload))


def runs(ann: Context, start: int) -> None:
    """Runs whose every text is a payload; the first holds all of them."""
    with ann.database.write():
        for number, payload in enumerate(PAYLOADS[start : start + 50], start):
            run.upsert(
                ann,
                run.RunChange(
                    entity=TEAM, project=PROJECT, name=f"r{number}", display_name=payload,
                    notes=payload, description=payload, group=payload, job_type=payload,
                    program=payload, host=payload, repo=payload, commit=payload,
                    tags=[payload[:100]],
                    config=json.dumps({payload: {"value": {payload: [payload]}}}),
                    summary=json.dumps({payload: 1.5, f"{payload} ": payload}),
                ),
            )  # fmt: skip
    if start:
        return
    content = {
        "wandb-history.jsonl": [json.dumps({"_step": 0} | dict.fromkeys(PAYLOADS, 1.0))],
        "wandb-events.jsonl": [json.dumps({"_runtime": 1} | dict.fromkeys(PAYLOADS, 1.0))],
        "output.log": [each.replace("\n", " ") for each in PAYLOADS],
    }
    body = {"files": {name: {"offset": 0, "content": each} for name, each in content.items()}}
    file_stream.accept(ann, TEAM, PROJECT, "r0", StreamPost.parse(body))
    made = run.id_of(ann, TEAM, PROJECT, "r0")
    for number, payload in enumerate(PAYLOADS):
        writer = run_file.begin(ann, made)
        writer.write(b"x")
        run_file.keep(ann, made, f"{number}{fit(payload, SLASHES)}", writer.finish())


@dataclass(slots=True)
class Watched:
    """A browser that notes whatever a page should not have done."""

    page: Page
    url: str
    strange: list[str]

    def look(self, path: str) -> list[str]:
        """The page's links; whatever is wrong with it is noted."""
        try:
            self.page.goto(self.url + path, wait_until="load")
        except Error as error:
            # A file to keep, such as a history as CSV, is no page: the browser shows nothing of it.
            if "Download is starting" not in error.message:
                raise
            return []
        found = self.page.evaluate(SIGNS)
        for name in ("wrong", "fired", "violations"):
            self.strange += [f"{path}: {name}: {each}" for each in found[name]]
        return [str(each) for each in found["links"]]


@pytest.fixture
def watched(chromium: Browser, hostile: Rig) -> Iterator[Watched]:
    context = chromium.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    context.add_init_script(WATCH)
    page = context.new_page()
    watched = Watched(page, hostile.url, [])
    host = urlsplit(hostile.url).netloc

    def note(request: object) -> None:
        url = str(getattr(request, "url", ""))
        if urlsplit(url).netloc not in (host, "") and not url.startswith("data:"):
            watched.strange.append(f"asked for {url}")

    page.on("request", note)
    page.on("dialog", lambda dialog: watched.strange.append(f"dialog: {dialog.message}"))
    page.on("pageerror", lambda error: watched.strange.append(f"error: {error}"))
    page.goto(hostile.url + "/login")
    page.get_by_text("Log in with an API key").click()
    page.fill("input[name=api_key]", hostile.api_key)
    page.locator("form:has(input[name=api_key]) button").click()
    page.wait_for_url(lambda url: "/login" not in url)
    yield watched
    context.close()


STARTS = (
    "/", "/account", "/projects", "/server", "/server/people", f"/{TEAM}",
    f"/{TEAM}?tab=trash", f"/orgs/{ORGANIZATION}/members", f"/orgs/{ORGANIZATION}/audit",
    f"/orgs/{ORGANIZATION}/storage", f"/orgs/{ORGANIZATION}/trash", f"/{TEAM}/{PROJECT}?tab=runs",
    f"/{TEAM}/{PROJECT}?tab=artifacts", f"/{TEAM}/{PROJECT}/runs/r0",
    *(f"/{TEAM}/{PROJECT}/runs/r0?tab={tab}" for tab in
      ("charts", "system", "logs", "files", "artifacts")),
    f"/orgs/{ORGANIZATION}/registry/Main",
    f"/orgs/{ORGANIZATION}/registry/Main/automations",
    *(
        f"/orgs/{ORGANIZATION}/registry/Main/automations-history?open={number}"
        for number in range(1, 31)
    ),
    f"/orgs/{ORGANIZATION}/registry/Main/automations-history",
    *(f"/orgs/{ORGANIZATION}/registry/Main/automations/{number}" for number in range(1, 31)),
    *(f"/orgs/{ORGANIZATION}/registry/Main/automations/{number}/edit" for number in (1, 2, 13, 14)),
    f"/orgs/{ORGANIZATION}/registry/Main/settings", f"/{TEAM}?tab=integrations",
    *(f"/{TEAM}/{PROJECT}/artifacts/files/files/v0?tab=files&file={name}" for name in FILES),
)  # fmt: skip


def test_there_are_a_hundred_payloads() -> None:
    assert len(set(PAYLOADS)) >= 100
    assert sum("canary" in each for each in PAYLOADS) >= 90


def test_a_payload_that_is_not_escaped_would_be_noticed(watched: Watched) -> None:
    """The watch itself works: put into a page as markup, payloads are seen."""
    watched.look("/account")
    assert watched.strange == []
    watched.page.evaluate(
        "document.querySelector('main').innerHTML += '<img src=x onerror=canary()>'"
    )
    found = watched.page.evaluate(SIGNS)
    assert any("onerror" in each for each in found["wrong"])
    watched.page.wait_for_function("window.__violations.length > 0")
    watched.page.evaluate("canary()")
    assert watched.page.evaluate("window.__fired.length") == 1


@pytest.mark.timeout(1_200)
def test_a10_no_page_runs_what_people_wrote(watched: Watched) -> None:
    zoo = quote(f"{ORGANIZATION}/wandb-registry-Main/Zoo", safe="")
    version = f"/orgs/{ORGANIZATION}/registry/Main?selectionPath={zoo}"
    looked = walk([*STARTS, version, f"{version}&view=membership&version=v0"], watched.look)
    assert not watched.strange, "\n".join(watched.strange[:50])
    assert len(looked) >= 60, looked


STRONG = (
    '"><script>canary()</script>', "'><img src=x onerror=canary()>", "<svg onload=canary()>",
    "javascript:canary()", "</title><script>canary()</script>", '" autofocus onfocus=canary() x="',
    "</textarea></select><script>canary()</script>", "//evil.example/<script>canary()</script>",
)  # fmt: skip
"""One of each sort of place that a text may break out of."""
ASKED = {
    "/": ("org", "after"),
    "/login": ("next", "lost"),
    "/setup": ("token",),
    "/invitation": ("token",),
    "/account": ("rename", "delete"),
    "/search": ("q", "kind", "registry", "org", "after"),
    "/server/people": ("q", "after"),
    "/server/people/ann": ("delete",),
    f"/orgs/{ORGANIZATION}/members": ("q", "after", "remove"),
    f"/orgs/{ORGANIZATION}/audit": ("who", "what", "status", "from", "to", "after", "actor", "kind"),
    f"/orgs/{ORGANIZATION}/service-accounts": ("account", "remove", "after"),
    f"/{TEAM}": ("tab", "q", "kind", "name", "confirm", "after"),
    f"/{TEAM}/{PROJECT}": ("tab", "type", "state", "order", "q", "after"),
    f"/{TEAM}/{PROJECT}/runs/r0": ("tab", "q", "after", "from", "start", "folder"),
    f"/orgs/{ORGANIZATION}/registry/Main": ("q", "open", "row", "after"),
    f"/orgs/{ORGANIZATION}/registry/Main/settings": ("person", "confirm", "name", "kind", "after"),
    f"/orgs/{ORGANIZATION}/registry/Main/access": ("who",),
    f"/orgs/{ORGANIZATION}/registry/Main/link": ("collection", "team", "project", "artifact", "version"),
    f"/orgs/{ORGANIZATION}/registry/Main/new-automation": ("collection", "event"),
    f"/orgs/{ORGANIZATION}/registry/Main/automations": ("q", "sort", "collection"),
    f"/orgs/{ORGANIZATION}/registry/Main/automations-history": ("q", "state", "collection", "after"),
}  # fmt: skip
ZOO = f"/orgs/{ORGANIZATION}/registry/Main?selectionPath={ORGANIZATION}%2Fwandb-registry-Main%2FZoo"
ASKED_MORE = {
    ZOO: ("tab", "filter", "sort", "metric", "choose", "compare", "after", "confirm"),
    f"{ZOO}&tab=history": ("actor", "kind", "alias", "number", "since", "until", "after", "export"),
    f"{ZOO}&tab=aliases": ("alias", "at", "restore", "after"),
    f"{ZOO}&view=membership&version=v0": ("tab", "by", "alias", "confirm", "link"),
    f"{ZOO}&view=membership&version=v0&tab=files": ("file", "folder", "after"),
    f"{ZOO}&view=membership&version=v0&tab=lineage": (
        "node",
        "open",
        "hide",
        "pull",
        "expand",
        "find",
    ),
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("text", STRONG, ids=range(len(STRONG)))
def test_a10_what_an_address_says_is_data(watched: Watched, text: str) -> None:
    """Every word of every page's query, each alone and all at once; and every part of a path."""
    said = quote(text, safe="")
    for path, names in (ASKED | ASKED_MORE).items():
        sign = "&" if "?" in path else "?"
        watched.look(path + sign + "&".join(f"{name}={said}" for name in names))
        for name in names if text in STRONG[:2] else ():
            watched.look(f"{path}{sign}{name}={said}")
    for path in (
        f"/{said}", f"/{TEAM}/{said}", f"/{TEAM}/{PROJECT}/runs/{said}", f"/orgs/{said}/members",
        f"/orgs/{ORGANIZATION}/registry/{said}", f"/server/people/{said}",
        f"/{TEAM}/{PROJECT}/artifacts/{said}/{said}/{said}", f"/orgs/{ORGANIZATION}/{said}",
        f"/orgs/{ORGANIZATION}/registry/Main?selectionPath={said}", f"{ZOO}&version={said}",
        f"/orgs/{ORGANIZATION}/registry/Main/automations/{said}", f"/content/version-file/{said}",
    ):  # fmt: skip
        watched.look(path)
    assert not watched.strange, "\n".join(watched.strange[:50])


def test_a11_a_file_is_kept_and_never_shown_as_what_it_says_it_is(watched: Watched) -> None:
    """Asked for at its own address, each is a download, of no type that a browser runs."""
    for name, content in FILES.items():
        page = f"/{TEAM}/{PROJECT}/artifacts/files/files/v0?tab=files&file={name}"
        watched.look(page)
        link = watched.page.locator("a.button", has_text="Download").get_attribute("href")
        assert link is not None
        with watched.page.expect_download() as kept:
            watched.page.evaluate("(to) => { location.assign(to); }", link)
        assert Path(kept.value.path()).read_bytes() == content
        headers = watched.page.request.get(watched.url + link).headers
        assert headers["content-disposition"].startswith("attachment")
        assert headers["content-type"] == "application/octet-stream"
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]
        # A page that asked for it as a script or a style of its own would not get it either.
        watched.page.evaluate(
            """(to) => { for (const [tag, at] of [["script", "src"], ["link", "href"], ["img", "src"]]) {
                 const each = document.createElement(tag); each[at] = to; each.rel = "stylesheet";
                 document.body.append(each); } }""",
            link,
        )
        watched.page.wait_for_timeout(50)
        assert watched.page.evaluate("window.__fired") == []
    assert not watched.strange, "\n".join(watched.strange[:50])


def test_a10_what_a_form_says_is_wrong_is_data(watched: Watched) -> None:
    """What was written comes back into the page by script, beside what is wrong with it."""
    version = f"{ZOO}&view=membership&version=v0"
    for text in STRONG:
        for field, button in (("New alias", "Add alias"), ("New tag", "Add tag")):
            watched.page.goto(watched.url + version)
            watched.page.get_by_label(f"Add a{'n' if 'alias' in field else ''} {field[4:]}").click()
            box = watched.page.get_by_label(field)
            box.fill(f"{text}/:")
            with watched.page.expect_response(lambda each: each.request.method == "POST"):
                watched.page.get_by_role("button", name=button).click()
            watched.page.locator("main [role=alert]").first.wait_for()
            found = watched.page.evaluate(SIGNS)
            for name in ("wrong", "fired", "violations"):
                watched.strange += [f"{field} {text}: {name}: {each}" for each in found[name]]
    assert not watched.strange, "\n".join(watched.strange[:50])


@pytest.mark.parametrize("text", STRONG, ids=range(len(STRONG)))
def test_names_that_stand_in_addresses_take_no_such_text(hostile: Rig, text: str) -> None:
    """Teams, organizations, accounts, people, tags and secrets: their names are words."""
    ctx = wiring.build_context(Settings(data=hostile.data))
    actor = actor_of_user(ctx.database, 1)
    assert actor is not None
    ann = ctx.acting(actor, "sdk")
    place = alias.Place(ORGANIZATION, "wandb-registry-Main", "Zoo")
    for make in (
        lambda: team.create_team(ann, organization=ORGANIZATION, name=text),
        lambda: organization.create_organization(ann, name=text, owner="ann"),
        lambda: service_account.create(ann, organization=ORGANIZATION, name=text),
        lambda: team.create_service_account(ann, team=TEAM, name=text),
        lambda: user.create_user(ann, username=text, email="x@x.org"),
        lambda: secret.create(ann, TEAM, text, "value-of-it"),
        lambda: collection.edit_tags(ann, place, add=[text]),
    ):
        with pytest.raises(DomainError):
            make()
    ctx.blobs.close()
    ctx.database.close()


def test_a10_what_scripts_of_ours_put_into_pages_is_data_too(watched: Watched) -> None:
    """Search as one types, and dialogs, bring HTML by script: it is as harmless."""
    for text in ("<script>canary", "onerror", '"><', "x"):
        watched.look(f"/search?q={quote(text)}")
        watched.page.goto(watched.url + "/")
        field = watched.page.locator(".bar .seek input")
        with watched.page.expect_response(lambda answer: "/search" in answer.url):
            field.fill(text)
        watched.page.wait_for_timeout(100)
        found = watched.page.evaluate(SIGNS)
        for name in ("wrong", "fired", "violations"):
            watched.strange += [f"search {text}: {name}: {each}" for each in found[name]]
    watched.page.goto(watched.url + "/server/people/p1")
    watched.page.locator("a[data-dialog]").first.click()
    watched.page.wait_for_selector("dialog[open] .ask")
    found = watched.page.evaluate(SIGNS)
    assert not watched.strange + found["wrong"] + found["fired"] + found["violations"]
