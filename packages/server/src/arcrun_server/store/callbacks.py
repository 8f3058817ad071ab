"""What runs wait for, and what callbacks bring for them.

A callback may come before its run has paused: whoever is asked answers faster than the pause is written, or another
element of a FOREACH still runs. It is kept, and taken when the run pauses.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, bindparam, case, delete, insert, select, update

from arcrun_server.store import admission
from arcrun_server.store.admission import NOBODY
from arcrun_server.store.database import Query
from arcrun_server.store.run_tokens import Callback, waiting_at
from arcrun_server.store.runs import (
    PAUSED,
    QUEUED,
    json_of,
    lock_workflow,
    now_ms,
    of_executor,
    row_of,
)
from arcrun_server.store.schema import awaited_tasks, early_callbacks, runs
from arcrun_server.store.upserts import Upsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from arcrun_server.store.admission import Segment
    from arcrun_server.store.database import Database
    from arcrun_server.store.runs import StoredRun

DELIVERED = ""
"""Stands instead of the place of a task whose callback a run has taken."""

_tasks, _early = awaited_tasks.c, early_callbacks.c
_BY_ID = Query(
    select(_tasks.run, _tasks.waiting)
    .join(runs, runs.c.id == _tasks.run)
    .where(_tasks.account == bindparam("account"), _tasks.task_id == bindparam("task_id"))
    # A run that waits goes before one that has waited.
    .order_by(
        case((and_(runs.c.status == PAUSED, _tasks.place != DELIVERED), 0), else_=1),
        _tasks.paused_at_ms.desc(),
    )
    .limit(1)
)
_ONE = (_tasks.run == bindparam("run"), _tasks.waiting == bindparam("waiting"))
_PLACE = select(_tasks.place).where(*_ONE, _tasks.place != DELIVERED)
_IS_DELIVERED = Query(select(_tasks.run).where(*_ONE, _tasks.place == DELIVERED))
_OF_WAITING = and_(
    _tasks.run == _early.run, _tasks.waiting == _early.waiting, _tasks.place != DELIVERED
)
# The task stays until its run is removed, so that a second callback for it is known as such.
_MARK_DELIVERED = (
    update(awaited_tasks)
    .where(_tasks.run == bindparam("of"), _tasks.waiting == bindparam("named"))
    .values(place=DELIVERED)
)
# The first of the callbacks that a paused run waits for and that have come already.
_FIRST_EARLY = (
    select(_early.waiting, _early.delivery, _tasks.place)
    .join(awaited_tasks, _OF_WAITING)
    .where(_early.run == bindparam("run"))
    .order_by(_tasks.place)
    .limit(1)
)
_KEEP = Upsert(early_callbacks, returning=["run"])
_LIMITED = select(runs.c.account, runs.c.workflow, runs.c.max_running).where(
    runs.c.id == bindparam("run")
)


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

    async def accept_paused(
        self, run: StoredRun, tasks: Sequence[AwaitedTask]
    ) -> Sequence[Segment]:
        """Store a run that has paused.

        Returns:
            What can be started now: its next segment, if a callback has come already.
        """
        row = row_of(run)

        def change(connection: Connection) -> Sequence[Segment]:
            lock_workflow(connection, run)
            connection.execute(insert(runs), row)
            return _wait(connection, run, tasks)

        return await self._database.write(change)

    async def pause(
        self,
        run: StoredRun,
        *,
        plan: dict[str, Any],
        continuation: dict[str, Any],
        tasks: Sequence[AwaitedTask],
        result: dict[str, Any],
        trace: Sequence[Any],
    ) -> Sequence[Segment] | None:
        """Record that a run waits.

        Returns:
            What can be started now: its next segment if a callback has come already, and runs that have waited for
            its room. None if this executor no longer has it.
        """
        statement = of_executor(run).values(
            status=PAUSED,
            plan=json_of(plan),
            continuation=json_of(continuation),
            delivery=None,
            result=json_of(result),
            trace=json_of(trace),
        )

        def change(connection: Connection) -> Sequence[Segment] | None:
            lock_workflow(connection, run)
            if connection.execute(statement).rowcount != 1:
                return None
            return [
                *_wait(connection, run, tasks),
                *admission.release(connection, run.account, run.workflow, run.executor),
            ]

        return await self._database.write(change)

    async def deliver(
        self, callback: Callback, delivery: dict[str, Any], executor: str
    ) -> Sequence[Segment] | None:
        """Take what a callback brought for a run that waits for it, and queue its next segment.

        Returns:
            What can be started now: the segment, unless there is no room for it. None if the run does not wait for this
            callback, or no longer.
        """
        key = {"run": callback.run, "waiting": callback.waiting}

        def change(connection: Connection) -> Sequence[Segment] | None:
            place = connection.execute(_PLACE, key).scalar_one_or_none()
            if place is None:
                return None
            return _queue(connection, callback, {**delivery, "place": place}, executor)

        return await self._database.write(change)

    async def is_delivered(self, callback: Callback) -> bool:
        """Return whether a run has gone on with what an earlier callback for the same has brought."""
        key = {"run": callback.run, "waiting": callback.waiting}
        return bool(await self._database.rows(_IS_DELIVERED, **key))

    async def keep(self, callback: Callback, delivery: dict[str, Any]) -> bool:
        """Keep a callback for a run that does not wait for it yet; return whether it is the first one for that.

        A run that somebody waits for stands in no table before it pauses.
        """
        row = {
            "run": callback.run,
            "waiting": callback.waiting,
            "delivery": json_of(delivery),
            "created_at_ms": now_ms(),
        }
        return await self._database.write(
            lambda connection: connection.execute(_KEEP.on(connection), row).first() is not None
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


def _wait(
    connection: Connection, run: StoredRun, tasks: Sequence[AwaitedTask]
) -> Sequence[Segment]:
    """Note what a run waits for; return its next segment if one of these has come, and there is room for it."""
    not_taken = _tasks.place != DELIVERED
    connection.execute(delete(awaited_tasks).where(_tasks.run == run.id, not_taken))
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
        return []
    connection.execute(_kept(run.id, early.waiting))
    delivery = {**json.loads(early.delivery), "place": early.place}
    return _queue(connection, Callback(run.id, early.waiting), delivery, run.executor) or []


def _queue(
    connection: Connection, callback: Callback, delivery: dict[str, Any], executor: str
) -> Sequence[Segment] | None:
    """Queue the segment that goes on with a callback; return it if there is room for it.

    None if the run is not paused.
    """
    run = callback.run
    limited = connection.execute(_LIMITED, {"run": run}).first()
    full = False
    if limited is not None and limited.max_running is not None and limited.workflow is not None:
        admission.lock(connection, limited.account, limited.workflow)
        full = admission.is_full(connection, limited.account, limited.workflow, limited.max_running)
    statement = (
        update(runs)
        .where(runs.c.id == run, runs.c.status == PAUSED)
        .values(
            status=QUEUED,
            segment=runs.c.segment + 1,
            delivery=json_of(delivery),
            executor=NOBODY if full else executor,
        )
        .returning(runs.c.segment)
    )
    segment = connection.execute(statement).scalar_one_or_none()
    if segment is None:
        return None
    connection.execute(_MARK_DELIVERED, {"of": run, "named": callback.waiting}).close()
    return [] if full else [(run, segment)]


def _kept(run: str, waiting: str) -> Any:
    return delete(early_callbacks).where(_early.run == run, _early.waiting == waiting)
