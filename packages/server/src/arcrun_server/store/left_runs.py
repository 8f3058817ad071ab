"""The runs that an executor executes, or was to: read, and given to another one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, or_, select, update

from arcrun_server.store.admission import NOBODY
from arcrun_server.store.database import Query
from arcrun_server.store.schema import runs

_table = runs.c
# No IN: the driver would be given one parameter for the list.
_GOES_ON = or_(_table.status == "queued", _table.status == "running")
_LEFT = select(_table.id, _table.segment).where(_GOES_ON, _table.executor == bindparam("executor"))
ALL_LEFT, ONE_LEFT = Query(_LEFT), Query(_LEFT.limit(1))
EXECUTORS = Query(select(_table.executor).where(_GOES_ON, _table.executor != NOBODY).distinct())


def taking_over(old: str, new: str, most: int | None) -> Any:
    """Return the statement that gives an executor the oldest runs of another, and returns their ids and segments.

    Args:
        old: Who has them.
        new: Who is to have them.
        most: How many; None for all. Two that take at the same moment take different runs.
    """
    left = (
        select(_table.id)
        .where(_GOES_ON, _table.executor == old)
        .order_by(_table.number)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("left_runs")
    )
    return (
        update(runs)
        .where(_table.id.in_(select(left.c.id)))
        .values(executor=new)
        .returning(_table.id, _table.segment)
    )
