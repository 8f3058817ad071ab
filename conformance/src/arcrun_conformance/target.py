"""Targets: the engine that a run is made against."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from ._version import __version__

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LIVE_URL = "https://cypher.arcrun.dev"
READY_SECONDS = 60.0
USER_AGENT = f"arcrun-conformance/{__version__}"


class TargetError(Exception):
    """The target can't be used; the text says why and what to do."""


@dataclass(frozen=True)
class Target:
    """An engine that answers.

    Attributes:
        name: `local`, `live` or the URL: what the user asked for.
        url: Its base URL, without a trailing slash.
        api_key: The key to use; not in `repr`.
        health: What `GET /health` answered.
        contract: `info.version` of its `GET /openapi.json`, if it has one.
        remote: Whether others use it as well: only what is safe there is sent.
    """

    name: str
    url: str
    api_key: str = field(repr=False)
    health: dict[str, Any] = field(default_factory=dict)
    contract: str | None = None
    remote: bool = False

    @property
    def capabilities(self) -> frozenset[str]:
        """What the engine says it can do."""
        return frozenset(self.health.get("capabilities", ()))


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine.

    Example:
        >>> is_loopback("http://[::1]:80"), is_loopback("http://127.0.0.1.example.org")
        (True, False)
    """
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextlib.asynccontextmanager
async def open_target(
    name: str, api_key: str | None, python: str, *, remote: bool = False
) -> AsyncIterator[Target]:
    """The target of that name, started first if it is `local`.

    Args:
        name: `local`, `live` or a URL.
        api_key: The key; a local target makes its own.
        python: The interpreter that has `arcrun_server`, for `local`.
        remote: Treat it as one that others use, even if it is on this machine.

    Raises:
        TargetError: It does not start, does not answer, or needs a key.
    """
    if name == "local":
        async with _local_server(python) as (url, key):
            yield await _asked(Target(name, url, key, remote=remote))
        return
    url = LIVE_URL if name == "live" else name.rstrip("/")
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise TargetError(f"{name!r} is no target: say local, live, or a URL such as {LIVE_URL}")
    if not api_key:
        raise TargetError(
            f"the target {name} needs a key: --api-key K, or the environment variable "
            "ARCRUN_CONFORMANCE_API_KEY"
        )
    remote = remote or not is_loopback(url)
    yield await _asked(Target(name, url, api_key, remote=remote))


async def _asked(target: Target) -> Target:
    """The target with what it says of itself."""
    async with httpx.AsyncClient(headers={"user-agent": USER_AGENT}, timeout=30) as client:
        try:
            answer = await client.get(f"{target.url}/health")
            answer.raise_for_status()
            health = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise TargetError(f"GET {target.url}/health failed: {error}") from error
        if not isinstance(health, dict):
            raise TargetError(f"GET {target.url}/health answered no object: {answer.text[:100]}")
        contract = None
        with contextlib.suppress(httpx.HTTPError, ValueError, KeyError, TypeError):
            described = (await client.get(f"{target.url}/openapi.json")).json()
            contract = str(described["info"]["version"])
    return replace(target, health=health, contract=contract)


@contextlib.asynccontextmanager
async def _local_server(python: str) -> AsyncIterator[tuple[str, str]]:
    """Start `arcrun-server` on a free port, in development mode, and stop it at the end."""
    command = [python, "-m", "arcrun_server", "serve", "--dev", "--json", "--port", "0"]
    environment = {name: value for name, value in os.environ.items() if "ARCRUN" not in name}
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise TargetError(
            f"the local server did not start: {error}. Another interpreter: --server-python."
        ) from error
    log = _Log(process.stderr)
    try:
        yield await _ready(process, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()
        await log.end()


class _Log:
    """Reads a process's stderr, so that it never blocks, and keeps the end of it."""

    def __init__(self, stream: asyncio.StreamReader | None) -> None:
        self.text = ""
        self._stream = stream
        self._task = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        while self._stream is not None and (piece := await self._stream.read(65536)):
            self.text = (self.text + piece.decode("utf-8", "replace"))[-65536:]

    async def end(self) -> None:
        """Wait until everything has been read."""
        await self._task


async def _ready(process: asyncio.subprocess.Process, log: _Log) -> tuple[str, str]:
    """URL and key from the one line that the server prints when it is listening."""
    if process.stdout is None:
        raise TargetError("the local server has no stdout")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), READY_SECONDS)
    except asyncio.TimeoutError:
        raise TargetError(
            f"the local server was not ready within {READY_SECONDS:g} s; it said:\n{log.text}"
        ) from None
    try:
        ready = json.loads(line)
        return ready["url"].rstrip("/"), ready["key"]
    except (ValueError, KeyError, TypeError):
        if not line:
            await log.end()
        raise TargetError(
            f"the local server did not start; it printed {line.decode('utf-8', 'replace')!r} and "
            f"said:\n{log.text}\nIs arcrun-server installed for this interpreter? Another one: "
            "--server-python."
        ) from None
