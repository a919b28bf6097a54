"""`make demo`: the registry's main job, on real data, with the real client, told line by line.

Starts a server with a data folder of its own, makes the first administrator, runs `link.py` and
`pull.py` in processes of their own with an empty cache, and keeps serving until Ctrl-C. A second
run finds everything in place. Needs the environments that `make demo` makes.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BYNAME = ROOT / ".venv" / "bin" / "byname"
CLIENT = ROOT / ".venv-wandb-0.31.0" / "bin" / "python"
COLLECTION = "wandb-registry-Model/Zoo_Classifier_Models"
USERNAME, EMAIL = "zookeeper", "zookeeper@example.org"
ORGANIZATION, TEAM = "smle-reg", "smle-reg-team-2"
USUAL_PORT = 8080
READY_SECONDS, STEP_SECONDS, STOP_SECONDS = 60, 300, 40
TAIL_LINES = 30


class Failed(Exception):
    """A step did not come to its good end; the message says which and what was printed."""


def tell(text: str) -> None:
    """One line for the reader, at once."""
    print(text, flush=True)


def interrupt(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM and SIGINT end the demonstration in the same orderly way.

    Both are set on purpose: a shell starts a background process with SIGINT ignored.
    """
    raise KeyboardInterrupt


@dataclass(frozen=True, slots=True)
class Places:
    """Where the demonstration keeps what it makes."""

    folder: Path

    @property
    def server(self) -> Path:
        """The server's data folder."""
        return self.folder / "server"

    @property
    def credentials(self) -> Path:
        """What `byname setup` printed, for the next run. Readable by its owner only."""
        return self.folder / "credentials.json"

    @property
    def log(self) -> Path:
        """What the server of this run printed."""
        return self.folder / "server.log"

    @property
    def work(self) -> Path:
        """The training script's working folder, with the two files."""
        return self.folder / "work"


def shown(path: Path) -> str:
    """The path as the reader would type it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def tail(log: Path) -> str:
    """The end of the server's log."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    return "\n".join(f"    {line}" for line in lines[-TAIL_LINES:]) or "    (it is empty)"


