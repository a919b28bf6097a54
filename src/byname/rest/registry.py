"""Registries over REST (R13 to R26, R170, R171)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from byname.domain.errors import missing
from byname.domain.member import parse_role
from byname.domain.project import Project
from byname.operations import organization as organizations
from byname.operations import registry as operations
from byname.operations import search, star
from byname.operations import user as users
from byname.operations.context import Context
from byname.rest.asking import Asking
from byname.rest.once import Router

router = Router(tags=["registries"])

PLACE = "/registries/{organization}/{registry}"

OrganizationName = Annotated[str, Path(description="The organization's name.")]
RegistryName = Annotated[
    str, Path(description="The registry's name, with or without `wandb-registry-`, in any case.")
]
After = Annotated[str | None, Query(description="Goes on behind an earlier page: its `next`.")]
First = Annotated[int | None, Query(description="How many at most, 1 to 1,000.")]
Order = Annotated[
    str | None, Query(description="`name`, `created_at` or `updated_at`; `-` before it reverses.")
]

RegistryOrder = Annotated[
    str | None,
    Query(
        description="`name`, `created_at`, `updated_at`, or `starred`: yours first, then by name; "
        "`-` before it reverses."
    ),
]


class Visibility(StrEnum):
    """Who may see a registry (R16)."""

    ORGANIZATION = "organization"
    RESTRICTED = "restricted"


class NewRegistry(BaseModel):
    """A registry to create."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Model", "visibility": "organization"}]},
    )

    name: str = Field(description="At most 113 characters, without any of `/ \\ # ? % :`.")
    description: str | None = None
    visibility: Visibility = Visibility.ORGANIZATION
    artifact_types: list[str] = Field(
        default_factory=list, description="The types it accepts; none listed is all types."
    )


class RegistryEdit(BaseModel):
    """What to change of a registry; what is absent stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"description": "Models we ship"}]}
    )

    name: str | None = None
    description: str | None = None
    visibility: Visibility | None = None
    confirm: bool = Field(
        default=False, description="Needed to let a whole organization see a restricted registry."
    )
    allow_all_artifact_types: bool | None = None
    add_artifact_types: list[str] = Field(
        default_factory=list, description="Types to accept from now on; a type stays for ever."
    )
    default_role: str | None = Field(
        default=None,
        description="Of everybody in the organization: restricted_viewer, viewer or member.",
    )
    icon: str | None = Field(
        default=None,
        description="`shape-colour`, such as `hexagon-teal`; `generated` for the one it began "
        "with. For its admins.",
    )


class Registry(BaseModel):
    """A registry, as its members see it."""

    name: str
    full_name: str = Field(description="`organization/wandb-registry-name`, as references use it.")
    organization: str
    description: str | None
    visibility: Visibility
    allow_all_artifact_types: bool
    artifact_types: list[str] = Field(description="The types that were listed.")
    default_role: str
    role: str = Field(description="Yours.")
    starred: bool = Field(description="By you.")
    owner: str | None = Field(description="Who answers for it; null when they are gone.")
    icon: str = Field(description="`shape-colour`, such as `hexagon-teal`.")
    created_at: datetime
    updated_at: datetime


class Registries(BaseModel):
    """A page of registries."""

    registries: list[Registry]
    next: str | None = Field(description="Where the next page goes on; null on the last one.")


def show(ctx: Context, found: list[Project]) -> list[Registry]:
    """The registries as this face shows them."""
    types = operations.list_accepted_types(ctx, found)
    roles = operations.roles_in(ctx, found)
    starred = star.among(ctx, found)
    owners = users.load_users(ctx, list({p.owner_id for p in found if p.owner_id is not None}))
    shown = []
    for each in found:
        role = roles[each.id]
        if role is None:
            continue
        owner = None if each.owner_id is None else owners.get(each.owner_id)
        shown.append(
            Registry(
                name=each.registry_name,
                full_name=each.place,
                organization=each.entity_name,
                description=each.description,
                visibility=Visibility.RESTRICTED if each.restricted else Visibility.ORGANIZATION,
                allow_all_artifact_types=each.all_types,
                artifact_types=types[each.id],
                default_role=each.default_role.word,
                role=role.word,
                starred=each.id in starred,
                owner=None if owner is None else owner.username,
                icon=each.icon.name,
                created_at=each.created_at,
                updated_at=each.updated_at,
            )
        )
    return shown


def show_one(ctx: Context, found: Project) -> Registry:
    """The registry as this face shows it.

    Raises:
        NotFound: it is hidden from the actor since a moment ago.
    """
    shown = show(ctx, [found])
    if not shown:
        raise missing("This registry")
    return shown[0]


@router.get("/registries/{organization}", summary="List registries")
def list_registries(
    ctx: Asking,
    organization: OrganizationName,
    filters: Annotated[
        str | None, Query(description='JSON, for example `{"name": {"$regex": "^wandb.*zoo"}}`.')
    ] = None,
    order: RegistryOrder = None,
    after: After = None,
    first: First = None,
) -> Registries:
    """List the registries of an organization that you may see."""
    ctx.who  # noqa: B018  Raises for an anonymous asker.
    entity = organizations.find_organization(ctx, organization)
    if entity is None:
        raise missing(f"Organization {organization[:80]!r}")
    page = search.projects(ctx, entity, filters=filters, order=order, after=after, first=first)
    return Registries(
        registries=show(ctx, list(page.items)), next=page.end_cursor if page.has_next else None
    )


@router.post("/registries/{organization}", status_code=201, summary="Create a registry")
def create_registry(ctx: Asking, organization: OrganizationName, body: NewRegistry) -> Registry:
    """Create a registry and become its admin. For members of the organization, not its viewers."""
    made = operations.create(
        ctx,
        operations.NewRegistry(
            organization=organization,
            name=body.name,
            description=body.description,
            restricted=body.visibility is Visibility.RESTRICTED,
            types=body.artifact_types,
        ),
    )
    return show_one(ctx, made)


@router.get("/registries/{organization}/{registry}", summary="Get a registry")
def get_registry(ctx: Asking, organization: OrganizationName, registry: RegistryName) -> Registry:
    """Get a registry's settings."""
    return show_one(ctx, operations.get_by_name(ctx, organization, registry))


