"""Where a run's history is cut: what is gone behind a step, and a new run that goes on from there.

What a run printed, measured of its machine and sent as files stays with it; only its history of
numbers is cut. `run_rewind` cuts a run itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from byname.domain import run_line as lines
from byname.domain.errors import Unprocessable, missing
from byname.domain.file_stream import HISTORY
from byname.domain.run import Run
from byname.domain.run_line import LoggedKey
from byname.operations import run_history
from byname.store import run as run_rows
from byname.store import run_line as line_rows
from byname.store.database import Transaction

CHUNK = 500
LOOKED_BACK_MAX = 20_000
"""So many lines before the cut are looked through for the values that came last."""


@dataclass(slots=True)
class Cut:
    """The lines of a run behind a step, and what the run would be without them."""

    numbers: Sequence[int]
    """Of the lines that go."""
    kept: Sequence[int]
    """Of the lines that stay."""
    gone: Counter[str] = field(default_factory=Counter)
    """How often each key was logged in the lines that go."""
    columns: set[str] = field(default_factory=set)
    """The names at the top of the lines that go."""
    keys: dict[str, LoggedKey] = field(default_factory=dict)
    """For each of these keys what came last in the lines that stay."""
    values: dict[str, Any] = field(default_factory=dict)
    """The same for the names at the top."""


def copy_branch(tx: Transaction, run: Run, config: str | None) -> None:
    """A new run that says where it branches off has the history of that run up to the step.

    For use when the run is made: the actor may log to its project, so may see the other run.

    Raises:
        NotFound: the project has no such run.
        Unprocessable: the place cannot be read, or the other run never came to that step.
    """
    point = _branch_point(config)
    if point is None:
        return
    name, step = point
    parent = run_rows.find_by_name(tx, run.project_id, name)
    if parent is None or parent.id == run.id:
        raise missing(f"Run {name[:100]}, from which this one branches off,")
    cut = cut_behind(tx, parent, step)
    line_rows.copy(tx, parent.id, run.id, HISTORY, cut.kept)
    line_rows.copy_keys(tx, parent.id, run.id)
    settle_keys(tx, run.id, cut)
    run_rows.edit(tx, run.id, {"history_count": len(cut.kept)})


def parse_step(metric: str, value: float) -> int:
    """The step that somebody goes back to.

    Raises:
        Unprocessable: another metric, or no whole number from 0 on.
    """
    if metric != "_step":
        raise Unprocessable(
            f"A run goes back to a `_step`, not to a {metric[:80]!r}", field="metricName"
        )
    if not 0 <= value < lines.STEP_MAX or value != int(value):
        raise Unprocessable("The step must be a whole number from 0 on", field="metricValue")
    return int(value)


def cut_behind(tx: Transaction, run: Run, step: int) -> Cut:
    """The run's history, cut behind the step.

    Raises:
        Unprocessable: the run never came to that step.
    """
    if not run_history.numbers_of(tx, run, step, None):
        raise Unprocessable(f"Run {run.name} never came to step {step}", field="metricValue")
    numbers = run_history.numbers_of(tx, run, step + 1, None)
    kept: Sequence[int]
    if isinstance(numbers, range):
        kept = range(numbers.start)
    else:
        kept = run_history.numbers_of(tx, run, None, step + 1)
    cut = Cut(numbers, kept)
    for _, row in _rows(tx, run, numbers):
        cut.gone.update(lines.flatten(row).keys())
        cut.columns.update(row)
    cut.keys = {name: LoggedKey(name, "nil", 0, None, -1) for name in cut.gone}
    _look_back(tx, run, cut)
    return cut


def settle_keys(tx: Transaction, run_id: int, cut: Cut) -> None:
    """The run's keys count the lines that go no more, and know what came last before them."""
    line_rows.subtract_keys(tx, run_id, cut.gone)
    line_rows.drop_unused_keys(tx, run_id)
    line_rows.set_last(tx, run_id, cut.keys.values())


def _look_back(tx: Transaction, run: Run, cut: Cut) -> None:
    """What came last is found from the cut backwards."""
    names, columns = set(cut.gone), set(cut.columns)
    for number, row in backwards(tx, run, cut.kept):
        flat = lines.flatten(row)
        for name in names & flat.keys():
            value = flat[name]
            step = lines.step_of(row, number)
            cut.keys[name] = LoggedKey(name, lines.kind_of(value), 0, lines.scalar(value), step)
        names -= flat.keys()
        cut.values |= {name: row[name] for name in columns & row.keys()}
        columns -= row.keys()
        if not names and not columns:
            return


def backwards(
    tx: Transaction, run: Run, numbers: Sequence[int]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """These lines of the run's history, the last one first, up to 20,000 of them."""
    for end in range(len(numbers), max(0, len(numbers) - LOOKED_BACK_MAX), -CHUNK):
        yield from reversed([*_rows(tx, run, numbers[max(0, end - CHUNK) : end])])


def _rows(
    tx: Transaction, run: Run, numbers: Sequence[int]
) -> Iterator[tuple[int, dict[str, Any]]]:
    for index in range(0, len(numbers), CHUNK):
        part = numbers[index : index + CHUNK]
        for number, line in line_rows.at_numbers(tx, run.id, HISTORY, part):
            yield number, lines.parse_object(line) or {}


def _branch_point(config: str | None) -> tuple[str, int] | None:
    """Where the config says that the run branches off (`_wandb.branch_point`)."""
    value: Any = None if config is None else lines.parse_object(config)
    for key in ("_wandb", "value", "branch_point"):
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, dict):
        return None
    name, step = value.get("run_id"), value.get("step")
    if not isinstance(name, str) or not isinstance(step, int | float) or isinstance(step, bool):
        raise Unprocessable("A branch point has a run_id and a step", field="config")
    return name, parse_step("_step", step)
