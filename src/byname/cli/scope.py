"""The places that automations watch, as options of a command: what is said, in the words of REST."""

from __future__ import annotations

from typing import Annotated

import typer

from byname.cli.output import Refused

Organization = Annotated[str | None, typer.Option("--organization", help="The whole ORGANIZATION.")]
Registry = Annotated[
    str | None,
    typer.Option("--registry", help="ORGANIZATION/REGISTRY, or ORGANIZATION/REGISTRY/COLLECTION."),
]
Team = Annotated[str | None, typer.Option("--team", help="The whole TEAM.")]
Project = Annotated[
    str | None, typer.Option("--project", help="TEAM/PROJECT, or TEAM/PROJECT/COLLECTION.")
]


def scope_of(
    organization: str | None, registry: str | None, team: str | None, project: str | None
) -> dict[str, str]:
    """The scope in the words of REST; empty when none is given.

    Raises:
        Refused: a path has too few or too many parts.
    """
    scope = {
        name: value
        for name, value in (("organization", organization), ("team", team))
        if value is not None
    }
    for text, names in (
        (registry, ("organization", "registry", "collection")),
        (project, ("entity", "project", "collection")),
    ):
        if text is None:
            continue
        parts = text.split("/", 2)
        if len(parts) < 2 or not all(parts):
            wanted = "/".join(name.upper() for name in names[:2])
            raise Refused("invalid", f"{text!r} is no place: write {wanted}[/COLLECTION]", 2)
        scope |= dict(zip(names, parts, strict=False))
    return scope
