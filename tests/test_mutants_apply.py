"""The defects of mutants apply: what they replace is there, so that none is caught for another reason."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

MUTANTS = Path(__file__).parents[1] / "conformance" / "mutants"
SERVERS = sorted((MUTANTS / "servers").glob("[a-z]*.py"))
# Those of the Python SDK that replace its functions; others change its source.
SDK = MUTANTS / "wire_defects.py"


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
    """Yield the modules and classes of the server, or of the SDK, that defects change, and which attribute."""
    imported: dict[str, object] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("arcrun"):
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


@pytest.mark.parametrize("path", [*SERVERS, SDK], ids=lambda path: path.stem)
def test_a_defect_replaces_only_what_exists(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = list(replaced_attributes(tree))
    assert found
    missing = [
        f"line {target.lineno}: {ast.unparse(target)}"
        for owner, target in found
        if not hasattr(owner, target.attr)
    ]
    assert missing == []


def test_what_replaces_a_function_can_be_called_as_that_is() -> None:
    """Otherwise the engine, or the SDK, fails at each call, and that is caught in place of the defect."""
    # In a process of its own: a defect may change more than what is put back.
    command = [sys.executable, __file__]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(printed)
    assert found["replaced"] > 300
    assert found["wrong"] == []


def replaced_functions(path: Path) -> Iterator[tuple[str, Any, Any]]:
    """Yield what each defect of a file replaces: its name, the value before, and the value after; all is put back."""
    owners = [
        (owner, target.attr)
        for owner, target in replaced_attributes(ast.parse(path.read_text(encoding="utf-8")))
        if inspect.ismodule(owner) or inspect.isclass(owner)
    ]
    module = ".".join(path.relative_to(MUTANTS).with_suffix("").parts)
    for name, defect in defects_of(importlib.import_module(module)):
        before = [(*place, inspect.getattr_static(*place)) for place in owners]
        defect()
        for owner, attribute, value in before:
            now = inspect.getattr_static(owner, attribute)
            setattr(owner, attribute, value)
            if now is not value:
                yield f"{path.stem}.{name}: {attribute}", value, now


def defects_of(module: ModuleType) -> list[tuple[str, Callable[[], None]]]:
    return [
        (name, found)
        for name, found in vars(module).items()
        if inspect.isfunction(found)
        and found.__module__ == module.__name__
        and not name.startswith("_")
        and not inspect.signature(found).parameters
    ]


def refused(before: Any, now: Any) -> str:
    """Return why a function can't be called with all arguments that another one takes; empty if it can."""
    before, now = (getattr(value, "__func__", value) for value in (before, now))
    if not (inspect.isfunction(before) and inspect.isfunction(now)):
        return ""
    parameters = inspect.signature(before).parameters.values()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    given = [each for each in parameters if each.kind in positional]
    named = {each.name: each for each in parameters if each.kind is each.KEYWORD_ONLY}
    try:
        inspect.signature(now).bind(*given, **named)
    except TypeError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    sys.path.insert(0, str(MUTANTS))
    pairs = [pair for path in (*SERVERS, SDK) for pair in replaced_functions(path)]
    wrong = [f"{name}: {why}" for name, before, now in pairs if (why := refused(before, now))]
    print(json.dumps({"replaced": len(pairs), "wrong": wrong}))
