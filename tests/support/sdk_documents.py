"""Which GraphQL documents does an installed client ship?

Run by the client's own interpreter, it prints them as JSON; called from the tests, it asks such an
interpreter. Documents stand in two places: as strings in the Python package, some of them put together
from fragments and alternatives, and as plain text inside the program written in Go.

Strings are read from the syntax trees; names in them are looked up in their function and, after
importing the module, in their module. Where the code chooses, each way through it gives a document: a
condition that is met twice is answered alike both times. A document with a part that only exists while
the client runs is reported as unfinished, so that none goes missing in silence.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "wandb"
WAYS_MAX = 256
OPERATION = re.compile(r"(?:^|[\s\"'])(query|mutation|subscription)\s+([A-Za-z_]\w*)\s*[({]")
FRAGMENT = re.compile(rb"\s*fragment \w+ on \w+ \{")
CORE_OPERATION = re.compile(rb"(?:query|mutation|subscription) ([A-Z]\w*) ?[({]")


@dataclass(frozen=True)
class SdkDocument:
    """One document of one client release."""

    operation: str
    """`place:Name`; the place is a module of the package, or `core` for the program in Go."""
    text: str
    """The document; empty when it only comes to be while the client runs."""


def collect_from(python: Path) -> list[SdkDocument]:
    """The documents of the client that is installed for this interpreter."""
    done = subprocess.run(
        [str(python), "-W", "ignore", __file__],
        check=True,
        capture_output=True,
        text=True,
        timeout=240,
    )
    return [SdkDocument(**each) for each in json.loads(done.stdout)]


def collect() -> list[SdkDocument]:
    """The documents of the client installed here, each text once per operation."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError("The client is not installed for this interpreter")
    folder = Path(spec.origin).parent
    found = [
        *collect_core((folder / "bin" / "wandb-core").read_bytes()),
        *collect_python(folder),
    ]
    return sorted(set(found), key=lambda document: (document.operation, document.text))


def collect_core(program: bytes) -> Iterator[SdkDocument]:
    """The documents inside the program: an operation to its closing brace, then its fragments."""
    for match in CORE_OPERATION.finditer(program):
        end = _end_of_braces(program, match.start())
        while end is not None and (fragment := FRAGMENT.match(program, end)):
            end = _end_of_braces(program, fragment.start())
        if end is not None:
            text = program[match.start() : end].decode("utf-8", "replace")
            yield SdkDocument(f"core:{match[1].decode()}", text)


def _end_of_braces(program: bytes, start: int) -> int | None:
    depth = 0
    for position in range(start, min(start + 50_000, len(program))):
        byte = program[position]
        if byte == ord("{"):
            depth += 1
        elif byte == ord("}"):
            depth -= 1
            if depth == 0:
                return position + 1
    return None


def collect_python(folder: Path) -> Iterator[SdkDocument]:
    """The documents in the modules of the package; code that came from elsewhere is left out."""
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        source = path.read_text(encoding="utf-8")
        if "vendor" in parts or not OPERATION.search(source):
            continue
        module = None
        name = ".".join((PACKAGE, *parts))
        try:
            module = importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - Some modules want software that is not here.
            print(f"{name}: {error}", file=sys.stderr)
        yield from _Module(".".join(parts), ast.parse(source), module).documents()


