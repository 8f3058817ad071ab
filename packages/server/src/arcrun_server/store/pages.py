"""Lists page by page, in the order of one column: what is added or removed meanwhile moves nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from arcrun_server.store.database import Query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, ColumnElement, Label

    from arcrun_server.store.database import Database

Position = str | int


@dataclass(frozen=True)
class PageRequest:
    """Which part of a list is asked for.

    Args:
        limit: The largest number of entries.
        after: The position after which the page starts; None for the first page.
    """

    limit: int
    after: Position | None = None


@dataclass(frozen=True)
class Page:
    """A part of a list.

    Args:
        entries: Its entries, in order.
        total: How many entries the whole list has.
        last: The position of the last entry, if there are more after it.
    """

    entries: list[dict[str, Any]]
    total: int
    last: Position | None = None


class PagedQuery:
    """A list in a table that is read page by page.

    Args:
        columns: What to return of each row.
        position: The column that orders the list; no two rows of one list have the same value in it.
        where: What makes a row part of the list, with `bindparam` for what changes.
        descending: Whether the largest position comes first.
    """

    def __init__(
        self,
        columns: Sequence[Column[Any] | Label[Any]],
        *,
        position: Column[Any],
        where: Sequence[ColumnElement[bool]],
        descending: bool = False,
    ) -> None:
        self._columns = [column.name for column in columns]
        first = (
            select(*columns, position.label("position"))
            .where(*where)
            .order_by(position.desc() if descending else position)
            .limit(bindparam("count"))
        )
        after = bindparam("after", type_=position.type)
        self._first = Query(first)
        self._next = Query(first.where(position < after if descending else position > after))
        self._total = Query(select(func.count()).where(*where))

    async def page(self, database: Database, request: PageRequest, **parameters: Any) -> Page:
        """Return a part of the list that these parameters name."""
        # One more than asked for tells whether there is a next page.
        parameters_of_page = {**parameters, "count": request.limit + 1}
        if request.after is None:
            rows = await database.rows(self._first, **parameters_of_page)
        else:
            rows = await database.rows(self._next, **parameters_of_page, after=request.after)
        shown = rows[: request.limit]
        return Page(
            [dict(zip(self._columns, row, strict=False)) for row in shown],
            await self._count(database, request, rows, parameters),
            shown[-1][-1] if len(rows) > len(shown) else None,
        )

    async def _count(
        self,
        database: Database,
        request: PageRequest,
        rows: list[tuple[Any, ...]],
        parameters: dict[str, Any],
    ) -> int:
        if request.after is None and len(rows) <= request.limit:
            return len(rows)  # that was the whole list
        [(total,)] = await database.rows(self._total, **parameters)
        return int(total)
