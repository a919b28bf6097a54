"""A10: a hundred and more script payloads in every field people write, in a real browser.

None runs, no page asks another server for anything, and nothing even tries what the policy forbids.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Error, Page

from byname import wiring
from byname.domain.file_stream import StreamPost
from byname.http.authentication import actor_of_user
from byname.operations import (
    collection,
    file_stream,
    protected_alias,
    registry,
    run,
    run_file,
    user,
)
from byname.operations import key as keys
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
