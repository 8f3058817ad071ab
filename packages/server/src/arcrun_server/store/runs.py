"""The runs that the engine has accepted: what they need to be executed, how far they are, and how they ended.

A run is executed in segments: one up to its first pause, and one more for each time it is resumed. Each change of a run
names the segment, and each change by a process that executes it also the process (its *executor*), so that a process
that has lost a run without knowing it changes nothing (docs/contract.md#runs).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from arcrun_server import clock
from arcrun_server.json_text import encode
from arcrun_server.store.database import Query
from arcrun_server.store.pages import PagedQuery
from arcrun_server.store.schema import early_callbacks, runs
from arcrun_server.store.upserts import Upsert
from arcrun_server.store.workflows import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Select

    from arcrun_server.store.database import Database
    from arcrun_server.store.pages import Page, PageRequest

QUEUED, RUNNING, PAUSED, CANCELLED = "queued", "running", "paused", "cancelled"
ENDED = ("succeeded", "partial", "failed", CANCELLED)
STATUSES = (QUEUED, RUNNING, PAUSED, *ENDED)

_table = runs.c
_INSERT = insert(runs)
_SUMMARY = [
    _table.id,
    _table.workflow,
    _table.status,
    _table.trigger,
    _table.retry_of,
    _table.result,
    _table.created_at_ms,
    _table.started_at_ms,
    _table.ended_at_ms,
]
_OF_ACCOUNT = [_table.account == bindparam("account")]
_OF_WORKFLOW = [_table.workflow == bindparam("workflow")]
_OF_STATUS = [_table.status == bindparam("status")]
# By which filters are given: of the workflow, of the status.
_LISTS = {
    (workflow, status): PagedQuery(
        _SUMMARY,
        position=_table.number,
        where=[
            *_OF_ACCOUNT,
            *(_OF_WORKFLOW if workflow else []),
            *(_OF_STATUS if status else []),
        ],
        descending=True,
    )
    for workflow in (False, True)
    for status in (False, True)
}
_ONE = Query(select(*runs.c).where(_table.id == bindparam("id")))
_STATUS = Query(
    select(_table.status, _table.segment, _table.executor).where(_table.id == bindparam("id"))
)
_BY_TASK = Query(
    select(_table.id)
    .where(*_OF_ACCOUNT, _table.task_id == bindparam("task_id"))
    .order_by(_table.number.desc())
    .limit(1)
)
_WAITING = Query(
    select(_table.id, _table.segment).where(
        # No IN: the driver would be given one parameter for the list.
        or_(_table.status == QUEUED, _table.status == RUNNING),
        _table.executor == bindparam("executor"),
    )
)
_KEEP_CALLBACK = Upsert(early_callbacks)
_CALLBACK = select(early_callbacks.c.delivery).where(
    early_callbacks.c.run == bindparam("run"), early_callbacks.c.waiting == bindparam("waiting")
)


@dataclass(frozen=True)
class StoredRun:
    """A run.

    Attributes:
        id: Its id.
        account: Whose it is.
        workflow: The name of its workflow; None for a graph that is stored nowhere.
        status: One of `STATUSES`.
        trigger: What made it.
        retry_of: The run that it repeats, if it does.
        segment: Number of the segment that is executed, or is next.
        executor: The process that executes it, or was to.
        plan: What it needs to be executed besides its input.
        input: Its input.
        continuation: Its state, if it has paused.
        delivery: What the callback has brought for the segment.
        task_id: What it waits for, as the component calls it.
        waiting: Which invocation waits.
        result: How it ended.
        trace: What its nodes were given and returned.
        created_at_ms: When it was accepted.
        started_at_ms: When it was first executed.
        ended_at_ms: When it ended.
    """

    id: str
    account: str
    workflow: str | None
    status: str
    trigger: str
    retry_of: str | None
    segment: int
    executor: str
    plan: dict[str, Any]
    input: dict[str, Any]
    continuation: dict[str, Any] | None
    delivery: dict[str, Any] | None
    task_id: str | None
    waiting: str | None
    result: dict[str, Any]
    trace: list[dict[str, Any]]
    created_at_ms: int
    started_at_ms: int | None
    ended_at_ms: int | None


class Runs:
    """The runs of all accounts of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(self, run: StoredRun) -> bool:
        """Store a run; return False if there is one of this id, which stays as it is."""
        row = _row(run)
        try:
            await self._database.write(lambda connection: connection.execute(_INSERT, row).close())
        except IntegrityError:
            if await self.status(run.id) is None:
                raise  # it is not the id that is taken
            return False
        return True

    async def accept_paused(self, run: StoredRun) -> bool:
        """Store a run that has paused; return whether its callback has come already."""
        row = _row(run)

        def change(connection: Connection) -> bool:
            connection.execute(_INSERT, row)
            return _deliver_early(connection, run.id, run.segment, run.waiting or "", run.executor)

        return await self._database.write(change)

    async def get(self, run_id: str) -> StoredRun | None:
        """Return a run, or None."""
        rows = await self._database.rows(_ONE, id=run_id)
        if not rows:
            return None
        return _stored(dict(zip(_ONE.columns, rows[0], strict=True)))

    async def status(self, run_id: str) -> tuple[str, int, str] | None:
        """Return a run's status, segment and executor, or None."""
        rows = await self._database.rows(_STATUS, id=run_id)
        return None if not rows else (rows[0][0], rows[0][1], rows[0][2])

    async def list(
        self, account: str, request: PageRequest, *, workflow: str | None, status: str | None
    ) -> Page:
        """Return a page of an account's runs, newest first."""
        query = _LISTS[workflow is not None, status is not None]
        filters = {"workflow": workflow, "status": status}
        given = {name: value for name, value in filters.items() if value is not None}
        page = await query.page(self._database, request, account=account, **given)
        return replace(page, entries=[summary(entry) for entry in page.entries])

    async def waiting_for(self, account: str, task_id: str) -> str | None:
        """Return the id of the account's run that waits, or has waited, for a task; the newest of several."""
        rows = await self._database.rows(_BY_TASK, account=account, task_id=task_id)
        return rows[0][0] if rows else None

    async def left_by(self, executor: str) -> Sequence[tuple[str, int]]:
        """Return id and segment of the runs that an executor executes, or was to."""
        rows = await self._database.rows(_WAITING, executor=executor)
        return [(row[0], row[1]) for row in rows]

    async def begin(self, run_id: str, segment: int, executor: str) -> StoredRun | None:
        """Note that an executor executes a segment from now on; return None if it is not to be executed."""
        statement = (
            update(runs)
            .where(
                _table.id == run_id,
                _table.segment == segment,
                _table.status.in_([QUEUED, RUNNING]),
            )
            .values(status=RUNNING, executor=executor)
        )
        started = (
            update(runs)
            .where(_table.id == run_id, _table.started_at_ms.is_(None))
            .values(started_at_ms=_now())
        )

        def change(connection: Connection) -> bool:
            if connection.execute(statement).rowcount != 1:
                return False
            connection.execute(started)
            return True

        return await self.get(run_id) if await self._database.write(change) else None

    async def end(
        self,
        run: StoredRun,
        status: str,
        result: dict[str, Any],
        trace: Sequence[Any],
    ) -> bool:
        """Record how a run ended; return False if this executor no longer has it."""
        values = {
            "status": status,
            "result": _text(result),
            "trace": _text(trace),
            "continuation": None,
            "delivery": None,
            "ended_at_ms": _now(),
        }
        return await self._change_executed(run, values)

    async def pause(
        self,
        run: StoredRun,
        *,
        continuation: dict[str, Any],
        task_id: str,
        waiting: str,
        result: dict[str, Any],
        trace: Sequence[Any],
    ) -> bool | None:
        """Record that a run waits.

        Returns:
            True if its callback has come already, so that its next segment is queued; False if it waits; None if
            this executor no longer has it.
        """
        values = {
            "status": PAUSED,
            "continuation": _text(continuation),
            "delivery": None,
            "task_id": task_id,
            "waiting": waiting,
            "result": _text(result),
            "trace": _text(trace),
        }
        statement = _of_executor(run).values(**values)

        def change(connection: Connection) -> bool | None:
            if connection.execute(statement).rowcount != 1:
                return None
            return _deliver_early(connection, run.id, run.segment, waiting, run.executor)

        return await self._database.write(change)

    async def deliver(
        self, run_id: str, waiting: str, delivery: dict[str, Any], executor: str
    ) -> int | None:
        """Take what a callback brought for a run that waits, and queue its next segment.

        Returns:
            The segment; None if the run does not wait for this callback, or no longer.
        """
        statement = (
            update(runs)
            .where(_table.id == run_id, _table.status == PAUSED, _table.waiting == waiting)
            .values(
                status=QUEUED,
                segment=_table.segment + 1,
                delivery=_text(delivery),
                executor=executor,
                task_id=_table.task_id,
            )
            .returning(_table.segment)
        )
        return await self._database.write(
            lambda connection: connection.execute(statement).scalar_one_or_none()
        )

    async def keep_early(self, run_id: str, waiting: str, delivery: dict[str, Any]) -> None:
        """Keep a callback for a run that has not paused yet.

        A run that somebody waits for stands in no table before it pauses.
        """
        row = {
            "run": run_id,
            "waiting": waiting,
            "delivery": _text(delivery),
            "created_at_ms": _now(),
        }
        await self._database.write(
            lambda connection: connection.execute(_KEEP_CALLBACK.on(connection), row).close()
        )

    async def drop_early(self, run_id: str, waiting: str) -> None:
        """Remove a callback that was delivered in the meantime."""
        statement = _early(run_id, waiting)
        await self._database.write(lambda connection: connection.execute(statement).close())

    async def cancel(self, account: str, run_id: str) -> bool:
        """End a run that has not ended; return False if it has, or is not there."""
        statement = (
            update(runs)
            .where(_table.id == run_id, _table.account == account, _table.status.not_in(ENDED))
            .values(status=CANCELLED, ended_at_ms=_now(), continuation=None, delivery=None)
        )
        return await self._database.write(
            lambda connection: connection.execute(statement).rowcount == 1
        )

    async def take_over(self, old: str, new: str) -> Sequence[tuple[str, int]]:
        """Give an executor what another one executed, or was to; return ids and segments.

        From now on the old one, should it still live, changes nothing of them.
        """
        statement = (
            update(runs)
            .where(_table.status.in_([QUEUED, RUNNING]), _table.executor == old)
            .values(executor=new)
            .returning(_table.id, _table.segment)
        )
        return await self._database.write(
            lambda connection: [(row.id, row.segment) for row in connection.execute(statement)]
        )

    async def ended_before(self, moment_ms: int, most: int) -> Sequence[tuple[str, int]]:
        """Return id and last segment of runs that ended before a time, at most so many."""
        statement = (
            select(_table.id, _table.segment)
            .where(_table.ended_at_ms < moment_ms)
            .order_by(_table.ended_at_ms)
            .limit(most)
        )
        return await self._ids(statement)

    async def accounts_with_more_than(self, kept: int) -> Sequence[str]:
        """Return the accounts that have more ended runs than a number."""
        statement = (
            select(_table.account)
            .where(_table.ended_at_ms.is_not(None))
            .group_by(_table.account)
            .having(func.count() > kept)
        )
        return await self._database.read_long(
            lambda connection: connection.execute(statement).scalars().all()
        )

    async def oldest_beyond(self, account: str, kept: int, most: int) -> Sequence[tuple[str, int]]:
        """Return the oldest ended runs of an account that has more than a number of them, at most so many."""
        of_account = (_table.account == account, _table.ended_at_ms.is_not(None))
        newest = select(_table.number).where(*of_account).order_by(_table.number.desc())
        first_to_go = newest.limit(1).offset(kept).scalar_subquery()
        statement = (
            select(_table.id, _table.segment)
            .where(*of_account, _table.number <= first_to_go)
            .order_by(_table.number)
            .limit(most)
        )
        return await self._ids(statement)

    async def remove(self, run_ids: Sequence[str]) -> None:
        """Remove runs."""
        statement = delete(runs).where(_table.id.in_(run_ids))
        await self._database.write(lambda connection: connection.execute(statement).close())

    async def remove_early_callbacks(self, before_ms: int) -> None:
        """Remove callbacks that came before a time and whose runs never paused."""
        statement = delete(early_callbacks).where(early_callbacks.c.created_at_ms < before_ms)
        await self._database.write(lambda connection: connection.execute(statement).close())

    async def _ids(self, statement: Select[tuple[str, int]]) -> Sequence[tuple[str, int]]:
        return await self._database.read_long(
            lambda connection: [(row.id, row.segment) for row in connection.execute(statement)]
        )

    async def _change_executed(self, run: StoredRun, values: dict[str, Any]) -> bool:
        statement = _of_executor(run).values(**values)
        return await self._database.write(
            lambda connection: connection.execute(statement).rowcount == 1
        )


