"""Which figures were promised, and were they met?

A ratio is taken within each round, between two cases that ran one behind the other, and the median
over the rounds is judged.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from benchmarks.measure import BYNAME, MLFLOW, REGISTRY, Key, Results

MLFLOW_SMALL, MLFLOW_LARGE = 100, 10_000
LOOKUPS: dict[str, tuple[str, ...]] = {
    "search": ("search-rare", "search-common", "search-part", "search-absent"),
    "filter": ("filter-alias", "filter-tag", "filter-equal", "filter-range", "filter-half"),
    "history": ("history-collection", "history-alias"),
}
"""What is looked up in a registry, by the word that chooses it."""
FLAT_AT_MOST = 1.25
"""A thousand times the versions make an index two or three pages deeper, and its pages are less often
in the processor's cache: that is some percent. Whatever reads rows in proportion costs far more."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Byname's CPU time for each unit of work, divided by another one's."""

    text: str
    ours: Key
    other: Key
    at_most: float | None
    """None where nothing was promised."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A ratio as it was measured."""

    ratio: Ratio
    median: float
    low: float
    high: float
    rounds: int

    @property
    def met(self) -> bool | None:
        """None where nothing was promised."""
        return None if self.ratio.at_most is None else self.median <= self.ratio.at_most


def ratios(sizes: list[int], connections: list[int]) -> list[Ratio]:
    """All that is compared. Against the peers stands the largest registry that was filled."""
    smallest, largest = min(sizes), max(sizes)
    found: list[Ratio] = []

    def compare(
        text: str,
        operation: str,
        peer: str,
        at_most: float | None,
        *,
        of: str = "",
        versions: int = 0,
        ours: int = largest,
    ) -> None:
        found.extend(
            Ratio(
                f"{text}, {count} conn.",
                Key(operation, BYNAME, ours, count),
                Key(of or operation, peer, versions, count),
                at_most,
            )
            for count in connections
        )

    for operation, mlflow, registry in (
        ("resolve-graphql", 1 / 12, 1.0),
        ("resolve-rest", 1 / 60, 1 / 6),
    ):
        text = f"{operation} / MLflow get-by-alias"
        compare(text, operation, MLFLOW, mlflow, of="resolve", versions=MLFLOW_SMALL)
        text = f"{operation} / docker-registry manifest by tag"
        compare(text, operation, REGISTRY, registry, of="resolve")
    for versions, limit in ((MLFLOW_SMALL, 1 / 20), (MLFLOW_LARGE, 1 / 500)):
        text = f"move / MLflow set-alias, {versions:,} versions"
        compare(text, "move", MLFLOW, limit, versions=versions)
    for operation, mlflow_limit, registry_limit in (
        ("upload-large", None, 0.8),
        ("download-large", None, 1.0),
        ("upload-small", None, None),
        ("download-small", None, None),
    ):
        compare(f"{operation} / MLflow", operation, MLFLOW, mlflow_limit, ours=0)
        compare(f"{operation} / docker-registry", operation, REGISTRY, registry_limit, ours=0)
    if largest > smallest:
        looked_up = [name for names in LOOKUPS.values() for name in names]
        for operation in ("resolve-graphql", "resolve-rest", "link", "move", *looked_up):
            text = f"{operation}, {largest:,} / {smallest:,} versions"
            compare(text, operation, BYNAME, FLAT_AT_MOST, versions=smallest)
    return found


def judge(results: Results, wanted: list[Ratio]) -> list[Verdict]:
    """Those of the ratios for which both sides were measured in the same rounds."""
    verdicts = []
    for ratio in wanted:
        ours = results.samples.get(ratio.ours, {})
        other = results.samples.get(ratio.other, {})
        values = [
            ours[number].cpu / other[number].cpu
            for number in sorted(ours.keys() & other.keys())
            if other[number].cpu > 0
        ]
        if values:
            middle = statistics.median(values)
            verdicts.append(Verdict(ratio, middle, min(values), max(values), len(values)))
    return verdicts
