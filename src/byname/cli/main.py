"""`byname`: every command. What runs the server is imported only by the commands that need it."""

from __future__ import annotations

from typing import Annotated

import typer

from byname import __version__
from byname.cli import (
    alias,
    audit,
    automation,
    check,
    collection,
    download,
    execution,
    gc,
    health,
    history,
    invitation,
    key,
    lineage,
    member,
    organization,
    project,
    protect,
    registry,
    run,
    search,
    secret,
    serve,
    service_account,
    setup,
    slack,
    tag,
    team,
    trash,
    upload,
    user,
    watch,
    webhook,
)
from byname.cli import version as versions
from byname.cli.words import Root

app = typer.Typer(
    name="byname",
    cls=Root,
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
app.command("check")(check.check)
app.command("health")(health.health)
app.add_typer(registry.app, name="registry")
app.add_typer(collection.app, name="collection")
app.add_typer(versions.app, name="version")
app.add_typer(tag.app, name="tag")
app.add_typer(member.app, name="member")
app.add_typer(alias.app, name="alias")
app.add_typer(protect.app, name="protect")
app.command("history")(history.history)
app.command("lineage")(lineage.lineage)
app.command("audit")(audit.audit)
app.command("search")(search.search)
app.command("download")(download.download)
app.command("watch")(watch.watch)
app.command("upload")(upload.upload)
app.add_typer(project.app, name="project")
app.add_typer(run.app, name="run")
app.add_typer(trash.app, name="trash")
app.command("gc")(gc.gc)
app.add_typer(automation.app, name="automation")
automation.app.command("history")(execution.history)
automation.app.command("execution")(execution.show)
automation.app.command("retry")(execution.retry)
automation.app.command("replay")(execution.replay)
app.add_typer(webhook.app, name="webhook")
app.add_typer(slack.app, name="slack")
app.add_typer(secret.app, name="secret")
app.add_typer(user.app, name="user")
app.add_typer(invitation.app, name="invitation")
app.add_typer(organization.app, name="organization")
app.add_typer(team.app, name="team")
app.add_typer(service_account.app, name="service-account")
app.add_typer(key.app, name="key")


def main() -> None:
    """The entry point of the command `byname`."""
    app()