def queued_run(
    run_id: str,
    account: str,
    *,
    plan: dict[str, Any],
    run_input: dict[str, Any],
    workflow: str | None,
    executor: str,
    trigger: str,
    retry_of: str | None = None,
) -> StoredRun:
    """Return a new run, to be accepted; the arguments are those of `StoredRun`."""
    return StoredRun(
        id=run_id,
        account=account,
        workflow=workflow,
        status=QUEUED,
        trigger=trigger,
        retry_of=retry_of,
        segment=0,
        executor=executor,
        plan=plan,
        input=run_input,
        continuation=None,
        delivery=None,
        task_id=None,
        waiting=None,
        result={},
        trace=[],
        created_at_ms=_now(),
        started_at_ms=None,
        ended_at_ms=None,
    )


def summary(row: dict[str, Any]) -> dict[str, Any]:
    """Return what lists show of a run."""
    result = json.loads(row["result"] or "{}")
    shown = {
        "run_id": row["id"],
        "workflow": row["workflow"],
        "status": row["status"],
        "trigger": row["trigger"],
        "created_at": timestamp(row["created_at_ms"]),
        "started_at": _time(row["started_at_ms"]),
        "ended_at": _time(row["ended_at_ms"]),
    }
    if row["retry_of"] is not None:
        shown["retry_of"] = row["retry_of"]
    return shown | {name: result[name] for name in ("error", "failed_node") if name in result}


