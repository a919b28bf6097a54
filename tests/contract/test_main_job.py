"""An unmodified script logs, links, names and pulls back a version, with each supported client."""

from __future__ import annotations

import hashlib
import secrets

from tests.support.rig import Rig, make_rig
from tests.support.sdk import Sdk


class TestTheMainJob:
    """R5, R6, R41, R46, R48, R67: names given in one process lead to the same bytes in another."""

    def test_link_and_pull_back(self, sdk: Sdk, tmp_path_factory: object) -> None:
        folder = sdk.folder / "rig"
        rig: Rig = make_rig(folder)
        rig.start()
        try:
            mine = Sdk(sdk.release, rig.url, rig.api_key, sdk.folder)
            files = {
                "zoo_dataset": secrets.token_bytes(5000),
                "zoo_labels": secrets.token_bytes(300),
            }
            (sdk.folder / "first").mkdir()
            for name, body in files.items():
                (sdk.folder / "first" / f"{name}.pt").write_bytes(body)
            mine.script("main_link.py")
            pulled = mine.result("main_pull.py", home="second")
            want = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
            for ref in ("production-us", "production-eu", "latest", "v0", str(pulled["digest"])):
                assert pulled[ref] == want
            assert pulled["version"] == "v0"
            assert pulled["aliases"] == ["latest", "production-eu", "production-us"]
            assert (
                pulled["qualified_name"]
                == "smle-reg/wandb-registry-Model/Zoo_Classifier_Models:production-eu"
            )
            assert pulled["source"] == "smle-reg-team-2/zoo_experiment/zoo_dataset:v0"
            assert len(pulled["used_by"]) == 1
            # The same content again makes no new version anywhere.
            mine.script("main_link.py")
            assert mine.result("main_pull.py", home="third")["version"] == "v0"
            assert rig.stop() == 0
        finally:
            rig.kill()
