"""The runs that have ended, for whoever removes the oldest of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from arcrun_server.store.schema import runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Executable

    from arcrun_server.store.admission import Segment
    from arcrun_server.store.database import Database

_table = runs.c


class EndedRuns:
    """The runs of all accounts of one database that have ended."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def before(self, moment_ms: int, most: int) -> Sequence[Segment]:
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

    async def oldest_beyond(self, account: str, kept: int, most: int) -> Sequence[Segment]:
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

    async def _ids(self, statement: Executable) -> Sequence[Segment]:
        return await self._database.read_long(
            lambda connection: [(row.id, row.segment) for row in connection.execute(statement)]
        )
