"""Targets: the engine that a run is made against."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from ._version import __version__
from .cleaning import parsed_json, visible

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LIVE_URL = "https://cypher.arcrun.dev"
READY_SECONDS = 60.0
USER_AGENT = f"arcrun-conformance/{__version__}"


class TargetError(Exception):
    """The target can't be used; the message says why and what to do."""


@dataclass(frozen=True)
class Target:
    """An engine that responds.

    Attributes:
        name: `local`, `live` or the URL, as given by the user.
        url: The base URL, without a trailing slash.
        api_key: The key to use; not in `repr`.
        health: The response to `GET /health`.
        contract: `info.version` of its `GET /openapi.json`, if it has one.
        remote: Whether others use it as well, so that only live-safe requests may be sent.
    """

    name: str
    url: str
    api_key: str = field(repr=False)
    health: dict[str, Any] = field(default_factory=dict)
    contract: str | None = None
    remote: bool = False

    @property
    def capabilities(self) -> frozenset[str]:
        """Return the capabilities that the engine reports."""
        return frozenset(self.health.get("capabilities", ()))


def is_loopback(url: str) -> bool:
    """Return whether a URL refers to this machine.

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
    """Open the target of that name; start the engine first if it is `local`.

    Args:
        name: `local`, `live` or a URL.
        api_key: The key; a local target creates its own.
        python: The interpreter that has `arcrun_server` installed, for `local`.
        remote: Treat the target as one that others use, even if it is on this machine.

    Raises:
        TargetError: The engine does not start, does not respond, or needs a key.
    """
    if name == "local":
        async with _local_server(python) as (url, key):
            yield await _described(Target(name, url, key, remote=remote))
        return
    url = LIVE_URL if name == "live" else name.rstrip("/")
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise TargetError(
            f"{name} is not a valid target: use local, live, or a URL such as {LIVE_URL}"
        )
    if not api_key:
        raise TargetError(
            f"the target {name} needs a key: set the environment variable "
            "ARCRUN_CONFORMANCE_API_KEY, or pass --api-key K"
        )
    remote = remote or not is_loopback(url)
    yield await _described(Target(name, url, api_key, remote=remote))


async def _described(target: Target) -> Target:
    """Return the target with its health and its contract version."""
    async with httpx.AsyncClient(headers={"user-agent": USER_AGENT}, timeout=30) as client:
        try:
            response = await client.get(f"{target.url}/health")
            response.raise_for_status()
            health = parsed_json(response.content)
        except (httpx.HTTPError, ValueError) as error:
            raise TargetError(f"GET {target.url}/health failed: {error}") from error
        if not isinstance(health, dict):
            raise TargetError(
                f"GET {target.url}/health did not return a JSON object: {response.text[:100]}"
            )
        contract = None
        with contextlib.suppress(httpx.HTTPError, ValueError, KeyError, TypeError):
            described = parsed_json((await client.get(f"{target.url}/openapi.json")).content)
            contract = visible(str(described["info"]["version"]))
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
            f"the local server did not start: {error}. Pass another interpreter by --server-python."
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
    """Reads a process's stderr, so that the process never blocks, and keeps the end of it."""

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
    """Return URL and key from the line that the server prints when it is listening."""
    if process.stdout is None:
        raise TargetError("the local server has no stdout")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), READY_SECONDS)
    except asyncio.TimeoutError:
        raise TargetError(
            f"the local server was not ready within {READY_SECONDS:g} s; its stderr:\n{log.text}"
        ) from None
    try:
        ready = parsed_json(line)
        return ready["url"].rstrip("/"), ready["key"]
    except (ValueError, KeyError, TypeError):
        if not line:
            await log.end()
        raise TargetError(
            f"the local server did not start; its stdout:\n{line.decode('utf-8', 'replace')}\nits "
            f"stderr:\n{log.text}\nIs arcrun-server installed for this interpreter? Pass another "
            "one by --server-python."
        ) from None
