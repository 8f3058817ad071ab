"""The runs that the engine has accepted: what they need to be executed, how far they are, and how they ended.

A run is executed in segments: one up to its first pause, and one more for each time it is resumed. Each change of a run
names the segment, and each change by a process that executes it also the process (its *executor*), so that a process
that has lost a run without knowing it changes nothing (docs/contract.md#runs).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from arcrun_server import clock
from arcrun_server.json_text import encode
from arcrun_server.store import admission
from arcrun_server.store.admission import NOBODY, Segment, WorkflowFullError
from arcrun_server.store.database import Query
from arcrun_server.store.left_runs import ALL_LEFT, EXECUTORS, ONE_LEFT, taking_over
from arcrun_server.store.pages import PagedQuery
from arcrun_server.store.schema import runs
from arcrun_server.store.workflows import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

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
_STAGE = Query(select(_table.status, _table.segment).where(_table.id == bindparam("id")))
_STATUS = Query(select(_table.status).where(_table.id == bindparam("id")))


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
        max_running: How many runs of its workflow may go on at the same time, itself included; None for any number.
        segment: Number of the segment that is executed, or is next.
        executor: The process that executes it, or was to.
        plan: What it needs to be executed besides its input.
        input: Its input.
        continuation: Its state, if it has paused.
        delivery: What a callback has brought for the segment, and the place of the node that it is for.
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
    max_running: int | None
    segment: int
    executor: str
    plan: dict[str, Any]
    input: dict[str, Any]
    continuation: dict[str, Any] | None
    delivery: dict[str, Any] | None
    result: dict[str, Any]
    trace: list[dict[str, Any]]
    created_at_ms: int
    started_at_ms: int | None
    ended_at_ms: int | None


class Acceptance(NamedTuple):
    """What became of a run that was to be accepted.

    Attributes:
        is_new: Whether it is stored now, and was not before.
        waits: Whether it waits until other runs of its workflow have ended.
    """

    is_new: bool
    waits: bool = False


class Cancelled(NamedTuple):
    """How far a run was that was cancelled.

    Attributes:
        status: Its status until then.
        segment: The number of the segment that was executed, or was next.
        startable: What can be started now: the runs that have waited for its end.
    """

    status: str
    segment: int
    startable: Sequence[Segment]


class Runs:
    """The runs of all accounts of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(self, run: StoredRun, *, refuse: bool = False) -> Acceptance:
        """Store a run; if there is one of this id, it stays as it is.

        Args:
            run: The run.
            refuse: Whether it is refused if `max_running` of its workflow's runs go on; otherwise it waits.

        Raises:
            WorkflowFullError: It is refused.
        """

        def change(connection: Connection) -> Acceptance:
            return Acceptance(is_new=True, waits=insert_queued(connection, run, refuse=refuse))

        try:
            return await self._database.write(change)
        except IntegrityError:
            if await self.status(run.id) is None:
                raise  # it is not the id that is taken
            return Acceptance(is_new=False)

    async def get(self, run_id: str) -> StoredRun | None:
        """Return a run, or None."""
        rows = await self._database.rows(_ONE, id=run_id)
        if not rows:
            return None
        return _stored(dict(zip(_ONE.columns, rows[0], strict=True)))

    async def status(self, run_id: str) -> str | None:
        """Return a run's status, or None."""
        rows = await self._database.rows(_STATUS, id=run_id)
        return None if not rows else str(rows[0][0])

    async def stage(self, run_id: str) -> tuple[str, int] | None:
        """Return a run's status and segment, or None."""
        rows = await self._database.rows(_STAGE, id=run_id)
        return (rows[0][0], rows[0][1]) if rows else None

    async def list(
        self, account: str, request: PageRequest, *, workflow: str | None, status: str | None
    ) -> Page:
        """Return a page of an account's runs, newest first."""
        query = _LISTS[workflow is not None, status is not None]
        filters = {"workflow": workflow, "status": status}
        given = {name: value for name, value in filters.items() if value is not None}
        page = await query.page(self._database, request, account=account, **given)
        return replace(page, entries=[_listed(entry) for entry in page.entries])

    async def left_by(self, executor: str) -> Sequence[Segment]:
        """Return id and segment of the runs that an executor executes, or was to."""
        rows = await self._database.rows(ALL_LEFT, executor=executor)
        return [(row[0], row[1]) for row in rows]

    async def any_left_by(self, executor: str) -> bool:
        """Return whether there is one of them."""
        return bool(await self._database.rows(ONE_LEFT, executor=executor))

    async def executors(self) -> set[str]:
        """Return the names of those who execute runs, or were to."""
        return {str(row[0]) for row in await self._database.rows(EXECUTORS)}

    async def any_waits(self) -> bool:
        """Return whether a run waits until other runs of its workflow have ended."""
        return bool(await self._database.read(admission.workflows_with_waiting))

    async def begin(self, run_id: str, segment: int, executor: str) -> StoredRun | None:
        """Note that an executor executes a segment from now on; return None if it is not to be executed."""
        statement = (
            update(runs)
            .where(
                _table.id == run_id,
                _table.segment == segment,
                _table.status.in_([QUEUED, RUNNING]),
                _table.executor != NOBODY,
            )
            .values(
                status=RUNNING,
                executor=executor,
                started_at_ms=func.coalesce(_table.started_at_ms, now_ms()),
            )
            .returning(*runs.c)
        )

        def change(connection: Connection) -> dict[str, Any] | None:
            row = connection.execute(statement).mappings().first()
            return None if row is None else dict(row)

        begun = await self._database.write(change)
        return None if begun is None else _stored(begun)

    async def settle(self, run_id: str) -> None:
        """Return when all that was written before is on disk, whichever connection wrote it."""
        statement = update(runs).where(_table.id == run_id).values(executor=_table.executor)
        await self._database.write(lambda connection: connection.execute(statement).close())

    async def end(
        self,
        run: StoredRun,
        status: str,
        result: dict[str, Any],
        trace: Sequence[Any],
        following: StoredRun | None = None,
    ) -> Sequence[Segment] | None:
        """Record how a run ended.

        Args:
            run: The run.
            status: How it ended.
            result: What is kept of that.
            trace: What its nodes were given and returned.
            following: A run that is accepted with that, unless there is one of its id.

        Returns:
            What can be started now: the runs that have waited for its end, and the following one. None if this
            executor no longer has it.
        """
        values = {
            "status": status,
            "result": json_of(result),
            "trace": json_of(trace),
            "continuation": None,
            "delivery": None,
            "ended_at_ms": now_ms(),
        }
        statement = of_executor(run).values(**values)

        def change(connection: Connection) -> Sequence[Segment] | None:
            lock_workflow(connection, run)
            if connection.execute(statement).rowcount != 1:
                return None
            released = admission.release(connection, run.account, run.workflow, run.executor)
            if following is not None and _is_accepted(connection, following):
                released.append((following.id, following.segment))
            return released

        return await self._database.write(change)

    async def cancel(self, run: StoredRun, executor: str) -> Cancelled | None:
        """End a run that has not ended.

        Args:
            run: The run.
            executor: Who starts the runs that have waited for its end.

        Returns:
            How far it was; None if it has ended.
        """
        found = select(_table.status, _table.segment).where(_table.id == run.id).with_for_update()
        statement = (
            update(runs)
            .where(_table.id == run.id, _table.status.not_in(ENDED))
            .values(status=CANCELLED, ended_at_ms=now_ms(), continuation=None, delivery=None)
        )

        def change(connection: Connection) -> Cancelled | None:
            lock_workflow(connection, run)
            before = connection.execute(found).first()
            if before is None or connection.execute(statement).rowcount != 1:
                return None
            released = admission.release(connection, run.account, run.workflow, executor)
            return Cancelled(before.status, before.segment, released)

        return await self._database.write(change)

    async def release_waiting(self, executor: str) -> Sequence[Segment]:
        """Give an executor the runs that wait though there is room for them, and return what it can start.

        There are such if a run ended that was accepted before its workflow said how many may go on.
        """

        def change(connection: Connection, account: str, workflow: str) -> list[Segment]:
            admission.lock(connection, account, workflow)
            return admission.release(connection, account, workflow, executor)

        found = await self._database.read(admission.workflows_with_waiting)
        released: list[Segment] = []
        for account, workflow in found:
            released += await self._database.write(
                partial(change, account=account, workflow=workflow)
            )
        return released

    async def take_over(self, old: str, new: str, *, most: int | None = None) -> Sequence[Segment]:
        """Give an executor what another one executed, or was to, or the oldest of it; return ids and segments.

        From now on the old one, should it still live, changes nothing of them. Two that take from one at the same moment
        take different runs.
        """
        statement = taking_over(old, new, most)
        return await self._database.write(
            lambda connection: [(row.id, row.segment) for row in connection.execute(statement)]
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
    max_running: int | None = None,
) -> StoredRun:
    """Return a new run, to be accepted; the arguments are those of `StoredRun`."""
    return StoredRun(
        id=run_id,
        account=account,
        workflow=workflow,
        status=QUEUED,
        trigger=trigger,
        retry_of=retry_of,
        max_running=max_running,
        segment=0,
        executor=executor,
        plan=plan,
        input=run_input,
        continuation=None,
        delivery=None,
        result={},
        trace=[],
        created_at_ms=now_ms(),
        started_at_ms=None,
        ended_at_ms=None,
    )


