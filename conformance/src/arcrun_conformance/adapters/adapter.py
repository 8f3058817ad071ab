"""Adapters: the connection to an adapter, and the commands that are sent over it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from typing import TYPE_CHECKING, Any, Protocol

from arcrun_conformance.bytecode import keeping_bytecode
from arcrun_conformance.cancellation import within
from arcrun_conformance.cleaning import visible

from . import protocol
from .protocol import AdapterFailure, Identity, Result, SdkError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

REPLY_SECONDS = 30.0
STOP_SECONDS = 3.0
_LINE_LIMIT = 32 * 1024 * 1024
_STDERR_LIMIT = 256 * 1024


class Connection(Protocol):
    """A way to send an adapter a line and to receive one."""

    async def exchange(self, line: str, seconds: float) -> str:
        """Send a line and return the reply; wait for it at most `seconds`."""
        ...

    async def close(self, seconds: float) -> None:
        """Wait at most `seconds` until the adapter exits, then kill it."""
        ...

    async def take_stderr(self) -> str:
        """Return what was written to stderr since the last call."""
        ...


class SubprocessConnection:
    """An adapter in its own process.

    It gets the runner's environment without `ARCRUN_*` and an empty home directory, so that a
    developer's own configuration does not influence a scenario.
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
            AdapterFailure: The command can't be started.
        """
        home = tempfile.mkdtemp(prefix="arcrun-conformance-")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ARCRUN_")}
        own = {"HOME": home, "USERPROFILE": home, "PYTHONUTF8": "1"}
        environment = keeping_bytecode(kept) | own
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
                limit=_LINE_LIMIT,
                start_new_session=True,  # only the runner gets Ctrl-C; it then stops its adapters
            )
        except OSError as error:
            shutil.rmtree(home)
            raise AdapterFailure(
                "not-started", f"can't start {' '.join(command)}: {error}. See adapters.yaml."
            ) from error
        return cls(process, home)

    async def exchange(self, line: str, seconds: float) -> str:
        """Send a line and return the reply; wait for it at most `seconds`."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise AdapterFailure("crash", "the adapter has no pipes")
        # A process that has exited breaks the pipe; what it left on stdout says more.
        with contextlib.suppress(ConnectionError):
            stdin.write(line.encode() + b"\n")
            await stdin.drain()
        try:
            reply = await within(seconds, stdout.readline())
        except asyncio.TimeoutError:
            raise AdapterFailure("timeout", f"no reply within {seconds:g} s") from None
        except ValueError:
            raise AdapterFailure(
                "invalid-reply", f"a line on stdout is longer than {_LINE_LIMIT} bytes"
            ) from None
        if not reply.endswith(b"\n"):
            code = await self._exit_code()
            raise AdapterFailure("crash", f"the adapter exited (exit code {code}) without a reply")
        return reply.decode("utf-8", "replace")

    async def _exit_code(self) -> int | str:
        try:
            return await within(1, self._process.wait())
        except asyncio.TimeoutError:
            return "none yet: it has only closed stdout"

    async def close(self, seconds: float) -> None:
        """Wait at most `seconds` until the adapter exits, then kill it and all that it started."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await within(seconds, self._process.wait())
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        with contextlib.suppress(asyncio.TimeoutError):
            await within(1, self._reading)
        shutil.rmtree(self._home, ignore_errors=True)

    async def take_stderr(self) -> str:
        """Return what was written to stderr since the last call, at most the last 256 KiB."""
        # What was written before a reply is in the pipe when the reply is; the event loop needs a
        # few turns to read it.
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
    """An adapter that is a function, so that the runner can be tested without processes.

    Example:
        >>> InMemoryConnection(lambda line: '{"id": 1, "result": {}}').closed
        False
    """

    def __init__(self, handler: Callable[[str], str | Awaitable[str]]) -> None:
        self._handler = handler
        self.errors = ""
        self.closed = False

    async def exchange(self, line: str, seconds: float) -> str:
        """Return what the function returns for the line."""
        reply = self._handler(line)
        if isinstance(reply, str):
            return reply
        try:
            return await within(seconds, reply)
        except asyncio.TimeoutError:
            raise AdapterFailure("timeout", f"no reply within {seconds:g} s") from None

    async def close(self, seconds: float) -> None:  # noqa: ARG002 -- nothing to wait for
        """Record that the connection was closed."""
        self.closed = True

    async def take_stderr(self) -> str:
        """Return what the test has put into `errors`."""
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

    def __init__(self, connection: Connection, seconds: float = REPLY_SECONDS) -> None:
        self._connection = connection
        self._seconds = seconds
        self._last_id = 0

    async def start(self) -> Identity:
        """Send `start` and return the SDK that the adapter names.

        Raises:
            AdapterFailure: There was no reply, or it does not keep the protocol.
        """
        reply = await self.send("start", protocol=protocol.VERSION)
        if isinstance(reply, SdkError):
            raise AdapterFailure(
                "invalid-reply",
                "the reply to `start` is an SDK error; reply with `result` or `failure`",
            )
        started = reply.value
        return Identity(
            sdk=visible(started["sdk"]["name"]),
            version=visible(started["sdk"]["version"]),
            language=visible(started["sdk"]["language"]),
            runtime=visible(started["runtime"]),
            capabilities=frozenset(started["capabilities"]),
        )

    async def send(self, command: str, **body: Any) -> Result | SdkError:
        """Send a command and return the adapter's reply.

        Raises:
            AdapterFailure: The adapter crashed, hung, sent an invalid reply or reported a failure.
        """
        self._last_id += 1
        line = protocol.encode(self._last_id, command, body)
        reply = await self._connection.exchange(line, self._seconds)
        return protocol.decode(reply, self._last_id, command)

    async def stop(self) -> None:
        """Send `stop`, and kill the adapter if it does not exit."""
        with contextlib.suppress(AdapterFailure):
            await self.send("stop")
        await self._connection.close(STOP_SECONDS)

    async def abandon(self) -> None:
        """Kill the adapter, after a failure."""
        await self._connection.close(0)

    async def take_stderr(self) -> str:
        """Return what was written to stderr since the last call."""
        return await self._connection.take_stderr()
