"""Every text that people write is data on every page, never markup (A10); the style can be read."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from importlib import resources
from urllib.parse import quote

import pytest

from byname.operations import collection, key, protected_alias, registry, run, run_file
from byname.operations import user as users
from byname.operations import version as versions
from tests.faces.web.conftest import App
from tests.support.world import ORGANIZATION, PROJECT, TEAM, link_version, log_version

PAYLOADS = (
    "<script>canary()</script>", "<ScRiPt>canary()</ScRiPt>", "<script src=//evil.example></script>",
    "<img src=x onerror=canary()>", "<svg onload=canary()>", "<svg><script>canary()</script></svg>",
    "<body onload=canary()>", "<iframe srcdoc='<script>canary()</script>'>",
    "<iframe src=javascript:canary()>", "<a href=javascript:canary()>x</a>",
    '"><script>canary()</script>', "'><script>canary()</script>", '" onmouseover="canary()',
    "' onfocus='canary()' autofocus='", '" autofocus onfocus=canary() x="',
    "</title><script>canary()</script>", "</textarea><script>canary()</script>",
    "</style><script>canary()</script>", "</code></pre><script>canary()</script>",
    "--><script>canary()</script>", "<!--<img src=x onerror=canary()>", "]]><script>canary()</script>",
    "<math><mi xlink:href=javascript:canary()>", "<details open ontoggle=canary()>",
    "<input autofocus onfocus=canary()>", "<form action=//evil.example><input type=submit>",
    "<base href=//evil.example>", "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<link rel=stylesheet href=//evil.example>", "<style>*{background:url(//evil.example)}</style>",
    "<object data=javascript:canary()>", "<embed src=javascript:canary()>", "{{ 7*7 }}{% raw %}",
    "${7*7}<%= 7*7 %>", "javascript:canary()", "<<script>script>canary()<</script>/script>",
    '<img src="x" title="`><script>canary()</script>">', "&lt;script&gt;canary()&lt;/script&gt;",
    "\u202e<script>canary()</script>", '<noscript><p title="</noscript><img src=x onerror=canary()>">',
)  # fmt: skip

ELEMENTS = {
    "a", "aside", "b", "blockquote", "body", "button", "circle", "code", "datalist", "dd", "defs",
    "details", "dialog", "div", "dl", "dt", "em", "fieldset", "form", "g", "h1", "h2", "h3", "h4",
    "h5", "h6", "head", "header", "hr", "html", "input", "kbd", "label", "legend", "li", "link",
    "main", "marker", "meta", "nav", "ol", "option", "p", "path", "pre", "rect", "s", "section",
    "select", "small", "span", "strong", "summary", "svg", "table", "tbody", "td", "text",
    "textarea", "th", "thead", "time", "title", "tr", "ul",
}  # fmt: skip


class Look(HTMLParser):
    """What a browser makes of a page: its elements, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.text: list[str] = []
        self.in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.in_script = tag == "script"
        if self.in_script:
            # Only our own two files, which every page loads.
            if not re.fullmatch(
                r"/static/(htmx\.min|byname)\.js\?v=\w+", dict(attrs).get("src") or ""
            ):
                self.problems.append(f"<script {attrs}>")
        elif tag not in ELEMENTS:
            self.problems.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith(("on", "hx-on", "data-hx")) or name in (
                "style",
                "srcdoc",
                "http-equiv",
                "formaction",
            ):
                self.problems.append(f"{tag} {name}={value}")
            if name in ("href", "action", "src") and not (value or "").startswith(("/", "#")):
                self.problems.append(f"{tag} {name}={value}")
            self.text.append(value or "")

    def handle_comment(self, data: str) -> None:
        self.problems.append(f"comment {data}")

    def handle_data(self, data: str) -> None:
        if self.in_script and data.strip():
            self.problems.append(f"<script>{data}")
        self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.in_script = self.in_script and tag != "script"


