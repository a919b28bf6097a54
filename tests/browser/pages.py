"""Every page there is, for those who look at all of them: pictures, accessibility, width, weight.

Add yours here. The paths are those of the sample that `sample.py` makes.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.browser.sample import CLASSIFIERS, PROJECT
from tests.support.rig import ORGANIZATION, TEAM

REGISTRY = f"/orgs/{ORGANIZATION}/registry/Model"
COLLECTION = (
    f"{REGISTRY}?selectionPath={ORGANIZATION}%2Fwandb-registry-Model%2F{CLASSIFIERS}"
)  # fmt: skip
VERSION = f"{COLLECTION}&view=membership&version=v12"


@dataclass(frozen=True, slots=True)
class Look:
    """A page, and who looks at it; None is a stranger."""

    name: str
    path: str
    who: str | None = "ann"
    server: str = "sample"
    """Which server of the stage it is on."""
    kept: bool = False
    """It is the answer to a form that is sent once: the stage sends it, and shows it again."""


PAGES = (
    # ---- before the log-in, and the account ----
    Look("login", "/login", None),
    Look("login-provider", "/login", None, "provider"),
    Look("login-not-ready", "/login", None, "fresh"),
    Look("set-up", "/setup?token={setup}", None, "fresh"),
    Look("set-up-done", "/setup", None, "born", kept=True),
    Look("set-up-refused", "/setup?token=wrong", None),
    Look("invitation", "/invitation?token={invitation}", None),
    Look("invitation-refused", "/invitation?token=wrong", None),
    Look("welcome", "/", None),
    Look("welcome-not-ready", "/", None, "fresh"),
    Look("authorize", "/authorize", None),
    Look("account", "/account"),
    # ---- people, teams, organizations, the server ----
    Look("projects", "/projects"),
    Look("team", f"/{TEAM}"),
    Look("team-members", f"/{TEAM}?tab=members"),
    Look("team-service-accounts", f"/{TEAM}?tab=service-accounts"),
    Look("team-trash", f"/{TEAM}?tab=trash"),
    Look("organization-members", f"/orgs/{ORGANIZATION}/members"),
    Look("organization-members-viewer", f"/orgs/{ORGANIZATION}/members", "fay"),
    Look("organization-leave", f"/orgs/{ORGANIZATION}/members?remove=ben"),
    Look("organization-teams", f"/orgs/{ORGANIZATION}/teams"),
    Look("organization-service-accounts", f"/orgs/{ORGANIZATION}/service-accounts"),
    Look("service-account-keys", f"/orgs/{ORGANIZATION}/service-accounts?account=gateway"),
    Look("service-account-delete", f"/orgs/{ORGANIZATION}/service-accounts?remove=gateway"),
    Look("organization-audit-refused", f"/orgs/{ORGANIZATION}/audit?status=refused"),
    Look("organization-storage", f"/orgs/{ORGANIZATION}/storage"),
    Look("organization-trash", f"/orgs/{ORGANIZATION}/trash"),
    Look("organization-audit", f"/orgs/{ORGANIZATION}/audit"),
    Look("server-health", "/server"),
    Look("server-people", "/server/people"),
    Look("server-person", "/server/people/ben"),
    Look("server-person-delete", "/server/people/ben?delete=yes"),
    Look("server-organizations", "/server/organizations"),
    # ---- registries ----
    Look("landing", "/"),
    Look("landing-viewer", "/", "fay"),
    Look("new-registry", f"/orgs/{ORGANIZATION}/new-registry"),
    Look("registry", REGISTRY),
    Look("registry-viewer", REGISTRY, "fay"),
    Look("registry-open", f"{REGISTRY}?open={CLASSIFIERS}"),
    Look("registry-filtered", f"{REGISTRY}?q=vision"),
    Look("new-collection", f"{REGISTRY}/new-collection"),
    Look("link", f"{REGISTRY}/link?collection={CLASSIFIERS}"),
    Look(
        "link-chosen",
        f"{REGISTRY}/link?collection={CLASSIFIERS}&team={TEAM}&project={PROJECT}&artifact=zoo_classifier&version=v12",
    ),
    Look("settings", f"{REGISTRY}/settings"),
    Look("settings-viewer", f"{REGISTRY}/settings", "fay"),
    Look("settings-unprotect", f"{REGISTRY}/settings?confirm=unprotect&name=staging"),
    Look("settings-delete", f"{REGISTRY}/settings?confirm=delete"),
    Look("access", f"{REGISTRY}/access"),
    Look("automations", f"{REGISTRY}/automations"),
    Look("automations-viewer", f"{REGISTRY}/automations", "fay"),
    Look("automations-history", f"{REGISTRY}/automations-history"),
    Look("team-integrations", f"/{TEAM}?tab=integrations"),
    Look("automation", f"{REGISTRY}/automations/1"),
    Look("automation-delete", f"{REGISTRY}/automations/1?confirm=delete"),
    Look("automation-edit", f"{REGISTRY}/automations/1/edit"),
    Look("new-automation", f"{REGISTRY}/new-automation"),
    Look("registry-empty", f"/orgs/{ORGANIZATION}/registry/Embeddings"),
    Look("search", "/search?q=zoo"),
    Look("search-nothing", "/search?q=okapi"),
    Look("not-found", f"/orgs/{ORGANIZATION}/registry/None"),
    # ---- collections and versions ----
    Look("collection", COLLECTION),
    Look("collection-history", f"{COLLECTION}&tab=history"),
    Look("collection-metrics", f"{COLLECTION}&metric=accuracy&metric=loss&sort=-metric%3Aaccuracy"),
    Look("collection-filter", f"{COLLECTION}&filter=accuracy%3E0.9"),
    Look("collection-choose", f"{COLLECTION}&choose=metrics"),
    Look("collection-aliases", f"{COLLECTION}&tab=aliases"),
    Look("collection-timeline", f"{COLLECTION}&tab=aliases&alias=production-us"),
    Look("collection-restore", f"{COLLECTION}&tab=aliases&alias=staging&restore=1"),
    Look("collection-rename", f"{COLLECTION}&confirm=rename"),
    Look("collection-delete", f"{COLLECTION}&confirm=delete"),
    Look("collection-empty", COLLECTION.replace(CLASSIFIERS, "Whale_Tracker")),
    Look("compare", f"{COLLECTION}&compare=v9&compare=v12"),
    Look("version", VERSION),
    Look("version-member", VERSION, "ben"),
    Look("version-metadata", f"{VERSION}&tab=metadata"),
    Look("version-usage", f"{VERSION}&tab=usage"),
    Look("version-files", f"{VERSION}&tab=files"),
    Look("version-file-csv", f"{VERSION}&tab=files&file=eval%2Fconfusion.csv"),
    Look("version-file-json", f"{VERSION}&tab=files&file=config.json"),
    Look("version-file-text", f"{VERSION}&tab=files&file=labels.txt"),
    Look("version-lineage", f"{VERSION}&tab=lineage"),
    Look("source", f"/{TEAM}/{PROJECT}/artifacts/model/zoo_classifier/v12"),
    Look("source-lineage", f"/{TEAM}/{PROJECT}/artifacts/dataset/zoo_dataset/v0?tab=lineage"),
    Look("link-choose", f"/{TEAM}/{PROJECT}/artifacts/model/zoo_classifier/v12?link="),
    Look("link-registry", f"/{TEAM}/{PROJECT}/artifacts/model/zoo_classifier/v12?link=Model"),
    Look("unlink", f"{VERSION}&confirm=unlink"),
    # ---- projects and runs ----
    Look("project", f"/{TEAM}/{PROJECT}"),
    Look("project-runs", f"/{TEAM}/{PROJECT}?tab=runs"),
    Look("run", f"/{TEAM}/{PROJECT}/runs/run0012"),
    Look("run-files", f"/{TEAM}/{PROJECT}/runs/run0012?tab=files"),
    Look("project-artifacts", f"/{TEAM}/{PROJECT}?tab=artifacts"),
    Look("run-charts", f"/{TEAM}/{PROJECT}/runs/run0012?tab=charts"),
    Look("run-system", f"/{TEAM}/{PROJECT}/runs/run0012?tab=system"),
    Look("run-logs", f"/{TEAM}/{PROJECT}/runs/run0012?tab=logs"),
    Look("run-artifacts", f"/{TEAM}/{PROJECT}/runs/run0012?tab=artifacts"),
)
