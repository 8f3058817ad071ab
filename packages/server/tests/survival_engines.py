"""Several engines on one database, any of which may be killed while it executes what it has accepted."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SECONDS = float(os.environ.get("ARCRUN_SURVIVAL_SECONDS", "300"))
CLIENTS = 8


class Engines:
    """Several processes on one database, any of which can be killed at any time."""

    def __init__(self, start: Callable[[], Any], count: int) -> None:
        self._start = start
        self._servers = [start() for _ in range(count)]
        ready = [server.ready() for server in self._servers]
        self._key = ready[0]["key"]
        self.urls = [entry["url"] for entry in ready]

    def client(self) -> httpx.AsyncClient:
        """Return a client with the account's key."""
        return httpx.AsyncClient(headers={"X-Arcrun-API-Key": self._key}, timeout=30)

    async def request(
        self, client: httpx.AsyncClient, method: str, path: str, **options: Any
    ) -> httpx.Response:
        """Ask any process that answers; a request that was cut off is sent again."""
        deadline = time.monotonic() + SECONDS
        attempt = random.Random(path)
        while True:
            url = attempt.choice(self.urls)
            try:
                response = await client.request(method, f"{url}{path}", **options)
            except httpx.TransportError:
                assert time.monotonic() < deadline, "no process answers"
                await asyncio.sleep(0.05)
                continue
            if response.status_code not in {429, 503}:
                return response
            await asyncio.sleep(float(response.headers.get("Retry-After", "1")))

    async def kill(self, number: int) -> None:
        """Kill a process, and start another in its place."""
        await asyncio.to_thread(self._servers[number].stop, signal.SIGKILL)
        self._servers[number] = self._start()
        ready = await asyncio.to_thread(self._servers[number].ready)
        self.urls[number] = ready["url"]


async def accept_all(
    engines: Engines,
    client: httpx.AsyncClient,
    numbers: Iterable[int],
    workflow: Callable[[int], str] = lambda _: "w",
) -> list[str]:
    """Trigger a run for each number, and return their ids."""
    turn = asyncio.Semaphore(CLIENTS)

    async def accept(number: int) -> str:
        async with turn:
            response = await engines.request(
                client,
                "POST",
                f"/webhooks/named/{workflow(number)}/trigger?async=1",
                json={"n": number},
                headers={"Idempotency-Key": f"run-{number}"},
            )
        assert response.status_code == 202, response.text
        return str(response.json()["run_id"])

    return await asyncio.gather(*(accept(number) for number in numbers))


async def wait_for_end(engines: Engines, client: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    """Ask for a run until it has ended, and return it."""
    deadline = time.monotonic() + SECONDS
    while True:
        run = (await engines.request(client, "GET", f"/runs/{run_id}")).json()
        if run.get("ended_at") is not None:
            return run
        assert time.monotonic() < deadline, run
        await asyncio.sleep(0.2)
