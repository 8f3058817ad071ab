"""Which lines use what an import defines: a defect in a constant or in a default shows where that is used."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class _Definition(NamedTuple):
    names: frozenset[str]
    first: int
    last: int


def mentioning(source: str, line: int) -> set[int]:
    """Return the lines of functions that name what is defined on a line that an import executes.

    What is defined with it counts too: of `LIMIT = 3` and `RULE = rule(LIMIT)`, the lines that name `RULE`.
    """
    tree = ast.parse(source)
    definitions = list(_definitions(tree.body))
    inside = _inside_functions(tree)
    texts = list(enumerate(source.splitlines(), 1))
    names: set[str] = set()
    found: set[int] = set()
    lines = {line}
    while new := _defined_on(lines, definitions) - names:
        names |= new
        pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(new)))})\b")
        lines = {number for number, text in texts if pattern.search(text)}
        found |= lines & inside
        lines -= inside
    return found


def _defined_on(lines: Iterable[int], definitions: Iterable[_Definition]) -> set[str]:
    defining = [d for d in definitions if any(d.first <= line <= d.last for line in lines)]
    return {name for definition in defining for name in definition.names}


def _definitions(body: Iterable[ast.stmt]) -> Iterator[_Definition]:
    """Yield what an import defines: names, fields of classes, and functions with their defaults."""
    for node in body:
        last = node.end_lineno or node.lineno
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = (
                n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)
            )
            yield _Definition(frozenset(names), node.lineno, last)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            header = max(node.body[0].lineno - 1, node.lineno)
            yield _Definition(frozenset({node.name}), first, header)
            if isinstance(node, ast.ClassDef):
                yield from _definitions(node.body)
        elif isinstance(node, ast.If):
            yield from _definitions([*node.body, *node.orelse])


def _inside_functions(tree: ast.Module) -> set[int]:
    return {
        number
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for number in range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
    }
