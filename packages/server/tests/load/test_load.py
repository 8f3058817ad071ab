"""200 clients at once: no error, no lost write, flat memory.

Short by default; for the real length: `ARCRUN_LOAD_SECONDS=30 pytest packages/server/tests/load -s`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
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

CLIENTS = 200
SECONDS = float(os.environ.get("ARCRUN_LOAD_SECONDS", "2"))
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


@dataclass
class Totals:
    """What all clients saw."""

    requests: int = 0
    errors: list[str] = field(default_factory=list)
    slowest: float = 0.0


class Client:
    """One connection, kept open; the bytes of HTTP are written by hand, so that the server is what is loaded."""

    def __init__(self, number: int, ready: dict[str, Any], totals: Totals) -> None:
        self.name = f"c{number}"
        self._address = httpx.URL(ready["url"])
        self._key = ready["key"]
        self._totals = totals

    async def run(self, until: float) -> None:
        reader, writer = await asyncio.open_connection(self._address.host, self._address.port)
        self._streams = reader, writer
        try:
            count = 0
            while time.monotonic() < until:
                count += 1
                envelope = {
                    "encrypted": base64.b64encode(secrets.token_bytes(48)).decode(),
                    "iv": base64.b64encode(secrets.token_bytes(12)).decode(),
                }
                await self._ask("PUT", f"/credentials/{self.name}", envelope)
                read = await self._ask("GET", f"/credentials/{self.name}")
                self._expect(
                    {name: read.get(name) for name in envelope} == envelope, "a write was lost"
                )
                ran = await self._ask("POST", "/webhooks/named/load/trigger", {"count": count})
                self._expect(ran.get("data", {}).get("count") == count + 1, f"a run returned {ran}")
        finally:
            writer.close()
            await writer.wait_closed()

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        reader, writer = self._streams
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Arcrun-API-Key: {self._key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        started = time.monotonic()
        writer.write(head.encode() + content)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        length = next(
            int(line[15:]) for line in lines if line.lower().startswith("content-length:")
        )
        response = json.loads(await reader.readexactly(length))
        self._totals.slowest = max(self._totals.slowest, time.monotonic() - started)
        self._totals.requests += 1
        self._expect(lines[0].endswith("200 OK"), f"{method} {path}: {lines[0]} {response}")
        return response

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self._totals.errors.append(otherwise)


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
    await asyncio.wait(tasks, timeout=SECONDS / 3)
    early = resident_megabytes(ready["pid"])
    await asyncio.gather(*tasks)
    grown = resident_megabytes(ready["pid"]) - early
    print(
        f"\n{CLIENTS} clients, {SECONDS:g} s: {totals.requests} requests "
        f"({totals.requests / SECONDS:.0f}/s), {len(totals.errors)} errors, "
        f"slowest {totals.slowest * 1000:.0f} ms, memory {early:.0f} MB, grew {grown:+.1f} MB"
    )
    assert totals.errors == []
    assert totals.requests >= CLIENTS * 3
    assert grown < MEGABYTES

    async with httpx.AsyncClient(base_url=ready["url"], headers=headers) as client:
        assert await names_of_credentials(client) == {c.name for c in clients}
    assert server.stop() == 0
    assert "".join(server.log) == ""
