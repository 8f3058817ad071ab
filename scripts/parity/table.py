"""Show contract, Python and TypeScript side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from scripts.parity.surface import MISSING, Method, Surface

if TYPE_CHECKING:
    from collections.abc import Iterator


def tables(contract: Surface, python: Surface, typescript: Surface) -> Iterator[Table]:
    """Yield two tables: the methods with their parameters, then everything else."""
    yield _methods(contract, python, typescript)
    yield _values(contract, python, typescript)


def signature(method: Method | None) -> str:
    """Return the parameters of a method: optional ones with `?`, those given by name after `;`.

    Example:
        >>> signature(None)
        '–'
    """
    if method is None:
        return "–"
    written = [(f"{e.name}{'' if e.required else '?'}", e.position) for e in method.parameters]
    positional = ", ".join(name for name, position in written if position is not None)
    named = ", ".join(sorted(name for name, position in written if position is None))
    return "; ".join(filter(None, [positional, named])) or "nothing"


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
