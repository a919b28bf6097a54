"""The graph of runs and versions over REST (R149 to R152)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from byname.domain import lineage as rules
from byname.domain.errors import Unprocessable
from byname.domain.lineage import NodeKind
from byname.operations import graph as operations
from byname.rest.asking import Asking

router = APIRouter(tags=["lineage"])


class More(BaseModel):
    """Neighbours that are left out."""

    count: int
    exact: bool = Field(description="False: at least so many.")


class Node(BaseModel):
    """A run or version. A restricted one, which you may not see, says nothing but its kind."""

    id: str
    kind: NodeKind
    depth: int = Field(description="How many arrows away from the root it was found.")
    restricted: bool
    name: str | None = Field(
        description="Ask for it to expand the node: a version's full name is a `ref`, "
        "that of a run, `entity/project/run`, is a `run`."
    )
    display_name: str | None
    type: str | None
    state: str | None
    created_at: datetime | None
    expanded: bool = Field(description="Whether its neighbours were looked for.")
    more_sources: More | None = Field(description="Left out on the side it came from.")
    more_results: More | None = Field(description="Left out on the side of what came of it.")


class Edge(BaseModel):
    """An arrow: a run made a version, or a version was used by a run."""

    source: str
    target: str
    kind: rules.Arrow


class Graph(BaseModel):
    """The neighbourhood of one version or run."""

    root: str
    nodes: list[Node]
    edges: list[Edge]
    complete: bool = Field(description="False: it would have had over 1,000 nodes.")


@router.get("/lineage", summary="Show where a version comes from, and what came of it")
def show_lineage(
    ctx: Asking,
    ref: Annotated[
        str | None, Query(description="A version: `[entity/][project/]collection:version`.")
    ] = None,
    run: Annotated[str | None, Query(description="A run: `entity/project/run`.")] = None,
    depth: Annotated[
        int, Query(ge=1, le=rules.DEPTH_MAX, description="How many steps away to look.")
    ] = rules.DEPTH_DEFAULT,
    fan_out: Annotated[
        int, Query(ge=1, le=rules.FAN_OUT_MAX, description="The most neighbours a side of a node.")
    ] = rules.FAN_OUT_DEFAULT,
) -> Graph:
    """Show the runs and versions around a version or a run, both ways.

    What you may not see is there without a name, and nothing behind it.
    """
    if (ref is None) == (run is None):
        raise Unprocessable("Give either a version as ref or a run as run", field="ref")
    if ref is not None:
        graph = operations.around_version(ctx, ref, depth=depth, fan_out=fan_out)
    else:
        parts = (run or "").split("/")
        if len(parts) != 3 or not all(parts):
            raise Unprocessable("A run is written entity/project/run", field="run")
        graph = operations.around_run(ctx, *parts, depth=depth, fan_out=fan_out)
    return Graph(
        root=graph.root,
        nodes=[_show(node) for node in graph.nodes],
        edges=[
            Edge(source=each.source, target=each.target, kind=each.kind) for each in graph.edges
        ],
        complete=graph.complete,
    )


def _show(node: rules.Node) -> Node:
    return Node(
        id=node.id,
        kind=node.kind,
        depth=node.depth,
        restricted=node.restricted,
        name=node.name,
        display_name=node.display_name,
        type=node.type_name,
        state=node.state,
        created_at=node.created_at,
        expanded=node.expanded,
        more_sources=_more(node.more_sources),
        more_results=_more(node.more_results),
    )


def _more(more: rules.More | None) -> More | None:
    return None if more is None else More(count=more.count, exact=more.exact)
