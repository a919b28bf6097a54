"""Under which number a line of a run's stream comes to stand, when several write to one run.

The numbers of protocol 9.3 are counted by the client, and each client counts for itself: those that
share a run from nought, one that resumed it from what it found there, while the old process may
still live. Whoever came first keeps the number; no line of the other is lost.

One that uploads a run from its folder, since the process was killed or the network gone, says all
its lines anew: the history behind what is there already, the console from nought with new times.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from itertools import pairwise

from byname.domain.errors import TooLarge
from byname.domain.file_stream import HISTORY, NUMBER_MAX, OUTPUT, Chunk
from byname.domain.run_line import parse_console, parse_object, said_by, step_of
from byname.store import run_line as line_rows
from byname.store.database import Transaction

ROWS_PER_STEP = 4
"""So many rows of one step are looked at for one that is said again; a single writer has one."""


def place(
    tx: Transaction, run_id: int, chunk: Chunk, count: int, writer: str | None
) -> list[Chunk]:
    """The lines of the chunk under the numbers where they belong in a stream of `count` lines.

    - Lines of a writer who has a name come behind all others, in the order they were first said.
    - Other lines stand under the number they were said with, as long as nobody else's line does.
    - Else they come behind all others as well.
    - Said again, a line stands where it stood, also under another number.
    - Behind what was said again the history goes on without a gap.
    - A row of the history that has no step, as an older client sends them when it shares a run,
      has its number for a step.

    Raises:
        TooLarge: the stream has as many lines as can be counted.
    """
    again: dict[int, int] = {}
    gapless = False
    if writer is None:
        again = _said_before(tx, run_id, chunk, count)
        gapless = chunk.stream == HISTORY and count > 0
        if chunk.offset >= count and not again and not (gapless and chunk.offset > count):
            return [chunk]
    stop = chunk.offset + len(chunk.lines)
    known = line_rows.places(tx, run_id, chunk.stream, chunk.offset, stop)
    held = {} if writer is not None else _held(tx, run_id, chunk, min(stop, count))
    numbers: list[int | None] = []
    moved: list[tuple[int, str, int]] = []
    end = count
    for said_number, line in enumerate(chunk.lines, chunk.offset):
        if again.get(said_number, said_number) != said_number:
            numbers.append(None)
            continue
        if said_number in held and _is_copied(chunk.stream, held[said_number], line):
            numbers.append(None)
            continue
        if writer is None and (
            _is_same(chunk.stream, held[said_number], line)
            if said_number in held
            else said_number < count or not (moved or (gapless and said_number > end))
        ):
            numbers.append(said_number)
            end = max(end, said_number + 1)
            continue
        said = _digest(f"writer {writer}" if writer is not None else _said(chunk.stream, line))
        number = known.get((said_number, said))
        if number is None:
            number = end
            end += 1
            moved.append((said_number, said, number))
        numbers.append(number)
    if end > NUMBER_MAX:
        raise TooLarge(f"A stream has at most {NUMBER_MAX} lines", limit=NUMBER_MAX)
    if moved:
        line_rows.add_places(tx, run_id, chunk.stream, moved)
    placed = _in_a_row(chunk, numbers)
    if writer is None or chunk.stream != HISTORY:
        return placed
    return [_with_steps(each) for each in placed]


def _held(tx: Transaction, run_id: int, chunk: Chunk, stop: int) -> dict[int, str]:
    """The lines that stand under the numbers of the chunk already."""
    found = line_rows.between(tx, run_id, chunk.stream, chunk.offset, stop, limit=len(chunk.lines))
    return dict(found)


def _is_same(stream: str, held: str, line: str) -> bool:
    """Whether the line is the one that stands there, said anew.

    Lines that carry no time cannot be told apart: there the protocol's word holds, "overwrite".
    """
    if held == line:
        return True
    is_console = stream == OUTPUT
    return said_by(held, is_console=is_console) == said_by(line, is_console=is_console)


def _is_copied(stream: str, held: str, line: str) -> bool:
    """Whether the console line says what stands there, at a time that differs.

    A run's folder does not keep when a line was printed: the client says the time of its upload.
    """
    if stream != OUTPUT or held == line:
        return False
    before, now = parse_console(0, held), parse_console(0, line)
    return before.timestamp != now.timestamp and (before.line, before.level, before.label) == (
        now.line,
        now.level,
        now.label,
    )


def _said_before(tx: Transaction, run_id: int, chunk: Chunk, count: int) -> dict[int, int]:
    """Where rows of the chunk stand in the history already, by the number they are said with now.

    Steps only grow, so that there is something to look for only where they go back.
    """
    if chunk.stream != HISTORY or count == 0:
        return {}
    steps = [step_of(row, number) for number, row in enumerate(chunk.rows, chunk.offset)]
    newest = line_rows.between(tx, run_id, HISTORY, count - 1, count, limit=1)
    if newest and steps[0] > step_of(parse_object(newest[0][1]) or {}, count - 1):
        return {}
    first_moved = line_rows.first_moved(tx, run_id, HISTORY)
    end = count if first_moved is None else min(count, first_moved)
    start, stop = (first_at(tx, run_id, step, end) for step in (min(steps), max(steps) + 1))
    stands: dict[str, int] = {}
    for number, line in line_rows.between(
        tx, run_id, HISTORY, start, stop, limit=ROWS_PER_STEP * len(steps)
    ):
        stands.setdefault(_said(HISTORY, line), number)
    said = {
        number: _said(HISTORY, line)
        for number, line in enumerate(chunk.lines, chunk.offset)
        if said_by(line, is_console=False) is not None
    }
    if first_moved is not None:
        digests = {_digest(text): text for text in said.values()}
        for digest, number in line_rows.places_of(tx, run_id, HISTORY, list(digests)).items():
            stands.setdefault(digests[digest], number)
    return {number: stands[text] for number, text in said.items() if text in stands}


def first_at(tx: Transaction, run_id: int, step: int, end: int) -> int:
    """The number of the first row before `end` of that step or a later one, found by halving."""
    low, high = 0, end
    while low < high:
        middle = (low + high) // 2
        found = line_rows.between(tx, run_id, HISTORY, middle, high, limit=1)
        if not found:
            high = middle
            continue
        number, line = found[0]
        if step_of(parse_object(line) or {}, number) >= step:
            high = middle
        else:
            low = number + 1
    return low


def _said(stream: str, line: str) -> str:
    said = said_by(line, is_console=stream == OUTPUT)
    return f"line {line}" if said is None else f"time {said}"


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _in_a_row(chunk: Chunk, numbers: list[int | None]) -> list[Chunk]:
    """The chunk, cut where its numbers do not follow each other, without lines that have none."""
    ends = (0, len(numbers))
    cuts = [
        index
        for index in range(len(numbers) + 1)
        if index in ends or not _follows(numbers[index], numbers[index - 1])
    ]
    return [
        replace(
            chunk,
            offset=first,
            lines=chunk.lines[start:stop],
            rows=chunk.rows[start:stop],
        )
        for start, stop in pairwise(cuts)
        if (first := numbers[start]) is not None
    ]


def _follows(number: int | None, before: int | None) -> bool:
    return number is before if number is None or before is None else number == before + 1


def _with_steps(chunk: Chunk) -> Chunk:
    """The rows of the history that have no step, with their number for one."""
    if all("_step" in row for row in chunk.rows):
        return chunk
    lines, rows = [], []
    for number, (line, row) in enumerate(zip(chunk.lines, chunk.rows, strict=True), chunk.offset):
        has = "_step" in row
        rest = line.lstrip()[1:]
        comma = "" if not row else ","
        lines.append(line if has else f'{{"_step":{number}{comma}{rest}')
        rows.append(row if has else {"_step": number, **row})
    return replace(chunk, lines=tuple(lines), rows=tuple(rows))
