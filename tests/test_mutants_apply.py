"""The defects of mutants apply: what they replace is there, so that none is caught for another reason."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

MUTANTS = Path(__file__).parents[1] / "conformance" / "mutants"
SERVERS = sorted((MUTANTS / "servers").glob("[a-z]*.py"))


@pytest.fixture
def python_source(monkeypatch: pytest.MonkeyPatch) -> object:
    """The module with the defects of the Python SDK's source."""
    monkeypatch.syspath_prepend(str(MUTANTS))
    yield importlib.import_module("python_source")
    for name in [name for name in sys.modules if name.startswith("python_source")]:
        del sys.modules[name]


def source_of(module: str) -> str:
    found = importlib.util.find_spec(module)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).read_text(encoding="utf-8")


def test_each_text_that_a_defect_of_the_python_sdk_replaces_occurs_once(python_source) -> None:
    counts = {
        (defect, change.text): source_of(change.module).count(change.text)
        for defect in python_source.DEFECTS
        for change in python_source.changes_of(defect)
    }
    assert len(counts) > 100
    assert {replaced: count for replaced, count in counts.items() if count != 1} == {}


def test_no_two_defects_of_the_python_sdk_have_one_id(python_source) -> None:
    """Of two entries with one id in different files the last would win, and nobody would miss the other."""
    files = [
        module.DEFECTS for name, module in sys.modules.items() if name.startswith("python_source_")
    ]
    assert len(files) > 5
    assert sum(map(len, files)) == len(python_source.DEFECTS)


def replaced_attributes(tree: ast.Module) -> Iterator[tuple[object, ast.Attribute]]:
    """Yield the modules and classes of the server that defects change, and which attribute."""
    imported: dict[str, object] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("arcrun_server"):
            for alias in node.names:
                imported[alias.asname or alias.name] = imported_from(node.module or "", alias.name)
    for node in ast.walk(tree):
        for target in node.targets if isinstance(node, ast.Assign) else ():
            if isinstance(target, ast.Attribute):
                owner = owner_of(target.value, imported)
                if owner is not None:
                    yield owner, target


def imported_from(module: str, name: str) -> object:
    package = importlib.import_module(module)
    found: object = getattr(package, name, None)
    return importlib.import_module(f"{module}.{name}") if found is None else found


def owner_of(node: ast.expr, imported: dict[str, object]) -> object:
    """Return the module or class that an expression names; `None` if it is something else."""
    if isinstance(node, ast.Name):
        return imported.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = owner_of(node.value, imported)
        return None if owner is None else getattr(owner, node.attr, None)
    return None


@pytest.mark.parametrize("path", SERVERS, ids=lambda path: path.stem)
def test_a_defect_of_a_server_replaces_only_what_exists(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = list(replaced_attributes(tree))
    assert found
    missing = [
        f"line {target.lineno}: {ast.unparse(target)}"
        for owner, target in found
        if not hasattr(owner, target.attr)
    ]
    assert missing == []
