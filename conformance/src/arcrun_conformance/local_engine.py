"""The reference engine as a child process: started on a free port, with settings, and stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .bytecode import keeping_bytecode
from .cancellation import within
from .cleaning import parsed_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

READY_SECONDS = 60.0
# An engine writes its log in a thread of its own, which has its turn now and then on a busy machine.
LOG_SECONDS = 30.0
# What is shown of a log, and looked at for what comes last, in characters.
_END = 65536


class EngineNotStarted(Exception):
    """The engine did not start; the message says why and what to do."""


@dataclass
class LocalEngine:
    """An engine that runs.

    Attributes:
        url: Its base URL, without a trailing slash.
        keys: Its keys, each of an account of its own.
        folder: The folder of its data, its log and its clock; it is removed when the engine stops.
        program: The command that administers it, without arguments.
        ahead: By how many seconds its clock is ahead.
    """

    url: str
    keys: list[str]
    folder: Path
    program: Sequence[str]
    ahead: float = 0.0

    @property
    def log(self) -> Path:
        """Return the file of its log."""
        return self.folder / "log"

    def advance(self, seconds: float) -> None:
        """Move its clock on."""
        self.ahead += seconds
        _clock_file(self.folder).write_text(repr(self.ahead), "ascii")

    async def logged(self, text: str) -> bool:
        """Wait until the end of its log has a text; return whether it has come to that."""
        try:
            await within(LOG_SECONDS, self._logged(text))
        except asyncio.TimeoutError:
            return False
        return True

    async def _logged(self, text: str) -> None:
        # Another process writes the file, and nothing says when.
        while text not in _end(self.log):  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def revoke(self, key: str) -> None:
        """Revoke a key, while the engine runs, as its operator does.

        Raises:
            EngineNotStarted: The command failed.
        """
        data = ("--data", str(self.folder / "data"))
        listed = await self._keys("list", *data)
        prefix = key[:9]
        (identifier,) = [line.split()[0] for line in listed.splitlines() if prefix in line]
        await self._keys("revoke", identifier, *data)

    async def _keys(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(*self.program, "keys", *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment({}),
        )
        out, err = await process.communicate()
        if process.returncode:
            raise EngineNotStarted(f"arcrun-server keys {arguments[0]} failed: {err.decode()}")
        return out.decode()


@contextlib.asynccontextmanager
async def local_engine(
    program: Sequence[str],
    *,
    keys: int = 1,
    settings: Mapping[str, str] | None = None,
    clock: bool = False,
) -> AsyncIterator[LocalEngine]:
    """Start `arcrun-server` in development mode, and stop it at the end.

    Args:
        program: The command of `arcrun-server`, without arguments.
        keys: How many keys it makes.
        settings: Environment variables.
        clock: Whether its clock can be moved on.

    Raises:
        EngineNotStarted: It does not start.
    """
    # The folder outlives the process: it is removed after the engine has written its last.
    with tempfile.TemporaryDirectory(prefix="arcrun-conformance-engine-") as name:
        folder = Path(name)
        (folder / "data").mkdir(mode=0o700)
        moved = {"ARCRUN_SERVER_CLOCK_FILE": str(_clock_file(folder))} if clock else {}
        with (folder / "log").open("wb") as log:
            process = await _start(program, folder, keys, {**(settings or {}), **moved}, log)
        try:
            ready = await _ready(process, folder / "log")
            yield LocalEngine(
                ready["url"].rstrip("/"), ready.get("keys") or [ready["key"]], folder, program
            )
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await within(10, process.wait())
            except asyncio.TimeoutError:
                process.kill()
                await process.wait()


def _clock_file(folder: Path) -> Path:
    return folder / "clock"


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if "ARCRUN" not in name}
    return keeping_bytecode(inherited) | dict(settings)


async def _start(
    program: Sequence[str], folder: Path, keys: int, settings: Mapping[str, str], log: Any
) -> asyncio.subprocess.Process:
    # With its data in the folder rather than forgotten, so that keys can be revoked from outside.
    command = [*program, "serve", "--dev", "--json", "--port", "0"]
    command += ["--data", str(folder / "data"), "--keys", str(keys), "--log-level", "debug"]
    # It ends with this process, even if that is killed.
    command.append("--until-stdin-closes")
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env=_environment(settings),
            start_new_session=True,
        )
    except OSError as error:
        raise EngineNotStarted(
            f"the local server did not start: {error}. Pass another interpreter by --server-python."
        ) from error


async def _ready(process: asyncio.subprocess.Process, log: Path) -> dict[str, Any]:
    """Return the line that the server prints when it is listening."""
    if process.stdout is None:
        raise EngineNotStarted("the local server has no stdout")
    try:
        line = await within(READY_SECONDS, process.stdout.readline())
    except asyncio.TimeoutError:
        raise EngineNotStarted(
            f"the local server was not ready within {READY_SECONDS:g} s; its stderr:\n{_end(log)}"
        ) from None
    try:
        ready = parsed_json(line)
        _ = ready["url"], ready["key"]
    except (ValueError, KeyError, TypeError):
        if not line:
            await process.wait()
        raise EngineNotStarted(
            f"the local server did not start; its stdout:\n{line.decode('utf-8', 'replace')}\nits "
            f"stderr:\n{_end(log)}\nIs arcrun-server installed for this interpreter? Pass another "
            "one by --server-python."
        ) from None
    found: dict[str, Any] = ready
    return found


def _end(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-_END:]
