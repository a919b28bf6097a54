"""Files of runs over HTTP: signed addresses, and lasting ones that take a login."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import urlsplit

import pytest

from byname.operations import team
from tests.support.site import PATH, PLACE, Site, make
from tests.support.world import PROJECT, TEAM

FILES = """query RunFiles($project: String!, $entity: String!, $name: String!, $names: [String],
    $upload: Boolean) {
  project(name: $project, entityName: $entity) { run(name: $name) { fileCount
    files(names: $names) { edges { node { id name url(upload: $upload) directUrl sizeBytes mimetype
      updatedAt md5 } cursor } pageInfo { endCursor hasNextPage } } } } }"""
CREATE_FILES = """mutation CreateRunFiles($input: CreateRunFilesInput!) {
  createRunFiles(input: $input) { runID uploadHeaders files { name uploadUrl } } }"""
ARRIVED = """mutation MarkRunFilesUploaded($input: MarkRunFilesUploadedInput!) {
  markRunFilesUploaded(input: $input) { success } }"""


class TestFiles:
    """Protocol 9.2, 11.2, 11.4: addresses that carry their own permission, and lasting ones."""

    NAME = "media/html/HT%3ML _11_a+b.html"

    def put(self, site: Site, name: str, body: bytes) -> str:
        made = site.data(CREATE_FILES, input={**PATH, "files": [f"./{name}"]})["createRunFiles"]
        assert made["runID"]
        (file,) = made["files"]
        assert file["name"] == name
        url: str = file["uploadUrl"]
        assert url.startswith(site.address)
        assert site.ask("PUT", urlsplit(url).path, body)[0] == 200
        return url

    def test_there_and_back(self, site: Site) -> None:
        make(site)
        self.put(site, self.NAME, b"<p>hello</p>")
        found = site.data(FILES, **PLACE, names=[f"./{self.NAME}"], upload=False)
        run = found["project"]["run"]
        assert run["fileCount"] == 1
        node = run["files"]["edges"][0]["node"]
        assert (node["name"], node["sizeBytes"], node["mimetype"]) == (self.NAME, 12, "text/html")
        direct, lasting = (urlsplit(node[field]) for field in ("directUrl", "url"))
        assert site.ask("GET", direct.path) == (200, b"<p>hello</p>")
        assert site.ask("GET", direct.path, headers={"Range": "bytes=3-7"}) == (206, b"hello")
        assert site.ask("GET", lasting.path, headers=site.login) == (200, b"<p>hello</p>")
        assert site.ask("GET", lasting.path)[0] == 401
        arrived = site.data(ARRIVED, input={**PATH, "files": [self.NAME]})
        assert arrived["markRunFilesUploaded"]["success"] is True

    def test_upload_true_gives_an_address_to_send_to(self, site: Site) -> None:
        make(site)
        self.put(site, "a.txt", b"1")
        found = site.data(FILES, **PLACE, names=[], upload=True)
        url = found["project"]["run"]["files"]["edges"][0]["node"]["url"]
        assert site.ask("PUT", urlsplit(url).path, b"22")[0] == 200
        found = site.data(FILES, **PLACE, names=[], upload=False)
        assert found["project"]["run"]["files"]["edges"][0]["node"]["sizeBytes"] == 2

    def test_a_wrong_digest_is_refused_and_leaves_nothing(self, site: Site) -> None:
        make(site)
        url = self.put(site, "a.txt", b"1")
        wrong = {"Content-MD5": b64encode(b"x" * 16).decode()}
        assert site.ask("PUT", urlsplit(url).path, b"other", wrong)[0] == 400
        found = site.data(FILES, **PLACE, names=["a.txt"], upload=False)
        assert found["project"]["run"]["files"]["edges"][0]["node"]["sizeBytes"] == 1

    def test_addresses_close_with_the_role(self, site: Site) -> None:
        make(site)
        site.world.add_person("bob", in_organization="member", in_team="member")
        bob = site.by("bob")
        url = self.put(bob, "a.txt", b"1")
        found = bob.data(FILES, **PLACE, names=[], upload=False)
        direct = found["project"]["run"]["files"]["edges"][0]["node"]["directUrl"]
        team.remove_member(site.world.admin, TEAM, "bob")
        assert site.ask("PUT", urlsplit(url).path, b"2")[0] == 404
        assert site.ask("GET", urlsplit(direct).path)[0] == 404

    def test_forged_addresses(self, site: Site) -> None:
        make(site)
        url = urlsplit(self.put(site, "a.txt", b"1")).path
        token = url.rpartition("/")[2]
        assert site.ask("PUT", url[:-1] + ("A" if url[-1] != "A" else "B"), b"2")[0] == 401
        assert site.ask("GET", f"/content/run-file-get/{token}")[0] == 401
        assert site.ask("PUT", "/content/run-file/nonsense", b"2")[0] == 401

    @pytest.mark.parametrize("name", ["../x", "/etc/passwd", "", "a\nb", "x" * 1025])
    def test_bad_names(self, site: Site, name: str) -> None:
        make(site)
        assert site.graphql(CREATE_FILES, {"input": {**PATH, "files": [name]}})[0] == 422

    @pytest.mark.parametrize("name", ["..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "none"])
    def test_names_are_never_paths(self, site: Site, name: str) -> None:
        make(site)
        path = f"/files/{TEAM}/{PROJECT}/abcd1234/{name}"
        assert site.ask("GET", path, headers=site.login)[0] == 404

    def test_delete(self, site: Site) -> None:
        make(site)
        self.put(site, "a.txt", b"1")
        found = site.data(FILES, **PLACE, names=[], upload=False)
        file_id = found["project"]["run"]["files"]["edges"][0]["node"]["id"]
        delete = "mutation D($files: [ID!]!) { deleteFiles(input: {files: $files}) { success } }"
        assert site.data(delete, files=[file_id])["deleteFiles"]["success"] is True
        assert site.data(FILES, **PLACE, names=[])["project"]["run"]["fileCount"] == 0
