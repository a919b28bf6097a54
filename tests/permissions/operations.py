"""The permission table: every operation of GraphQL and REST, and what it needs.

A row says where an operation takes place, which permission it needs there, and how it is asked for.
What is checked in another way, or is open to all, stands in `ELSEWHERE` with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from byname.domain.ids import to_id
from byname.domain.policy import GroupRole, Permission
from tests.permissions.people import Target
from tests.support.world import PROJECT


class Scope(Enum):
    """Where an operation takes place, and so whose role counts."""

    REGISTRY = "registry"
    TEAM = "project of a team"
    ORGANIZATION = "organization"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Rest:
    """A request to the JSON face; the path is filled with the target's words."""

    method: str
    path: str
    body: Any = None
    query: str = ""

    @property
    def whole_path(self) -> str:
        """With what stands before it."""
        return self.path if self.path.startswith("/scim/") else f"/api/v1{self.path}"


@dataclass(frozen=True, slots=True)
class Mutation:
    """A mutation of the SDK's face with this input."""

    name: str
    input: Callable[[Target], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Query:
    """A query of the SDK's face; null stands for what is hidden."""

    name: str
    arguments: Callable[[Target], dict[str, Any]]


Call = Rest | Mutation | Query


@dataclass(frozen=True, slots=True)
class Row:
    """One operation."""

    call: Call
    scope: Scope
    least: Permission | GroupRole | None
    source: bool = False
    """A role where the version was made counts as well (R58)."""
    by_id: bool = False
    """The version is named by its id, so that who sees it anywhere is told that it is there."""
    creator: bool = False
    """Only who created it, or an admin of the organization (R171)."""
    done: frozenset[int] = frozenset({200, 201, 204})

    @property
    def key(self) -> str:
        """How the walks over all faces name it."""
        match self.call:
            case Rest(method):
                return f"{method} {self.call.whole_path}"
            case Mutation(name):
                return f"mutation {name}"
            case Query(name):
                return f"query {name}"


def _id(kind: str, key: str) -> Callable[[Target], str]:
    return lambda target: to_id(kind, target.ids[key])


_ARTIFACT = _id("Artifact", "version")
_COLLECTION = _id("ArtifactCollection", "collection")
_SEQUENCE = _id("ArtifactCollection", "sequence")
_PROJECT = _id("Project", "project")
_RUN = _id("Run", "run")
_PENDING = _id("Artifact", "pending")

_SCIM = "/scim/organizations/{whole}"
REGISTRY = "/registries/{organization}/{registry}"
ZOO = f"{REGISTRY}/collections/Zoo"


def _registry(method: str, rest: str, least: Permission, body: Any = None, **more: Any) -> Row:
    return Row(Rest(method, REGISTRY + rest, body), Scope.REGISTRY, least, **more)


def _place(target: Target, **more: Any) -> dict[str, Any]:
    return {
        "entityName": target.words["organization"],
        "projectName": "wandb-registry-" + target.words["registry"],
        **more,
    }


def _team(target: Target, **more: Any) -> dict[str, Any]:
    return {"entityName": target.words["team_home"], "projectName": PROJECT, **more}


def _trigger(target: Target, scope: str) -> dict[str, Any]:
    kind, id_kind = {
        "collection": ("ARTIFACT_COLLECTION", "ArtifactCollection"),
        "project": ("PROJECT", "Project"),
    }[scope]
    return {
        "name": "new",
        "enabled": True,
        "scopeType": kind,
        "scopeID": to_id(id_kind, target.ids[scope]),
        "triggeringEventType": "LINK_MODEL",
        "eventFilter": "{}",
        "triggeredActionType": "NO_OP",
        "triggeredActionConfig": {"noOpActionInput": {"noOp": True}},
    }


def _mutation(
    name: str, scope: Scope, least: Permission, given: Callable[[Target], Any], **more: Any
) -> Row:
    return Row(Mutation(name, given), scope, least, **more)


_WAITING = {"name": "new", "event": "LINK_ARTIFACT", "action": {"kind": "nothing"}}
_WHOLE = {"organization": "{organization}", "registry": "{registry}"}
_TRAINING = {"team": "{team_home}", "project": PROJECT}
_ZOO = _WHOLE | {"collection": "Zoo"}

P, R, T = Permission, Scope.REGISTRY, Scope.TEAM
_ADMIN = GroupRole.ADMIN

ROWS: list[Row] = [
    # ---- REST: a registry -------------------------------------------------------------------
    _registry("GET", "", P.SEE),
    _registry("PATCH", "", P.EDIT_PROJECT, {"description": "new"}),
    _registry("PATCH", "", P.EDIT_PROJECT, {"name": "renamed"}),
    _registry("PATCH", "", P.SET_ALL_TYPES, {"allow_all_artifact_types": False}),
    _registry("PATCH", "", P.SET_VISIBILITY, {"default_role": "member"}),
    _registry("PATCH", "", P.SET_ICON, {"icon": "star-teal"}),
    _registry("DELETE", "", P.DELETE_PROJECT, creator=True),
    _registry("PUT", "/star", P.SEE),
    _registry("DELETE", "/star", P.SEE),
    _registry("PUT", "/owner", P.MANAGE_MEMBERS, {"username": "{creator}"}),
    _registry("GET", "/members", P.SEE),
    _registry("PUT", "/members/{username}", P.MANAGE_MEMBERS, {}),
    _registry("DELETE", "/members/{username}", P.MANAGE_MEMBERS, done=frozenset({204, 409})),
    _registry("PUT", "/teams/{team}", P.MANAGE_MEMBERS, {"role": "viewer"}),
    _registry("DELETE", "/teams/{team}", P.MANAGE_MEMBERS),
    _registry("GET", "/collections", P.SEE),
    _registry("POST", "/collections", P.CREATE_COLLECTION, {"name": "new", "type": "model"}),
    # ---- REST: a collection and its versions ------------------------------------------------
    _registry("GET", "/collections/{collection}", P.SEE),
    _registry("PATCH", "/collections/{collection}", P.EDIT_COLLECTION, {"name": "Park"}),
    _registry("DELETE", "/collections/{collection}", P.DELETE_COLLECTION),
    _registry("PUT", "/collections/{collection}/tags/{tag}", P.TAG),
    _registry("DELETE", "/collections/{collection}/tags/{tag}", P.TAG),
    _registry("GET", "/collections/{collection}/versions", P.SEE),
    Row(
        Rest("GET", REGISTRY + "/collections/{collection}/compare", query="from=v0&to=next"),
        R,
        P.SEE,
    ),
    _registry(
        "POST",
        "/collections/{collection}/links",
        P.LINK,
        {"version": "{organization}/wandb-registry-{registry}/Zoo:v1", "aliases": ["x"]},
    ),
    _registry("GET", "/collections/{collection}/versions/{version}", P.SEE),
    _registry(
        "PATCH",
        "/collections/{collection}/versions/{version}",
        P.EDIT_VERSION,
        {"description": "new"},
        source=True,
    ),
    _registry("DELETE", "/collections/{collection}/versions/{version}", P.UNLINK),
    _registry("GET", "/collections/{collection}/versions/{version}/files", P.DOWNLOAD),
    _registry(
        "PUT", "/collections/{collection}/versions/{version}/tags/{tag}", P.TAG, source=True
    ),
    _registry(
        "DELETE", "/collections/{collection}/versions/{version}/tags/{tag}", P.TAG, source=True
    ),
    # ---- REST: aliases, protected ones, and their history -----------------------------------
    _registry("GET", "/collections/{collection}/aliases/{alias}", P.SEE),
    _registry("PUT", "/collections/{collection}/aliases/{alias}", P.ALIAS, {"version": "v1"}),
    _registry("DELETE", "/collections/{collection}/aliases/{alias}", P.ALIAS),
    _registry(
        "POST", "/collections/{collection}/aliases/{alias}/undo", P.ALIAS, {"revision": 1}
    ),
    _registry("GET", "/collections/{collection}/aliases/{alias}/history", P.SEE),
    _registry("GET", "/collections/{collection}/history", P.SEE),
    _registry("GET", "/history", P.SEE),
    _registry(
        "POST",
        "/alias-moves",
        P.ALIAS,
        {"moves": [{"collection": "Zoo", "alias": "x", "version": "v0"}]},
    ),
    _registry(
        "POST",
        "/alias-moves",
        P.PROTECTED_ALIAS,
        {"moves": [{"collection": "Zoo", "alias": "guarded", "version": "v0"}]},
    ),
    _registry("GET", "/protected-aliases", P.SEE),
    _registry("POST", "/protected-aliases", P.MANAGE_PROTECTED, {"name": "blessed"}),
    _registry("DELETE", "/protected-aliases/{alias}", P.MANAGE_PROTECTED),
    _registry(
        "POST",
        "/collections/{collection}/links",
        P.PROTECTED_ALIAS,
        {"version": "{organization}/wandb-registry-{registry}/Zoo:v1", "aliases": ["guarded"]},
    ),
    # ---- REST: trash and lineage ------------------------------------------------------------
    Row(
        Rest("POST", "/organizations/{organization}/trash/{deletion}/restore"),
        R,
        P.DELETE_COLLECTION,
    ),
    Row(Rest("GET", "/organizations/{whole}/trash"), Scope.ORGANIZATION, GroupRole.VIEWER),
    Row(Rest("GET", "/organizations/{whole}/audit"), Scope.ORGANIZATION, _ADMIN),
    Row(
        Rest("GET", "/lineage", query="ref={organization}/wandb-registry-{registry}/Zoo:next"),
        R,
        P.SEE,
    ),
    Row(
        Rest("DELETE", "/versions", query="ref={source}&delete_aliases=true"),
        T,
        P.DELETE_VERSION,
        done=frozenset({409}),  # It is linked (R162).
    ),
    Row(
        Rest("GET", "/versions", query="ref={organization}/wandb-registry-{registry}/Zoo:next"),
        R,
        P.SEE,
    ),
    Row(
        Rest(
            "PATCH",
            "/versions",
            {"description": "new"},
            query="ref={organization}/wandb-registry-{registry}/Zoo:v0",
        ),
        R,
        P.EDIT_VERSION,
        source=True,
    ),
    Row(
        Rest("PATCH", "/versions", {"metadata": {"a": 1}}, query="ref={source}"),
        T,
        P.EDIT_VERSION,
    ),
    Row(Rest("POST", "/garbage-collections"), Scope.SERVER, None),
    Row(Rest("POST", "/garbage-collections/preview", {"list": 1}), Scope.SERVER, None),
    Row(
        Rest("GET", "/search", query="q=zoo&organization={organization}&registry={registry}"),
        R,
        P.SEE,
    ),
    Row(
        Rest("GET", "/resolve", query="ref={organization}/wandb-registry-{registry}/Zoo:next"),
        R,
        P.SEE,
    ),
    # ---- REST: automations ------------------------------------------------------------------
    _registry("GET", "/automations", P.SEE),
    _registry("GET", "/collections/{collection}/automations", P.SEE),
    Row(
        Rest("GET", "/automations", query="organization={organization}&registry={registry}"),
        R,
        P.SEE,
    ),
    Row(Rest("POST", "/automations", _WAITING | {"scope": _ZOO}), R, P.AUTOMATE_COLLECTION),
    Row(Rest("POST", "/automations", _WAITING | {"scope": _WHOLE}), R, P.AUTOMATE_REGISTRY),
    Row(Rest("POST", "/automations", _WAITING | {"scope": _TRAINING}), T, P.AUTOMATE_PROJECT),
    Row(Rest("GET", "/automations/{of_registry}"), R, P.SEE),
    Row(Rest("PATCH", "/automations/{of_collection}", {"name": "n"}), R, P.AUTOMATE_COLLECTION),
    Row(Rest("PATCH", "/automations/{of_registry}", {"name": "n"}), R, P.AUTOMATE_REGISTRY),
    Row(Rest("PATCH", "/automations/{of_collection}", {"scope": _WHOLE}), R, P.AUTOMATE_REGISTRY),
    Row(Rest("DELETE", "/automations/{of_collection}"), R, P.AUTOMATE_COLLECTION),
    Row(Rest("DELETE", "/automations/{of_registry}"), R, P.AUTOMATE_REGISTRY),
    Row(
        Rest("GET", "/organizations/{whole}/automations"), Scope.ORGANIZATION, GroupRole.VIEWER
    ),
    # ---- REST: what automations did ---------------------------------------------------------
    _registry("GET", "/executions", P.SEE),
    _registry("GET", "/collections/{collection}/executions", P.SEE),
    Row(
        Rest("GET", "/executions", query="organization={organization}&registry={registry}"),
        R,
        P.SEE,
    ),
    Row(
        Rest("GET", "/organizations/{whole}/executions"), Scope.ORGANIZATION, GroupRole.VIEWER
    ),
    Row(Rest("GET", "/automations/{of_registry}/executions"), R, P.SEE),
    Row(
        Rest("POST", "/automations/{of_registry}/replay", {"after": "0.0"}),
        R,
        P.AUTOMATE_REGISTRY,
        done=frozenset({200, 409}),
    ),
    Row(
        Rest("POST", "/automations/{of_collection}/replay", {"after": "0.0"}),
        R,
        P.AUTOMATE_COLLECTION,
        done=frozenset({200, 409}),
    ),
    # ---- REST: organizations and teams ------------------------------------------------------
    Row(Rest("GET", "/registries/{whole}"), Scope.ORGANIZATION, GroupRole.VIEWER),
    Row(Rest("POST", "/registries/{whole}", {"name": "new"}), Scope.ORGANIZATION, GroupRole.MEMBER),
    Row(
        Rest("DELETE", "/organizations/{whole}"),
        Scope.ORGANIZATION,
        _ADMIN,
        done=frozenset({204, 409}),
    ),
    Row(Rest("GET", "/organizations/{whole}"), Scope.ORGANIZATION, GroupRole.VIEWER),
    Row(Rest("GET", "/organizations/{whole}/members"), Scope.ORGANIZATION, GroupRole.VIEWER),
    Row(Rest("GET", "/organizations/{whole}/teams"), Scope.ORGANIZATION, GroupRole.VIEWER),
    Row(Rest("GET", "/organizations/{whole}/storage"), Scope.ORGANIZATION, _ADMIN),
    Row(
        Rest("PUT", "/organizations/{whole}/members/{username}", {"role": "admin"}),
        Scope.ORGANIZATION,
        _ADMIN,
    ),
    Row(
        Rest("DELETE", "/organizations/{whole}/members/{username}"),
        Scope.ORGANIZATION,
        _ADMIN,
        done=frozenset({204, 409}),
    ),
    Row(
        Rest("PUT", "/organizations/{whole}/members/{username}/deactivation"),
        Scope.ORGANIZATION,
        _ADMIN,
        done=frozenset({200, 409}),
    ),
    Row(
        Rest("DELETE", "/organizations/{whole}/members/{username}/deactivation"),
        Scope.ORGANIZATION,
        _ADMIN,
    ),
    Row(Rest("GET", "/organizations/{whole}/deactivations"), Scope.ORGANIZATION, _ADMIN),
    Row(Rest("POST", "/organizations/{whole}/teams", {"name": "new"}), Scope.ORGANIZATION, _ADMIN),
    Row(
        Rest("POST", "/organizations/{whole}/service-accounts", {"name": "n"}),
        Scope.ORGANIZATION,
        _ADMIN,
    ),
    Row(
        Rest("GET", "/organizations/{whole}/service-accounts"), Scope.ORGANIZATION, GroupRole.VIEWER
    ),
    Row(
        Rest("DELETE", "/organizations/{whole}/service-accounts/{username}"),
        Scope.ORGANIZATION,
        _ADMIN,
        done=frozenset({404}),  # They are a person.
    ),
    # ---- SCIM: people and teams of an organization ------------------------------------------
    Row(Rest("GET", f"{_SCIM}/Users"), Scope.ORGANIZATION, _ADMIN),
    Row(Rest("POST", f"{_SCIM}/Users/.search", {}), Scope.ORGANIZATION, _ADMIN),
    Row(
        Rest("POST", f"{_SCIM}/Users", {"userName": "n", "emails": [{"value": "n@example.org"}]}),
        Scope.ORGANIZATION,
        _ADMIN,
    ),
    Row(Rest("GET", f"{_SCIM}/Users/{{user_id}}"), Scope.ORGANIZATION, _ADMIN),
    Row(
        Rest(
            "PUT",
            f"{_SCIM}/Users/{{user_id}}",
            {"userName": "{username}", "emails": [{"value": "{username}@example.org"}]},
        ),
        Scope.ORGANIZATION,
        _ADMIN,
    ),
    Row(
        Rest(
            "PATCH",
            f"{_SCIM}/Users/{{user_id}}",
            {"Operations": [{"op": "replace", "path": "active", "value": False}]},
        ),
        Scope.ORGANIZATION,
        _ADMIN,
        done=frozenset({200, 409}),
    ),
    Row(
        Rest("DELETE", f"{_SCIM}/Users/{{user_id}}"),
        Scope.ORGANIZATION,
        _ADMIN,
        done=frozenset({204, 409}),
    ),
    Row(Rest("GET", f"{_SCIM}/Groups"), Scope.ORGANIZATION, _ADMIN),
    Row(Rest("POST", f"{_SCIM}/Groups/.search", {}), Scope.ORGANIZATION, _ADMIN),
    Row(Rest("POST", f"{_SCIM}/Groups", {"displayName": "n"}), Scope.ORGANIZATION, _ADMIN),
    Row(Rest("GET", f"{_SCIM}/Groups/{{team_id}}"), Scope.ORGANIZATION, _ADMIN),
    Row(
        Rest("PUT", f"{_SCIM}/Groups/{{team_id}}", {"displayName": "{team}"}),
        Scope.ORGANIZATION,
        _ADMIN,
    ),
    Row(
        Rest(
            "PATCH",
            f"{_SCIM}/Groups/{{team_id}}",
            {"Operations": [{"op": "add", "path": "members", "value": [{"value": "{user_id}"}]}]},
        ),
        Scope.ORGANIZATION,
        _ADMIN,
    ),
    Row(
        Rest("DELETE", f"{_SCIM}/Groups/{{team_id}}"),
        Scope.ORGANIZATION,
        _ADMIN,
        done=frozenset({204, 409}),
    ),
    # ---- REST: the server -------------------------------------------------------------------
    Row(Rest("POST", "/users", {"username": "n", "email": "n@example.org"}), Scope.SERVER, None),
    Row(Rest("DELETE", "/users/{username}"), Scope.SERVER, None),
    Row(Rest("GET", "/health"), Scope.SERVER, None),
    Row(
        Rest("POST", "/invitations", {"username": "n", "email": "n@example.org"}),
        Scope.SERVER,
        None,
    ),
    Row(Rest("GET", "/invitations"), Scope.SERVER, None),
    Row(Rest("POST", "/invitations/{username}"), Scope.SERVER, None),
    Row(Rest("DELETE", "/invitations/{username}"), Scope.SERVER, None),
    Row(Rest("POST", "/organizations", {"name": "n", "owner": "pat"}), Scope.SERVER, None),
    # ---- GraphQL: what is read --------------------------------------------------------------
    Row(Query("artifact", lambda t: {"id": _ARTIFACT(t)}), R, P.SEE, source=True, by_id=True),
    Row(Query("artifactCollection", lambda t: {"id": _COLLECTION(t)}), R, P.SEE),
    Row(
        Query(
            "project",
            lambda t: {
                "entityName": t.words["organization"],
                "name": "wandb-registry-" + t.words["registry"],
            },
        ),
        R,
        P.SEE,
    ),
    Row(
        Query(
            "model",
            lambda t: {
                "entityName": t.words["organization"],
                "name": "wandb-registry-" + t.words["registry"],
            },
        ),
        R,
        P.SEE,
    ),
    Row(
        Query("organization", lambda t: {"name": t.words["whole"]}),
        Scope.ORGANIZATION,
        GroupRole.VIEWER,
    ),
    Row(
        Query("entity", lambda t: {"name": t.words["whole"]}),
        Scope.ORGANIZATION,
        GroupRole.VIEWER,
    ),
    # ---- GraphQL: registries ----------------------------------------------------------------
    _mutation(
        "upsertModel",
        R,
        P.EDIT_PROJECT,
        lambda t: {"id": _PROJECT(t), "description": "new"},
    ),
    _mutation(
        "renameProject",
        R,
        P.EDIT_PROJECT,
        lambda t: {
            "entityName": t.words["organization"],
            "oldProjectName": "wandb-registry-" + t.words["registry"],
            "newProjectName": "wandb-registry-renamed",
        },
    ),
    _mutation("deleteModel", R, P.DELETE_PROJECT, lambda t: {"id": _PROJECT(t)}, creator=True),
    _mutation(
        "createProjectMembers",
        R,
        P.MANAGE_MEMBERS,
        lambda t: {"projectId": _PROJECT(t), "userIds": []},
    ),
    _mutation(
        "deleteProjectMembers",
        R,
        P.MANAGE_MEMBERS,
        lambda t: {"projectId": _PROJECT(t), "userIds": []},
    ),
    _mutation(
        "updateProjectMember",
        R,
        P.MANAGE_MEMBERS,
        lambda t: {
            "projectId": _PROJECT(t),
            "userId": to_id("User", t.ids["creator"]),
            "userProjectRole": "admin",
        },
    ),
    _mutation(
        "createArtifactCollectionTagAssignments",
        R,
        P.TAG,
        lambda t: _place(t, artifactCollectionName="Zoo", tags=[{"tagName": "x"}]),
    ),
    _mutation(
        "deleteArtifactCollectionTagAssignments",
        R,
        P.TAG,
        lambda t: _place(t, artifactCollectionName="Zoo", tags=[{"tagName": "x"}]),
    ),
    _mutation(
        "updateArtifactPortfolio",
        R,
        P.EDIT_COLLECTION,
        lambda t: {"artifactPortfolioID": _COLLECTION(t), "name": "Park"},
    ),
    _mutation(
        "deleteArtifactPortfolio",
        R,
        P.DELETE_COLLECTION,
        lambda t: {"artifactPortfolioID": _COLLECTION(t)},
    ),
    _mutation(
        "linkArtifact",
        R,
        P.LINK,
        lambda t: _place(
            t, artifactPortfolioName="New", artifactID=_ARTIFACT(t), aliases=[]
        ),
    ),
    _mutation(
        "unlinkArtifact",
        R,
        P.UNLINK,
        lambda t: {"artifactID": _ARTIFACT(t), "artifactPortfolioID": _COLLECTION(t)},
    ),
    _mutation(
        "addAliases",
        R,
        P.ALIAS,
        lambda t: {
            "artifactID": _ARTIFACT(t),
            "aliases": [_place(t, artifactCollectionName="Zoo", alias="x")],
        },
    ),
    _mutation(
        "addAliases",
        R,
        P.PROTECTED_ALIAS,
        lambda t: {
            "artifactID": _ARTIFACT(t),
            "aliases": [_place(t, artifactCollectionName="Zoo", alias="guarded")],
        },
    ),
    _mutation(
        "deleteAliases",
        R,
        P.ALIAS,
        lambda t: {
            "artifactID": _ARTIFACT(t),
            "aliases": [_place(t, artifactCollectionName="Zoo", alias="production")],
        },
    ),
    _mutation(
        "updateArtifact",
        R,
        P.EDIT_VERSION,
        lambda t: {"artifactID": _ARTIFACT(t), "description": "new"},
        source=True,
        by_id=True,
    ),
    # ---- GraphQL: automations ---------------------------------------------------------------
    _mutation(
        "createFilterTrigger", R, P.AUTOMATE_COLLECTION, lambda t: _trigger(t, "collection")
    ),
    _mutation("createFilterTrigger", R, P.AUTOMATE_REGISTRY, lambda t: _trigger(t, "project")),
    _mutation(
        "updateFilterTrigger",
        R,
        P.AUTOMATE_COLLECTION,
        lambda t: {"id": to_id("Trigger", t.ids["of_collection"]), "name": "new"},
    ),
    _mutation(
        "updateFilterTrigger",
        R,
        P.AUTOMATE_REGISTRY,
        lambda t: {"id": to_id("Trigger", t.ids["of_registry"]), "name": "new"},
    ),
    _mutation(
        "deleteTrigger",
        R,
        P.AUTOMATE_COLLECTION,
        lambda t: {"triggerID": to_id("Trigger", t.ids["of_collection"])},
    ),
    _mutation(
        "deleteTrigger",
        R,
        P.AUTOMATE_REGISTRY,
        lambda t: {"triggerID": to_id("Trigger", t.ids["of_registry"])},
    ),
    # ---- GraphQL: a team's project ----------------------------------------------------------
    _mutation(
        "createArtifact",
        T,
        P.LOG,
        lambda t: _team(
            t,
            artifactTypeName="model",
            artifactCollectionName="new",
            digest="0" * 32,
            digestAlgorithm="MANIFEST_MD5",
        ),
    ),
    _mutation(
        "createArtifactType", T, P.LOG, lambda t: _team(t, name="new")
    ),
    _mutation("commitArtifact", T, P.LOG, lambda t: {"artifactID": _PENDING(t)}),
    _mutation(
        "createArtifactManifest",
        T,
        P.LOG,
        lambda t: _team(
            t, artifactID=_PENDING(t), name="m.json", digest="", runName="run1", type="FULL"
        ),
    ),
    _mutation(
        "createArtifactFiles",
        T,
        P.LOG,
        lambda t: {
            "artifactFiles": [
                {"artifactID": _PENDING(t), "name": "f", "md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
            ],
            "storageLayout": "V2",
        },
    ),
    _mutation(
        "updateArtifactSequence",
        T,
        P.EDIT_COLLECTION,
        lambda t: {"artifactSequenceID": _SEQUENCE(t), "name": "renamed"},
    ),
    _mutation(
        "moveArtifactSequence",
        T,
        P.EDIT_COLLECTION,
        lambda t: {"artifactSequenceID": _SEQUENCE(t), "destinationArtifactTypeName": "x"},
        done=frozenset({409}),  # Versions of it are linked.
    ),
    _mutation(
        "deleteArtifact",
        T,
        P.DELETE_VERSION,
        lambda t: {"artifactID": _ARTIFACT(t), "deleteAliases": True},
        done=frozenset({409}),  # It is linked (R162).
    ),
    _mutation("upsertBucket", T, P.LOG, lambda t: {
        "entityName": t.words["team_home"], "modelName": PROJECT, "name": "run1", "notes": "x"}),
    _mutation("stopRun", T, P.LOG, lambda t: {"id": _RUN(t)}),
    _mutation("deleteRun", T, P.DELETE_RUN, lambda t: {"id": _RUN(t)}),
    _mutation(
        "createRunFiles", T, P.LOG, lambda t: _team(t, runName="run1", files=["f"])
    ),
    _mutation(
        "notifyScriptableRunAlert",
        T,
        P.LOG,
        lambda t: _team(t, runName="run1", title="t", text="x"),
    ),
    _mutation(
        "rewindRun",
        T,
        P.LOG,
        lambda t: _team(t, runName="run1", metricName="_step", metricValue=1),
        done=frozenset({422}),  # It has no history.
    ),
    Row(Rest("GET", "/projects/{team_home}/{project}"), T, P.SEE),
    Row(Rest("PATCH", "/projects/{team_home}/{project}", {"name": "n"}), T, P.EDIT_PROJECT),
    Row(Rest("PATCH", "/projects/{team_home}/{project}", {"description": "n"}), T, P.EDIT_PROJECT),
    Row(
        Rest("DELETE", "/projects/{team_home}/{project}"),
        T,
        P.DELETE_PROJECT,
        done=frozenset({409}),  # Versions of it are linked.
    ),
    Row(Rest("GET", "/projects/{team_home}/{project}/collections"), T, P.SEE),
    Row(
        Rest("GET", "/projects/{team_home}/{project}/collections/{sequence}/versions"), T, P.SEE
    ),
    Row(Rest("GET", "/projects/{team_home}/{project}/runs"), T, P.SEE),
    Row(Rest("GET", "/projects/{team_home}/{project}/runs/{run}"), T, P.SEE),
    Row(Rest("DELETE", "/projects/{team_home}/{project}/runs/{run}"), T, P.DELETE_RUN),
    Row(Rest("POST", "/projects/{team_home}/{project}/runs/{run}/stop"), T, P.LOG),
    Row(Rest("GET", "/projects/{team_home}/{project}/runs/{run}/alerts"), T, P.SEE),
    _mutation(
        "updateRunState",
        T,
        P.LOG,
        lambda t: _team(t, runName="run1", state="finished"),
        done=frozenset({200, 409}),  # A run that is under way is not ended by others.
    ),
    _mutation(
        "markRunFilesUploaded", T, P.LOG, lambda t: _team(t, runName="run1", files=["f"])
    ),
    _mutation(
        "useArtifact", T, P.LOG, lambda t: _team(t, runName="run1", artifactID=_ARTIFACT(t))
    ),
    _mutation(
        "deleteArtifactSequence",
        T,
        P.DELETE_COLLECTION,
        lambda t: {"artifactSequenceID": _SEQUENCE(t)},
        done=frozenset({200, 403}),  # Its versions are linked where a team's admin may not unlink.
    ),
    # ---- A team's members -------------------------------------------------------------------
    Row(
        Rest("PUT", "/teams/{team_home}/members/{username}", {"role": "viewer"}),
        T,
        P.MANAGE_MEMBERS,
    ),
    Row(
        Rest("DELETE", "/teams/{team_home}/members/{username}"),
        T,
        P.MANAGE_MEMBERS,
        done=frozenset({204, 404, 409}),  # They are no member, or its last admin.
    ),
    Row(Rest("POST", "/teams/{team_home}/service-accounts", {"name": "n"}), T, P.MANAGE_MEMBERS),
    Row(Rest("PUT", "/teams/{team_home}/ttl", {"default_seconds": 99_999}), T, P.MANAGE_MEMBERS),
    _mutation(
        "createInvite",
        T,
        P.MANAGE_MEMBERS,
        # Whoever is in the team is invited as what they are there.
        lambda t: {
            "entityName": t.words["team_home"],
            "username": t.words["username"],
            "admin": t.words["username"] == "outsider",
        },
    ),
    _mutation(
        "createServiceAccount",
        T,
        P.MANAGE_MEMBERS,
        lambda t: {"entityName": t.words["team_home"], "description": "n"},
    ),
]  # fmt: skip

ELSEWHERE: dict[str, str] = {
    # Open to all: they say nothing of anybody.
    "query serverInfo": "open: what the server can do",
    "GET /live": "open: a probe",
    "GET /ready": "open: a probe",
    "GET /": "open: where people land",
    "GET /api/v1/events": "what one may see then (tests/faces/rest/test_event_stream.py)",
    "GET /static/byname.css": "open: the style of pages",
    "GET /static/parts.css": "open: the style of pages",
    "GET /static/people.css": "open: the style of pages",
    "GET /static/registries.css": "open: the style of pages",
    "GET /static/versions.css": "open: the style of pages",
    "GET /static/byname.js": "open: the script of pages",
    "GET /static/htmx.min.js": "open: the script of pages",
    "GET /authorize": "a page that asks for a password first (tests/faces/web)",
    "POST /authorize": "a page that asks for a password first (tests/faces/web)",
    "GET /setup": "needs the one-time word of the first start (tests/faces/web)",
    "POST /setup": "needs the one-time word of the first start (tests/faces/web)",
    "GET /invitation": "needs the one-time word of an invitation (tests/faces/web)",
    "POST /invitation": "needs the one-time word of an invitation (tests/faces/web)",
    "POST /sdk/otel/v1/metrics": "open: takes nothing in",
    "POST /graphql": "the door of all fields above",
    # The one organization that a key may provision, in place of one that is named.
    **dict.fromkeys(
        (
            "GET /scim/Users",
            "POST /scim/Users",
            "POST /scim/Users/.search",
            "GET /scim/Users/{}",
            "PUT /scim/Users/{}",
            "PATCH /scim/Users/{}",
            "DELETE /scim/Users/{}",
            "GET /scim/Groups",
            "POST /scim/Groups",
            "POST /scim/Groups/.search",
            "GET /scim/Groups/{}",
            "PUT /scim/Groups/{}",
            "PATCH /scim/Groups/{}",
            "DELETE /scim/Groups/{}",
        ),
        "as with an organization in the address: tests/faces/rest/test_provisioning.py",
    ),
    **{
        f"GET {below}/{each}": "what SCIM can here, for whoever has a key: "
        "tests/faces/rest/test_provisioning.py"
        for below in ("/scim", "/scim/organizations/{}")
        for each in (
            "ServiceProviderConfig",
            "ResourceTypes",
            "ResourceTypes/{}",
            "Schemas",
            "Schemas/{}",
        )
    },
    # Whom one knows, and one's own.
    "GET /api/v1/users": "tests/operations/test_directory.py",
    "GET /api/v1/users/{}": "tests/operations/test_directory.py",
    "PATCH /api/v1/users/{}": "tests/faces/rest/test_administration.py",
    "GET /api/v1/projects/{}": "what one may see of a team's: tests/faces/rest/test_project.py",
    "GET /api/v1/organizations": "tests/operations/test_directory.py",
    "query viewer": "oneself",
    "query users": "who may know of whom: tests/faces/graphql/test_entity.py",
    "query models": "lists what `query project` shows, of one's own or a known entity",
    "query clientIDMapping": "as `query artifact`: tests/operations/test_version.py",
    "POST /api/v1/keys": "one's own keys, and those one manages: tests/operations/test_key.py",
    "GET /api/v1/keys": "one's own keys, and those one manages: tests/operations/test_key.py",
    "PATCH /api/v1/keys/{}": "one's own keys, and those one manages: tests/operations/test_key.py",
    "DELETE /api/v1/keys/{}": "one's own keys, and those one manages: tests/operations/test_key.py",
    "mutation generateApiKey": "one's own keys, and those one manages: tests/operations/test_key.py",
    "mutation deleteApiKey": "one's own keys, and those one manages: tests/operations/test_key.py",
    # Teams: tests/operations/test_team.py asks as everybody.
    "GET /api/v1/teams/{}/service-accounts": "all of the organization:"
    " tests/operations/test_service_account.py",
    "GET /api/v1/teams/{}/ttl": "all of the organization: tests/operations/test_expiry.py",
    "GET /api/v1/teams/{}": "all of the organization: tests/operations/test_directory.py",
    "GET /api/v1/teams/{}/members": "all of the organization: tests/operations/test_directory.py",
    "DELETE /api/v1/teams/{}": "tests/operations/test_team.py",
    "mutation createTeam": "tests/operations/test_team.py",
    "mutation deleteInvite": "tests/operations/test_team.py",
    "mutation createUser": "tests/operations/test_user.py",
    # Secrets and integrations of teams: tests/operations/test_secret.py asks as everybody.
    "mutation createGenericWebhookIntegration": "tests/operations/test_secret.py",
    **{
        f"{method} /api/v1/teams/{{}}/{what}": "tests/operations/test_secret.py"
        for method, what in (
            ("GET", "secrets"),
            ("POST", "secrets"),
            ("PATCH", "secrets/{}"),
            ("DELETE", "secrets/{}"),
            ("GET", "webhooks"),
            ("POST", "webhooks"),
            ("GET", "webhooks/{}"),
            ("PATCH", "webhooks/{}"),
            ("DELETE", "webhooks/{}"),
            ("GET", "slack-channels"),
            ("POST", "slack-channels"),
            ("PATCH", "slack-channels/{}"),
            ("DELETE", "slack-channels/{}"),
        )
    },
    # One execution, and tests that send: tests/operations/test_execution.py asks as everybody.
    **dict.fromkeys(
        (
            "GET /api/v1/executions/{}",
            "POST /api/v1/executions/{}/retry",
            "POST /api/v1/teams/{}/webhooks/{}/test",
            "POST /api/v1/teams/{}/slack-channels/{}/test",
        ),
        "tests/operations/test_execution.py",
    ),
    "GET /api/v1/teams/{}/automations": "tests/operations/test_automation.py",
    "GET /api/v1/teams/{}/executions": "tests/faces/rest/test_execution.py",
    # The rest of what a run and an upload do, behind the same two doors as the rows above.
    "mutation updateProjectTeamMember": "as updateProjectMember: tests/operations/test_member.py",
    "mutation updateArtifactManifest": "as createArtifactManifest: tests/operations/test_version.py",
    "mutation completeMultipartUploadArtifact": "as createArtifactFiles: tests/faces/http",
    "mutation deleteFiles": "tests/operations/test_run_file.py",
    "POST /files/{}/{}/{}/file_stream": "tests/operations/test_run_stream.py",
    "GET /files/{}/{}/{}/{}": "tests/operations/test_run_file.py",
    # Signed addresses: the signature says for whom, and the role is looked at again (A4).
    "PUT /content/version-file-upload/{}": "signed: tests/faces/http/test_uploads.py",
    "PUT /content/manifest-upload/{}": "signed: tests/faces/http/test_uploads.py",
    "PUT /content/part-upload/{}": "signed: tests/faces/http/test_uploads.py",
    "PUT /content/run-file/{}": "signed: tests/operations/test_run_file.py",
    "GET /content/run-file-get/{}": "signed: tests/operations/test_run_file.py",
    "GET /content/version-file/{}": "signed: tests/faces/http/test_downloads.py",
    "GET /content/version-image/{}": "signed: tests/faces/web/test_file_viewer.py",
    "GET /content/manifest/{}": "signed: tests/faces/http/test_downloads.py",
    # What our own pages may ask there; it tells nothing of the address.
    **{
        f"OPTIONS /content/{purpose}/{{}}": "open: tests/faces/http/test_preflight.py"
        for purpose in (
            "version-file-upload",
            "manifest-upload",
            "part-upload",
            "run-file",
            "run-file-get",
            "version-file",
            "version-image",
            "manifest",
        )
    },
    "OPTIONS /files/{}/{}/{}/{}": "open: tests/faces/http/test_preflight.py",
    # The client's own forms of address, behind the check of the rows above for `files`.
    "GET /artifacts/{}/{}": "tests/faces/http/test_downloads.py",
    "GET /artifactsV2/{}/{}/{}/{}/{}/{}/": "tests/faces/http/test_downloads.py",
    "GET /artifactsV2/{}/{}/{}/{}/{}/{}/{}": "tests/faces/http/test_downloads.py",
    "GET /artifactsV2/{}/{}/{}/{}/{}/{}/{}/": "tests/faces/http/test_downloads.py",
    "GET /artifactsV2/{}/{}/{}/{}/{}/{}/{}/{}": "tests/faces/http/test_downloads.py",
    # Pages ask the same operations, as the person who is logged in.
    "GET /login": "a page: tests/faces/web",
    "POST /login": "a page: tests/faces/web",
    "POST /logout": "a page: tests/faces/web",
    "GET /account": "a page: tests/faces/web",
    "POST /account": "a page: tests/faces/web",
    "GET /search": "a page: tests/faces/web",
    "GET /orgs/{}/new-registry": "a page: tests/faces/web",
    "POST /orgs/{}/new-registry": "a page: tests/faces/web",
    "GET /orgs/{}": "a page: tests/faces/web/test_people_pages.py",
    "GET /orgs/{}/members": "a page: tests/faces/web/test_people_pages.py",
    "POST /orgs/{}/members": "a page: tests/faces/web/test_people_pages.py",
    "GET /orgs/{}/teams": "a page: tests/faces/web/test_people_pages.py",
    "POST /orgs/{}/teams": "a page: tests/faces/web/test_people_pages.py",
    "GET /orgs/{}/service-accounts": "a page: tests/faces/web/test_people_pages.py",
    "POST /orgs/{}/service-accounts": "a page: tests/faces/web/test_people_pages.py",
    "GET /orgs/{}/storage": "a page: tests/faces/web/test_people_pages.py",
    "GET /orgs/{}/trash": "a page: tests/faces/web/test_people_pages.py",
    "POST /orgs/{}/trash": "a page: tests/faces/web/test_people_pages.py",
    "GET /orgs/{}/audit": "a page: tests/faces/web/test_people_pages.py",
    "GET /orgs/{}/audit.csv": "a page: tests/faces/web/test_people_pages.py",
    "GET /server": "a page: tests/faces/web/test_people_pages.py",
    "GET /server/people": "a page: tests/faces/web/test_people_pages.py",
    "POST /server/people": "a page: tests/faces/web/test_people_pages.py",
    "GET /server/people/{}": "a page: tests/faces/web/test_people_pages.py",
    "POST /server/people/{}": "a page: tests/faces/web/test_people_pages.py",
    "GET /server/organizations": "a page: tests/faces/web/test_people_pages.py",
    "POST /server/organizations": "a page: tests/faces/web/test_people_pages.py",
    "GET /projects": "a page: tests/faces/web/test_people_pages.py",
    "GET /{}": "a page: tests/faces/web/test_people_pages.py",
    "POST /{}": "a page: tests/faces/web/test_people_pages.py",
    "GET /orgs/{}/registry/{}": "a page: tests/faces/web",
    "POST /orgs/{}/registry/{}": "a page: tests/faces/web",
    "GET /orgs/{}/registry/{}/new-collection": "a page: tests/faces/web",
    "POST /orgs/{}/registry/{}/new-collection": "a page: tests/faces/web",
    "GET /orgs/{}/registry/{}/automations": "a page: tests/faces/web",
    "GET /orgs/{}/registry/{}/automations/{}": "a page: tests/faces/web",
    "POST /orgs/{}/registry/{}/automations/{}": "a page: tests/faces/web",
    "GET /orgs/{}/registry/{}/automations/{}/edit": "a page: tests/faces/web",
    "POST /orgs/{}/registry/{}/automations/{}/edit": "a page: tests/faces/web",
    "GET /orgs/{}/registry/{}/new-automation": "a page: tests/faces/web",
    "POST /orgs/{}/registry/{}/new-automation": "a page: tests/faces/web",
    "GET /orgs/{}/registry/{}/automations-history": "a page: tests/faces/web",
    "POST /orgs/{}/registry/{}/automations-history": "a page: tests/faces/web",
    "GET /orgs/{}/registry/{}/settings": "a page: tests/faces/web",
    "POST /orgs/{}/registry/{}/settings": "a page: tests/faces/web",
    "GET /orgs/{}/registry/{}/access": "a page: tests/faces/web",
    "POST /orgs/{}/registry/{}/access": "a page: tests/faces/web",
    "GET /orgs/{}/registry/{}/link": "a page: tests/faces/web",
    "POST /orgs/{}/registry/{}/link": "a page: tests/faces/web",
    "GET /{}/{}": "a page: tests/faces/web",
    "GET /{}/{}/runs/{}": "a page: tests/faces/web",
    "GET /{}/{}/artifacts/{}/{}": "a page: tests/faces/web",
    "POST /{}/{}/artifacts/{}/{}": "a page: tests/faces/web",
    "GET /{}/{}/artifacts/{}/{}/{}": "a page: tests/faces/web",
    "POST /{}/{}/artifacts/{}/{}/{}": "a page: tests/faces/web",
    "GET /admin/audit_logs": "of the organizations one administers, as /audit of each",
}
"""By method and path (parameters without their names) or by field."""
