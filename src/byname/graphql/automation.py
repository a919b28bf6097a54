"""Automations and integrations: known to the client, not offered by this release.

Lists are empty, because there are none; making one is refused with words that say so.
"""

from __future__ import annotations

from typing import Any, NoReturn

from ariadne import MutationType, ObjectType

from byname.domain.errors import Unsupported
from byname.graphql.connection import Connection, whole
from byname.graphql.context import Info

mutation = MutationType()
entity = ObjectType("Entity")
organization = ObjectType("Organization")
project = ObjectType("Project")


@mutation.field("createFilterTrigger")
@mutation.field("updateFilterTrigger")
@mutation.field("deleteTrigger")
@mutation.field("createGenericWebhookIntegration")
def refuse(_source: Any, info: Info, **_arguments: Any) -> NoReturn:
    """Automations are not offered.

    Raises:
        Unsupported: always.
    """
    raise Unsupported("This release of Byname has no automations yet", code="no_automations")


@entity.field("triggers")
@organization.field("triggers")
@entity.field("integrations")
def resolve_none(_source: Any, info: Info, **_arguments: Any) -> Connection:
    """There are none."""
    return whole([])


@project.field("triggers")
def resolve_no_triggers(_source: Any, info: Info) -> list[Any]:
    """There are none."""
    return []


bindables = [mutation, entity, organization, project]