def _row(run: StoredRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "account": run.account,
        "workflow": run.workflow,
        "status": run.status,
        "trigger": run.trigger,
        "retry_of": run.retry_of,
        "segment": run.segment,
        "executor": run.executor,
        "plan": _text(run.plan),
        "input": _text(run.input),
        "continuation": None if run.continuation is None else _text(run.continuation),
        "task_id": run.task_id,
        "waiting": run.waiting,
        "result": _text(run.result),
        "trace": _text(run.trace),
        "created_at_ms": run.created_at_ms,
        "started_at_ms": run.started_at_ms,
    }


def _of_executor(run: StoredRun) -> Any:
    """Return the change of a run that takes place only as long as its executor has this segment."""
    return update(runs).where(
        _table.id == run.id,
        _table.segment == run.segment,
        _table.executor == run.executor,
        _table.status == RUNNING,
    )


def _deliver_early(
    connection: Connection, run_id: str, segment: int, waiting: str, executor: str
) -> bool:
    """Queue the next segment if the callback has come before the run paused; return whether it has."""
    key = {"run": run_id, "waiting": waiting}
    delivery = connection.execute(_CALLBACK, key).scalar_one_or_none()
    if delivery is None:
        return False
    connection.execute(
        update(runs)
        .where(_table.id == run_id)
        .values(status=QUEUED, segment=segment + 1, delivery=delivery, executor=executor)
    )
    connection.execute(_early(run_id, waiting))
    return True


def _early(run_id: str, waiting: str) -> Any:
    return delete(early_callbacks).where(
        early_callbacks.c.run == run_id, early_callbacks.c.waiting == waiting
    )


def _stored(row: dict[str, Any]) -> StoredRun:
    del row["number"]
    for name in ("plan", "input", "continuation", "delivery", "result", "trace"):
        row[name] = None if row[name] is None else json.loads(row[name])
    return StoredRun(**row)


def _text(value: Any) -> str:
    return encode(value).decode()


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else timestamp(milliseconds)


def _now() -> int:
    return int(clock.now() * 1000)
