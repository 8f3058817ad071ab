"""Adapters: the connection to one, and the commands that go over it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from . import protocol
from .documents import read
from .protocol import AdapterFailure, Identity, Result, SdkError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

ANSWER_SECONDS = 30.0
_LINE_LIMIT = 32 * 1024 * 1024
_STDERR_LIMIT = 256 * 1024


class Connection(Protocol):
    """A way to send an adapter a line and to get one back."""

    async def exchange(self, line: str, seconds: float) -> str:
        """Send a line and wait for the answer, at most that long."""
        ...

    async def close(self) -> None:
        """End the adapter, by force if need be."""
        ...

    def stderr(self) -> str:
        """What it has written to stderr so far."""
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
        try:
            stdin.write(line.encode() + b"\n")
            await stdin.drain()
            answer = await asyncio.wait_for(stdout.readline(), seconds)
        except asyncio.TimeoutError:
            raise AdapterFailure("timeout", f"no answer within {seconds:g} s") from None
        except (ConnectionError, ValueError) as error:
            raise AdapterFailure("crash", f"the adapter's pipe broke: {error}") from error
        if not answer.endswith(b"\n"):
            code = await self._exit_code()
            raise AdapterFailure("crash", f"the adapter ended (exit code {code}) without an answer")
        return answer.decode("utf-8", "replace")

    async def _exit_code(self) -> int | str:
        try:
            return await asyncio.wait_for(self._process.wait(), 1)
        except asyncio.TimeoutError:
            return "none yet: only stdout is closed"

    async def close(self) -> None:
        """End the adapter and everything it started."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._process.wait(), 2)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._reading, 1)
        shutil.rmtree(self._home, ignore_errors=True)

    def stderr(self) -> str:
        """What it has written to stderr so far, the last 256 KiB."""
        return self._errors.decode("utf-8", "replace")

    async def _read_stderr(self) -> None:
        stderr = self._process.stderr
        while stderr is not None and (piece := await stderr.read(65536)):
            self._errors += piece
            del self._errors[:-_STDERR_LIMIT]


class InMemoryConnection:
    """The in-memory twin: an adapter that is a function, so the runner is tested without processes.

    Example:
        >>> InMemoryConnection(lambda line: '{"id": 1, "result": {}}').stderr()
        ''
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

    async def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    def stderr(self) -> str:
        """What the test put there."""
        return self.errors


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
        await self._connection.close()

    async def abandon(self) -> None:
        """End it by force, after a failure."""
        await self._connection.close()

    def stderr(self) -> str:
        """What it has written to stderr so far."""
        return self._connection.stderr()


@dataclass(frozen=True)
class Registered:
    """An entry of `adapters.yaml`."""

    name: str
    language: str
    runtime: str
    command: tuple[str, ...]
    default: bool = True


def registered(path: Path, python: str) -> dict[str, Registered]:
    """The adapters that a registry file names.

    Args:
        path: The file, `adapters.yaml`.
        python: The interpreter that `{python}` stands for.

    Raises:
        DocumentError: The file can't be used.
    """
    entries = read(path, "adapters").value["adapters"]
    places = {"python": python, "here": str(path.parent)}
    return {
        entry["name"]: Registered(
            entry["name"],
            entry["language"],
            entry["runtime"],
            tuple(part.format(**places) for part in entry["command"]),
            entry.get("default", True),
        )
        for entry in entries
    }
