"""Executing what was accepted, whatever process dies: DBOS behind a protocol of ours.

All that this engine knows of DBOS, and of its database, stands in this file. A segment of a run is a DBOS workflow
whose id is `RUN:SEGMENT`; its only arguments are these two, since the run itself stands in our own table. A step is a
DBOS step whose name is its place in the run, and whose number comes from that name: DBOS numbers steps in the order in
which they are called, and elements of a FOREACH that run at the same time call them in any order. Starting a segment
again under the same id does nothing.

DBOS is one to a process. It is imported when it is needed: that takes longer than all else that a server does to start.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import column, select, table
from sqlalchemy.exc import SQLAlchemyError

from arcrun_server.engine.cancellation import end_tasks
from arcrun_server.errors import StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from sqlalchemy import Engine

# Recovery is for runs of this version only. It changes with what a recorded step means, not with each release.
APPLICATION_VERSION = "arcrun-1"
_WORKFLOW = "arcrun.segment"
_QUEUE = "arcrun-runs"
# How often a process looks for queued segments. It starts its own at once as long as it has room.
_POLL_SECONDS = 0.2
# Nothing here waits for notifications of DBOS; its end waits for this long.
_NO_NOTIFICATIONS_SECONDS = 1.0
_NO_SCHEDULES_SECONDS = 3600.0
# They wait for the database. The loop's own threads are these too from then on.
_THREADS = 16

_URLS = {"sqlite": "sqlite:///arcrun.db", "postgresql": "postgresql://localhost/arcrun"}

# The queues by which a segment is started: none, ours, and that of DBOS's recovery.
_BY = rf"(?:None|{_QUEUE}|_dbos_internal_queue)"
_OTHER_QUEUE = re.compile(
    rf"Workflow already exists in queue: {_BY}, but the provided queue name is: {_BY}\. "
)

_log = logging.getLogger("arcrun_server.runs")


class SegmentLostError(Exception):
    """Another execution of this segment goes on, so that this one must end and record nothing."""


class DurableExecution(Protocol):
    """Executes segments of runs until they have returned, in this process or in another one."""

    async def launch(self, execute: Callable[[str, int], Awaitable[None]]) -> None:
        """Begin to execute segments.

        Args:
            execute: Executes a segment; given the run's id and the segment's number.
        """
        ...

    @property
    def room(self) -> int:
        """Return how many more segments this process could execute now."""
        ...

    async def start(self, run: str, segment: int) -> None:
        """Have a segment executed; nothing if it has been started before."""
        ...

    async def step(self, place: str, work: Callable[[], Coroutine[Any, Any, str]]) -> str:
        """Return what the work at this place of the run returned, now or in an earlier execution.

        To be called while a segment is executed. The work must not raise.

        Raises:
            SegmentLostError: This execution is no longer the one that counts.
            StorageUnavailableError: The record can't be read or written now.
        """
        ...

    async def steps(self, run: str, segments: int) -> dict[str, str]:
        """Return what the steps of a run's first segments returned, by place, in their order."""
        ...

    async def cancel(self, run: str, segment: int) -> None:
        """Have a segment not executed any more."""
        ...

    async def executors(self) -> set[str]:
        """Return the names of those who execute segments now, or have left some that have begun."""
        ...

    async def recover(self, executors: Sequence[str]) -> None:
        """Execute what other executors have left, which are known to have ended."""
        ...

    async def forget(self, segments: Sequence[tuple[str, int]]) -> None:
        """Remove what was recorded of segments that have ended, and of those before them."""
        ...

    async def aclose(self) -> None:
        """Stop: what is being executed stays to be executed."""
        ...


