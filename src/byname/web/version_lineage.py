"""The lineage of a version as a picture that one can walk about in, with links alone (R149 to R152)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from byname.domain import metric
from byname.domain.errors import Invalid, NotFound
from byname.domain.ids import find_number
from byname.domain.lineage import Graph, Node, NodeKind
from byname.domain.lineage_fold import SIBLINGS_MIN, Cluster, Side, fold
from byname.operations import graph as operations
from byname.operations import lineage, listing, overview
from byname.operations import version as versions
from byname.web.graph_layout import WIDTH, lay_out
from byname.web.looks import project_path, segment, version_path, with_query
from byname.web.visitor import Ask

NODE_HEIGHT = 50
PAGE = 20
NAME_MAX = 24
CHOICES_MAX = 40
FACTS_MAX = 12
LISTS = ("pull", "expand", "hide")


@dataclass(frozen=True, slots=True)
class View:
    """What of the graph somebody looks at; every link on the picture keeps it."""

    here: str
    node: str = ""
    """The node whose details are shown."""
    open: str = ""
    """The cluster that is looked through."""
    pull: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()

    @classmethod
    def of(cls, ask: Ask, here: str) -> View:
        """The view that the address asks for."""
        lists = {word: tuple(dict.fromkeys(ask.queries(word)))[:CHOICES_MAX] for word in LISTS}
        return cls(here, ask.query("node") or "", ask.query("open") or "", **lists)

    def link(self, **change: Any) -> str:
        """The address of the view with these changes."""
        view = replace(self, **change)
        pairs = [(word, each) for word in LISTS for each in getattr(view, word)]
        pairs += [(word, getattr(view, word)) for word in ("node", "open") if getattr(view, word)]
        if not pairs:
            return self.here
        return f"{self.here}&{urlencode(pairs, quote_via=quote, safe='')}"

    def pairs(self) -> list[tuple[str, str]]:
        """The view as fields of a form."""
        pairs = [(word, each) for word in LISTS for each in getattr(self, word)]
        return [*pairs, *((w, getattr(self, w)) for w in ("node", "open") if getattr(self, w))]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A box of the picture."""

    id: str
    x: int
    y: int
    look: str
    """artifact, run or restricted; with `cluster` for many."""
    kind: str
    """What stands before the name: the type of an artifact, or `run`."""
    name: str
    title: str
    link: str | None
    chosen: bool
    root: bool
    expand: str | None
    """Loads the neighbours of a node at the rim."""


def values_of(ask: Ask, values: dict[str, Any]) -> dict[str, Any]:
    """What the tab *Lineage* shows."""
    view = View.of(ask, with_query(values["here"], tab="lineage"))
    found = operations.around_version(
        ask.ctx,
        values["full_name"],
        fan_out=min(SIBLINGS_MIN + 1 + len(view.pull) + len(view.hide), 100),
        further=operations.Further(pulled=view.pull, expanded=view.expand),
    )
    folded = fold(found, view.pull, view.hide)
    clusters = {each.id: each for each in folded.clusters}
    layout = lay_out(
        dict.fromkeys([*(each.id for each in folded.nodes), *clusters], NODE_HEIGHT), folded.arrows
    )
    boxes = [_node(each, found, view, layout.boxes[each.id]) for each in folded.nodes]
    boxes += [_cluster(each, view, layout.boxes[each.id]) for each in folded.clusters]
    chosen = next((each for each in found.nodes if each.id == (view.node or found.root)), None)
    opened = clusters.get(view.open)
    return {
        "view": view,
        "graph": found,
        "layout": layout,
        "width": WIDTH,
        "node_height": NODE_HEIGHT,
        "boxes": boxes,
        "paths": [
            (path, arrow[0] if arrow[0] in layout.boxes else "", arrow[1])
            for arrow, path in layout.paths.items()
        ],
        "alone": len(boxes) == 1,
        "side": None if opened or chosen is None else _details(ask, chosen, found),
        "opened": None if opened is None else _opened(ask, view, opened),
    }


