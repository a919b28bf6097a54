"""`byname`: every command. What runs the server is imported only by the commands that need it."""

from __future__ import annotations

from typing import Annotated

import typer

from byname import __version__
from byname.cli import key, organization, serve, service_account, setup, team, user

app = typer.Typer(
    name="byname",
    help="A self-hosted registry for ML artifacts, built around names you can trust.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A self-hosted registry for ML artifacts, built around names you can trust."""
    del version  # Its callback did all there is to do.


app.command("serve")(serve.serve)
app.command("setup")(setup.setup)
app.add_typer(user.app, name="user")
app.add_typer(organization.app, name="organization")
app.add_typer(team.app, name="team")
app.add_typer(service_account.app, name="service-account")
app.add_typer(key.app, name="key")


def main() -> None:
    """The entry point of the command `byname`."""
    app()
