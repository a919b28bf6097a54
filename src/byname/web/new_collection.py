"""Making a collection by hand: name, type, description, tags, perhaps a first version (R32)."""

from __future__ import annotations

from byname.domain.errors import DomainError
from byname.domain.policy import Permission
from byname.http.router import Router
from byname.operations import collection as collections
from byname.operations import new_collection
from byname.operations import project as projects
from byname.operations import registry as registries
from byname.web import registry
from byname.web.looks import collection_path, project_path, why_not
from byname.web.page import Site
from byname.web.visitor import Answer, Ask, Moved, Shown, form_for, page_for


def add_page(router: Router, site: Site) -> None:
    """The form at `.../new-collection`."""
    router.add("GET", registry.PATH + "/new-collection", page_for(site, read))
    router.add("POST", registry.PATH + "/new-collection", form_for(site, create))


def read(ask: Ask) -> Answer:
    """The empty form."""
    return _form(ask)


def _form(ask: Ask, error: DomainError | None = None) -> Shown:
    home = registry.find(ask)
    return Shown(
        "new_collection.html",
        {
            "registry": home,
            "here": ask.root + project_path(home),
            "types": registries.list_accepted_types(ask.ctx, [home])[home.id],
            "why_not": why_not(projects.role_in(ask.ctx, home), Permission.CREATE_COLLECTION),
            "given": ask.form,
        },
        error,
    )


def create(ask: Ask) -> Answer:
    """The collection exists, and its page is shown; or the form with what is wrong."""
    home = registry.find(ask)
    tags = [each.strip() for each in ask.text("tags").split(",")]
    try:
        made = new_collection.create(
            ask.ctx,
            home.id,
            collections.NewCollection(
                name=ask.text("name").strip(),
                type_name=ask.text("type").strip(),
                description=ask.text("description").replace("\r\n", "\n").strip() or None,
                tags=[each for each in tags if each],
            ),
            ask.text("first").strip() or None,
        )
    except DomainError as error:
        return _form(ask, error)
    said = f"Collection {made.name} was created"
    return Moved(ask.root + collection_path(home, made.name), notice=said + ".")