def _cut(text: str) -> str:
    return text if len(text) <= NAME_MAX else f"{text[: NAME_MAX - 1]}…"


def _node(node: Node, found: Graph, view: View, box: Any) -> Drawn:
    word = "run" if node.kind is NodeKind.RUN else (node.type_name or "artifact")
    full = node.name or "restricted"
    short = (node.display_name or full).rpartition("/")[2]
    is_root = node.id == found.root
    return Drawn(
        id=node.id,
        x=box.x,
        y=box.y,
        look="restricted" if node.restricted else str(_look(node.kind)),
        kind=word if not node.restricted else ("run" if node.kind is NodeKind.RUN else "artifact"),
        name=_cut(short) if not node.restricted else "restricted",
        title=f"{word}: {full}"
        if not node.restricted
        else "It lies where you may not see it; nothing behind it is shown",
        link=None if node.restricted else view.link(node="" if is_root else node.id, open=""),
        chosen=not view.open and node.id == (view.node or found.root),
        root=is_root,
        expand=None
        if node.restricted or node.expanded
        else view.link(expand=(*view.expand, node.id), node=node.id, open=""),
    )


def _look(kind: NodeKind) -> str:
    return "run" if kind is NodeKind.RUN else "artifact"


def _cluster(cluster: Cluster, view: View, box: Any) -> Drawn:
    noun = "runs" if cluster.kind is NodeKind.RUN else "artifacts"
    count = f"{cluster.count:,}{'' if cluster.exact else ' or more'}"
    return Drawn(
        id=cluster.id,
        x=box.x,
        y=box.y,
        look=f"{_look(cluster.kind)} cluster",
        kind=noun,
        name=f"{count} {noun}",
        title=f"{count} {noun}: open to look through them",
        link=view.link(open=cluster.id, node=""),
        chosen=view.open == cluster.id,
        root=False,
        expand=None,
    )


def _details(ask: Ask, node: Node, found: Graph) -> dict[str, Any]:
    """What the panel beside the picture says of a node."""
    facts: dict[str, Any] = {"node": node, "root": node.id == found.root, "page": None}
    if node.restricted:
        return facts
    if node.kind is NodeKind.VERSION:
        number = find_number(node.id, "Artifact") or 0
        version = versions.get(ask.ctx, number)
        place = overview.standings(ask.ctx, [number]).get(number)
        if version is None or place is None:
            return facts
        page = ask.root + version_path(
            place.project, place.collection, place.number, version.type_name
        )
        values = metric.read(version.metadata)
        names = [each for each in metric.offered([values]) if metric.value_of(values, each)]
        return {
            **facts,
            "version": version,
            "page": page,
            "middle": with_query(page, tab="lineage"),
            "tags": listing.version_tags(ask.ctx, [number])[number],
            "metrics": [(each, metric.value_of(values, each)) for each in names[:FACTS_MAX]],
        }
    number = find_number(node.id, "Run") or 0
    run = lineage.makers_of_many(ask.ctx, [number]).get(number)
    if run is None:
        return facts
    home = overview.visible_projects(ask.ctx, [run.project_id])[run.project_id]
    page = f"{ask.root}{project_path(home)}/runs/{segment(run.name)}"
    return {**facts, "run": run, "page": page}


def _opened(ask: Ask, view: View, cluster: Cluster) -> dict[str, Any]:
    """What the panel lists of a cluster: those that fit the words, page by page."""
    text = (ask.query("q") or "").strip()[:128]
    after = ask.query("after") or ""
    try:
        page = operations.neighbours(
            ask.ctx, cluster.of, Side(cluster.side), text=text, after=after, first=PAGE
        )
    except NotFound:
        raise Invalid("This group of nodes is not there any more") from None
    here = view.link()
    return {
        "cluster": cluster,
        "text": text,
        "page": page,
        "next": with_query(here, q=text, after=page.next) if page.next else None,
        "first": with_query(here, q=text) if after else None,
        "lines": [
            (each, view.link(pull=(*view.pull, each.id), node=each.id, open=""))
            for each in page.nodes
        ],
        "pulled": set(view.pull),
    }
