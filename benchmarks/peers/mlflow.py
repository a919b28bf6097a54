"""How does MLflow's registry server do the same jobs? Run as its makers' defaults have it."""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks import load, machine, process, stream, tools
from benchmarks.content import Large, Small, small_files
from benchmarks.load import Request, request
from benchmarks.measure import Step
from benchmarks.process import Server

START_SECONDS = 240.0
MODELS = "/api/2.0/mlflow/registered-models"
ALIAS = f"{MODELS}/alias"
BYTES = "/api/2.0/mlflow-artifacts/artifacts"
HEADERS = {"Host": "127.0.0.1", "Content-Type": "application/json"}
RAW = {"Host": "127.0.0.1", "Content-Type": "application/octet-stream"}


class MLflow:
    """`mlflow server` with SQLite and artifacts that pass through it, on this machine's disk."""

    def __init__(self, server: Server, folder: Path, release: str) -> None:
        self.server = server
        self.release = release
        self._folder = folder
        self._moves: dict[tuple[int, int], Iterator[Request]] = {}
        self._large: Large | None = None
        self._small: list[Small] = []

    @classmethod
    def start(cls, folder: Path) -> MLflow:
        """It runs; `ready` waits for it.

        Raises:
            MissingError: it cannot be installed.
        """
        # The newest release whose parts all exist: uv goes back by itself where `mlflow` is ahead
        # of the `mlflow-skinny` that it needs.
        python = tools.environment(".venv-bench-mlflow", "mlflow")
        release = tools.installed_version(python, "mlflow")
        folder.mkdir(parents=True)
        port = machine.free_port()
        command = [
            str(python.with_name("mlflow")),
            "server",
            *("--host", "127.0.0.1"),
            *("--port", str(port)),
            *("--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
            *("--artifacts-destination", str(folder / "artifacts")),
        ]
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
        return cls(process.start("MLflow", port, command, folder, quiet), folder, release)

    def ready(self) -> None:
        """It answers.

        Raises:
            MissingError: it does not come up.
        """
        self.server.wait("/health", limit_seconds=START_SECONDS)

    def fill(self, versions: int) -> None:
        """There is a model of that many versions whose alias `production-us` is on the middle one.

        The model and its first version are made by the server itself; the other versions are
        copies of that row, written into its database.
        """
        model = _model(versions)
        self._post(f"{MODELS}/create", {"name": model})
        first = {"name": model, "source": "s3://bucket/model"}
        self._post("/api/2.0/mlflow/model-versions/create", first)
        connection = sqlite3.connect(self._folder / "mlflow.db", timeout=60)
        try:
            columns = [
                str(row[1]) for row in connection.execute("PRAGMA table_info(model_versions)")
            ]
            copied = ", ".join("n.i" if name == "version" else f"v.{name}" for name in columns)
            connection.execute(
                "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                f" INSERT INTO model_versions ({', '.join(columns)}) SELECT {copied}"
                " FROM model_versions v, n WHERE v.name = ? AND v.version = 1",
                (versions, model),
            )
            connection.commit()
        finally:
            connection.close()
        held = {"name": model, "alias": "production-us", "version": str(versions // 2)}
        self._post(ALIAS, held)

    def resolve(self, versions: int, connections: int, seconds: float) -> Step:
        """The version that an alias names (`get_model_version_by_alias`)."""
        query = urlencode({"name": _model(versions), "alias": "production-us"})
        asked = request("GET", f"{ALIAS}?{query}", HEADERS)
        streams = [itertools.repeat(asked)] * connections
        return Step(
            lambda: load.run(
                self.server.address, streams, seconds=seconds, expect=b'"current_stage"'
            )
        )

    def move(self, versions: int, connections: int, seconds: float, operations: int) -> Step:
        """Each connection moves an alias of its own to and fro (`set_registered_model_alias`)."""
        streams = [self._moving(versions, number) for number in range(connections)]
        return Step(
            lambda: load.run(self.server.address, streams, seconds=seconds, operations=operations)
        )

    def _moving(self, versions: int, number: int) -> Iterator[Request]:
        if (versions, number) not in self._moves:
            bodies = (
                {"name": _model(versions), "alias": f"move-{number}", "version": str(version)}
                for version in (versions // 2, versions // 4)
            )
            self._moves[versions, number] = itertools.cycle(
                [request("POST", ALIAS, HEADERS, json.dumps(body).encode()) for body in bodies]
            )
        return self._moves[versions, number]

    def upload_large(self, content: Large) -> Step:
        """One PUT through the server."""
        self._large = content
        head = request("PUT", f"{BYTES}/large/file", RAW, size_bytes=content.size_bytes)
        return Step(lambda: stream.upload(self.server.address, head, content))

    def download_large(self, content: Large) -> Step:
        """One GET through the server."""
        if self._large is not content:
            self.upload_large(content).run()
        head = request("GET", f"{BYTES}/large/file", RAW)
        return Step(lambda: stream.download(self.server.address, head, content))

    def upload_small(self, count: int, connections: int) -> Step:
        """One PUT for each file."""
        shutil.rmtree(self._folder / "artifacts" / "small", ignore_errors=True)
        self._small = small_files(count)
        requests = [
            request("PUT", f"{BYTES}/small/{number}", RAW, file.rest, prefix=file.prefix)
            for number, file in enumerate(self._small)
        ]
        return Step(lambda: load.run(self.server.address, load.deal(requests, connections)))

    def download_small(self, count: int, connections: int) -> Step:
        """One GET for each file."""
        if len(self._small) != count:
            self.upload_small(count, 1).run()
        requests = [request("GET", f"{BYTES}/small/{number}", RAW) for number in range(count)]
        streams = load.deal(requests, connections)
        expect = bytes(self._small[0].rest[-64:])
        return Step(lambda: load.run(self.server.address, streams, expect=expect))

    def _post(self, path: str, body: dict[str, str]) -> Any:
        asked = urllib.request.Request(
            self.server.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.loads(answer.read())


def _model(versions: int) -> str:
    return f"zoo-{versions}"
