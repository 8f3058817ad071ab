"""Contract, Python and TypeScript side by side, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from scripts.parity.surface import MISSING, Method, Surface

if TYPE_CHECKING:
    from collections.abc import Iterator


def tables(contract: Surface, python: Surface, typescript: Surface) -> Iterator[Table]:
    """Yield the tables: methods and what they take, then all else that is counted or stated."""
    yield _methods(contract, python, typescript)
    yield _values(contract, python, typescript)


def signature(method: Method | None) -> str:
    """Write what a method takes; a question mark for what may be left out, names after `;`.

    Example:
        >>> signature(None)
        '–'
    """
    if method is None:
        return "–"
    written = [(f"{e.name}{'' if e.required else '?'}", e.place) for e in method.parameters]
    placed = ", ".join(name for name, place in written if place is not None)
    named = ", ".join(sorted(name for name, place in written if place is None))
    return "; ".join(filter(None, [placed, named])) or "nothing"


def _methods(*sides: Surface) -> Table:
    table = _table("Methods", "method")
    for name in sorted({name for side in sides for name in side.methods}):
        cells = [escape(signature(side.methods.get(name))) for side in sides]
        table.add_row(name, *cells)
    return table


def _values(*sides: Surface) -> Table:
    table = _table("Everything else", "")
    for name in sorted({name for side in sides for name in side.defaults}):
        table.add_row(name, "–", *(side.defaults.get(name, MISSING) for side in sides[1:]))
    table.add_row("origins", *(str(len(side.origins)) for side in sides))
    for part in ("options", "errors", "results", "exports"):
        table.add_row(part, "–", *(str(len(getattr(side, part))) for side in sides[1:]))
    return table


def _table(title: str, subject: str) -> Table:
    table = Table(title=title, box=None)
    table.add_column(subject, min_width=20)
    for side in ("contract", "Python", "TypeScript"):
        table.add_column(side, overflow="fold")
    return table
