"""Each planted bug turns its tests red, and no others: so the gate measures something (issue 5).

The tests are run anew, in this process, with the bug in place.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.planted.bugs import BUGS, Bug

ROOT = Path(__file__).parents[2]


class Results:
    """What became of tests, by their names: a plugin of the inner run."""

    def __init__(self) -> None:
        self.red: set[str] = set()
        self.green: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one step of a test."""
        if report.failed:
            self.red.add(report.nodeid)
        elif report.when == "call" and report.passed:
            self.green.add(report.nodeid)


def run(names: tuple[str, ...]) -> Results:
    """What becomes of these tests."""
    results = Results()
    # What the outer run does already: share out, take the time, keep notes, catch what is printed.
    off = [f"-pno:{each}" for each in ("xdist", "cacheprovider")]
    words = [
        "-q",
        "--tb=line",
        "--capture=no",
        f"--rootdir={ROOT}",
        "--timeout=0",
        "-oaddopts=",
        *off,
    ]
    code = pytest.main([*words, *(str(ROOT / name) for name in names)], plugins=[results])
    assert code in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED), (
        f"It could not be run: {code}"
    )
    return results


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_is_seen(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        bug.plant(patch)
        found = run(bug.red + bug.green)
    assert found.red == set(bug.red)
    assert found.green - found.red == set(bug.green)


def test_without_a_bug_they_are_green() -> None:
    names = tuple(dict.fromkeys(name for bug in BUGS for name in bug.red + bug.green))
    found = run(names)
    assert not found.red
    assert found.green == set(names)
