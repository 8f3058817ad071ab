"""What runs wait for, and what callbacks bring for them.

A callback may come before its run has paused: whoever is asked answers faster than the pause is written, or another
element of a FOREACH still runs. It is kept, and taken when the run pauses.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, bindparam, delete, insert, select, update

from arcrun_server.store.database import Query
from arcrun_server.store.run_tokens import Callback, waiting_at
from arcrun_server.store.runs import PAUSED, QUEUED, json_of, now_ms, of_executor, row_of
from arcrun_server.store.schema import awaited_tasks, early_callbacks, runs
from arcrun_server.store.upserts import Upsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from arcrun_server.store.database import Database
    from arcrun_server.store.runs import StoredRun

_tasks, _early = awaited_tasks.c, early_callbacks.c
_BY_ID = Query(
    select(_tasks.run, _tasks.waiting)
    .where(_tasks.account == bindparam("account"), _tasks.task_id == bindparam("task_id"))
    .order_by(_tasks.paused_at_ms.desc())
    .limit(1)
)
_PLACE = select(_tasks.place).where(
    _tasks.run == bindparam("run"), _tasks.waiting == bindparam("waiting")
)
_OF_WAITING = and_(_tasks.run == _early.run, _tasks.waiting == _early.waiting)
# The first of the callbacks that a paused run waits for and that have come already.
_FIRST_EARLY = (
    select(_early.waiting, _early.delivery, _tasks.place)
    .join(awaited_tasks, _OF_WAITING)
    .where(_early.run == bindparam("run"))
    .order_by(_tasks.place)
    .limit(1)
)
_KEEP = Upsert(early_callbacks)


class AwaitedTask(NamedTuple):
    """What a run waits for.

    Attributes:
        task_id: What its component calls the task.
        place: Where in the run it is, as `engine.Step.place`.
    """

    task_id: str
    place: str


class Callbacks:
    """The callbacks of the runs of all accounts of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept_paused(self, run: StoredRun, tasks: Sequence[AwaitedTask]) -> bool:
        """Store a run that has paused.

        Returns:
            Whether a callback has come already, so that its next segment is queued.
        """
        row = row_of(run)

        def change(connection: Connection) -> bool:
            connection.execute(insert(runs), row)
            return _wait(connection, run, tasks)

        return await self._database.write(change)

    async def pause(
        self,
        run: StoredRun,
        *,
        continuation: dict[str, Any],
        tasks: Sequence[AwaitedTask],
        result: dict[str, Any],
        trace: Sequence[Any],
    ) -> bool | None:
        """Record that a run waits.

        Returns:
            True if a callback has come already, so that its next segment is queued; False if it waits; None if
            this executor no longer has it.
        """
        statement = of_executor(run).values(
            status=PAUSED,
            continuation=json_of(continuation),
            delivery=None,
            result=json_of(result),
            trace=json_of(trace),
        )

        def change(connection: Connection) -> bool | None:
            if connection.execute(statement).rowcount != 1:
                return None
            return _wait(connection, run, tasks)

        return await self._database.write(change)

    async def deliver(
        self, callback: Callback, delivery: dict[str, Any], executor: str
    ) -> int | None:
        """Take what a callback brought for a run that waits for it, and queue its next segment.

        Returns:
            The segment; None if the run does not wait for this callback, or no longer.
        """
        key = {"run": callback.run, "waiting": callback.waiting}

        def change(connection: Connection) -> int | None:
            place = connection.execute(_PLACE, key).scalar_one_or_none()
            return (
                None
                if place is None
                else _queue(connection, callback.run, {**delivery, "place": place}, executor)
            )

        return await self._database.write(change)

    async def keep(self, callback: Callback, delivery: dict[str, Any]) -> None:
        """Keep a callback for a run that does not wait for it yet.

        A run that somebody waits for stands in no table before it pauses.
        """
        row = {
            "run": callback.run,
            "waiting": callback.waiting,
            "delivery": json_of(delivery),
            "created_at_ms": now_ms(),
        }
        await self._database.write(
            lambda connection: connection.execute(_KEEP.on(connection), row).close()
        )

    async def drop(self, callback: Callback) -> None:
        """Remove a callback that was delivered in the meantime."""
        statement = _kept(callback.run, callback.waiting)
        await self._database.write(lambda connection: connection.execute(statement).close())

    async def remove_before(self, moment_ms: int) -> None:
        """Remove callbacks that came before a time and that no run has waited for."""
        statement = delete(early_callbacks).where(_early.created_at_ms < moment_ms)
        await self._database.write(lambda connection: connection.execute(statement).close())

    async def of_task(self, account: str, task_id: str) -> Callback | None:
        """Return what a task's callback is for: the account's run that waits for it, or was the last to do so."""
        rows = await self._database.rows(_BY_ID, account=account, task_id=task_id)
        return Callback(*rows[0]) if rows else None


def _wait(connection: Connection, run: StoredRun, tasks: Sequence[AwaitedTask]) -> bool:
    """Note what a run waits for; return whether one of these has come, so that its next segment is queued."""
    connection.execute(delete(awaited_tasks).where(_tasks.run == run.id))
    rows = [
        {
            "run": run.id,
            "waiting": waiting_at(task.place),
            "place": task.place,
            "account": run.account,
            "task_id": task.task_id,
            "paused_at_ms": now_ms(),
        }
        for task in tasks
    ]
    connection.execute(insert(awaited_tasks), rows)
    early = connection.execute(_FIRST_EARLY, {"run": run.id}).first()
    if early is None:
        return False
    connection.execute(_kept(run.id, early.waiting))
    delivery = {**json.loads(early.delivery), "place": early.place}
    return _queue(connection, run.id, delivery, run.executor) is not None


def _queue(connection: Connection, run: str, delivery: dict[str, Any], executor: str) -> int | None:
    """Queue the next segment of a run that is paused; return its number."""
    statement = (
        update(runs)
        .where(runs.c.id == run, runs.c.status == PAUSED)
        .values(
            status=QUEUED,
            segment=runs.c.segment + 1,
            delivery=json_of(delivery),
            executor=executor,
        )
        .returning(runs.c.segment)
    )
    segment: int | None = connection.execute(statement).scalar_one_or_none()
    return segment


def _kept(run: str, waiting: str) -> Any:
    return delete(early_callbacks).where(_early.run == run, _early.waiting == waiting)
