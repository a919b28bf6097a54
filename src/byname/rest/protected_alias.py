"""The protected aliases of a registry over REST (R78 to R92)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from byname.domain.protected_alias import ProtectedAlias as Found
from byname.operations import protected_alias as operations
from byname.operations import registry as registries
from byname.rest.asking import Asking
from byname.rest.once import Router
from byname.rest.registry import OrganizationName, RegistryName

router = Router(tags=["protected aliases"])

PROTECTED = "/registries/{organization}/{registry}/protected-aliases"


class NewProtectedAlias(BaseModel):
    """A name to protect."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "production"}]}
    )

    name: str = Field(description="As aliases are named; neither `latest` nor a version number.")


class ProtectedAlias(BaseModel):
    """A protected name."""

    name: str
    created_at: datetime
    uses: int = Field(description="How many collections have a version that holds it now.")

    @classmethod
    def of(cls, found: Found) -> ProtectedAlias:
        """The name as this face shows it."""
        return cls(name=found.name, created_at=found.created_at, uses=found.uses)


class ProtectedAliases(BaseModel):
    """All protected names of a registry."""

    protected_aliases: list[ProtectedAlias]


@router.get(PROTECTED, summary="List protected aliases")
def list_protected_aliases(
    ctx: Asking, organization: OrganizationName, registry: RegistryName
) -> ProtectedAliases:
    """List the names that only Admins of this registry put on, move and take off."""
    project = registries.get_by_name(ctx, organization, registry)
    found = operations.list_all(ctx, project.id)
    return ProtectedAliases(protected_aliases=[ProtectedAlias.of(each) for each in found])


@router.post(PROTECTED, status_code=201, summary="Protect an alias")
def create_protected_alias(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    body: NewProtectedAlias,
) -> ProtectedAlias:
    """Protect a name in all collections of the registry. For Admins.

    Uses that are there already are protected from now on; `uses` says how many.
    """
    project = registries.get_by_name(ctx, organization, registry)
    return ProtectedAlias.of(operations.create(ctx, project.id, body.name))


@router.delete(PROTECTED + "/{alias}", status_code=204, summary="End the protection of an alias")
def delete_protected_alias(
    ctx: Asking,
    organization: OrganizationName,
    registry: RegistryName,
    alias: Annotated[str, Path(description="The protected name.")],
) -> None:
    """End the protection of a name. For Admins. Versions keep it as an ordinary alias."""
    project = registries.get_by_name(ctx, organization, registry)
    operations.end(ctx, project.id, alias)
