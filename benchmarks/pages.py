"""How long does a person wait for the pages that could become slow, and how much do they load?

    python -m benchmarks.pages

A collection of 10,000 versions, and a first page with 500 registries: the first byte must be there
within 150 ms, and a page with its style and scripts must weigh less than 300 kB.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import statistics
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from benchmarks import cpu, documents, fill, machine
from benchmarks.load import WrongAnswerError
from benchmarks.targets.byname import Byname

VERSIONS, REGISTRIES = 10_000, 500
FIRST_BYTE_SECONDS_MAX = 0.150
WEIGHT_BYTES_MAX = 300_000
TIMES = 30
REGISTRY_PAGE = f"/orgs/{fill.ORGANIZATION}/registry/Model"
COLLECTION_PAGE = f"{REGISTRY_PAGE}?" + urllib.parse.urlencode(
    {"selectionPath": f"{fill.ORGANIZATION}/{fill.REGISTRY}/{fill.COLLECTION}"}
)
PAGES = {
    f"collection with {VERSIONS:,} versions": COLLECTION_PAGE,
    f"registry with a collection of {VERSIONS:,} versions": REGISTRY_PAGE,
    f"first page with {REGISTRIES} registries": "/",
    "search": "/search?q=zoo",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """One page, loaded many times."""

    name: str
    first_byte: float
    """Median, in seconds."""
    slowest: float
    cpu: float
    """The server's CPU time for one, in seconds."""
    weight_bytes: int

    @property
    def met(self) -> bool:
        """Whether both promises are kept."""
        return self.first_byte < FIRST_BYTE_SECONDS_MAX and self.weight_bytes < WEIGHT_BYTES_MAX


class Browser:
    """Loads pages as somebody who is logged in, on one connection."""

    def __init__(self, ours: Byname) -> None:
        self._connection = http.client.HTTPConnection(*ours.server.address, timeout=60)
        self._headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        _, page, _ = self._ask("GET", "/login")
        token = re.search(rb'name="token" value="([^"]+)"', page)
        if token is None:
            raise WrongAnswerError("The log-in page has no form")
        form = {"token": token[1].decode(), "api_key": ours.api_key, "next": "/"}
        _, _, cookies = self._ask("POST", "/login", urllib.parse.urlencode(form))
        self._headers["Cookie"] = cookies.partition(";")[0]

    def _ask(self, method: str, path: str, form: str | None = None) -> tuple[float, bytes, str]:
        headers = dict(self._headers)
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.perf_counter()
        self._connection.request(method, path, form, headers)
        answer = self._connection.getresponse()
        waited = time.perf_counter() - began
        body = answer.read()
        if answer.status not in (200, 303):
            raise WrongAnswerError(f"{path} answered {answer.status}")
        return waited, body, answer.headers.get("Set-Cookie") or ""

    def load(self, path: str) -> tuple[float, bytes]:
        """How long the first byte took, and the page."""
        waited, body, _ = self._ask("GET", path)
        if b'class="page"' not in body:
            raise WrongAnswerError(f"{path} is no page of somebody who is logged in")
        return waited, body

    def weight_bytes(self, page: bytes) -> int:
        """The page with all style and scripts that it loads."""
        parts = set(re.findall(rb'(?:href|src)="(/static/[^"]+)"', page))
        return len(page) + sum(len(self._ask("GET", part.decode())[1]) for part in parts)


def make_registry(ours: Byname, name: str) -> None:
    """One more card on the first page."""
    request = urllib.request.Request(
        f"{ours.server.url}/api/v1/registries/{fill.ORGANIZATION}",
        json.dumps({"name": name, "description": "One of many."}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {ours.api_key}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def measure(ours: Byname) -> list[Figures]:
    """The figures of all pages."""
    browser = Browser(ours)
    found = []
    for name, path in PAGES.items():
        _, page = browser.load(path)
        before = cpu.seconds(ours.server.pid)
        waits = sorted(browser.load(path)[0] for _ in range(TIMES))
        spent = (cpu.seconds(ours.server.pid) - before) / TIMES
        weight = browser.weight_bytes(page)
        found.append(Figures(name, statistics.median(waits), waits[-1], spent, weight))
    return found


def main(program: str) -> int:
    """Prints the figures; the exit status says whether the promises are kept."""
    with tempfile.TemporaryDirectory() as folder:
        ours = Byname.start([program], Path(folder) / "byname", VERSIONS, 0, documents.read())
        with ours.server:
            ours.ready()
            for number in range(REGISTRIES - 2):
                make_registry(ours, f"Registry {number:03d}")
            found = measure(ours)
    print(f"{'page':44} {'first byte':>11} {'slowest':>9} {'CPU':>9} {'weight':>9}")
    for each in found:
        print(
            f"{each.name:44} {each.first_byte * 1e3:8.1f} ms {each.slowest * 1e3:6.1f} ms "
            f"{each.cpu * 1e3:6.1f} ms {each.weight_bytes / 1e3:6.0f} kB"
            + ("" if each.met else "  TOO MUCH")
        )
    load = machine.load_average()
    print(
        f"Load average {load:.1f} on {os.cpu_count()} processors: above these, waits grow with it."
    )
    return 0 if all(each.met for each in found) else 1


if __name__ == "__main__":
    sys.exit(main(str(Path(sys.executable).with_name("byname"))))
