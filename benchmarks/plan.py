"""What is measured, how long and how often? The full run and the quick one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from benchmarks.content import SMALL_BYTES, Large
from benchmarks.goals import LOOKUPS, MLFLOW_LARGE, MLFLOW_SMALL
from benchmarks.measure import BYNAME, MLFLOW, REGISTRY, TOLD, Case, Key, Step
from benchmarks.peers.mlflow import MLflow
from benchmarks.peers.registry import Registry
from benchmarks.process import Server
from benchmarks.targets.byname import Byname

MIB = 1024 * 1024
NAMES = ("resolve", "link", "move")
WATCHING = ("watch-events", "watch-wait")
BYTES = ("upload-large", "download-large", "upload-small", "download-small")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is done."""

    sizes: tuple[int, ...] = (1_000, 100_000, 1_000_000)
    connections: tuple[int, ...] = (1, 8, 32)
    small_connections: tuple[int, ...] = (1, 8)
    lookup_connections: int = 8
    rounds: int = 5
    byte_rounds: int = 3
    slow_rounds: int = 2
    """Of MLflow's moves among 10,000 versions, each of which takes a second or more."""
    seconds: float = 0.8
    peer_seconds: float = 1.5
    writes_max: int = 1500
    """How many links or moves one run makes at the most."""
    large_bytes: int = 1024 * MIB
    small_count: int = 1000
    watchers: int = 1000

    @property
    def pool(self) -> int:
        """How many versions must wait to be linked: for every run, and the first that warms up."""
        return (self.rounds * len(self.connections) + 1) * self.writes_max


QUICK = Plan(
    sizes=(1_000, 100_000),
    rounds=2,
    byte_rounds=1,
    slow_rounds=1,
    seconds=0.4,
    peer_seconds=0.8,
    writes_max=600,
    large_bytes=256 * MIB,
    small_count=300,
)


@dataclass(slots=True)
class Running:
    """The servers there are; None for what could not be had."""

    byname: list[Byname]
    mlflow: MLflow | None
    registry: Registry | None


def groups(plan: Plan, running: Running, only: list[str]) -> list[list[Case]]:
    """The cases to be measured, those that are compared with each other side by side."""
    found: list[list[Case]] = []
    wanted = set(only or (*NAMES, *LOOKUPS, *WATCHING, *BYTES))
    for count in plan.connections:
        if "resolve" in wanted:
            found.append(_resolve(plan, running, count))
        if "link" in wanted:
            found.append(_link(plan, running, count))
        if "move" in wanted:
            found.append(_move(plan, running, count))
    found.extend(
        _look_up(plan, running, operation)
        for word, operations in LOOKUPS.items()
        if word in wanted
        for operation in operations
    )
    found.extend(_watch(plan, running, each) for each in WATCHING if each in wanted)
    # Every upload runs before the downloads, so that these find what they ask for.
    if "upload-large" in wanted:
        found.append(_large(plan, running, "upload-large"))
    if "download-large" in wanted:
        found.append(_large(plan, running, "download-large"))
    for count in plan.small_connections:
        found.extend(
            _small(plan, running, operation, count)
            for operation in ("upload-small", "download-small")
            if operation in wanted
        )
    return [group for group in found if group]


def _resolve(plan: Plan, running: Running, count: int) -> list[Case]:
    cases = []
    for ours in running.byname:
        for operation, ask in (
            ("resolve-graphql", ours.resolve_graphql),
            ("resolve-rest", ours.resolve_rest),
        ):
            key = Key(operation, BYNAME, ours.versions, count)
            cases.append(Case(key, ours.server, _bind(ask, count, plan.seconds)))
    if running.mlflow is not None:
        key = Key("resolve", MLFLOW, MLFLOW_SMALL, count)
        ask_mlflow = _bind(running.mlflow.resolve, MLFLOW_SMALL, count, plan.peer_seconds)
        cases.append(Case(key, running.mlflow.server, ask_mlflow))
    if running.registry is not None:
        key = Key("resolve", REGISTRY, 0, count)
        ask_registry = _bind(running.registry.resolve, count, plan.peer_seconds)
        cases.append(Case(key, running.registry.server, ask_registry))
    return cases