def summary(run: dict[str, Any]) -> dict[str, Any]:
    """Return what lists show of a run, given the fields of `StoredRun` that are named here."""
    shown = {
        "run_id": run["id"],
        "workflow": run["workflow"],
        "status": run["status"],
        "trigger": run["trigger"],
        "created_at": timestamp(run["created_at_ms"]),
        "started_at": _time(run["started_at_ms"]),
        "ended_at": _time(run["ended_at_ms"]),
    }
    if run["retry_of"] is not None:
        shown["retry_of"] = run["retry_of"]
    noted = ["error", "failed_node"]
    if run["status"] == PAUSED:
        noted += ["task_id", "paused_node_id"]
    return shown | {name: run["result"][name] for name in noted if name in run["result"]}


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    return summary({**row, "result": json.loads(row["result"] or "{}")})


def row_of(run: StoredRun) -> dict[str, Any]:
    """Return the row of a new run."""
    return {
        "id": run.id,
        "account": run.account,
        "workflow": run.workflow,
        "status": run.status,
        "trigger": run.trigger,
        "retry_of": run.retry_of,
        "max_running": run.max_running,
        "segment": run.segment,
        "executor": run.executor,
        "plan": json_of(run.plan),
        "input": json_of(run.input),
        "continuation": None if run.continuation is None else json_of(run.continuation),
        "result": json_of(run.result),
        "trace": json_of(run.trace),
        "created_at_ms": run.created_at_ms,
        "started_at_ms": run.started_at_ms,
    }