def stop(process: subprocess.Popen[Any]) -> int:
    """Ask a process to end, insist when it does not; its exit code. Its children end with it."""
    if process.poll() is None:
        process.terminate()
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # It leads a session of its own, so nobody else is in its group.
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def free_port(wanted: int | None) -> int:
    """The wanted port; without a wish the usual one, or any other when that is taken.

    Raises:
        Failed: the wanted port is taken.
    """
    for port in (wanted,) if wanted is not None else (USUAL_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Failed(f"Port {wanted} is taken; choose another with --port")


def set_up(places: Places) -> tuple[dict[str, str], bool]:
    """The credentials of the first administrator, and whether they were made now.

    Raises:
        Failed: the set-up was refused, or its answer of an earlier run is gone.
    """
    if places.credentials.exists():
        credentials: dict[str, str] = json.loads(places.credentials.read_text(encoding="utf-8"))
        return credentials, False
    answer = subprocess.run(
        [
            *(BYNAME, "setup", "--data", places.server, "--json"),
            *("--username", USERNAME, "--email", EMAIL),
            *("--organization", ORGANIZATION, "--team", TEAM),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=STEP_SECONDS,
        check=False,
    )
    if answer.returncode != 0:
        raise Failed(
            f"`byname setup` ended with {answer.returncode}:\n{answer.stdout}{answer.stderr}\n"
            f"To begin again, remove {shown(places.folder)}"
        )
    fresh = places.credentials.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(answer.stdout)
    fresh.replace(places.credentials)
    credentials = json.loads(answer.stdout)
    return credentials, True


def ask(url: str, api_key: str | None = None) -> tuple[int, bytes]:
    """Status and body of one GET. Never through a proxy: the server is on this machine."""
    request = urllib.request.Request(url)
    if api_key is not None:
        basic = base64.b64encode(f"api:{api_key}".encode()).decode()
        request.add_header("Authorization", f"Basic {basic}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def start_server(places: Places, port: int) -> subprocess.Popen[Any]:
    """A server that answers on the port.

    Raises:
        Failed: it ended, or is not ready in time.
    """
    with places.log.open("wb") as log:
        server = subprocess.Popen(
            [BYNAME, "serve", "--data", places.server, "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches this program only, which then ends the server in an orderly way.
            start_new_session=True,
        )
    try:
        wait_until_ready(server, f"http://127.0.0.1:{port}/ready")
    except BaseException:
        stop(server)
        raise
    return server


def wait_until_ready(server: subprocess.Popen[Any], url: str) -> None:
    """Return when the server says that it is ready.

    Raises:
        Failed: it ended, or is not ready in time.
    """
    deadline = time.monotonic() + READY_SECONDS
    last = "nothing"
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise Failed(f"The server ended by itself with {server.returncode}")
        try:
            status, body = ask(url)
            if status == 200:
                return
            last = f"{status} {body[:500].decode(errors='replace')}"
        except OSError as error:
            last = str(error)  # It does not listen yet.
        time.sleep(0.1)
    raise Failed(
        f"The server was not ready within {READY_SECONDS} seconds; {url} answered last: {last}"
    )


def resolve(url: str, api_key: str, alias: str) -> dict[str, Any] | None:
    """What the alias names at this moment, by one plain request; None when nothing.

    Raises:
        Failed: the server answered something else.
    """
    reference = urllib.parse.quote(f"{COLLECTION}:{alias}", safe="/:")
    status, body = ask(f"{url}/api/v1/resolve?ref={reference}", api_key)
    if status == 404:
        return None
    if status != 200:
        raise Failed(
            f"Resolving {alias} was answered with {status}: {body.decode(errors='replace')}"
        )
    answer: dict[str, Any] = json.loads(body)
    return answer


def client_environment(private: Path, url: str, api_key: str) -> dict[str, str]:
    """The environment of one client process: the server, the key, and empty folders of its own."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("WANDB_")}
    beside = [kept[name] for name in ("NO_PROXY", "no_proxy") if kept.get(name)]
    direct = ",".join(["127.0.0.1", "localhost", *beside])
    shutil.rmtree(private, ignore_errors=True)
    folders = {}
    for name in ("DIR", "CACHE_DIR", "DATA_DIR", "CONFIG_DIR", "ARTIFACT_DIR"):
        folder = private / name.lower()
        folder.mkdir(parents=True)
        folders[f"WANDB_{name}"] = str(folder)
    return {
        **kept,
        **folders,
        "WANDB_BASE_URL": url,
        "WANDB_API_KEY": api_key,
        # The client sends nothing to anyone but this server, and reads no one's saved log-in.
        "WANDB_ERROR_REPORTING": "false",
        "NETRC": str(private / "netrc"),
        "NO_PROXY": direct,
        "no_proxy": direct,
        "PYTHONUNBUFFERED": "1",
    }


def run_client(script: str, arguments: list[str], places: Places, env: Mapping[str, str]) -> None:
    """One script in a process of its own; what it prints is shown, its results without a margin.

    Raises:
        Failed: it ended badly, or did not end in time.
    """
    output = places.folder / f"{Path(script).stem}.log"
    with output.open("wb") as log:
        client = subprocess.Popen(
            [CLIENT, HERE / script, *arguments],
            cwd=places.work,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        code: int | str = client.wait(STEP_SECONDS)
    except subprocess.TimeoutExpired:
        code = f"no end after {STEP_SECONDS} seconds"
    finally:
        stop(client)
    for line in output.read_text(encoding="utf-8", errors="replace").splitlines():
        tell(f"   {line[7:]}" if line.startswith("RESULT ") else f"      | {line}")
    if code != 0:
        raise Failed(f"{script} ended with: {code}")


def show(places: Places, url: str, credentials: Mapping[str, str]) -> None:
    """The whole job: link, resolve, pull back.

    Raises:
        Failed: a step went wrong, or what came back is not what went in.
    """
    key = credentials["api_key"]
    before = resolve(url, key, "production-us")

    tell("3. prepare.py writes the two files from the Zoo data")
    command = [sys.executable, str(HERE / "prepare.py"), str(places.work)]
    made = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    for line in made.stdout.splitlines():
        tell(f"   {line}")

    tell("4. link.py logs them as one version and links it under two aliases (wandb 0.31.0)")
    run_client("link.py", [], places, client_environment(places.folder / "client-1", url, key))
    named = {}
    for alias in ("production-us", "production-eu", "latest"):
        found = resolve(url, key, alias)
        if found is None:
            raise Failed(f"Nothing is named {alias}, although link.py ended well")
        named[alias] = found
        tell(f"   {COLLECTION}:{alias} -> {found['version']}, digest {found['digest']}")
    if len({(found["version"], found["digest"]) for found in named.values()}) != 1:
        raise Failed("The aliases do not name one and the same version")
    after = named["production-us"]
    if before is None:
        tell(f"   {after['version']} is new: the collection was made by this run")
    elif (before["version"], before["digest"]) == (after["version"], after["digest"]):
        tell(f"   {after['version']} was there before: identical content made no new version")
    else:
        raise Failed(f"Identical content moved production-us from {before['version']}")

    tell("5. pull.py, another process with an empty cache, gets the same bytes by every name")
    env = client_environment(places.folder / "client-2", url, key)
    run_client("pull.py", [str(places.work)], places, env)


def demonstrate(places: Places, port: int, *, once: bool) -> None:
    """Set up, serve, show, and go on serving unless `once`.

    Raises:
        Failed: a step went wrong.
    """
    places.work.mkdir(parents=True, exist_ok=True)
    tell("1. byname setup: the first administrator, an organization, a team, starter registries")
    credentials, made_now = set_up(places)
    when = "made now" if made_now else "there since an earlier run"
    tell(
        f"   administrator {credentials['username']}, organization {credentials['organization']}, "
        f"team {credentials['team']} ({when})"
    )
    url = f"http://127.0.0.1:{port}"
    tell(f"2. byname serve: SQLite and local disk in {shown(places.server)}")
    server = start_server(places, port)
    try:
        tell(f"   ready at {url}, log in {shown(places.log)}")
        show(places, url, credentials)
        where = shown(places.credentials)
        tell("Done: every name gave the same bytes.")
        tell("Where to look:")
        tell(f"   API key of {credentials['username']}: field api_key in {where}")
        tell(f"   the Registry App: {url}/ (log in with that key)")
        tell(f"   curl -u api:KEY '{url}/api/v1/resolve?ref={COLLECTION}:production-us'")
        tell(f"   the REST interface: {url}/api/docs")
        tell(f"   your own script: WANDB_BASE_URL={url} WANDB_API_KEY=KEY python ...")
        if once:
            return
        tell("Serving until Ctrl-C.")
        code = server.wait()
        raise Failed(f"The server ended by itself with {code}")
    finally:
        # One Ctrl-C is enough; a second one must not leave the server behind.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        code = stop(server)
        tell(f"The server has stopped (exit code {code}).")


def main() -> int:
    """The demonstration's exit code: 0 when all went well, also when ended by Ctrl-C."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the job")
    parser.add_argument("--port", type=int, help=f"default: {USUAL_PORT}, or a free one")
    parser.add_argument(
        "--data", type=Path, default=ROOT / "demo-data", help="where to keep it all"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)
    places = Places(options.data.resolve())
    try:
        demonstrate(places, free_port(options.port), once=options.once)
    except Failed as failed:
        tell(f"\nThe demonstration failed. {failed}")
        tell(f"The end of {shown(places.log)}:\n{tail(places.log)}")
        return 1
    except KeyboardInterrupt:
        tell("Bye.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