def fit(payload: str, forbidden: str) -> str:
    """The payload as near as a name may come to it, at most 100 characters."""
    unseen = "\u202e"
    return "".join(sign for sign in payload if sign not in forbidden + unseen)[:100].strip()


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a10_no_field_becomes_markup_on_any_page(app: App, payload: str) -> None:
    admin = app.world.admin
    name, alias = fit(payload, "/:"), fit(payload, "/:@~")
    registry_name = fit(payload, "/\\#?%:")
    model = registry.create(
        admin,
        registry.NewRegistry(ORGANIZATION, registry_name, description=payload, types=[name]),
    )
    users.create_user(admin, username="zed", email="zed@example.org", full_name=payload[:100])
    file_name = fit(payload, "\\")
    made, _ = run.upsert(
        admin,
        run.RunChange(
            entity=TEAM, project=PROJECT, name="r", display_name=payload, notes=payload,
            description=payload, group=payload, job_type=payload, program=payload, host=payload,
            tags=[payload[:120]], config=json.dumps({payload: {"value": {payload: [payload]}}}),
            summary=json.dumps({payload: payload}),
        ),
    )  # fmt: skip
    writer = run_file.begin(admin, made.id)
    writer.write(b"x")
    run_file.keep(admin, made.id, file_name.lstrip("/") or "x", writer.finish())
    source = log_version(
        admin, files={file_name.lstrip("/"): b"x"}, type_name=name, aliases=(alias,), run="r"
    )
    place, _ = link_version(admin, source, name, (alias, "plain"), project=model.name)
    second = log_version(admin, files={"other": b"y"}, type_name=name)
    link_version(admin, second, name, (), project=model.name)
    protected_alias.create(admin, model.id, alias)
    versions.edit(
        admin,
        source.id,
        versions.VersionEdit(
            description=payload, metadata=json.dumps({payload: {payload: [payload]}})
        ),
    )
    collection.edit(admin, place.id, is_sequence=False, description=payload)
    key.create_key(admin, name=payload[:100])
    browser = app.by("admin")
    start = "/orgs/acme/registry/" + _quoted(registry_name)
    zoo = f"{start}?selectionPath={_quoted(f'{ORGANIZATION}/{model.name}/{name}')}"
    version = f"{zoo}&view=membership&version=v0"
    source_page = f"/vision/training/artifacts/{_quoted(name)}/model"
    pages = {
        "/": (payload,), start: (payload, name), zoo: (payload, alias, name),
        f"{zoo}&tab=history": (alias,), version: (payload, alias, name),
        f"{version}&tab=metadata": (json.dumps(payload, ensure_ascii=False),),
        f"{version}&tab=usage": (),
        f"{version}&tab=files": (file_name.lstrip("/").partition("/")[0],),
        f"{version}&tab=files&file={_quoted(file_name.lstrip('/'))}": (),
        f"{version}&tab=lineage": (), f"{source_page}/v0?link=": (registry_name,),
        f"{source_page}/v0?link={_quoted(registry_name)}": (registry_name,),
        f"{zoo}&tab=aliases": (alias,), f"{zoo}&metric={_quoted(payload)}": (payload,),
        f"{zoo}&tab=aliases&alias={_quoted(alias)}": (alias,),
        f"{zoo}&tab=aliases&alias={_quoted(alias)}&restore=1": (alias,),
        f"{zoo}&choose=metrics": (), f"{zoo}&confirm=delete": (alias, name),
        f"{zoo}&confirm=rename": (name,), f"{zoo}&compare=v0&compare=v1": (payload, alias),
        f"{version}&confirm=remove-alias&alias={_quoted(alias)}": (alias, name),
        f"{version}&confirm=unlink": (alias,), f"/search?q={_quoted(name[:90])}": (name,),
        "/account": (payload[:100].strip(),),
        "/vision/training": (name,), "/vision/training?tab=runs": (payload,),
        source_page: (name,), f"{source_page}/v0": (payload, alias),
        "/vision/training/runs/r": (payload,), "/vision/training/runs/r?tab=files": (),
        "/vision/training/runs/r?tab=lineage": (name,),
    }  # fmt: skip
    for path, words in pages.items():
        _check(path, browser.get(path), words)
    # What is refused is repeated as data too, and so is what was asked for and is not there.
    _check("alias", browser.send(version, do="add-alias", alias=payload + "/").text, (payload,))
    _check("tag", browser.send(version, do="add-tag", tag=payload + "/").text, (payload,))
    form = "/orgs/acme/new-registry"
    again = browser.send(form, name=registry_name, types=payload, description=payload)
    assert again.status_code in (409, 422)
    _check(form, again.text, (payload,))
    browser.send("/account", do="make-key", name=payload * 9)
    for path in (f"/orgs/acme/registry/{_quoted(payload)}", f"/vision/{_quoted(payload)}",
                 f"{start}?selectionPath={_quoted(payload)}", f"{zoo}&version={_quoted(payload)}",
                 f"/vision/training/runs/{_quoted(payload)}", f"/?org={_quoted(payload)}",
                 f"{zoo}&filter={_quoted(payload)}", f"{zoo}&sort=-metric:{_quoted(payload)}",
                 f"{zoo}&tab=history&actor={_quoted(payload)}&since={_quoted(payload)}",
                 f"{zoo}&compare={_quoted(payload)}&compare=v0",
                 f"{version}&tab=lineage&node={_quoted(payload)}&open={_quoted(payload)}",
                 f"/search?q={_quoted(payload)}", f"/search?q=x&kind={_quoted(payload)}",
                 f"/search?q=x&registry={_quoted(payload)}"):  # fmt: skip
        _check(path, browser.client.get(path, headers={"accept": "text/html"}).text, ())
    refused = app.stranger().client.post(
        "/login", data={"username": payload, "next": payload, "token": payload}
    )
    _check("/login", refused.text, (payload,))


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _check(path: str, page: str, words: tuple[str, ...]) -> None:
    look = Look()
    look.feed(page)
    look.close()
    assert look.problems == [], path
    read = " ".join(" ".join(look.text).split())
    for each in words:
        assert " ".join(each.split()) in read, (path, each)


