"""The pool of workers: starts them when they are needed, ends those that take too long, replaces those that died."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from arcrun_server.engine.cancellation import within

from . import process
from .process import REQUEST, RESPONSE

SIZE = 2
SECONDS = 5.0
WAIT_SECONDS = 10.0
# What a worker may return. One that a defect has taken over could announce gigabytes.
MOST_BYTES = 64 * 1024 * 1024
_START_SECONDS = 30.0
# How often a worker is started for a job, if others end it before it can begin, and how often a job is begun.
_STARTS = 5
_RUNS = 5
# After so many workers that the job itself has ended, nobody else is to blame.
_ENDED_BY_JOB = 2
# Signals that end a process from outside: what it did says nothing of why.
_FROM_OUTSIDE = frozenset(
    -getattr(signal, name)
    for name in ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")
    if hasattr(signal, name)
)
# What a worker inherits: enough to find Python's modules, and none of the server's settings, which hold secrets.
_INHERITED = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "SYSTEMROOT", "LD_LIBRARY_PATH")


class WorkerError(Exception):
    """A job brought no result."""


class WorkerTimeoutError(WorkerError):
    """A job was ended because its time was over."""


class WorkerBusyError(WorkerError):
    """No worker became free in time, or others ended every worker that began the job: it may run at another time."""


class WorkerFailedError(WorkerError):
    """A job failed, or ended its worker twice, for example because it needed too much memory."""


class _WorkerDiedError(Exception):
    """A worker ended before its job.

    Args:
        by_job: Whether the job did that, as far as the exit code tells.
    """

    def __init__(self, *, by_job: bool) -> None:
        super().__init__()
        self.by_job = by_job


@dataclass(frozen=True)
class Job:
    """A function that workers call, from bytes to bytes.

    Args:
        module: Its module, one of ours.
        function: Its name there.
    """

    module: str
    function: str

    @property
    def name(self) -> bytes:
        """Return the name under which a worker finds the function."""
        return f"{self.module}:{self.function}".encode()


class WorkerPool:
    """Runs jobs in child processes.

    Args:
        size: How many processes there are at most.
        wait_seconds: How long a job waits for one that is free.
    """

    def __init__(self, size: int = SIZE, wait_seconds: float = WAIT_SECONDS) -> None:
        self._free = asyncio.Semaphore(size)
        self._wait_seconds = wait_seconds
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()

    async def run(self, job: Job, *payload: bytes, seconds: float = SECONDS) -> bytes:
        """Run a job and return what it returned. One whose worker died is tried again.

        Args:
            job: The job.
            payload: What it is given, in parts, so that nobody has to copy what is large.
            seconds: How long it may take.

        Raises:
            WorkerTimeoutError: It took longer.
            WorkerBusyError: No worker became free in time, or all of them were killed.
            WorkerFailedError: It failed, or ended its worker by itself, and another one after that.
        """
        try:
            await within(self._wait_seconds, self._free.acquire())
        except asyncio.TimeoutError:
            raise WorkerBusyError("no worker became free in time") from None
        try:
            return await self._run_again(job, payload, seconds)
        finally:
            self._free.release()

    async def aclose(self) -> None:
        """End all workers."""
        for worker in list(self._all):
            await self._end(worker)

    async def _run_again(self, job: Job, payload: tuple[bytes, ...], seconds: float) -> bytes:
        ended_by_job = 0
        for _ in range(_RUNS):
            try:
                return await self._run(job, payload, seconds)
            except _WorkerDiedError as death:
                ended_by_job += death.by_job
            if ended_by_job == _ENDED_BY_JOB:
                raise WorkerFailedError("the worker died twice")
        raise WorkerBusyError("every worker was killed")

    async def _run(self, job: Job, payload: tuple[bytes, ...], seconds: float) -> bytes:
        worker = await self._ready(job)
        try:
            returned, answer = await within(seconds, worker.ask(job, payload, seconds))
        except BaseException as problem:
            # Also when it is cancelled: what the worker does now is of no use to anybody.
            await asyncio.shield(self._end(worker))
            if isinstance(problem, asyncio.TimeoutError):
                raise WorkerTimeoutError(f"it took longer than {seconds:g} s") from None
            if isinstance(problem, (EOFError, OSError)):
                raise _WorkerDiedError(by_job=worker.ended_by_itself) from None
            raise
        self._idle.append(worker)
        if not returned:
            raise WorkerFailedError(answer.decode())
        return answer

    async def _ready(self, job: Job) -> _Worker:
        """Return a worker that has loaded a job's module. One that dies before that says nothing of the job."""
        for _ in range(_STARTS):
            with suppress(EOFError, OSError, asyncio.TimeoutError):
                return await self._loaded(job)
        raise WorkerBusyError("no worker could be started")

    async def _loaded(self, job: Job) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                break
            await self._end(worker)
        else:
            worker = await self._start()
        if job.module in worker.loaded:
            return worker
        try:  # the job's own time begins when its module is there
            loading = worker.ask(Job(job.module, ""), (), _START_SECONDS)
            await within(_START_SECONDS, loading)
        except BaseException:
            await asyncio.shield(self._end(worker))
            raise
        worker.loaded.add(job.module)
        return worker

    async def _start(self) -> _Worker:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(process.__file__)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in _INHERITED if name in os.environ}
            | {"PYTHONSAFEPATH": "1"},
        )
        worker = _Worker(child)
        self._all.add(worker)
        return worker

    async def _end(self, worker: _Worker) -> None:
        self._all.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        await worker.end()


class _Worker:
    def __init__(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdin  # noqa: S101 - for the type checker: they are pipes
        assert child.stdout  # noqa: S101 - as above
        self.loaded: set[str] = set()
        self._child, self._to, self._from = child, child.stdin, child.stdout

    @property
    def alive(self) -> bool:
        """Whether the process is known to run."""
        return self._child.returncode is None

    @property
    def ended_by_itself(self) -> bool:
        """Whether it ended, and nobody killed it: it crashed, or its memory was not enough."""
        return not self.alive and self._child.returncode not in _FROM_OUTSIDE

    async def ask(self, job: Job, payload: tuple[bytes, ...], seconds: float) -> tuple[bool, bytes]:
        """Let it do a job; return whether that returned, and what.

        Raises:
            EOFError: The process has ended; or OSError.
            WorkerFailedError: It would return too much.
        """
        length = sum(map(len, payload))
        for part in (REQUEST.pack(seconds, len(job.name), length), job.name, *payload):
            self._to.write(part)
        await self._to.drain()
        returned, length = RESPONSE.unpack(await self._from.readexactly(RESPONSE.size))
        if length > MOST_BYTES:
            raise WorkerFailedError("its result is too large")
        return returned, await self._from.readexactly(length)

    async def end(self) -> None:
        """Kill the process and wait for its end."""
        if self.alive:
            with suppress(ProcessLookupError):
                self._kill()
        self._to.close()
        await self._child.wait()

    def _kill(self) -> None:
        if sys.platform == "win32":
            self._child.kill()
        else:  # `kill` of asyncio takes the exit code of one that has died, and whoever waits for it gets a wrong one
            os.kill(self._child.pid, signal.SIGKILL)
