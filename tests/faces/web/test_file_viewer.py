"""Files of a version: folders, and a viewer in which nothing of a user is active (R178, A11)."""

from __future__ import annotations

import html
import re

import pytest

from byname.domain.policy import Role
from byname.operations import member, registry
from byname.web.version_files import as_nodes, as_rows, as_text
from tests.faces.web.conftest import App, words_of
from tests.support.world import ORGANIZATION, link_version, log_version

FILES = "/vision/training/artifacts/model/model/v0?tab=files"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
SCRIPT = "<script>canary()</script>"
CONTENT = {
    "readme.txt": f"hello {SCRIPT}".encode(),
    "page.html": SCRIPT.encode(),
    "drawing.svg": f"<svg xmlns='http://www.w3.org/2000/svg'>{SCRIPT}</svg>".encode(),
    "config.json": b'{"layers": [1, {"deep": "<b>x</b>"}]}',
    "broken.json": b'{"layers": ',
    "table.csv": f"name,text\nowl,{SCRIPT}\nbear,2\n".encode(),
    "picture.png": PNG,
    "fake.png": SCRIPT.encode(),
    "model.bin": bytes(range(256)),
    "empty.txt": b"",
    "data/a/1.txt": b"1",
    "data/a/2.txt": b"2",
    "data/b.txt": b"b",
    "data-more/x": b"x",
    "data0": b"0",
}


@pytest.fixture
def files(app: App) -> App:
    log_version(app.world.admin, files=CONTENT)
    return app


def viewed(app: App, path: str, status: int = 200) -> str:
    page = app.by("admin").get(f"{FILES}&file={path}", status)
    return page.split('aria-label="Parts of this version"')[-1]


