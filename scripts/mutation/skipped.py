"""Which places of a Python module have no mutant: those where a defect can't be seen, or is none."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGGERS = frozenset({"log", "logger", "_log", "_logger", "LOG", "logging"})
# Without them the program does the same, slower, or says less about itself.
_HARMLESS_DECORATORS = frozenset(
    {"cache", "lru_cache", "cached_property", "final", "override", "overload", "abstractmethod"}
)
# Arguments that say what can't happen, or how a text is laid out that is read as the same JSON.
_HARMLESS_ARGUMENTS = frozenset(
    {
        ("zip", "strict"),
        ("dumps", "indent"),
        ("dump", "indent"),
        ("field", "init"),
        ("field", "repr"),
    }
)
_REPRESENTATIONS = frozenset({"__repr__", "__rich_repr__"})


class _Range(NamedTuple):
    first: tuple[int, int]
    last: tuple[int, int]


class Skipped:
    """The places of a module that are left out.

    These are annotations, docstrings, texts of a log, methods `__repr__`, what only type checkers read, options of
    `@dataclass`, decorators that only make a program faster or explain it, `if __name__ == "__main__"`, what asks for the
    version of Python, of which there is one, and a `not` before a comparison that another mutant turns round. And the
    arguments `zip(strict=True)`, an assertion, `json.dumps(indent=2)`, a layout, the options of fields of a
    `@dataclass`, and how long `time.sleep` waits before something is tried again.

    Args:
        source: The module.
    """

    def __init__(self, source: str) -> None:
        tree = ast.parse(source)
        self._ranges = [_range(node) for node in _skipped_nodes(tree)]
        self._decorators = {
            decorator.lineno: _name(decorator)
            for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            for decorator in node.decorator_list
        }

        self._turned_by_others = {
            (node.test.lineno, node.test.col_offset)
            for node in ast.walk(tree)
            if isinstance(node, (ast.If, ast.While, ast.IfExp)) and _is_turned(node.test)
        }

    def at(self, operator: str, line: int, column: int) -> bool:
        """Tell whether the operator's mutant at this place is left out."""
        if operator == "RemoveDecorator" and self._decorators.get(line) in _HARMLESS_DECORATORS:
            return True
        if operator == "AddNot" and (line, column) in self._turned_by_others:
            return True
        return any(found.first <= (line, column) < found.last for found in self._ranges)


def _skipped_nodes(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.name in _REPRESENTATIONS:
                yield node
            if node.returns:
                yield node.returns
            yield from (d for d in node.decorator_list if _name(d) in _HARMLESS_DECORATORS)
        elif isinstance(node, (ast.arg, ast.AnnAssign)):
            yield from filter(None, [node.annotation])
        elif isinstance(node, ast.ClassDef):
            yield from (d for d in node.decorator_list if _name(d) == "dataclass")
            yield from node.keywords  # total=False, frozen=True: for the type checker
        elif isinstance(node, ast.Call) and not (_is_log(node.func) or _is_sleep(node.func)):
            name = _name(node.func)
            yield from (k for k in node.keywords if (name, k.arg) in _HARMLESS_ARGUMENTS)
        elif (
            (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            or (isinstance(node, ast.If) and _name(node.test) == "TYPE_CHECKING")
            or (isinstance(node, ast.If) and "__name__" in ast.dump(node.test))
            or (isinstance(node, ast.Call) and _is_log(node.func))
            or (isinstance(node, ast.Call) and _is_sleep(node.func))
            or (isinstance(node, ast.Compare) and _name(node.left) == "version_info")
            or (isinstance(node, ast.Assign) and _is_alias(node))
        ):
            yield node


def _is_turned(test: ast.expr) -> bool:
    """Tell whether a condition has an operator of its own that a mutant negates."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return isinstance(test.ops[0], (ast.Eq, ast.NotEq, ast.Is, ast.IsNot))
    return isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)


def _is_log(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and _name(function.value) in _LOGGERS


def _is_sleep(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and _name(function.value) == "time"
        and function.attr == "sleep"
    )


def _is_alias(node: ast.Assign) -> bool:
    """Tell whether an assignment names a type, as `Json = dict[str, Any] | None` does."""
    return (
        isinstance(node.value, ast.BinOp)
        and isinstance(node.value.op, ast.BitOr)
        and isinstance(node.value.right, (ast.Name, ast.Subscript, ast.Constant))
        and all(isinstance(name, ast.Name) and name.id[:1].isupper() for name in node.targets)
        and not all(isinstance(name, ast.Name) and name.id.isupper() for name in node.targets)
    )


def _range(node: ast.AST) -> _Range:
    line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
    last, end = getattr(node, "end_lineno", line), getattr(node, "end_col_offset", column)
    return _Range((line, column), (last, end))


def _name(node: ast.expr) -> str:
    """Return the last name of `a.b.c`, or of what is called."""
    if isinstance(node, ast.Call):
        return _name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
