"""Targets: the engine that a run is made against."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
import sys
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from ._version import __version__
from .cleaning import parsed_json, visible_line
from .documents import shown
from .local_engine import EngineNotStarted, LocalEngine, local_engine
from .wire.pace import REMOTE_RATE, Pace

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

LIVE_URL = "https://cypher.arcrun.dev"
USER_AGENT = f"arcrun-conformance/{__version__}"


class TargetError(Exception):
    """The target can't be used; the message says why and what to do."""


@dataclass
class Keys:
    """Keys of further accounts.

    Attributes:
        second: A valid key of another account.
        revoked: A key that was valid once.
        fresh: Keys of accounts that have nothing; each is used by one scenario.
    """

    second: str | None = None
    revoked: str | None = None
    fresh: list[str] = field(default_factory=list)


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
        keys: Further keys, for the engine suite.
        engine: The process, if it was started for this run.
        pace: How fast requests may be sent to it.
    """

    name: str
    url: str
    api_key: str = field(repr=False)
    health: dict[str, Any] = field(default_factory=dict)
    contract: str | None = None
    remote: bool = False
    keys: Keys = field(default_factory=Keys, repr=False)
    engine: LocalEngine | None = field(default=None, repr=False)
    standin_port: int | None = None
    pace: Pace = field(default_factory=Pace, repr=False)

    @property
    def capabilities(self) -> frozenset[str]:
        """Return the capabilities that the engine reports."""
        return frozenset(self.health.get("capabilities", ()))


@cache
def _certificates() -> ssl.SSLContext:
    """Return what verifies certificates, which takes a while to load."""
    return httpx.create_ssl_context()


def http_client(**options: Any) -> httpx.AsyncClient:
    """Return a client for what the harness itself asks of an engine."""
    return httpx.AsyncClient(
        headers={"user-agent": USER_AGENT}, timeout=30, verify=_certificates(), **options
    )


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


def server_program(python: str) -> tuple[str, ...]:
    """Return the command of `arcrun-server` for an interpreter that has it installed."""
    return (python, "-m", "arcrun_server")


@contextlib.asynccontextmanager
async def open_target(
    name: str,
    api_key: str | None,
    python: str = sys.executable,
    *,
    remote: bool = False,
    keys: Keys | None = None,
    accounts: int = 1,
    revoke: bool = False,
    rate: float | None = None,
    standin_port: int | None = None,
) -> AsyncIterator[Target]:
    """Open the target of that name; start the engine first if it is `local`.

    Args:
        name: `local`, `live` or a URL.
        api_key: The key; a local target creates its own.
        python: The interpreter that has `arcrun_server` installed, for `local`.
        remote: Treat the target as one that others use, even if it is on this machine.
        keys: Further keys; a local target makes its own.
        accounts: How many accounts a local target has.
        revoke: Whether one of them is to have a revoked key.
        rate: How many requests a second it may get; by default `REMOTE_RATE` for a target that others use,
            and no limit for one of this machine.
        standin_port: The port of this machine at which a target that is not local expects its language model.

    Raises:
        TargetError: The engine does not start, does not respond, or needs a key.
    """
    if name == "local":
        try:
            async with local_engine(server_program(python), keys=accounts) as engine:
                target = await target_of(engine, remote=remote, revoke=revoke)
                yield replace(target, pace=Pace(rate))
        except EngineNotStarted as error:
            raise TargetError(str(error)) from error
        return
    url = url_of(name)
    if not api_key:
        raise TargetError(
            f"the target {name} needs a key: pass --api-key-file FILE, or set the environment variable "
            "ARCRUN_CONFORMANCE_API_KEY"
        )
    remote = remote or not is_loopback(url)
    pace = Pace(rate or (REMOTE_RATE if remote else None))
    target = Target(
        *(name, url, api_key),
        remote=remote,
        keys=keys or Keys(),
        standin_port=standin_port,
        pace=pace,
    )
    yield await _described(target)


async def observed(name: str) -> Target:
    """Return a target that others use as it describes itself; nothing else is asked of it, so no key is needed.

    Raises:
        TargetError: It does not respond.
    """
    return await _described(Target(name, url_of(name), "", remote=True))


def url_of(name: str) -> str:
    """Return the base URL of a target that is not local, without a trailing slash.

    Raises:
        TargetError: It is no URL that requests can be sent to. A password in it is not repeated.
    """
    url = LIVE_URL if name == "live" else name.rstrip("/")
    if "@" in url:
        raise TargetError(
            "--target names a user or a password, which logs would show and no engine asks for: leave out what is "
            "before the @"
        )
    if reason := _why_unusable(url):
        raise TargetError(
            f"--target {visible_line(name)} is not a valid target: {reason}; use local, live, or a URL such as "
            f"{LIVE_URL}"
        )
    return url


def _why_unusable(url: str) -> str:
    """Return what is wrong with a URL; an empty string if nothing is."""
    if not re.match("https?:", url, re.IGNORECASE):
        return "it does not begin with http:// or https://"
    if " " in url or not url.isprintable():
        return "it has a space or a character that can't be seen"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "it is no URL"
    if "?" in url or "#" in url:
        return "it has a query or a fragment"
    try:
        _ = parts.port
    except ValueError:
        return "its port is no number from 0 to 65535"
    return "" if _is_host(parts.hostname or "") else "it names no host"


def _is_host(name: str) -> bool:
    try:
        return bool(name) and bool(name.encode("idna")) and bool(httpx.URL(host=name).host)
    except (UnicodeError, httpx.InvalidURL):
        return False


async def target_of(engine: LocalEngine, *, remote: bool = False, revoke: bool = False) -> Target:
    """Return the target for an engine of this machine, with the accounts that it has."""
    first, *further = engine.keys
    keys = Keys()
    if revoke:
        keys.revoked = further.pop()
        await _use_and_revoke(engine, keys.revoked)
    if further:
        keys.second, *keys.fresh = further
    return await _described(
        Target("local", engine.url, first, remote=remote, keys=keys, engine=engine)
    )


async def _use_and_revoke(engine: LocalEngine, key: str) -> None:
    """Revoke a key that the engine has just accepted, so that one that remembers it is found out."""
    async with http_client() as client:
        response = await client.get(f"{engine.url}/credentials", headers={"x-arcrun-api-key": key})
    if response.status_code != 200:
        raise TargetError(f"the local server does not accept its own key: {response.text[:200]}")
    await engine.revoke(key)


async def _described(target: Target) -> Target:
    """Return the target with its health and its contract version."""
    async with http_client() as client:
        try:
            response = await client.get(f"{target.url}/health")
            response.raise_for_status()
            health = parsed_json(response.content)
        except (httpx.HTTPError, ValueError) as error:
            reason = visible_line(shown(str(error)))
            raise TargetError(f"GET {target.url}/health failed: {reason}") from error
        _check_health(health, f"GET {target.url}/health")
        contract = None
        with contextlib.suppress(httpx.HTTPError, ValueError, KeyError, TypeError):
            described = parsed_json((await client.get(f"{target.url}/openapi.json")).content)
            contract = visible_line(str(described["info"]["version"]))
        if target.engine is None and target.api_key:
            await _check_key(client, target)
    return replace(target, health=health, contract=contract)


def _check_health(health: Any, request: str) -> None:
    if not isinstance(health, dict):
        seen = visible_line(json.dumps(health, ensure_ascii=False)[:100])
        raise TargetError(f"{request} did not return a JSON object: {seen}")
    names = health.get("capabilities", [])
    if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        seen = visible_line(json.dumps(names, ensure_ascii=False)[:100])
        raise TargetError(f"{request}: capabilities must be a list of names, not {seen}")


async def _check_key(client: httpx.AsyncClient, target: Target) -> None:
    """Check that the engine accepts the key: with one that it refuses, every scenario would fail."""
    with contextlib.suppress(httpx.HTTPError):  # of other problems the scenarios tell
        response = await client.get(
            f"{target.url}/credentials", headers={"x-arcrun-api-key": target.api_key}
        )
        if response.status_code == 401:
            raise TargetError(
                f"{target.url} refuses the key (401): set ARCRUN_CONFORMANCE_API_KEY to a valid one"
            )