def insert_queued(connection: Connection, run: StoredRun, *, refuse: bool = False) -> bool:
    """Insert a new run; return whether it waits until other runs of its workflow have ended.

    Raises:
        WorkflowFullError: It would have to wait, and is refused instead.
    """
    lock_workflow(connection, run)
    waits = (
        run.max_running is not None
        and run.workflow is not None
        and admission.is_full(connection, run.account, run.workflow, run.max_running)
    )
    row = row_of(run)
    connection.execute(_INSERT, row | {"executor": NOBODY} if waits else row)
    if waits and refuse:
        raise WorkflowFullError(
            run.max_running or 0
        )  # after the insert: a run of this id counts first
    return waits


def lock_workflow(connection: Connection, run: StoredRun) -> None:
    """Let nobody else count the runs of a workflow that limits them, until this transaction has ended."""
    if run.max_running is not None and run.workflow is not None:
        admission.lock(connection, run.account, run.workflow)


def _is_accepted(connection: Connection, run: StoredRun) -> bool:
    """Insert a run unless there is one of its id; return whether it can be started."""
    exists = select(_table.id).where(_table.id == run.id)
    return connection.execute(exists).first() is None and not insert_queued(connection, run)


def of_executor(run: StoredRun) -> Any:
    """Return the change of a run that takes place only as long as its executor has this segment."""
    return update(runs).where(
        _table.id == run.id,
        _table.segment == run.segment,
        _table.executor == run.executor,
        _table.status == RUNNING,
    )


def _stored(row: dict[str, Any]) -> StoredRun:
    del row["number"]
    for name in ("plan", "input", "continuation", "delivery", "result", "trace"):
        row[name] = None if row[name] is None else json.loads(row[name])
    return StoredRun(**row)


def json_of(value: Any) -> str:
    """Write a value as JSON, as the table has it."""
    return encode(value).decode()


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else timestamp(milliseconds)


def now_ms() -> int:
    """Return the time in milliseconds since 1970."""
    return int(clock.now() * 1000)
