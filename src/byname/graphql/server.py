"""What this server is and offers (`serverInfo`). Answers without a login, too."""

from __future__ import annotations

from typing import Any

from ariadne import QueryType

from byname.graphql.context import Info
from byname.graphql.features import FEATURES, MAX_CLI_VERSION, MIN_CLI_VERSION

query = QueryType()

_SERVER_INFO = {
    "cli_version_info": {"max_cli_version": MAX_CLI_VERSION, "min_cli_version": MIN_CLI_VERSION},
    # How old this installation is would have to be asked of somebody else's server.
    "latest_local_version_info": None,
    "features": [{"name": name, "is_enabled": on} for name, on in FEATURES.items()],
}


@query.field("serverInfo")
def resolve_server_info(_source: Any, info: Info) -> dict[str, Any]:
    """Versions and features."""
    return _SERVER_INFO


bindables = [query]
