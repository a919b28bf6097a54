"""Which operations of REST each command of `byname` asks for: who may use it follows from their rows."""

from __future__ import annotations

from dataclasses import dataclass

PLACE = "{organization}/{registry}"
ZOO = PLACE + "/Zoo"
SOURCE = "{organization}/wandb-registry-{registry}/Zoo:v1"
_REGISTRY = "/api/v1/registries/{}/{}"
_COLLECTION = _REGISTRY + "/collections/{}"
_VERSION = _COLLECTION + "/versions/{}"
_ALIAS = _COLLECTION + "/aliases/{}"
_ORGANIZATION = "/api/v1/organizations/{}"
_PROJECT = "/api/v1/projects/{}/{}"
_RUN = _PROJECT + "/runs/{}"


@dataclass(frozen=True, slots=True)
class Use:
    """Words behind `byname` that use a command, and the operations that it then asks for."""

    words: str
    asks: tuple[str, ...]
    hides: bool = True
    """Its place is a registry, which may be hidden from who asks."""
    ends: tuple[int, ...] = (0, 6)
    """With which exit codes it may end, used by an admin."""


def _use(words: str, *asks: str, hides: bool = True, ends: tuple[int, ...] = (0, 6)) -> Use:
    return Use(words, asks, hides, ends)


def _of_team(words: str, operation: str) -> Use:
    """A command for what a team keeps; what it names is not there, or its value no good one."""
    return _use(words, operation, hides=False, ends=(0, 2, 5))