def _link(plan: Plan, running: Running, count: int) -> list[Case]:
    return [
        Case(
            Key("link", BYNAME, ours.versions, count),
            ours.server,
            _bind(ours.link, count, plan.seconds, plan.writes_max),
        )
        for ours in running.byname
    ]


def _move(plan: Plan, running: Running, count: int) -> list[Case]:
    cases = [
        Case(
            Key("move", BYNAME, ours.versions, count),
            ours.server,
            _bind(ours.move, count, plan.seconds, plan.writes_max),
        )
        for ours in running.byname
    ]
    mlflow = running.mlflow
    if mlflow is not None:
        key = Key("move", MLFLOW, MLFLOW_SMALL, count)
        few = _bind(mlflow.move, MLFLOW_SMALL, count, plan.peer_seconds, plan.writes_max)
        cases.append(Case(key, mlflow.server, few))
        if count <= 8:
            # Its cost does not depend on the connections, and 32 of them would take a minute.
            key = Key("move", MLFLOW, MLFLOW_LARGE, count)
            many = _bind(mlflow.move, MLFLOW_LARGE, count, 0.0, max(2, count))
            cases.append(Case(key, mlflow.server, many, rounds_max=plan.slow_rounds))
    return cases


def _look_up(plan: Plan, running: Running, operation: str) -> list[Case]:
    """In the smallest registry and in the largest: what lies between tells nothing more."""
    ends = {ours.versions: ours for ours in (*running.byname[:1], *running.byname[-1:])}
    return [
        Case(
            Key(operation, BYNAME, versions, plan.lookup_connections),
            ours.server,
            partial(ours.look_up, operation, plan.lookup_connections, plan.seconds),
        )
        for versions, ours in ends.items()
    ]


def _watch(plan: Plan, running: Running, operation: str) -> list[Case]:
    """Only Byname tells of a move; the others would have to be asked again and again."""
    cases = []
    for ours in running.byname[:1]:
        act = ours.watch_events if operation == "watch-events" else ours.watch_wait
        key = Key(operation, BYNAME, ours.versions, plan.watchers)
        cases.append(Case(key, ours.server, _bind(act, plan.watchers), TOLD))
    return cases


def _large(plan: Plan, running: Running, operation: str) -> list[Case]:
    uploads = operation == "upload-large"
    written = plan.large_bytes if uploads else 0

    def case(target: str, server: Server, prepare: Callable[[], Step]) -> Case:
        key = Key(operation, target, 0, 1)
        return Case(key, server, prepare, "GB", written, plan.byte_rounds)

    cases = []
    if running.byname:
        ours = running.byname[0]
        act = ours.upload_large if uploads else ours.download_large
        cases.append(case(BYNAME, ours.server, _bind(act, plan.large_bytes)))
    for target, peer in ((MLFLOW, running.mlflow), (REGISTRY, running.registry)):
        if peer is not None:
            peer_act = peer.upload_large if uploads else peer.download_large
            cases.append(case(target, peer.server, _with_content(peer_act, plan.large_bytes)))
    return cases


def _small(plan: Plan, running: Running, operation: str, count: int) -> list[Case]:
    uploads = operation == "upload-small"
    written = plan.small_count * SMALL_BYTES if uploads else 0
    cases = []
    for target, each in (
        (BYNAME, running.byname[0] if running.byname else None),
        (MLFLOW, running.mlflow),
        (REGISTRY, running.registry),
    ):
        if each is not None:
            act = each.upload_small if uploads else each.download_small
            prepare = _bind(act, plan.small_count, count)
            key = Key(operation, target, 0, count)
            cases.append(Case(key, each.server, prepare, "file", written, plan.byte_rounds))
    return cases


@cache
def _content(size_bytes: int) -> Large:
    """One large content for both peers and all rounds.

    They take the same bytes again as if these were new; Byname would not ask for them.
    """
    return Large(size_bytes)


def _with_content(act: Callable[[Large], Step], size_bytes: int) -> Callable[[], Step]:
    return lambda: act(_content(size_bytes))


def _bind(act: Callable[..., Step], *arguments: float) -> Callable[[], Step]:
    return lambda: act(*arguments)