class DbosExecution:
    """Durable execution by DBOS.

    Args:
        connect: Returns an engine for the tables of DBOS, which stand in our own database, and their schema.
        executor: Names this process; what it leaves behind is recovered under this name.
        at_once: How many segments this process executes at once.
    """

    def __init__(
        self,
        connect: Callable[[], tuple[Engine, str | None]],
        executor: str,
        at_once: int,
    ) -> None:
        self._connect = connect
        self._engine: Engine | None = None
        self._schema: str | None = None
        self._executor = executor
        self._at_once = at_once
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        # Those of segments that have returned too: DBOS records that, or waits for what another execution records.
        self._open: set[asyncio.Task[Any]] = set()
        self._dbos: Any = None
        self._segment: Any = None
        self._closed = False
        # The numbers of the steps of the segment that is executed, and their names.
        self._taken: ContextVar[dict[int, str]] = ContextVar("taken")

    async def launch(self, execute: Callable[[str, int], Awaitable[None]]) -> None:
        """Import DBOS, create or upgrade its tables, and recover what this executor has left."""
        try:
            await self._launch(execute)
        except BaseException:
            await self.aclose()  # half of it stands; DBOS is one to a process
            raise

    async def _launch(self, execute: Callable[[str, int], Awaitable[None]]) -> None:
        await asyncio.to_thread(_import)
        engine, schema = await asyncio.to_thread(self._connect)
        self._engine, self._schema = engine, schema
        from dbos import DBOS, DBOSPortableJSONSerializer  # noqa: PLC0415

        _log_as_we_do()

        # The queue counts those that it starts, and not those that are started at once.
        room = asyncio.Semaphore(self._at_once)

        async def segment(run: str, number: int) -> None:
            if self._closed:  # a thread of DBOS has taken it from the queue in the meantime
                raise asyncio.CancelledError
            task = asyncio.current_task()
            assert task is not None, "a coroutine runs in a task"  # noqa: S101
            self._tasks[_id(run, number)] = task
            self._open.add(task)
            task.add_done_callback(self._open.discard)
            self._taken.set({})
            try:
                async with room:
                    await execute(run, number)
            finally:
                del self._tasks[_id(run, number)]

        self._dbos = DBOS(
            config={
                "name": "arcrun",
                # It says which database this is, and nothing is reached by it: the engine connects.
                "system_database_url": _URLS[engine.dialect.name],
                "system_database_engine": engine,
                "dbos_system_schema": schema or "main",
                "application_version": APPLICATION_VERSION,
                "executor_id": self._executor,
                "serializer": DBOSPortableJSONSerializer(),
                "use_listen_notify": False,
                "notification_listener_polling_interval_sec": _NO_NOTIFICATIONS_SECONDS,
                "scheduler_polling_interval_sec": _NO_SCHEDULES_SECONDS,
                "log_level": "WARNING",
                "max_executor_threads": _THREADS,
            }
        )
        self._segment = DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None)(segment)
        DBOS.launch()
        await asyncio.to_thread(self._register_queue)

    @property
    def room(self) -> int:
        """Return how many segments may still begin here."""
        return max(self._at_once - len(self._tasks), 0)

    async def start(self, run: str, segment: int) -> None:
        """Execute it in this process if it has room, else queue it for any."""
        from dbos import DBOS, SetWorkflowID  # noqa: PLC0415

        with SetWorkflowID(_id(run, segment)):
            if self.room:
                await DBOS.start_workflow_async(self._segment, run, segment)
            else:
                await DBOS.enqueue_workflow_async(_QUEUE, self._segment, run, segment)

    async def step(self, place: str, work: Callable[[], Coroutine[Any, Any, str]]) -> str:
        """Run a DBOS step."""
        from dbos import DBOS  # noqa: PLC0415
        from dbos import error as errors  # noqa: PLC0415

        if self._closed:
            raise asyncio.CancelledError
        taken = self._taken.get()
        number = _number(place)
        while True:
            # Two names may come to the same number: then the next one that is free, or has this name.
            while taken.setdefault(number, place) != place:
                number += 1
            step = DBOS.reserve_step()
            step._step_ctx.function_id = number  # noqa: SLF001
            try:
                recorded: str = await step.run_async({"name": place}, work)
            except (errors.DBOSWorkflowCancelledError, errors.DBOSWorkflowConflictIDError):
                raise SegmentLostError from None
            except (SQLAlchemyError, errors.DBOSQueryTimeoutError) as error:
                # The same again, when the database is there again: the step was recorded, or it is repeated.
                raise StorageUnavailableError(type(error).__name__) from None
            except errors.DBOSUnexpectedStepError:
                taken[number] = ""  # what was recorded there is of another name
            else:
                return recorded

    async def steps(self, run: str, segments: int) -> dict[str, str]:
        """Read the records of DBOS's steps."""
        from dbos import DBOS  # noqa: PLC0415

        found = {}
        for segment in range(segments):
            for step in await DBOS.list_workflow_steps_async(_id(run, segment)):
                if isinstance(step["output"], str):
                    found[step["function_name"]] = step["output"]
        return found

    async def cancel(self, run: str, segment: int) -> None:
        """Cancel the DBOS workflow, and the task if it is ours."""
        from dbos import DBOS  # noqa: PLC0415

        await DBOS.cancel_workflow_async(_id(run, segment))
        task = self._tasks.get(_id(run, segment))
        if task is not None:
            task.cancel()

    async def executors(self) -> set[str]:
        """Read them from DBOS's table; it has an index of what has begun and not ended."""
        return await asyncio.to_thread(self._executors)

    def _executors(self) -> set[str]:
        assert self._engine is not None, "it is launched"  # noqa: S101
        workflows = table(
            "workflow_status", column("executor_id"), column("status"), schema=self._schema
        )
        begun = workflows.c.status == "PENDING"
        names = select(workflows.c.executor_id).where(begun).distinct()
        with self._engine.connect() as connection:
            return set(connection.execute(names).scalars())

    async def recover(self, executors: Sequence[str]) -> None:
        """Queue what they have left: whoever takes a segment from the queue is the only one."""
        from dbos import DBOS  # noqa: PLC0415

        await asyncio.to_thread(DBOS._recover_pending_workflows, list(executors))  # noqa: SLF001

    async def forget(self, segments: Sequence[tuple[str, int]]) -> None:
        """Delete the DBOS workflows with their steps."""
        from dbos import DBOS  # noqa: PLC0415

        ids = [_id(run, number) for run, last in segments for number in range(last + 1)]
        if ids:
            await DBOS.delete_workflows_async(ids)

    async def aclose(self) -> None:
        """Cancel the tasks, then end DBOS. It waits for threads, so it runs in one."""
        self._closed = True
        if self._dbos is not None:
            # Its threads would go on to take segments from the queues, which nothing here executes any more.
            for stop in self._dbos.background_thread_stop_events:
                stop.set()
        # A segment that went on would wait for another execution of itself, it may be for ever.
        await end_tasks(self._open)
        loop = asyncio.get_running_loop()
        ending = ThreadPoolExecutor(1, thread_name_prefix="arcrun-end-of-dbos")
        await loop.run_in_executor(ending, self._end)
        ending.shutdown(wait=False)
        # DBOS made its own threads those of `asyncio.to_thread`, and has ended them.
        loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))

    def _end(self) -> None:
        from dbos import DBOS  # noqa: PLC0415

        DBOS.destroy(destroy_registry=True)
        if self._engine is not None:
            self._engine.dispose()

    def _register_queue(self) -> None:
        from dbos import DBOS  # noqa: PLC0415

        DBOS.register_queue(
            _QUEUE, worker_concurrency=self._at_once, polling_interval_sec=_POLL_SECONDS
        )


def _import() -> None:
    import dbos  # noqa: F401, PLC0415


class _StartedTwice(logging.Filter):
    """Drops DBOS's warning that a segment was started again, and not as the first time.

    A process that takes up what another one has left starts it directly, while DBOS recovers it by a queue of its own.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return not _OTHER_QUEUE.match(record.getMessage())


_STARTED_TWICE = _StartedTwice()


def _log_as_we_do() -> None:
    """Let DBOS's warnings go where ours go, and nowhere else."""
    logger = logging.getLogger("dbos")
    logger.addFilter(_STARTED_TWICE)
    logger.propagate = False
    ours = logging.getLogger("arcrun_server")
    logger.handlers = list(ours.handlers)


def _number(name: str) -> int:
    """Return the number of a step, above those that DBOS gives: 31 bits, as its tables have it."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return 1_000_000 + int.from_bytes(digest[:8], "big") % 2_000_000_000


def _id(run: str, segment: int) -> str:
    return f"{run}:{segment}"
