"""`byname key`: API keys, one's own and those one manages."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from byname.cli.client import DEFAULT_URL, ApiKey, Url, call, path
from byname.cli.output import AsJson, key_text, tell, telling
from byname.cli.words import Group

app = typer.Typer(cls=Group, no_args_is_help=True, help="Create, list, rename and delete API keys.")

Whose = Annotated[
    str | None,
    typer.Option("--username", help="Whose; yours, when absent. For those who manage their keys."),
]


@app.command()
def create(
    name: Annotated[str, typer.Option(help="To recognise the key by.")] = "",
    username: Whose = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Create an API key and print it."""
    body: dict[str, Any] = {"name": name}
    if username is not None:
        body["username"] = username
    with telling(as_json):
        made = call(url, api_key, "POST", path("keys"), body)
        text = f"Created key {made['id']} of {made['username']}."
        tell(as_json, made, f"{text}\n{key_text(made['api_key'])}")


@app.command("ls")
def list_keys(
    username: Whose = None, url: Url = DEFAULT_URL, api_key: ApiKey = "", as_json: AsJson = False
) -> None:
    """List API keys, without their secrets."""
    query = "" if username is None else "?" + urlencode({"username": username})
    with telling(as_json):
        answer = call(url, api_key, "GET", path("keys") + query)
        lines = [
            f"{key['id']:>6}  {key['start']}...  {key['name']}  made {key['created_at'][:10]}, "
            f"last used {(key['last_used_at'] or 'never')[:10]}"
            for key in answer["keys"]
        ]
        tell(as_json, answer, "\n".join(lines) or "There are no keys.")


@app.command()
def rename(
    key_id: Annotated[int, typer.Argument(help="The number from the list.")],
    name: Annotated[str, typer.Argument(help="To recognise the key by.")],
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Rename an API key. It opens what it opened before."""
    with telling(as_json):
        renamed = call(url, api_key, "PATCH", path("keys", str(key_id)), {"name": name})
        tell(as_json, renamed, f"Key {renamed['id']} is named {renamed['name']}.")


@app.command("rm")
def delete(
    key_id: Annotated[int, typer.Argument(help="The number from the list.")],
    url: Url = DEFAULT_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Delete an API key. It opens nothing from the next request on."""
    with telling(as_json):
        call(url, api_key, "DELETE", path("keys", str(key_id)))
        tell(as_json, {"deleted": key_id}, f"Deleted key {key_id}.")
