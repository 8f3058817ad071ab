"""Servers with durable runs for tests: the workflow that they run, and what it does to a stand-in of a service."""

from __future__ import annotations

import asyncio
import itertools
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

ENDED = ("succeeded", "partial", "failed", "cancelled")
WAIT = 20.0


@dataclass
class Service:
    """A service on loopback that counts what it is asked for.

    Attributes:
        port: Where it listens.
        received: For each path, the `Idempotency-Key` of each request, in order.
        requests: All requests: path, body, key.
        held: Paths whose requests are not answered before `release`.
    """

    port: int = 0
    received: dict[str, list[str | None]] = field(default_factory=dict)
    requests: list[tuple[str, bytes, str | None]] = field(default_factory=list)
    answers: dict[str, bytes] = field(default_factory=dict)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def hold(self, path: str) -> None:
        """Let requests for a path wait."""
        self.held[path] = asyncio.Event()

    def release(self, path: str) -> None:
        """Answer those that wait, and all that come."""
        self.held.pop(path).set()

    async def arrived(self, path: str, count: int = 1) -> None:
        """Wait until a path has been asked for so many times."""
        async with self._arrived:
            await asyncio.wait_for(
                self._arrived.wait_for(lambda: len(self.received.get(path, [])) >= count), WAIT
            )

    async def asked(self, count: int, seconds: float = WAIT) -> None:
        """Wait until there have been so many requests."""
        async with self._arrived:
            await asyncio.wait_for(
                self._arrived.wait_for(lambda: len(self.requests) >= count), seconds
            )

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *fields = head.split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (text.partition(":") for text in fields if text)
                }
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                path = line.split(" ")[1]
                async with self._arrived:
                    self.received.setdefault(path, []).append(headers.get("idempotency-key"))
                    self.requests.append((path, body, headers.get("idempotency-key")))
                    self._arrived.notify_all()
                if path in self.held:
                    await self.held[path].wait()
                answer = self.answers.get(path, b'{"ok": true}')
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    + f"Content-Length: {len(answer)}\r\n\r\n".encode()
                    + answer
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the engine was killed, or the test is over
        finally:
            writer.close()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """A service on loopback that counts its requests."""
    made = Service()
    server = await asyncio.start_server(made.connected, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


class Engine:
    """A server with durable runs that can be killed and started again on the same data."""

    def __init__(self, start: Callable[[], Any]) -> None:
        self._start = start
        self._server = start()
        ready = self._server.ready()
        self._key = ready["key"]
        self.client = self._client(ready["url"])

    def _client(self, url: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=url, headers={"X-Arcrun-API-Key": self._key}, timeout=60)

    @property
    def log(self) -> str:
        """What the process has logged since it started, from warnings on."""
        return "".join(self._server.log)

    async def end(self, number: int = signal.SIGKILL) -> None:
        """End the process, without a chance to tidy up unless another signal is given."""
        await self.client.aclose()
        await asyncio.to_thread(self._server.stop, number)

    async def start_again(self) -> None:
        """Start a new process on the same data."""
        self._server = self._start()
        ready = await asyncio.to_thread(self._server.ready)
        self.client = self._client(ready["url"])


@pytest.fixture
async def engine(
    serve: Callable[..., Any], tmp_path: Path, database_url: str | None
) -> AsyncIterator[Engine]:
    """An engine on SQLite and on PostgreSQL."""
    arguments = ["--dev", "--json", "--data", tmp_path, "--log-level", "warning"]
    arguments += ["--database", database_url] if database_url else []
    made = await asyncio.to_thread(Engine, lambda: serve(*arguments))
    yield made
    await made.client.aclose()


def calls(service: Service, *paths: str) -> dict[str, Any]:
    """Return a workflow that POSTs to each of these paths in turn; its nodes are called as the paths are."""
    names = [path.strip("/") for path in paths]
    nodes = [
        {
            "id": name,
            "type": "Component",
            "componentId": "http_request",
            "data": {
                "url": f"{service.url}/{name}",
                "method": "POST",
                "body_json": {"n": "{{input.n}}"},
            },
        }
        for name in names
    ]
    edges = [
        {"from": before, "to": after, "type": "PIPE"} for before, after in itertools.pairwise(names)
    ]
    return {"nodes": nodes, "edges": edges}


def failing_node(name: str) -> dict[str, Any]:
    """Return a node that ends its run with a failure."""
    data = {"seconds": "not a number: {{input.n}}"}
    return {"id": name, "type": "Component", "componentId": "wait", "data": data}


async def push(client: httpx.AsyncClient, name: str, graph: dict[str, Any]) -> None:
    """Push a workflow."""
    response = await client.post(
        "/webhooks/named", json={"name": name, "description": "a test's", "graph": graph}
    )
    assert response.status_code == 201, response.text


async def accept(
    client: httpx.AsyncClient, name: str, run_input: Any = None, **options: Any
) -> str:
    """Trigger a workflow that is not waited for, and return the run's id."""
    response = await client.post(
        f"/webhooks/named/{name}/trigger",
        params={"async": "1"},
        json=run_input or {},
        **options,
    )
    assert response.status_code == 202, response.text
    return response.json()["run_id"]


async def until(
    client: httpx.AsyncClient, run_id: str, reached: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Ask for a run until it is as it is waited for."""
    deadline = asyncio.get_running_loop().time() + WAIT
    while True:
        run = (await client.get(f"/runs/{run_id}")).json()
        if reached(run):
            return run
        assert asyncio.get_running_loop().time() < deadline, run
        await asyncio.sleep(0.05)


async def ended(client: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    """Wait for the end of a run, and return it."""
    return await until(client, run_id, lambda run: run.get("status") in ENDED)