class _Module:
    """The strings of one module."""

    def __init__(self, place: str, tree: ast.Module, module: ModuleType | None) -> None:
        self.place = place
        self.module = module
        self.parents: dict[ast.AST, ast.AST] = {}
        for node in ast.walk(tree):
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node
        self.tree = tree

    def documents(self) -> Iterator[SdkDocument]:
        seen: set[ast.AST] = set()
        for node in ast.walk(self.tree):
            if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                continue
            if not OPERATION.search(node.value) or self.is_docstring(node):
                continue
            whole = self.whole_expression(node)
            if whole not in seen:
                seen.add(whole)
                yield from self.documents_of(whole, node.value)

    def documents_of(self, whole: ast.AST, sample: str) -> Iterator[SdkDocument]:
        match = OPERATION.search(sample)
        assert match is not None
        texts = {text for each in self.finished(whole) for text in self.texts(each)}
        for text in sorted(texts) or [""]:
            yield SdkDocument(f"{self.place}:{match[2]}", textwrap.dedent(text).strip())

    def finished(self, whole: ast.AST) -> list[ast.AST]:
        """The expressions that work further on a string which was first given a name."""
        parent = self.parents[whole]
        scope = self.scope(whole)
        if not isinstance(parent, ast.Assign) or scope is None:
            return [whole]
        names = {target.id for target in parent.targets if isinstance(target, ast.Name)}
        uses = [
            self.whole_expression(node)
            for node in ast.walk(scope)
            if isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load)
        ]
        return [use for use in uses if isinstance(use, ast.Call)] or [whole]

    def texts(self, whole: ast.AST) -> set[str]:
        """Every text the expression may stand for, one for each way through the code."""
        texts: set[str] = set()
        waiting: list[dict[str, int]] = [{}]
        for _ in range(WAYS_MAX):
            if not waiting:
                break
            ways = waiting.pop()
            try:
                text = self.value(whole, ways, 0)
            except _Crossroads as here:
                waiting += [{**ways, here.name: way} for way in range(here.ways)]
            except (_Unknown, KeyError, IndexError, TypeError, ValueError):
                continue
            else:
                if isinstance(text, str) and OPERATION.search(text):
                    texts.add(text)
        return texts

    def is_docstring(self, node: ast.AST) -> bool:
        return isinstance(self.parents.get(node), ast.Expr)

    def whole_expression(self, node: ast.AST) -> ast.AST:
        """The largest expression around the string that is still about this string."""
        while True:
            parent = self.parents[node]
            formatted = isinstance(parent, (ast.JoinedStr, ast.BinOp, ast.FormattedValue))
            method = isinstance(parent, ast.Attribute) and parent.attr in {"format", "replace"}
            called = isinstance(parent, ast.Call) and parent.func is node
            if not (formatted or method or called):
                return node
            node = parent

    def scope(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The function around the node."""
        above = self.parents.get(node)
        while above is not None and not isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef)):
            above = self.parents.get(above)
        return above

    def value(self, node: ast.AST, ways: dict[str, int], depth: int) -> Any:
        """The text or list of texts that the expression stands for, on the ways chosen."""
        if depth > 15:
            raise _Unknown

        def of(each: ast.AST) -> Any:
            return self.value(each, ways, depth + 1)

        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.FormattedValue):
            return of(node.value)
        if isinstance(node, ast.JoinedStr):
            return "".join(str(of(each)) for each in node.values)
        if isinstance(node, (ast.List, ast.Tuple)):
            return [of(each) for each in node.elts]
        if isinstance(node, ast.IfExp):
            return of(node.body if _choose(ways, ast.dump(node.test), 2) else node.orelse)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return of(node.left) + of(node.right)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            given = of(node.right)
            return of(node.left) % (tuple(given) if isinstance(given, list) else given)
        if isinstance(node, ast.Name):
            return self.named(node, ways, depth)
        if not isinstance(node, ast.Call):
            raise _Unknown
        called = node.func
        if isinstance(called, ast.Name) and called.id in {"gql", "dedent"}:
            return of(node.args[0])
        if isinstance(called, ast.Attribute) and called.attr in {"format", "replace", "join"}:
            named = {str(each.arg): of(each.value) for each in node.keywords}
            return getattr(of(called.value), called.attr)(*map(of, node.args), **named)
        raise _Unknown

    def named(self, node: ast.Name, ways: dict[str, int], depth: int) -> Any:
        """What a name stands for: in the functions around it, else in the module as imported."""
        scope = self.scope(node)
        while scope is not None:
            assigned = [
                each
                for each in ast.walk(scope)
                if isinstance(each, ast.Assign)
                and any(isinstance(to, ast.Name) and to.id == node.id for to in each.targets)
                and each.value is not node
            ]
            if assigned:
                way = _choose(ways, f"{scope.name}.{node.id}", len(assigned))
                value = self.value(assigned[way].value, ways, depth + 1)
                return self.grown(value, node.id, scope, ways, depth)
            names = [argument.arg for argument in scope.args.args]
            if node.id in names:
                return self.handed_over(scope, names.index(node.id), ways, depth)
            scope = self.scope(scope)
        value = getattr(self.module, node.id, None)
        if not isinstance(value, str):
            raise _Unknown
        return value

    def grown(self, value: Any, name: str, scope: ast.AST, ways: dict[str, int], depth: int) -> Any:
        """The value after everything that the function adds to it, where its conditions hold."""
        for node in ast.walk(scope):
            if isinstance(node, ast.AugAssign) and _is_name(node.target, name):
                added = node.value
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and _is_name(node.func.value, name)
                and node.func.attr in {"append", "extend"}
            ):
                added = node.args[0]
                if node.func.attr == "append":
                    added = ast.List(elts=[added])
            else:
                continue
            if self.happens(node, ways):
                value = value + self.value(added, ways, depth + 1)
        return value

    def happens(self, node: ast.AST, ways: dict[str, int]) -> bool:
        """Whether the statement is reached, by the nearest condition around it."""
        below, above = node, self.parents[node]
        while not isinstance(above, (ast.If, ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)):
            below, above = above, self.parents[above]
        if not isinstance(above, ast.If):
            return True
        return (_choose(ways, ast.dump(above.test), 2) == 1) == (below in above.body)

    def handed_over(
        self,
        scope: ast.FunctionDef | ast.AsyncFunctionDef,
        position: int,
        ways: dict[str, int],
        depth: int,
    ) -> Any:
        """What the callers within the module give for an argument."""
        calls = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == scope.name
        ]
        if not calls:
            raise _Unknown
        call = calls[_choose(ways, f"calls of {scope.name}", len(calls))]
        is_method = scope.args.args[0].arg in {"self", "cls"}
        return self.value(call.args[position - is_method], ways, depth + 1)


class _Unknown(Exception):
    pass


class _Crossroads(Exception):
    def __init__(self, name: str, ways: int) -> None:
        super().__init__(name)
        self.name = name
        self.ways = ways


def _choose(chosen: dict[str, int], name: str, ways: int) -> int:
    if ways == 1:
        return 0
    if name not in chosen:
        raise _Crossroads(name, ways)
    return chosen[name]


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


if __name__ == "__main__":
    json.dump([asdict(document) for document in collect()], sys.stdout)
