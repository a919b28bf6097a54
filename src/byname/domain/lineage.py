"""Lineage: a graph of runs and versions, in which what one may not see has no name (R149, R152)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

DEPTH_DEFAULT = 2
DEPTH_MAX = 5
FAN_OUT_DEFAULT = 20
FAN_OUT_MAX = 100
NODES_MAX = 1_000
"""A graph grows no further than this; what is behind can be asked for anew."""


class NodeKind(StrEnum):
    """What a node stands for."""

    VERSION = "version"
    RUN = "run"


Arrow = Literal["made", "used"]


@dataclass(slots=True)
class More:
    """Neighbours that are not in the graph."""

    count: int
    exact: bool
    """Whether there are so many; otherwise at least so many."""


@dataclass(slots=True)
class Node:
    """A run or version. One that is hidden from who asks says nothing but its kind (R152)."""

    id: str
    """Fit for this graph only where the node is restricted."""
    kind: NodeKind
    depth: int
    restricted: bool = True
    name: str | None = None
    """A version: its full name. A run: `entity/project/run`."""
    display_name: str | None = None
    type_name: str | None = None
    state: str | None = None
    created_at: datetime | None = None
    expanded: bool = False
    """Whether its neighbours are in the graph, as far as the fan-out allows."""
    more_sources: More | None = None
    more_results: More | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow: from a run to what it made, or from a version to a run that used it (R149)."""

    source: str
    target: str
    kind: Arrow


@dataclass(slots=True)
class Graph:
    """Nodes and arrows around the one in the middle, `root`."""

    root: str
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    complete: bool = True
    """Whether the walk ended by itself; otherwise the graph would have grown too large."""
