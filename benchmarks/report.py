"""How are the figures shown? As Markdown tables, on the screen and in a file."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from benchmarks.goals import Verdict
from benchmarks.measure import TOLD, Key, Results, Sample

TOLD_SECONDS_MAX = 0.25
SPREAD = "median (lowest-highest of the rounds)"


def render(results: Results, verdicts: list[Verdict], notes: list[str]) -> str:
    """The whole report."""
    parts = ["\n".join(f"- {note}" for note in [*notes, _noise(results)])]
    for title, unit, columns in (
        ("Names", "op", ("CPU ms/op", "ops/s", 1e3)),
        ("Many who watch one name", TOLD, ("CPU ms/told", "told/s", 1e3)),
        ("Files of 100 KiB", "file", ("CPU ms/file", "files/s", 1e3)),
        ("One large file", "GB", ("CPU s/GB", "MB/s", 1.0)),
    ):
        keys = [key for key in results.samples if results.units[key] == unit]
        if keys:
            parts.append(f"## {title}\n\n{_figures(results, keys, *columns)}")
    parts += [_told(results, key) for key in results.samples if results.units[key] == TOLD]
    if verdicts:
        parts.append(f"## Ratios of CPU time, Byname / other\n\n{_verdicts(verdicts)}")
        promised = [verdict for verdict in verdicts if verdict.met is not None]
        met = sum(1 for verdict in promised if verdict.met)
        parts.append(f"{met} of {len(promised)} targets met.")
    return "\n\n".join(parts) + "\n"


def save(folder: Path, text: str, results: Results, verdicts: list[Verdict]) -> Path:
    """The report and all samples are in `folder`, under the present time; the report's path."""
    folder.mkdir(parents=True, exist_ok=True)
    name = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    report = folder / f"{name}.md"
    report.write_text(text)
    samples = [
        {**asdict(key), "unit": results.units[key], "round": number, **asdict(sample)}
        for key, rounds in results.samples.items()
        for number, sample in rounds.items()
    ]
    judged = [
        {
            "text": verdict.ratio.text,
            "at_most": verdict.ratio.at_most,
            "median": verdict.median,
            "low": verdict.low,
            "high": verdict.high,
            "rounds": verdict.rounds,
            "met": verdict.met,
        }
        for verdict in verdicts
    ]
    (folder / f"{name}.json").write_text(
        json.dumps({"samples": samples, "ratios": judged, "loops": results.loops}, indent=1)
    )
    return report


def _figures(
    results: Results, keys: list[Key], cpu_title: str, rate_title: str, factor: float
) -> str:
    header = (
        "operation",
        "server",
        "versions",
        "conn.",
        cpu_title,
        rate_title,
        "p50 ms",
        "p99 ms",
        "peak RSS MiB",
    )
    rows = []
    order = sorted(keys, key=lambda key: (key.connections, key.versions))
    order.sort(key=lambda key: _place(results, key))
    for key in order:
        samples = list(results.samples[key].values())
        in_megabytes = 1000.0 if results.units[key] == "GB" else 1.0
        used = [sample.cpu * factor for sample in samples]
        rows.append(
            (
                key.operation,
                key.target,
                f"{key.versions:,}" if key.versions else "",
                str(key.connections),
                f"{_number(statistics.median(used))} ({_number(min(used))}-{_number(max(used))})",
                _number(_median(samples, "rate") * in_megabytes),
                _number(_median(samples, "p50") * 1e3),
                _number(_median(samples, "p99") * 1e3),
                f"{_median(samples, 'peak_rss'):.0f}",
            )
        )
    return _table(header, rows)


def _told(results: Results, key: Key) -> str:
    seconds = _median(list(results.samples[key].values()), "p99")
    word = "met" if seconds <= TOLD_SECONDS_MAX else "NOT MET"
    return (
        f"{key.operation}: {key.connections:,} learn of a move within {seconds * 1e3:.0f} ms at p99; "
        f"at most {TOLD_SECONDS_MAX * 1e3:.0f} ms: {word}."
    )


def _place(results: Results, key: Key) -> int:
    """Where the first case of this operation and server was measured."""
    for number, other in enumerate(results.samples):
        if (other.operation, other.target) == (key.operation, key.target):
            return number
    return len(results.samples)


def _median(samples: list[Sample], name: str) -> float:
    return statistics.median(float(getattr(sample, name)) for sample in samples)


def _verdicts(verdicts: list[Verdict]) -> str:
    header = ("Byname / other", SPREAD, "rounds", "target", "")
    rows = []
    for verdict in verdicts:
        limit = verdict.ratio.at_most
        word = {True: "met", False: "NOT MET", None: ""}[verdict.met]
        spread = f"{_share(verdict.low)} to {_share(verdict.high)}"
        rows.append(
            (
                verdict.ratio.text,
                f"{_share(verdict.median)} ({spread})",
                str(verdict.rounds),
                "" if limit is None else f"at most {_share(limit)}",
                word,
            )
        )
    return _table(header, rows)


def _noise(results: Results) -> str:
    if not results.loops:
        return "Nothing was measured."
    low, high = min(results.loops), max(results.loops)
    return (
        f"The same fixed work cost {low * 1e3:.1f} to {high * 1e3:.1f} ms of CPU during the run "
        f"(x {high / low:.2f}): absolute times carry that much noise, ratios far less."
    )


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _share(value: float) -> str:
    """Small shares as `1/45`, others as they are."""
    if value <= 0:
        return "0"
    return f"1/{1 / value:.3g}" if value < 0.5 else f"{value:.2f}"


def _table(header: Iterable[str], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [tuple(header), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]

    def show(line: tuple[str, ...]) -> str:
        cells = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        return f"| {' | '.join(cells)} |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([show(lines[0]), rule, *map(show, lines[1:])])