def test_the_policy_lets_nothing_inline_run(app: App) -> None:
    """A10, A13: every page of a session comes under the strict policy."""
    browser = app.by("admin")
    for path in ("/", "/account", "/orgs/acme/registry/Model", "/vision/none", "/login"):
        headers = browser.client.get(path, headers={"accept": "text/html"}).headers
        if "content-security-policy" in headers:
            assert "unsafe" not in headers["content-security-policy"]
            assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


def _colours(block: str) -> dict[str, str]:
    found = re.findall(r"--([a-z-]+): #([0-9a-f]{3,6});", block)
    return {
        name: value if len(value) == 6 else "".join(s * 2 for s in value) for name, value in found
    }


def _light(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_r173_text_stands_out_from_what_is_behind_it_in_light_and_dark() -> None:
    style = resources.files("byname.web").joinpath("static", "byname.css").read_text()
    light, dark = (_colours(block) for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL))
    assert set(dark) == set(light)
    pairs = [
        ("on-alias", "alias"), ("on-locked", "locked"), ("on-oval", "oval"), ("on-tag", "tag"),
        ("on-accent", "accent"), ("bad", "bad-soft"), ("ink", "sunk"), ("quiet", "sunk"),
        ("good", "good-soft"), ("warn", "warn-soft"), ("accent", "accent-soft"),
        ("artifact", "artifact-soft"), ("run", "run-soft"), ("ink", "hover"), ("quiet", "hover"),
        *((text, paper) for text in ("ink", "quiet", "accent") for paper in ("paper", "panel")),
    ]  # fmt: skip
    for colours in (light, dark):
        for text, paper in pairs:
            high, low = sorted((_light(colours[text]), _light(colours[paper])), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (text, paper)
