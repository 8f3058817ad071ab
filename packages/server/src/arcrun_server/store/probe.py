"""Asking the database how it is, without waiting for it: for `/health` and `/metrics`."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from arcrun_server import clock
from arcrun_server.errors import StorageUnavailableError
from arcrun_server.store.runs import PAUSED, QUEUED, RUNNING
from arcrun_server.store.schema import properties, runs
from arcrun_server.telemetry.database_state import DatabaseState, RunCounts

if TYPE_CHECKING:
    from concurrent.futures import Future

    from sqlalchemy import Connection

    from arcrun_server.store.database import Database

# How long what the database has said is not asked for again, and what was counted.
FRESH_SECONDS = 0.25
COUNTED_SECONDS = 1.0
# How long a caller waits. Then the last state counts until the database has been silent for `SILENT_SECONDS` since it
# was asked: a machine that is busy for a moment is no failure, also if nobody has asked for an hour before.
WAIT_SECONDS = 0.075
SILENT_SECONDS = 1.0

_status = runs.c.status
# They read the index of the status, and one row: the runs that have ended may be many.
_COUNTS = (
    select(_status, func.count())
    .where(or_(*(_status == status for status in (QUEUED, RUNNING, PAUSED))))
    .group_by(_status)
)
_OLDEST = select(runs.c.created_at_ms).where(
    runs.c.number == select(func.min(runs.c.number)).where(_status == QUEUED).scalar_subquery()
)
_RESPONDS = select(properties.c.name).limit(1)

_log = logging.getLogger("arcrun_server.store")


class Probe:
    """Asks a database whether it responds, and counts its runs: each in a thread of its own, so that neither waits for the other.

    Args:
        database: The database, which has just been opened.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="arcrun-probe")
        self._asking: Future[None] | None = None
        self._counting: Future[None] | None = None
        # Whether the database has responded, and when it has said so; it was opened just now, which is to be confirmed.
        self._ok = True
        self._answered = monotonic() - FRESH_SECONDS
        self._asked = 0.0
        self._runs: RunCounts | None = None
        self._counted = -COUNTED_SECONDS

    async def begin(self) -> None:
        """Ask for the first time, and wait for the answer."""
        await asyncio.to_thread(self._count)

    async def state(self) -> DatabaseState:
        """Return how the database is, within `WAIT_SECONDS` whatever it does."""
        now = monotonic()
        if now - self._answered >= FRESH_SECONDS and _has_ended(self._asking):
            self._asked = now
            self._asking = self._threads.submit(self._ask)
        if now - self._counted >= COUNTED_SECONDS and _has_ended(self._counting):
            self._counted = now
            self._counting = self._threads.submit(self._count)
        going_on = [each for each in (self._asking, self._counting) if each and not each.done()]
        if going_on:
            await asyncio.wait(
                [asyncio.wrap_future(each) for each in going_on], timeout=WAIT_SECONDS
            )
        ok = self._ok and not self._is_silent()
        return DatabaseState(ok=ok, kind=self._database.kind, runs=self._runs if ok else None)

    def _is_silent(self) -> bool:
        """Return whether the database owes an answer for `SILENT_SECONDS`."""
        if _has_ended(self._asking):
            return False
        return monotonic() - self._asked >= SILENT_SECONDS

    def close(self) -> None:
        """Wait for the questions that are asked."""
        self._threads.shutdown()

    def _ask(self) -> None:
        try:
            self._database.read_long_now(_respond)
        except StorageUnavailableError as error:
            if self._ok:
                _log.warning("the database can't be used: %s", error.reason)
            self._ok = False
        else:
            if not self._ok:
                _log.warning("the database can be used again")
            self._ok = True
        self._answered = monotonic()

    def _count(self) -> None:
        try:
            self._runs = self._database.read_long_now(_count)
        except StorageUnavailableError:
            self._runs = None


def _has_ended(question: Future[None] | None) -> bool:
    return question is None or question.done()


def _respond(connection: Connection) -> None:
    connection.execute(_RESPONDS).close()


def _count(connection: Connection) -> RunCounts:
    found = {row[0]: row[1] for row in connection.execute(_COUNTS)}
    oldest = connection.execute(_OLDEST).scalar() if found.get(QUEUED) else None
    return RunCounts(
        queued=found.get(QUEUED, 0),
        running=found.get(RUNNING, 0),
        paused=found.get(PAUSED, 0),
        oldest_queued_seconds=(
            0.0 if oldest is None else max(0.0, round(clock.now() - oldest / 1000, 3))
        ),
    )
