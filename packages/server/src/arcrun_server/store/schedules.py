"""The schedules of workflows: when each runs next by itself (docs/contract.md#schedules)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from arcrun_server.engine.schedule import Schedule
from arcrun_server.store.database import Query
from arcrun_server.store.schema import schedules, workflows
from arcrun_server.store.upserts import Upsert

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from arcrun_server.store.database import Database

_table = schedules.c
_OF_WORKFLOW = (
    _table.account == bindparam("account"),
    _table.workflow == bindparam("workflow"),
)
_SELECT = select(_table.expr, _table.timezone, _table.next_ms).where(*_OF_WORKFLOW)
_ONE = Query(_SELECT)
_EARLIEST = Query(select(func.min(_table.next_ms)))
_DUE = Query(
    select(_table.account, _table.workflow, _table.expr, _table.timezone, _table.next_ms)
    .where(_table.next_ms <= bindparam("now"))
    .order_by(_table.next_ms)
    .limit(bindparam("most"))
)
_WORKFLOW = select(workflows.c.name).where(
    workflows.c.account == bindparam("account"), workflows.c.name == bindparam("workflow")
)
_PUT = Upsert(schedules, replaced=["expr", "timezone", "next_ms"])
_REMOVE = delete(schedules).where(*_OF_WORKFLOW)


class Tick(NamedTuple):
    """A time at which a workflow is to run.

    Attributes:
        account: Whose workflow it is.
        workflow: Its name.
        schedule: When it runs.
        time_ms: The time, in milliseconds since 1970.
    """

    account: str
    workflow: str
    schedule: Schedule
    time_ms: int


class Schedules:
    """The schedules of all accounts of one database.

    Attributes:
        changed: Set when this process has changed one, for whoever waits for the next tick.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.changed = asyncio.Event()

    async def get(self, account: str, workflow: str) -> Schedule | None:
        """Return the schedule of a workflow, or None."""
        rows = await self._database.rows(_ONE, account=account, workflow=workflow)
        return Schedule(rows[0][0], rows[0][1]) if rows else None

    async def set(self, account: str, workflow: str, schedule: Schedule, next_ms: int) -> bool:
        """Give a workflow a schedule; return False if there is no such workflow.

        Args:
            account: Whose workflow it is.
            workflow: Its name.
            schedule: When it runs; the schedule that it has keeps its next time.
            next_ms: When it runs next.
        """
        of_workflow = {"account": account, "workflow": workflow}

        def change(connection: Connection) -> bool:
            if connection.execute(_WORKFLOW, of_workflow).first() is None:
                return False
            put(connection, Tick(account, workflow, schedule, next_ms))
            return True

        try:
            found = await self._database.write(change)
        except IntegrityError:
            return False  # it was deleted meanwhile
        self.changed.set()
        return found

    async def remove(self, account: str, workflow: str) -> None:
        """Remove the schedule of a workflow, if it has one."""
        await self._database.write(lambda connection: remove(connection, account, workflow))

    async def earliest_ms(self) -> int | None:
        """Return the earliest time at which a workflow is to run, or None."""
        [(earliest,)] = await self._database.rows(_EARLIEST)
        return None if earliest is None else int(earliest)

    async def due(self, now_ms: int, most: int) -> list[Tick]:
        """Return the ticks whose time has come, earliest first, at most so many."""
        rows = await self._database.rows(_DUE, now=now_ms, most=most)
        return [
            Tick(account, workflow, Schedule(expr, timezone), time_ms)
            for account, workflow, expr, timezone, time_ms in rows
        ]

    async def advance(self, tick: Tick, next_ms: int) -> None:
        """Note that a tick is done, and when the next one is; if another process has done so, nothing changes."""
        statement = (
            update(schedules)
            .where(
                _table.account == tick.account,
                _table.workflow == tick.workflow,
                _table.next_ms == tick.time_ms,
            )
            .values(next_ms=next_ms)
        )
        await self._database.write(lambda connection: connection.execute(statement).close())


def put(connection: Connection, first: Tick) -> None:
    """Give a workflow a schedule within a transaction.

    The schedule that it has keeps its next time, unless that is later than the first one could be: the clock was wrong.
    """
    of_workflow = {"account": first.account, "workflow": first.workflow}
    row = connection.execute(_SELECT, of_workflow).first()
    same = row is not None and Schedule(row.expr, row.timezone) == first.schedule
    if row is not None and same and row.next_ms <= first.time_ms:
        return
    fields = {"expr": first.schedule.expr, "timezone": first.schedule.timezone}
    connection.execute(
        _PUT.on(connection), {**of_workflow, **fields, "next_ms": first.time_ms}
    ).close()


def remove(connection: Connection, account: str, workflow: str) -> None:
    """Remove the schedule of a workflow within a transaction."""
    connection.execute(_REMOVE, {"account": account, "workflow": workflow}).close()
