"""Find circular imports in Python, TypeScript and JavaScript: `python -m scripts.import_cycles`.

Every import counts: at the top of a module, inside a function, under `TYPE_CHECKING`, and `import type`. What two
modules need from each other belongs in a third one.
"""

from __future__ import annotations

import ast
import graphlib
import json
import re
import sys
from typing import TYPE_CHECKING

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

# Folders from which Python modules are imported: the name of a module is its path relative to one.
PYTHON_PATHS = (
    "packages/python-sdk/src",
    "packages/server/src",
    "conformance/src",
    "conformance/adapters",
    ".",
)
PYTHON_FOLDERS = (*PYTHON_PATHS[:-1], "scripts")
JAVASCRIPT_FOLDERS = ("packages/js-sdk/src", "conformance/adapters/javascript")
JAVASCRIPT_SUFFIXES = (".ts", ".mts", ".cts", ".js", ".mjs", ".cjs")
NOT_SOURCES = {"node_modules", "tests", "dist", "__pycache__"}

Graph = dict[str, set[str]]

# A specifier is the text in quotes after `from`, or in `import "…"`, `import("…")` and `require("…")`.
_SPECIFIER = re.compile(
    r"""(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(["'])(?P<specifier>[^"'\n]+)\1"""
)
# Comments, and strings so that a `//` in one is no comment.
_COMMENT = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|//[^\n]*|/\*.*?\*/""",
    re.DOTALL,
)


def cycles(graph: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """Yield cycles of a graph of imports; after each one, leave out one of its imports and go on.

    A cycle starts and ends with the same module, and each module imports the next one.

    Example:
        >>> list(cycles({"a": ["b"], "b": ["a"]}))
        [['a', 'b', 'a']]
    """
    left = {module: sorted(imported) for module, imported in sorted(graph.items())}
    while True:
        try:
            graphlib.TopologicalSorter(left).prepare()
        except graphlib.CycleError as error:
            cycle = _from_first(error.args[1][::-1])
            yield cycle
            left[cycle[-2]].remove(cycle[-1])
        else:
            return


def _from_first(cycle: list[str]) -> list[str]:
    """Rotate a cycle so that it starts with the first module in alphabetical order."""
    start = cycle.index(min(cycle))
    return [*cycle[start:-1], *cycle[:start], cycle[start]]


def python_imports(root: Path) -> Graph:
    """Return the files that each Python file imports, as paths relative to the root."""
    modules = {name: path for path in _python_files(root) for name in _module_names(root, path)}
    return {
        _shown(root, path): {
            _shown(root, found)
            for name in _names_imported(root, path)
            if (found := _nearest(name, modules)) and found != path
        }
        for path in _python_files(root)
    }


def _python_files(root: Path) -> list[Path]:
    return [path for folder in PYTHON_FOLDERS for path in _files(root / folder, (".py",))]


def _module_names(root: Path, path: Path) -> Iterator[str]:
    """Yield the name under which a file can be imported."""
    for folder in PYTHON_PATHS:
        if path.is_relative_to(root / folder):
            yield _dotted(path.relative_to(root / folder))
            return


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _names_imported(root: Path, path: Path) -> Iterator[str]:
    """Yield the full name of each module, or of each member of a module, that a file imports."""
    (name,) = _module_names(root, path)
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = [*start, *([node.module] if node.module else [])]
            yield from (".".join([*base, alias.name]) for alias in node.names)


def _nearest(name: str, modules: Mapping[str, Path]) -> Path | None:
    """Return the file of a module, or of the module that has a member of this name."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return modules.get(name)


def javascript_imports(root: Path) -> Graph:
    """Return the files that each TypeScript or JavaScript file imports, as paths relative to the root."""
    graph: Graph = {}
    for folder in JAVASCRIPT_FOLDERS:
        conditional = _conditional_imports(root / folder)
        for path in _files(root / folder, JAVASCRIPT_SUFFIXES):
            graph[_shown(root, path)] = {
                _shown(root, found)
                for specifier in _specifiers(path)
                for target in conditional.get(specifier, [path.parent / specifier])
                if (found := _source(target))
            }
    return graph


def _specifiers(path: Path) -> Iterator[str]:
    text = _COMMENT.sub(lambda found: found["string"] or " ", path.read_text("utf-8"))
    for found in _SPECIFIER.finditer(text):
        if found["specifier"].startswith((".", "#")):
            yield found["specifier"]


def _conditional_imports(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each `#specifier` in `imports` of package.json, whatever the condition."""
    for parent in (folder, folder.parent):
        manifest = parent / "package.json"
        if manifest.is_file():
            imports = json.loads(manifest.read_text("utf-8")).get("imports", {})
            return {name: [parent / path for path in _leaves(imports[name])] for name in imports}
    return {}


def _leaves(target: object) -> Iterator[str]:
    if isinstance(target, str):
        yield target
    elif isinstance(target, dict):
        for inner in target.values():
            yield from _leaves(inner)


def _source(target: Path) -> Path | None:
    """Return the file of a specifier; in TypeScript, the suffix `.js` stands for `.ts` too."""
    typescript = {".js": ".ts", ".mjs": ".mts", ".cjs": ".cts"}
    candidates = [target]
    if target.suffix in typescript:
        candidates.append(target.with_suffix(typescript[target.suffix]))
    candidates += [target.with_name(target.name + suffix) for suffix in JAVASCRIPT_SUFFIXES]
    candidates += [target / f"index{suffix}" for suffix in JAVASCRIPT_SUFFIXES]
    return next((path.resolve() for path in candidates if path.is_file()), None)


def _files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in suffixes
        and path.is_file()
        and NOT_SOURCES.isdisjoint(path.relative_to(folder).parts)
    ]


def _shown(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def main(root: Path = ROOT) -> int:
    """Print each cycle as `a.py → b.py → a.py`; return 1 if there is one."""
    found = [*cycles(python_imports(root)), *cycles(javascript_imports(root))]
    for cycle in found:
        print(f"circular import: {' → '.join(cycle)}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
