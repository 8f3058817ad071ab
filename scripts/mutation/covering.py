"""Which tests execute a line: only these can notice a defect in it, and the fastest of them are run first.

The tests of an area are run once without a mutant and traced (`scripts/mutation/contexts.py`); the traces of a test file
are used until it or the modules are changed. What is executed when a module is imported is executed for all its tests:
those are run first that execute a line which uses it (`scripts/mutation/mentions.py`).
"""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
from collections import defaultdict
from typing import TYPE_CHECKING

from coverage import CoverageData

from scripts.mutation.mentions import mentioning
from scripts.mutation.related import ordered_tests

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from scripts.mutation.areas import Area

ROOT_FILE = "root"

# A mutant is judged by the fastest tests that take no longer than this together: a defect that those miss which reach
# the line soonest is most often missed by the others.
SECONDS = 45.0


class Covering:
    """The tests of each line.

    Args:
        lines: For each file, as a path below the repository, the tests of each of its lines.
        seconds: How long each test takes.
    """

    def __init__(
        self, lines: Mapping[str, Mapping[int, Iterable[str]]], seconds: Mapping[str, float]
    ) -> None:
        self._lines = lines
        self._seconds = seconds

    @classmethod
    def read(cls, folders: Iterable[Path]) -> Covering:
        """Return what traced runs of tests have written to folders."""
        lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        seconds: dict[str, float] = {}
        for folder in folders:
            root = (folder / ROOT_FILE).read_text("utf-8")
            for file in folder.glob("*.trace"):
                data = CoverageData(str(file))
                data.read()
                for name in data.measured_files():
                    path = name.removeprefix(f"{root}/")
                    for line, tests in data.contexts_by_lineno(name).items():
                        lines[path][line].update(test for test in tests if test)
            for file in folder.glob("*.json"):
                seconds.update(json.loads(file.read_text("utf-8")))
        return cls(lines, seconds)

    @property
    def passed(self) -> int:
        """Return how many tests there are: those that pass without a mutant."""
        return len(self._seconds)

    def tests(self, path: str, source: str, line: int) -> list[str]:
        """Return the tests that execute a line of a file, the fastest first.

        Of a line that an import executes these are all tests of the file, the users of what it defines first.
        """
        file = self._lines.get(path, {})
        lines = executed_with(source, line)
        if lines is None:
            executing = self._executing(path, file.keys())
            using = self._executing(path, mentioning(source, line))
        else:
            executing = using = self._executing(path, lines)
        ordered = sorted(executing, key=lambda test: (test not in using, self._seconds[test], test))
        chosen: list[str] = []
        total = 0.0
        for test in ordered:
            total += self._seconds[test]
            if total > SECONDS and chosen:
                break
            chosen.append(test)
        return chosen

    def _executing(self, path: str, lines: Iterable[int]) -> set[str]:
        """Return the tests that execute one of the lines; those that failed without a mutant can't judge."""
        file = self._lines.get(path, {})
        return {test for number in lines for test in file.get(number, ())} & self._seconds.keys()

    def seconds(self, tests: Iterable[str]) -> float:
        """Return how long tests take without a mutant."""
        return sum(self._seconds.get(test, 0.0) for test in tests)


class Traces:
    """The traces of test files: a folder for each, whose name changes with what they depend on.

    Args:
        folder: Where they are kept between sessions.
        root: The repository.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = folder
        self._root = root

    def of(self, area: Area) -> dict[str, Path]:
        """Return the folder of each test file that is about an area; it exists if there are traces."""
        modules = _digest(self._root / module for module in area.modules(self._root))
        found = {}
        for path in ordered_tests(self._root, area.own_tests, "").others:
            text = f"{modules} {path} {_digest([self._root / path])}"
            found[path] = self._folder / hashlib.sha256(text.encode()).hexdigest()[:16]
        return found


def keep(traced: Path, folder: Path, root: Path) -> None:
    """Keep what the tests of one file have written in a copy of the repository, if anything."""
    traced.mkdir(exist_ok=True)
    (traced / ROOT_FILE).write_text(str(root), "utf-8")
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(traced, folder)


def _digest(paths: Iterable[Path]) -> str:
    digests = (hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def executed_with(source: str, line: int) -> range | None:
    """Return the lines that are executed if a line is; `None` if it is executed at import."""
    function: ast.AST | None = None
    statement: ast.stmt | None = None
    for node in _around(ast.parse(source), line):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            # Defaults and decorators belong to what defines the function.
            inside = line >= node.body[0].lineno
            function = node if inside else function
        if isinstance(node, ast.stmt):
            statement = node
    if function is None or statement is None:
        return None
    body = getattr(statement, "body", None)
    last = body[0].lineno - 1 if body else statement.end_lineno or statement.lineno
    return range(statement.lineno, max(last, statement.lineno) + 1)


def _around(tree: ast.AST, line: int) -> Iterable[ast.AST]:
    """Yield the statements that a line is part of, outer ones first."""
    for node in ast.iter_child_nodes(tree):
        first, last = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
        if first is None or last is None:
            yield from _around(
                node, line
            )  # a handler's or a case's parts have no lines of their own
        elif min([first, *(d.lineno for d in getattr(node, "decorator_list", []))]) <= line <= last:
            yield node
            yield from _around(node, line)
