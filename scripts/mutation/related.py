"""Which test files are most related to a module: they are run first, since they notice a defect soonest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MOST = 6
# Measurements under load: they take minutes, and say nothing about a single expression.
NOT_RUN = ("/load/",)


class Order(NamedTuple):
    """The test files of a package: those that are most related to a module, and the others."""

    first: list[str]
    others: list[str]


def ordered_tests(root: Path, folders: Sequence[str], module: str) -> Order:
    """Return the test files of the folders in the order in which they should judge a module; all are `others` of the module ""."""
    names = sorted(
        path.relative_to(root).as_posix() for folder in folders for path in _files(root / folder)
    )
    names = [name for name in names if not any(part in name for part in NOT_RUN)]
    scores = {name: _relation(module, name, (root / name).read_text("utf-8")) for name in names}
    first = sorted((n for n in names if scores[n]), key=lambda n: (-scores[n], n))[:MOST]
    return Order(first, [name for name in names if name not in first])


def _files(path: Path) -> Iterable[Path]:
    return path.rglob("test_*.py") if path.is_dir() else [path]


def _relation(module: str, test: str, text: str) -> int:
    """Return how related a test file is to a module; 0 if nothing speaks for it."""
    *_, folder, file = ("", *module.split("/"))
    stem = file.removesuffix(".py")
    words = set(re.split(r"[_\W]", test.rsplit("/", 1)[-1].removesuffix(".py")))
    score = 0
    if not module:
        return 0
    if {_singular(word) for word in words} & {_singular(word) for word in stem.split("_")}:
        score += 4
    if re.search(rf"\b{re.escape(folder)}(\.| import .*\b){re.escape(stem)}\b", text):
        score += 8
    if f"/{folder}/test_" in test:
        score += 2
    if f"test_{stem}.py" in test:
        score += 4
    return score


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word.removesuffix("s")
