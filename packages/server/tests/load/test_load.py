"""200 clients at once, while workers are killed: no error, no lost write, flat memory. `nox -s load` runs it for longer."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import random
import secrets
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from server_process import names_of_credentials

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = float(os.environ.get("ARCRUN_LOAD_SECONDS", "3"))
CLIENTS = int(os.environ.get("ARCRUN_LOAD_CLIENTS", "20"))
# Growth between the first third of the time and its end; the allocator's own unrest is below this.
MEGABYTES = 12
WORKFLOW = {
    "name": "load",
    "description": "負載",
    "graph": {
        "nodes": [
            {"id": "input", "type": "Input"},
            {"id": "數", "type": "Component", "componentId": "comp_counter"},
        ],
        "edges": [{"from": "input", "to": "數", "type": "PIPE"}],
    },
}
LARGE_GRAPH = {
    "nodes": [{"id": "a", "type": "Component", "componentId": "hash", "data": {"v": "x" * 40_000}}],
    "edges": [],
}


@dataclass
class Totals:
    """What all clients saw."""

    requests: int = 0
    errors: list[str] = field(default_factory=list)
    slowest: float = 0.0
    turned_away: int = 0
    killed: int = 0


class Client:
    """One connection, kept open; the bytes of HTTP are written by hand, so that the server is what is loaded."""

    def __init__(self, number: int, ready: dict[str, Any], totals: Totals) -> None:
        self.name = f"c{number}"
        self._address = httpx.URL(ready["url"])
        self._key = ready["key"]
        self._totals = totals
        self._written: dict[str, dict[str, str] | None] = {}  # None: deleted

    async def run(self, until: float) -> None:
        reader, writer = await asyncio.open_connection(self._address.host, self._address.port)
        self._streams = reader, writer
        try:
            count = 0
            while time.monotonic() < until:
                count += 1
                await self._write(count)
                ran = await self._ask("POST", "/webhooks/named/load/trigger", {"count": count})
                self._expect(ran.get("data", {}).get("count") == count + 1, f"a run returned {ran}")
                if count % 4 == 0:  # large enough for a worker
                    checked = await self._ask("POST", "/validate", LARGE_GRAPH)
                    self._expect(checked.get("valid") is True, f"a check returned {checked}")
            await self._read_back()
        finally:
            writer.close()
            await writer.wait_closed()

    async def _write(self, count: int) -> None:
        """Write a credential and a workflow; delete and write another one in turns."""
        envelope = {
            "encrypted": base64.b64encode(secrets.token_bytes(48)).decode(),
            "iv": base64.b64encode(secrets.token_bytes(12)).decode(),
        }
        await self._ask("PUT", f"/credentials/{self.name}", envelope)
        self._written[f"/credentials/{self.name}"] = envelope
        workflow = {**WORKFLOW, "name": self.name, "description": f"第 {count} 次"}
        await self._ask("POST", "/webhooks/named", workflow)
        self._written[f"/webhooks/named/{self.name}/definition"] = {
            "description": workflow["description"]
        }
        now_and_then = f"/credentials/{self.name}_{count % 3}"
        if self._written.get(now_and_then) is None:
            await self._ask("PUT", now_and_then, envelope)
            self._written[now_and_then] = envelope
        else:
            await self._ask("DELETE", now_and_then)
            self._written[now_and_then] = None

    async def _read_back(self) -> None:
        for path, expected in self._written.items():
            found = await self._ask("GET", path, missing=expected is None)
            if expected is not None:
                self._expect(expected.items() <= found.items(), f"a write was lost: {path}")

    async def _ask(self, method: str, path: str, body: Any = None, *, missing: bool = False) -> Any:
        """Send a request until it is not turned away; return its response."""
        while True:
            status, headers, response = await self._exchange(method, path, body)
            if status != 429:
                break
            self._totals.turned_away += 1
            self._expect("retry-after" in headers, f"{method} {path}: 429 without Retry-After")
            await asyncio.sleep(float(headers["retry-after"]))
        good = status == 404 if missing else status in {200, 201}
        self._expect(good, f"{method} {path}: {status} {response}")
        return response

    async def _exchange(
        self, method: str, path: str, body: Any
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        reader, writer = self._streams
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Arcrun-API-Key: {self._key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        started = time.monotonic()
        writer.write(head.encode() + content)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
        }
        response = json.loads(await reader.readexactly(int(headers["content-length"])))
        self._totals.slowest = max(self._totals.slowest, time.monotonic() - started)
        self._totals.requests += 1
        return int(first.split()[1]), headers, response

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self._totals.errors.append(otherwise)


async def kill_workers(pid: int, totals: Totals) -> None:
    """Kill a child of the server, again and again."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    while True:
        await asyncio.sleep(random.uniform(0.2, 0.6))
        for child in children.read_text().split()[:1]:  # noqa: ASYNC240 - of no disk
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
                totals.killed += 1


def resident_megabytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads memory from /proc")
async def test_many_clients_at_once(serve: Callable[..., Any], tmp_path: Path) -> None:
    server = serve("--dev", "--json", "--data", tmp_path, "--log-level", "warning")
    ready = server.ready()
    headers = {"X-Arcrun-API-Key": ready["key"]}
    async with httpx.AsyncClient(base_url=ready["url"], headers=headers) as client:
        assert (await client.post("/webhooks/named", json=WORKFLOW)).status_code == 201

    totals = Totals()
    clients = [Client(number, ready, totals) for number in range(CLIENTS)]
    began = time.monotonic()
    tasks = [asyncio.create_task(client.run(began + SECONDS)) for client in clients]
    killer = asyncio.create_task(kill_workers(ready["pid"], totals))
    await asyncio.wait(tasks, timeout=SECONDS / 3)
    early = resident_megabytes(ready["pid"])
    await asyncio.gather(*tasks)
    killer.cancel()
    grown = resident_megabytes(ready["pid"]) - early
    print(
        f"\n{CLIENTS} clients, {SECONDS:g} s: {totals.requests} requests "
        f"({totals.requests / SECONDS:.0f}/s), {len(totals.errors)} errors, {totals.turned_away} × 429, "
        f"{totals.killed} workers killed, "
        f"slowest {totals.slowest * 1000:.0f} ms, memory {early:.0f} MB, grew {grown:+.1f} MB"
    )
    assert totals.errors == []
    assert totals.requests >= CLIENTS * 3
    assert totals.killed
    assert grown < MEGABYTES

    async with httpx.AsyncClient(base_url=ready["url"], headers=headers) as client:
        assert await names_of_credentials(client) >= {c.name for c in clients}
    assert server.stop() == 0
    assert "".join(server.log) == ""
