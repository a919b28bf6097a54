"""Run the benchmarks: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import FrameType

from benchmarks import cpu, documents, goals, machine, measure, plan, report, tools
from benchmarks.load import WrongAnswerError
from benchmarks.peers.mlflow import MLflow
from benchmarks.peers.registry import Registry
from benchmarks.plan import Plan, Running
from benchmarks.process import MissingError, Server
from benchmarks.targets.byname import Byname

RESULTS = tools.ROOT / "benchmarks" / "results"
SPACE_BYTES = 12 * 2**30


def main() -> int:
    """Measure, print, save. 0 when everything asked for was measured, 1 when something was not."""
    options = _options()
    chosen = plan.QUICK if options.quick else Plan()
    if options.rounds:
        chosen = replace(chosen, rounds=options.rounds, byte_rounds=options.rounds)
    if options.sizes:
        chosen = replace(chosen, sizes=tuple(sorted(options.sizes)))
    signal.signal(signal.SIGTERM, _stop)
    # Not /dev/shm or another tmpfs: the price of a real fsync belongs to the figures.
    with tempfile.TemporaryDirectory(prefix="byname-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        if shutil.disk_usage(folder).free < SPACE_BYTES:
            print(f"{folder} has less than {SPACE_BYTES // 2**30} GiB free.", file=sys.stderr)
            return 1
        try:
            return _Bench(options, chosen, folder, stack).run()
        except (MissingError, WrongAnswerError) as error:
            print(f"\n{error}", file=sys.stderr)
            return 1


class _Bench:
    """One run: its servers, and what there is to say about them."""

    def __init__(
        self, options: argparse.Namespace, chosen: Plan, folder: Path, stack: ExitStack
    ) -> None:
        self._plan = chosen
        self._folder = folder
        self._stack = stack
        self._without = set(options.without)
        self._only: list[str] = options.only
        self._program: list[str] = [options.program]
        self._began = time.monotonic()
        self._notes = [machine.description(), f"Byname is {options.program}"]
        self._missing: list[str] = []

    def run(self) -> int:
        """All of it; the exit status."""
        running = self._start()
        os.sync()
        groups = plan.groups(self._plan, running, self._only)
        load = machine.load_average()
        results = measure.take(groups, self._plan.rounds, self._folder, self._tell)
        self._notes.append(
            f"{self._plan.rounds} rounds ({self._plan.byte_rounds} of bytes), interleaved; load "
            f"average {load:.1f} before and {machine.load_average():.1f} after; "
            f"{(time.monotonic() - self._began) / 60:.1f} minutes in all"
        )
        ratios = goals.ratios(list(self._plan.sizes), list(self._plan.connections))
        verdicts = goals.judge(results, ratios)
        text = report.render(results, verdicts, [*self._notes, *self._missing])
        print("\n" + text)
        path = report.save(RESULTS, text, results, verdicts)
        print(f"Written to {path}")
        return 1 if self._missing else 0

    def _start(self) -> Running:
        # MLflow is busy with itself for a minute; it starts first and is waited for last.
        mlflow = self._mlflow()
        registry = self._registry()
        byname = [] if "byname" in self._without else self._byname()
        if mlflow is not None:
            try:
                mlflow.ready()
                self._tell(f"MLflow {mlflow.release} answers")
                for versions in (goals.MLFLOW_SMALL, goals.MLFLOW_LARGE):
                    mlflow.fill(versions)
                self._settle(mlflow.server, f"MLflow {mlflow.release}")
            except MissingError as error:
                self._miss("MLflow", error)
                mlflow = None
        if registry is not None:
            self._settle(registry.server, f"docker-registry {registry.release}")
        for ours in byname:
            self._settle(ours.server, f"Byname with {ours.versions:,} versions")
        return Running(byname, mlflow, registry)

    def _mlflow(self) -> MLflow | None:
        if "mlflow" in self._without:
            return None
        try:
            mlflow = MLflow.start(self._folder / "mlflow")
        except MissingError as error:
            self._miss("MLflow", error)
            return None
        self._stack.enter_context(mlflow.server)
        return mlflow

    def _registry(self) -> Registry | None:
        if "docker-registry" in self._without:
            return None
        try:
            registry = Registry.start(self._folder / "registry")
            self._stack.enter_context(registry.server)
            registry.ready()
        except MissingError as error:
            self._miss("docker-registry", error)
            return None
        return registry

    def _byname(self) -> list[Byname]:
        texts = documents.read()
        servers = []
        for versions in self._plan.sizes:
            folder = self._folder / f"byname-{versions}"
            ours = Byname.start(self._program, folder, versions, self._plan.pool, texts)
            self._stack.enter_context(ours.server)
            ours.ready()
            servers.append(ours)
            self._tell(f"Byname with {versions:,} versions answers")
        return servers

    def _settle(self, server: Server, title: str) -> None:
        server.idle = machine.settle(server.pid)
        pid = server.pid
        self._notes.append(
            f"{title}: {len(cpu.tree(pid))} processes, {cpu.pss(pid):.0f} MiB (PSS) and "
            f"{server.idle * 1e3:.1f} ms of CPU a second when idle; {cpu.seconds(pid):.1f} CPU-s "
            "since its start"
        )

    def _miss(self, name: str, error: MissingError) -> None:
        text = f"{name} was NOT measured: {error}"
        print(text, file=sys.stderr)
        self._missing.append(text)

    def _tell(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began:5.0f} s] {text}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Byname's speed beside MLflow's and docker-registry's.",
    )
    parser.add_argument("--quick", action="store_true", help="less of everything: 4 minutes")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=(*plan.NAMES, *goals.LOOKUPS, *plan.WATCHING, *plan.BYTES),
        help="measure this operation only (may be repeated)",
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=("mlflow", "docker-registry", "byname"),
        help="leave this server out (may be repeated)",
    )
    parser.add_argument("--rounds", type=int, default=0, help="how many rounds")
    parser.add_argument(
        "--size", dest="sizes", type=int, action="append", help="versions (may be repeated)"
    )
    parser.add_argument(
        "--program",
        default=str(Path(sys.executable).with_name("byname")),
        help="the byname command to be measured (default: the one beside this Python)",
    )
    return parser.parse_args()


def _stop(_number: int, _frame: FrameType | None) -> None:
    # Leaves by the usual way, so that every server is stopped and every file removed.
    sys.exit(143)


if __name__ == "__main__":
    sys.exit(main())
