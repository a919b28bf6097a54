"""Under which number a line of a run's stream comes to stand, when several write to one run.

The numbers of protocol 9.3 are counted by the client, and each client counts for itself: those that
share a run from nought, one that resumed it from what it found there, while the old process may
still live. Whoever came first keeps the number; no line of the other is lost.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from itertools import pairwise

from byname.domain.errors import TooLarge
from byname.domain.file_stream import HISTORY, NUMBER_MAX, OUTPUT, Chunk
from byname.domain.run_line import said_by
from byname.store import run_line as line_rows
from byname.store.database import Transaction


def place(
    tx: Transaction, run_id: int, chunk: Chunk, count: int, writer: str | None
) -> list[Chunk]:
    """The lines of the chunk under the numbers where they belong in a stream of `count` lines.

    - Lines of a writer who has a name come behind all others, in the order they were first said.
    - Other lines stand under the number they were said with, as long as nobody else's line does.
    - Else they come behind all others as well.
    - Said again, a line stands where it stood.
    - A row of the history that has no step, as an older client sends them when it shares a run,
      has its number for a step.

    Raises:
        TooLarge: the stream has as many lines as can be counted.
    """
    if writer is None and chunk.offset >= count:
        return [chunk]
    stop = chunk.offset + len(chunk.lines)
    known = line_rows.places(tx, run_id, chunk.stream, chunk.offset, stop)
    held = {} if writer is not None else _held(tx, run_id, chunk, min(stop, count))
    numbers: list[int] = []
    moved: list[tuple[int, str, int]] = []
    end = count
    for said_number, line in enumerate(chunk.lines, chunk.offset):
        if writer is None and (
            _is_same(chunk.stream, held[said_number], line)
            if said_number in held
            else said_number < count or not moved
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


def _said(stream: str, line: str) -> str:
    said = said_by(line, is_console=stream == OUTPUT)
    return f"line {line}" if said is None else f"time {said}"


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _in_a_row(chunk: Chunk, numbers: list[int]) -> list[Chunk]:
    """The chunk, cut where its numbers do not follow each other."""
    cuts = [
        index
        for index in range(len(numbers) + 1)
        if index in (0, len(numbers)) or numbers[index] != numbers[index - 1] + 1
    ]
    return [
        replace(
            chunk,
            offset=numbers[start],
            lines=chunk.lines[start:stop],
            rows=chunk.rows[start:stop],
        )
        for start, stop in pairwise(cuts)
    ]


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
