"""The same bytes come back, by whatever way a client asks for them."""

from __future__ import annotations

from tests.support.relay import relaying
from tests.support.rig import Rig
from tests.support.sdk import Sdk


class TestDownloading:
    """R54, R153, R154; protocol 9.7 and 11.4."""

    def test_every_way_to_download(self, sdk: Sdk, rig: Rig) -> None:
        project = sdk.name("downloading")
        told = sdk.result("downloading.py", project)
        sent = told["sent"]
        sizes = {
            "inner/a b.txt": 5,
            "inner/deep/50%.txt": 4,
            "net.bin": 3_000_000,
            "other/#1?.txt": 3,
            "other/100%41.txt": 6,
            "other/empty": 0,
        }
        assert set(sent) == set(sizes)
        for way in ("download", "source", "multipart", "checkout"):
            assert told[way] == sent, way
        assert told["prefix"] == {k: v for k, v in sent.items() if k.startswith("inner/")}
        assert (told["entry"], told["get_path"], told["one"]) == ("inner", "deep", "inner")
        assert told["file"] == "inner"
        assert "more than one file" in told["not_single"]
        assert told["files"] == [[6], [[name, size] for name, size in sizes.items()]]
        assert told["named"] == ["net.bin"]
        assert told["pages"] == 6
        assert "not a member of artifact" in told["broken"]

        # A direct address that does not work (any more) has another way behind it.
        linked = f"smle-reg/wandb-registry-Model/{project} 50% net:v0"
        with relaying(
            rig.url.removeprefix("http://"), lambda path: path.startswith("/content/version-file/")
        ) as relay:
            through = Sdk(sdk.release, relay.url, rig.api_key, sdk.folder)
            assert through.result("fallback.py", linked, home="second") == sent
        assert len(relay.refused) == 6
        assert sum(line.startswith("GET /artifactsV2/") for line in relay.passed) == 6
