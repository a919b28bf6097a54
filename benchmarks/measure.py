"""What is one measurement, and how is it taken?

A case is one operation against one server at one number of connections. A group holds the cases
that are compared with each other; within a round they run one behind the other, in an order that
turns from round to round, so that the noise of a shared machine falls on all of them alike.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import cpu, machine
from benchmarks.load import Timing
from benchmarks.process import Server

BYNAME, MLFLOW, REGISTRY = "Byname", "MLflow", "docker-registry"


TOLD = "told"
"""The unit of watching: one watcher who was told of one move."""


@dataclass(frozen=True, slots=True)
class Key:
    """Which figure: the operation, whose it is, among how many versions, over how many sockets."""

    operation: str
    target: str
    versions: int
    """In the collection or model; 0 where it does not matter."""
    connections: int


@dataclass(frozen=True, slots=True)
class Step:
    """One prepared run. `run` is timed; `finish` follows and is not."""

    run: Callable[[], Timing]
    finish: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One operation against one server. `prepare` is not timed."""

    key: Key
    server: Server
    prepare: Callable[[], Step]
    unit: str = "op"
    """What a Timing counts: op, file or GB."""
    written_bytes: int = 0
    """How much a run writes to disk; that much of the page cache is warmed before it."""
    rounds_max: int = 1000
    """Slow peers are measured in fewer rounds; ratios then come from those rounds."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One case in one round."""

    cpu: float
    """CPU-seconds of the server for each unit, its idle burn taken off."""
    rate: float
    """Units a second."""
    p50: float
    """Seconds."""
    p99: float
    count: float
    peak_rss: float
    """MiB, of all its processes."""


@dataclass(slots=True)
class Results:
    """All samples: for each case, by round."""

    samples: dict[Key, dict[int, Sample]] = field(default_factory=dict)
    units: dict[Key, str] = field(default_factory=dict)
    loops: list[float] = field(default_factory=list)
    """CPU-seconds of the same fixed work before each group of each round."""


def measure(case: Case, folder: Path) -> Sample:
    """Prepare, warm, run and read the accounts. Raises WrongAnswerError where the server fails."""
    step = case.prepare()
    if case.written_bytes:
        os.sync()
        machine.prewarm(folder, case.written_bytes)
    pid = case.server.pid
    cpu.forget_peak(pid)
    before = cpu.seconds(pid)
    timing = step.run()
    used = cpu.seconds(pid) - before - case.server.idle * timing.seconds
    peak = cpu.peak_rss(pid)
    if step.finish is not None:
        step.finish()
    ordered = sorted(timing.latencies)
    return Sample(
        cpu=max(used, 0.0) / timing.count,
        rate=timing.count / timing.seconds,
        p50=ordered[len(ordered) // 2],
        p99=ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
        count=timing.count,
        peak_rss=peak,
    )


def take(
    groups: list[list[Case]], rounds: int, folder: Path, tell: Callable[[str], None]
) -> Results:
    """Every case of every group, in every round."""
    results = Results()
    _warm_up(groups)
    for number in range(rounds):
        for group in groups:
            cases = [case for case in group if number < case.rounds_max]
            if not cases:
                continue
            results.loops.append(machine.loop_seconds())
            turn = number % len(cases)
            for case in cases[turn:] + cases[:turn]:
                sample = measure(case, folder)
                results.samples.setdefault(case.key, {})[number] = sample
                results.units[case.key] = case.unit
            tell(f"round {number + 1} of {rounds}: {cases[0].key.operation} done")
    return results


def _warm_up(groups: list[list[Case]]) -> None:
    """Every server has done each of its operations on names once: what is lazy has been loaded."""
    seen = set()
    for case in (case for group in groups for case in group if case.unit == "op"):
        name = (case.server.pid, case.key.operation, case.key.versions)
        if name not in seen:
            seen.add(name)
            case.prepare().run()
