"""What exactly does the client send? The documents are read from an installed wandb package.

None of its text is kept here. Bodies and headers have the form that its 0.31 release was seen to
send: the document verbatim, an empty `operationName`, and answers accepted with gzip.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from benchmarks import tools
from benchmarks.load import Request, request

RELEASE = "0.31.0"
NAMES = (
    "ARTIFACT_MEMBERSHIP_BY_NAME_GQL",
    "LINK_ARTIFACT_GQL",
    "ADD_ALIASES_GQL",
    "GET_ARTIFACT_MEMBERSHIP_FILE_URLS_GQL",
    "REGISTRY_VERSIONS_GQL",
)
_READ = f"""
import json
from wandb.sdk.artifacts._generated import operations
print(json.dumps({{name: getattr(operations, name) for name in {NAMES!r}}}))
"""


@dataclass(frozen=True, slots=True)
class Documents:
    """The client's own GraphQL texts."""

    membership_by_name: str
    link: str
    add_aliases: str
    file_addresses: str
    registry_versions: str


def read() -> Documents:
    """The documents of the release above, which is installed beside the project when it is not.

    Raises:
        MissingError: it cannot be installed.
    """
    python = tools.environment(f".venv-wandb-{RELEASE}", f"wandb=={RELEASE}")
    texts = json.loads(tools.output([str(python), "-c", _READ]).splitlines()[-1])
    return Documents(*(texts[name] for name in NAMES))


def client_headers(api_key: str) -> dict[str, str]:
    """The headers of the client's public face."""
    credentials = b64encode(f"api:{api_key}".encode()).decode()
    return {
        "Host": "127.0.0.1",
        "User-Agent": f"W&B Public Client {RELEASE}",
        "Authorization": f"Basic {credentials}",
        "Content-Type": "application/json",
        "Use-Admin-Privileges": "true",
        "X-Wandb-User-Email": "",
        "X-Wandb-Username": "",
        "Accept-Encoding": "gzip",
    }


def graphql(document: str, variables: dict[str, Any], headers: dict[str, str]) -> Request:
    """The document as the client posts it."""
    body = json.dumps(
        {"query": document, "variables": variables, "operationName": ""}, separators=(",", ":")
    )
    return request("POST", "/graphql", headers, body.encode())