@router.patch("/registries/{organization}/{registry}", summary="Edit or rename a registry")
def edit_registry(
    ctx: Asking, organization: OrganizationName, registry: RegistryName, body: RegistryEdit
) -> Registry:
    """Change some of a registry's settings, all or none.

    Members may rename and describe it and add types; the rest needs an admin.
    """
    change = operations.RegistryEdit(
        description=body.description,
        restricted=None if body.visibility is None else body.visibility is Visibility.RESTRICTED,
        all_types=body.allow_all_artifact_types,
        add_types=body.add_artifact_types,
        default_role=None if body.default_role is None else parse_role(body.default_role),
        icon=body.icon,
        confirm=body.confirm,
    )
    found = operations.get_by_name(ctx, organization, registry)
    return show_one(ctx, operations.change(ctx, found.id, change, body.name))


@router.put(PLACE + "/star", status_code=204, summary="Star a registry")
def star_registry(ctx: Asking, organization: OrganizationName, registry: RegistryName) -> None:
    """See a registry first in your lists. For everybody who may see it; others see nothing of it."""
    star.put(ctx, operations.get_by_name(ctx, organization, registry).id)


@router.delete(PLACE + "/star", status_code=204, summary="Take a star back")
def unstar_registry(ctx: Asking, organization: OrganizationName, registry: RegistryName) -> None:
    """Take your star from a registry; one that you have not starred is no error."""
    star.remove(ctx, operations.get_by_name(ctx, organization, registry).id)


@router.delete(
    "/registries/{organization}/{registry}", status_code=204, summary="Delete a registry"
)
def delete_registry(ctx: Asking, organization: OrganizationName, registry: RegistryName) -> None:
    """Delete a registry with its collections and links; the linked versions stay.

    For admins of the organization, and for the registry's admin who created it.
    """
    operations.delete(ctx, operations.get_by_name(ctx, organization, registry).id)
