"""`byname serve`: the server itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byname.cli.output import Refused, telling

if TYPE_CHECKING:
    from byname.settings import Settings

Data = Annotated[
    Path | None,
    typer.Option(
        "--data", help="The folder that holds everything. [env: BYNAME_DATA; default: byname-data]"
    ),
]


def load_settings(**given: Any) -> Settings:
    """The settings: what was given on the command line, else the environment, else the defaults.

    Raises:
        Refused: a setting has a wrong value.
    """
    from pydantic import ValidationError

    from byname.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        # The value is not repeated: it may be the secret key.
        problems = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors(include_input=False, include_url=False)
        )
        raise Refused("invalid", f"Wrong setting: {problems}", 2) from None


def serve(
    data: Data = None,
    host: Annotated[
        str | None,
        typer.Option(help="The address to listen on. [env: BYNAME_HOST; default: 127.0.0.1]"),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="The port to listen on. [env: BYNAME_PORT; default: 8080]")
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option(
            help="How clients reach this server, when it stands behind another one. "
            "[env: BYNAME_PUBLIC_URL]"
        ),
    ] = None,
) -> None:
    """Run the server until Ctrl-C or SIGTERM."""
    import errno
    import logging

    with telling(as_json=False):
        settings = load_settings(data=data, host=host, port=port, public_url=public_url)
        logging.basicConfig(
            level=settings.log_level.upper(),
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )
        from byname import wiring

        try:
            code = wiring.serve(settings)
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            text = f"Cannot listen on {where}: {error.strerror or error}"
            if error.errno == errno.EADDRINUSE:
                text += "; --port chooses another, 0 any free one"
            raise Refused("unavailable", text, 1) from None
    raise typer.Exit(code)
