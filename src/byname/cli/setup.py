"""`byname setup`: the first administrator, made on the machine itself and without a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from byname.cli.output import AsJson, key_text, tell, telling
from byname.cli.serve import Data, load_settings


def setup(
    username: Annotated[str, typer.Option(help="The first administrator's user name.")],
    email: Annotated[str, typer.Option(help="Their e-mail address.")],
    organization: Annotated[str, typer.Option(help="The first organization.")],
    team: Annotated[str, typer.Option(help="The first team in it.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make the first administrator, organization and team, and print the API key.

    Refused where an administrator exists.
    """
    with telling(as_json):
        settings = load_settings(data=data)
        from byname.operations import setup as operations
        from byname.wiring import build_context

        ctx = build_context(settings).acting(None, "cli")
        try:
            made = operations.set_up(
                ctx, username=username, email=email, organization=organization, team=team
            )
        finally:
            ctx.database.close()
        answer = {
            "username": made.username,
            "api_key": made.api_key,
            "organization": made.organization,
            "team": made.team,
        }
        text = (
            f"{made.username} administers this server, organization {made.organization} and team "
            f"{made.team}."
        )
        tell(as_json, answer, f"{text}\n{key_text(made.api_key)}")