USES: list[Use] = [
    _use(f"history {PLACE}", f"GET {_REGISTRY}/history"),
    _use(f"history {ZOO}", f"GET {_COLLECTION}/history"),
    _use("search zoo --organization {organization} --registry {registry}", "GET /api/v1/search"),
    _use(f"lineage {PLACE}/Zoo:v0", "GET /api/v1/lineage", ends=(0,)),
    _use("lineage {team_home}/{project}/{run} --run", "GET /api/v1/lineage", hides=False),
    _use("audit {organization}", f"GET {_ORGANIZATION}/audit", hides=False),
    _use("audit", "GET /admin/audit_logs", hides=False),
    _use("gc", "POST /api/v1/garbage-collections", hides=False),
    _use("gc --dry-run", "POST /api/v1/garbage-collections/preview", hides=False),
    _use("registry ls {organization}", "GET /api/v1/registries/{}", hides=False),
    _use("registry create {organization}/new", "POST /api/v1/registries/{}", hides=False),
    _use(f"registry show {PLACE}", f"GET {_REGISTRY}"),
    _use(f"registry edit {PLACE} --description new", f"PATCH {_REGISTRY}"),
    _use(f"registry owner {PLACE} admin", f"PUT {_REGISTRY}/owner"),
    _use(f"registry star {PLACE}", f"PUT {_REGISTRY}/star"),
    _use(f"registry unstar {PLACE}", f"DELETE {_REGISTRY}/star"),
    _use(f"registry rm {PLACE}", f"DELETE {_REGISTRY}"),
    _use(f"collection ls {PLACE}", f"GET {_REGISTRY}/collections"),
    _use(f"collection create {PLACE}/New --type model", f"POST {_REGISTRY}/collections"),
    _use(f"collection show {ZOO}", f"GET {_COLLECTION}"),
    _use(f"collection edit {ZOO} --description new", f"PATCH {_COLLECTION}"),
    _use(f"collection rename {ZOO} Park", f"PATCH {_COLLECTION}"),
    _use(f"collection rm {ZOO}", f"DELETE {_COLLECTION}"),
    _use(f"version ls {ZOO}", f"GET {_COLLECTION}/versions"),
    _use(f"version show {ZOO}:v0", f"GET {_VERSION}"),
    _use(f"version files {ZOO}:v0", f"GET {_VERSION}/files"),
    _use(f"version edit {ZOO}:v0 --description new", "PATCH /api/v1/versions"),
    _use("version rm {source}", "DELETE /api/v1/versions", hides=False),
    _use(f"version link {SOURCE} {PLACE}/New", f"POST {_COLLECTION}/links"),
    _use(f"version unlink {ZOO}:v0", f"DELETE {_VERSION}"),
    _use(f"version compare {ZOO} v0 v1", f"GET {_COLLECTION}/compare"),
    _use(f"tag add {ZOO} new", f"PUT {_COLLECTION}/tags/{{}}"),
    _use(f"tag add {ZOO}:v0 new", f"PUT {_VERSION}/tags/{{}}"),
    _use(f"tag rm {ZOO} new", f"DELETE {_COLLECTION}/tags/{{}}"),
    _use(f"tag rm {ZOO}:v0 new", f"DELETE {_VERSION}/tags/{{}}"),
    _use(f"member ls {PLACE}", f"GET {_REGISTRY}/members"),
    _use(f"member add {PLACE} {{username}}", f"PUT {_REGISTRY}/members/{{}}"),
    _use(f"member add {PLACE} {{team}} --team", f"PUT {_REGISTRY}/teams/{{}}"),
    _use(f"member role {PLACE} {{username}} viewer", f"PUT {_REGISTRY}/members/{{}}"),
    _use(f"member rm {PLACE} {{username}}", f"DELETE {_REGISTRY}/members/{{}}"),
    _use(f"member rm {PLACE} {{team}} --team", f"DELETE {_REGISTRY}/teams/{{}}"),
    _use(f"alias set {ZOO}:x v0", f"POST {_REGISTRY}/alias-moves"),
    _use(f"alias move {ZOO}:x v0", f"POST {_REGISTRY}/alias-moves"),
    _use(f"alias group {PLACE} Zoo:x=v0 Zoo:y=v1,none", f"POST {_REGISTRY}/alias-moves"),
    _use(f"alias rm {ZOO}:production", f"POST {_REGISTRY}/alias-moves"),
    _use(f"alias show {ZOO}:production", f"GET {_ALIAS}"),
    _use(f"alias ls {ZOO}:production", f"GET {_ALIAS}/history"),
    _use(f"alias undo {ZOO}:production", f"GET {_ALIAS}/history", f"POST {_ALIAS}/undo"),
    _use(f"protect add {PLACE} blessed", f"POST {_REGISTRY}/protected-aliases"),
    _use(f"protect rm {PLACE} guarded", f"DELETE {_REGISTRY}/protected-aliases/{{}}"),
    _use(f"protect ls {PLACE}", f"GET {_REGISTRY}/protected-aliases"),
    _use("project ls {team_home}", "GET /api/v1/projects/{}", hides=False),
    _use("project show {team_home}/{project}", f"GET {_PROJECT}", hides=False),
    _use("project edit {team_home}/{project} --name n", f"PATCH {_PROJECT}", hides=False),
    _use("project rm {team_home}/{project}", f"DELETE {_PROJECT}", hides=False),
    _use("project collections {team_home}/{project}", f"GET {_PROJECT}/collections", hides=False),
    _use(
        "project versions {team_home}/{project}/{sequence}",
        f"GET {_PROJECT}/collections/{{}}/versions",
        hides=False,
    ),
    _use("run ls {team_home}/{project}", f"GET {_PROJECT}/runs", hides=False),
    _use("run show {team_home}/{project}/{run}", f"GET {_RUN}", hides=False),
    _use("run stop {team_home}/{project}/{run}", f"POST {_RUN}/stop", hides=False),
    _use("run rm {team_home}/{project}/{run}", f"DELETE {_RUN}", hides=False),
    _use("run alerts {team_home}/{project}/{run}", f"GET {_RUN}/alerts", hides=False),
    _use("trash ls {organization}", f"GET {_ORGANIZATION}/trash", hides=False),
    _use(
        "trash restore {organization} {deletion}",
        f"POST {_ORGANIZATION}/trash/{{}}/restore",
        hides=False,
    ),
    _use("user create n --email n@example.org", "POST /api/v1/users", hides=False),
    _use("user ls", "GET /api/v1/users", hides=False),
    _use("user show {username}", "GET /api/v1/users/{}", hides=False),
    _use("user edit {username} --admin", "PATCH /api/v1/users/{}", hides=False),
    _use("user rm {username}", "DELETE /api/v1/users/{}", hides=False),
    _use("invitation create n --email n@example.org", "POST /api/v1/invitations", hides=False),
    _use("invitation ls", "GET /api/v1/invitations", hides=False),
    _use("invitation renew {username}", "POST /api/v1/invitations/{}", hides=False),
    _use("invitation revoke {username}", "DELETE /api/v1/invitations/{}", hides=False),
    _use("organization create n --owner {username}", "POST /api/v1/organizations", hides=False),
    _use("organization ls", "GET /api/v1/organizations", hides=False),
    _use("organization show {organization}", f"GET {_ORGANIZATION}", hides=False),
    _use("organization member ls {organization}", f"GET {_ORGANIZATION}/members", hides=False),
    _use("organization storage {organization}", f"GET {_ORGANIZATION}/storage", hides=False),
    _use("health", "GET /api/v1/health", hides=False),
    _use("organization rm other", f"DELETE {_ORGANIZATION}", hides=False),
    _use(
        "organization member set {organization} {username} admin",
        f"PUT {_ORGANIZATION}/members/{{}}",
        hides=False,
    ),
    _use(
        "organization member rm {organization} {username}",
        f"DELETE {_ORGANIZATION}/members/{{}}",
        hides=False,
    ),
    _use(
        "organization member deactivate {organization} {username}",
        f"PUT {_ORGANIZATION}/members/{{}}/deactivation",
        hides=False,
    ),
    _use(
        "organization member activate {organization} {username}",
        f"DELETE {_ORGANIZATION}/members/{{}}/deactivation",
        hides=False,
    ),
    _use(
        "organization member deactivated {organization}",
        f"GET {_ORGANIZATION}/deactivations",
        hides=False,
    ),
    _use("team create n --organization {organization}", f"POST {_ORGANIZATION}/teams", hides=False),
    _use("team ls {organization}", f"GET {_ORGANIZATION}/teams", hides=False),
    _use("team show {team}", "GET /api/v1/teams/{}", hides=False),
    _use("team member ls {team}", "GET /api/v1/teams/{}/members", hides=False),
    _use("team rm {team}", "DELETE /api/v1/teams/{}", hides=False),
    _use("team ttl {team}", "GET /api/v1/teams/{}/ttl", hides=False),
    _use(
        "team member set {team} {username} viewer", "PUT /api/v1/teams/{}/members/{}", hides=False
    ),
    _use("team member rm {team} admin", "DELETE /api/v1/teams/{}/members/{}", hides=False),
    _use(
        "service-account create n --organization {organization}",
        f"POST {_ORGANIZATION}/service-accounts",
        hides=False,
    ),
    _use(
        "service-account ls --organization {organization}",
        f"GET {_ORGANIZATION}/service-accounts",
        hides=False,
    ),
    _use(
        "service-account rm none --organization {organization}",
        f"DELETE {_ORGANIZATION}/service-accounts/{{}}",
        hides=False,
        ends=(5,),
    ),
    _use(
        "service-account create n --team {team}",
        "POST /api/v1/teams/{}/service-accounts",
        hides=False,
    ),
    _of_team(
        "automation create n --event create_artifact --registry {organization}/{registry}"
        " --nothing",
        "POST /api/v1/automations",
    ),
    _of_team("automation ls --registry {organization}/{registry}", "GET /api/v1/automations"),
    _of_team("automation show 1", "GET /api/v1/automations/{}"),
    _of_team("automation edit 1 --rename m", "PATCH /api/v1/automations/{}"),
    _of_team("automation enable 1", "PATCH /api/v1/automations/{}"),
    _of_team("automation disable 1", "PATCH /api/v1/automations/{}"),
    _of_team("automation rm 1", "DELETE /api/v1/automations/{}"),
    _of_team("automation history 1", "GET /api/v1/automations/{}/executions"),
    _of_team(
        "automation history --registry {organization}/{registry}",
        "GET /api/v1/executions",
    ),
    _of_team("automation execution 1", "GET /api/v1/executions/{}"),
    _of_team("automation retry 1", "POST /api/v1/executions/{}/retry"),
    _of_team("automation replay 1 --after 0.0", "POST /api/v1/automations/{}/replay"),
    _of_team("webhook add {team} n https://example.org/", "POST /api/v1/teams/{}/webhooks"),
    _of_team("webhook edit {team} n --rename m", "PATCH /api/v1/teams/{}/webhooks/{}"),
    _of_team("webhook ls {team}", "GET /api/v1/teams/{}/webhooks"),
    _of_team("webhook test {team} n", "POST /api/v1/teams/{}/webhooks/{}/test"),
    _of_team("webhook rm {team} n", "DELETE /api/v1/teams/{}/webhooks/{}"),
    _of_team("slack edit {team} n --rename m", "PATCH /api/v1/teams/{}/slack-channels/{}"),
    _of_team("slack ls {team}", "GET /api/v1/teams/{}/slack-channels"),
    _of_team("slack test {team} n", "POST /api/v1/teams/{}/slack-channels/{}/test"),
    _of_team("slack rm {team} n", "DELETE /api/v1/teams/{}/slack-channels/{}"),
    _of_team("secret ls {team}", "GET /api/v1/teams/{}/secrets"),
    _of_team("secret rm {team} NAME", "DELETE /api/v1/teams/{}/secrets/{}"),
    _use("key create", "POST /api/v1/keys", hides=False),
    _use("key ls", "GET /api/v1/keys", hides=False),
    _use("key rename 1 n", "PATCH /api/v1/keys/{}", hides=False),
    _use("key rm 1", "DELETE /api/v1/keys/{}", hides=False),
]

OTHERWISE: dict[str, str] = {
    "serve": "the server itself: whoever may read and write the data folder",
    "setup": "the data folder, of which nobody is the administrator yet",
    "check": "the data folder, without a server",
    "slack add": "POST /api/v1/teams/{}/slack-channels, once it was told the address",
    "secret add": "POST /api/v1/teams/{}/secrets, once it was told the value",
    "secret set": "PATCH /api/v1/teams/{}/secrets/{}, once it was told the value",
    "secret rotate-key": "the data folder, without a server",
    "download": "byname.Client: GET /api/v1/resolve and signed addresses (tests/client)",
    "upload": "byname.Client: what the client asks for to log a version and link it (tests/client)",
    "watch": "byname.Client: GET /api/v1/resolve and the events of the registry (tests/client)",
}
"""Commands that ask for no operation of REST, or not by themselves."""
