"""Adapters: the connection to one, and the commands that go over it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from typing import TYPE_CHECKING, Any, Protocol

from . import protocol
from .protocol import AdapterFailure, Identity, Result, SdkError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

ANSWER_SECONDS = 30.0
STOP_SECONDS = 3.0
_LINE_LIMIT = 32 * 1024 * 1024
_STDERR_LIMIT = 256 * 1024


class Connection(Protocol):
    """A way to send an adapter a line and to get one back."""

    async def exchange(self, line: str, seconds: float) -> str:
        """Send a line and wait for the answer, at most that long."""
        ...

    async def close(self, seconds: float) -> None:
        """End the adapter: wait for it at most that long, then by force."""
        ...

    async def take_stderr(self) -> str:
        """What it has written to stderr since this was last asked."""
        ...


class SubprocessConnection:
    """An adapter in a process of its own.

    Its environment is the runner's without `ARCRUN_*`, with an empty home directory: what a
    developer has configured for himself must not take part in a scenario.
    """

    def __init__(self, process: asyncio.subprocess.Process, home: str) -> None:
        self._process = process
        self._home = home
        self._errors = bytearray()
        self._reading = asyncio.get_running_loop().create_task(self._read_stderr())

    @classmethod
    async def open(cls, command: Sequence[str]) -> SubprocessConnection:
        """Start the command.

        Raises:
            AdapterFailure: It can't be started.
        """
        home = tempfile.mkdtemp(prefix="arcrun-conformance-")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ARCRUN_")}
        environment = {**kept, "HOME": home, "USERPROFILE": home, "PYTHONUTF8": "1"}
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
                limit=_LINE_LIMIT,
                start_new_session=True,  # Ctrl-C is for the runner, which then ends its adapters
            )
        except OSError as error:
            shutil.rmtree(home)
            raise AdapterFailure(
                "not-started", f"can't start {' '.join(command)}: {error}. See adapters.yaml."
            ) from error
        return cls(process, home)

    async def exchange(self, line: str, seconds: float) -> str:
        """Send a line and wait for the answer, at most that long."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise AdapterFailure("crash", "the adapter has no pipes")
        # A process that has ended breaks the pipe; what it left on stdout tells more.
        with contextlib.suppress(ConnectionError):
            stdin.write(line.encode() + b"\n")
            await stdin.drain()
        try:
            answer = await asyncio.wait_for(stdout.readline(), seconds)
        except asyncio.TimeoutError:
            raise AdapterFailure("timeout", f"no answer within {seconds:g} s") from None
        except ValueError:
            raise AdapterFailure("garbage", f"a line of more than {_LINE_LIMIT} bytes") from None
        if not answer.endswith(b"\n"):
            code = await self._exit_code()
            raise AdapterFailure("crash", f"the adapter ended (exit code {code}) without an answer")
        return answer.decode("utf-8", "replace")

    async def _exit_code(self) -> int | str:
        try:
            return await asyncio.wait_for(self._process.wait(), 1)
        except asyncio.TimeoutError:
            return "none yet: only stdout is closed"

    async def close(self, seconds: float) -> None:
        """End the adapter and everything it started: wait at most that long, then by force."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._process.wait(), seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._reading, 1)
        shutil.rmtree(self._home, ignore_errors=True)

    async def take_stderr(self) -> str:
        """What it has written to stderr since this was last asked, the last 256 KiB."""
        # What was written before an answer is in the pipe when the answer is; the loop needs a
        # few turns to carry it from there to here.
        for _ in range(4):
            await asyncio.sleep(0)
        taken = self._errors.decode("utf-8", "replace")
        self._errors.clear()
        return taken

    async def _read_stderr(self) -> None:
        stderr = self._process.stderr
        while stderr is not None and (piece := await stderr.read(65536)):
            self._errors += piece
            del self._errors[:-_STDERR_LIMIT]


class InMemoryConnection:
    """The in-memory twin: an adapter that is a function, so the runner is tested without processes.

    Example:
        >>> InMemoryConnection(lambda line: '{"id": 1, "result": {}}').closed
        False
    """

    def __init__(self, handler: Callable[[str], str | Awaitable[str]]) -> None:
        self._handler = handler
        self.errors = ""
        self.closed = False

    async def exchange(self, line: str, seconds: float) -> str:
        """Hand the line to the function."""
        answer = self._handler(line)
        if isinstance(answer, str):
            return answer
        try:
            return await asyncio.wait_for(answer, seconds)
        except asyncio.TimeoutError:
            raise AdapterFailure("timeout", f"no answer within {seconds:g} s") from None

    async def close(self, seconds: float) -> None:  # noqa: ARG002 -- nothing to wait for
        """Note that it was closed."""
        self.closed = True

    async def take_stderr(self) -> str:
        """What the test put there."""
        taken, self.errors = self.errors, ""
        return taken


class Adapter:
    """An SDK behind the protocol.

    Example:
        >>> async def use(adapter: Adapter) -> Result | SdkError:
        ...     await adapter.start()
        ...     await adapter.send("construct", client="main", options={})
        ...     return await adapter.send("call", client="main", method="health", arguments={})
    """

    def __init__(self, connection: Connection, seconds: float = ANSWER_SECONDS) -> None:
        self._connection = connection
        self._seconds = seconds
        self._last_id = 0

    async def start(self) -> Identity:
        """Begin the conversation.

        Raises:
            AdapterFailure: It did not answer, or not as the protocol says.
        """
        answer = await self.send("start", protocol=protocol.VERSION)
        if isinstance(answer, SdkError):
            raise AdapterFailure(
                "schema", "`start` answered an SDK error; only `failure` fits here"
            )
        said = answer.value
        return Identity(
            sdk=said["sdk"]["name"],
            version=said["sdk"]["version"],
            language=said["sdk"]["language"],
            runtime=said["runtime"],
            capabilities=frozenset(said["capabilities"]),
        )

    async def send(self, command: str, **body: Any) -> Result | SdkError:
        """Send a command and read its answer.

        Raises:
            AdapterFailure: The adapter crashed, hung, spoke nonsense or said that it could not.
        """
        self._last_id += 1
        line = protocol.encode(self._last_id, command, body)
        answer = await self._connection.exchange(line, self._seconds)
        return protocol.decode(answer, self._last_id, command)

    async def stop(self) -> None:
        """End it: politely, and if that fails by force."""
        with contextlib.suppress(AdapterFailure):
            await self.send("stop")
        await self._connection.close(STOP_SECONDS)

    async def abandon(self) -> None:
        """End it by force, after a failure."""
        await self._connection.close(0)

    async def take_stderr(self) -> str:
        """What it has written to stderr since this was last asked."""
        return await self._connection.take_stderr()