class TestFolders:
    """R178: files as a tree, one folder at a time, page by page."""

    def test_each_folder_lists_what_lies_directly_in_it(self, files: App) -> None:
        admin = files.by("admin")

        def names(path: str) -> list[str]:
            page = admin.get(path)
            return [words_of(each) for each in re.findall(r'class="path">(.*?)</th>', page)]

        assert names(FILES) == sorted(
            {each.split("/")[0] + "/" * ("/" in each) for each in CONTENT}
        )
        assert names(f"{FILES}&folder=data") == ["a/", "b.txt"]
        assert names(f"{FILES}&folder=data/a") == ["1.txt", "2.txt"]
        admin.get(f"{FILES}&folder=nowhere", 404)
        admin.get(f"{FILES}&folder=dat", 404)

    def test_pages_go_on_behind_a_folder(self, files: App, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("byname.web.version_files.PAGE", 2)
        admin = files.by("admin")
        found: list[str] = []
        here = FILES
        for _ in range(20):
            page = admin.get(here)
            found += [words_of(each) for each in re.findall(r'class="path">(.*?)</th>', page)]
            more = re.search(r'href="([^"]+)" rel="next"', page)
            if more is None:
                break
            here = html.unescape(more[1])
        assert found == sorted({each.split("/")[0] + "/" * ("/" in each) for each in CONTENT})


class TestViewer:
    """A11: user content is never active on the pages' own origin."""

    def test_text_is_text(self, files: App) -> None:
        for name in ("readme.txt", "page.html", "drawing.svg", "fake.png", "broken.json"):
            page = viewed(files, name)
            assert "<script>canary" not in page
            assert '<pre class="viewer">' in page, name
        assert "hello &lt;script&gt;" in viewed(files, "readme.txt")
        assert '<pre class="viewer">' in viewed(files, "empty.txt")

    def test_json_is_a_tree_and_csv_a_table(self, files: App) -> None:
        tree = viewed(files, "config.json")
        assert "layers 2 0 1 1 1 deep" in words_of(tree)
        assert "&lt;b&gt;x&lt;/b&gt;" in tree
        table = viewed(files, "table.csv")
        assert "<td>owl</td><td>&lt;script&gt;canary()&lt;/script&gt;</td>" in table
        assert '<th scope="col">name</th>' in table

    def test_pictures_come_as_raster_images_only(self, files: App) -> None:
        page = viewed(files, "picture.png")
        source = re.search(r'<img src="(/content/version-image/[^"]+)"', page)
        assert source is not None
        answer = files.stranger().client.get(source[1])
        assert answer.content == PNG
        assert answer.headers["content-type"] == "image/png"
        assert "sandbox" in answer.headers["content-security-policy"]
        for name in ("fake.png", "drawing.svg", "model.bin"):
            assert "<img" not in viewed(files, name)
        # The address of another file, signed for downloads, shows no picture.
        link = re.search(r'href="(/content/version-file/[^"]+)"', viewed(files, "page.html"))
        assert link is not None
        assert (
            files.stranger()
            .client.get(link[1].replace("version-file", "version-image"))
            .status_code
            == 401
        )

    def test_other_bytes_have_no_preview(self, files: App) -> None:
        assert "No preview" in viewed(files, "model.bin")
        viewed(files, "absent", 404)

    def test_of_a_long_file_the_beginning_is_shown(self, app: App) -> None:
        log_version(app.world.admin, files={"long.txt": "ä".encode() * 200_000})
        page = viewed(app, "long.txt")
        assert "the first 131.1 kB of it" in words_of(page)
        assert len(page) < 300_000

    def test_r107_a_restricted_viewer_sees_no_byte(self, files: App) -> None:
        made = registry.create(
            files.world.admin, registry.NewRegistry(ORGANIZATION, "Closed", restricted=True)
        )
        files.world.add_person("rita", in_organization="member")
        who = files.world.people["rita"].who.user_id
        member.add(files.world.admin, made.id, user_ids=[who], role=Role.RESTRICTED_VIEWER)
        version = log_version(files.world.admin, files=CONTENT)
        link_version(files.world.admin, version, "C", project="wandb-registry-Closed")
        path = (
            "/orgs/acme/registry/Closed?selectionPath=acme%2Fwandb-registry-Closed%2FC&version=v0"
        )
        page = files.by("rita").get(f"{path}&tab=files&file=readme.txt")
        assert "hello" not in page
        assert "needs the role viewer" in words_of(page)


class TestReading:
    """What is made of bytes that anybody may have written."""

    def test_a_letter_cut_in_the_middle(self) -> None:
        assert as_text("ä€😀".encode()[:-1], cut=True) == "ä€"
        assert as_text("ä".encode()[:-1], cut=False) is None
        assert as_text(b"a\0b", cut=False) is None

    def test_tables_are_cut_and_rectangular(self) -> None:
        rows = as_rows("a,b\n1\n2,3,4\n", ",")
        assert rows is not None
        assert rows[0] == [["a", "b", ""], ["1", "", ""], ["2", "3", "4"]]
        many = as_rows("x\n" * 5_000, ",")
        assert many is not None
        assert (len(many[0]), many[1]) == (201, True)
        assert as_rows("", ",") is None

    def test_json_of_any_depth(self) -> None:
        assert as_nodes("[" * 100_000) is None
        assert as_nodes("1") is None
        found = as_nodes("[1, 2]")
        assert found is not None
        assert [each.key for each in found[0]] == ["0", "1"]

    def test_a_page_of_any_depth(self, app: App) -> None:
        """However deep a file, metadata or a config is nested, its page is shown."""
        for depth in (63, 65, 400, 900):
            text = '{"a":' * depth + '"<b>end</b>"' + "}" * depth
            log_version(app.world.admin, f"deep{depth}", {"deep.json": text.encode()})
            page = app.by("admin").get(
                f"/vision/training/artifacts/model/deep{depth}/v0?tab=files&file=deep.json"
            )
            assert ("&lt;b&gt;end" in page) == (depth < 300)
            assert "<b>end" not in page
