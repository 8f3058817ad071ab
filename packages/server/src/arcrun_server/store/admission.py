"""How many runs of a workflow go on at the same time, if it says so (docs/contract.md#policies).

A run for which there is no room has been accepted as any other: it is queued, and `NOBODY` is its executor. Whoever
ends or pauses a run, in the same transaction, gives the room to the one that has waited for longest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, func, or_, select, text, update

from arcrun_server.store.schema import runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

Segment = tuple[str, int]
"""A run's id and the number of one of its segments."""

NOBODY = ""
"""The executor of a run that waits until there is room for it."""

_table = runs.c
_OF_WORKFLOW = (
    _table.account == bindparam("account"),
    _table.workflow == bindparam("workflow"),
)
_GOING_ON = select(func.count()).where(
    *_OF_WORKFLOW,
    _table.ended_at_ms.is_(None),  # so the index of those that have not ended is used
    or_(
        _table.status == "running",
        and_(_table.status == "queued", _table.executor != NOBODY),
    ),
)
_WAITING = (_table.status == "queued", _table.executor == NOBODY)
_LONGEST_WAITING = (
    select(_table.id, _table.segment, _table.max_running)
    .where(*_WAITING, *_OF_WORKFLOW)
    .order_by(_table.number)
    .limit(1)
)
_WORKFLOWS_WITH_WAITING = select(_table.account, _table.workflow).where(*_WAITING).distinct()
# Until the end of the transaction: two processes that count at the same time would both find room.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:account || '/' || :workflow, 0))")


class WorkflowFullError(Exception):
    """So many runs of the workflow go on as it allows, and it says that one more is refused."""

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} of its runs go on, which is its `max_running`")


def lock(connection: Connection, account: str, workflow: str) -> None:
    """Let nobody else count the runs of a workflow before this transaction has ended; to be called first in it."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time
        connection.execute(_LOCK, {"account": account, "workflow": workflow})


def is_full(connection: Connection, account: str, workflow: str, most: int) -> bool:
    """Return whether so many runs of a workflow go on, or more; those that are paused are not counted."""
    of_workflow = {"account": account, "workflow": workflow}
    return int(connection.execute(_GOING_ON, of_workflow).scalar_one()) >= most


def release(
    connection: Connection, account: str, workflow: str | None, executor: str
) -> list[Segment]:
    """Give an executor the runs of a workflow that waited and for which there is room now.

    Returns:
        Their ids and segments, to be started once the transaction has ended.
    """
    released: list[Segment] = []
    if workflow is None:
        return released
    of_workflow = {"account": account, "workflow": workflow}
    while (waiting := connection.execute(_LONGEST_WAITING, of_workflow).first()) is not None:
        if waiting.max_running is not None and is_full(
            connection, account, workflow, waiting.max_running
        ):
            break
        connection.execute(
            update(runs).where(_table.id == waiting.id).values(executor=executor)
        ).close()
        released.append((waiting.id, waiting.segment))
    return released


def workflows_with_waiting(connection: Connection) -> list[tuple[str, str]]:
    """Return account and name of the workflows of which a run waits."""
    return [(row.account, row.workflow) for row in connection.execute(_WORKFLOWS_WITH_WAITING)]
