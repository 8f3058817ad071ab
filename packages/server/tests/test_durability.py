"""What was acknowledged is there after the process was killed."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from server_process import names_of_credentials

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")

CLIENTS = 16
BEFORE_THE_KILL = 300


async def test_no_acknowledged_write_is_lost_by_a_kill(
    serve: Callable[..., Any], tmp_path: Path, database_url: str | None
) -> None:
    arguments = ["--dev", "--json", "--data", tmp_path, "--log-level", "warning"]
    arguments += ["--database", database_url] if database_url else []
    server = serve(*arguments)
    ready = server.ready()
    headers = {"X-Arcrun-API-Key": ready["key"]}
    acknowledged: set[str] = set()
    enough = asyncio.Event()

    async def push(client: httpx.AsyncClient, number: int) -> None:
        count = 0
        while True:
            name = f"c{number}_{count}"
            try:
                response = await client.post(
                    "/credentials", json={"name": name, "value": f"值 {name}"}
                )
            except httpx.TransportError:
                return  # killed: this one was never acknowledged
            assert response.status_code == 200
            acknowledged.add(name)
            count += 1
            if len(acknowledged) >= BEFORE_THE_KILL:
                enough.set()

    async with httpx.AsyncClient(base_url=ready["url"], headers=headers, timeout=30) as client:
        clients = [asyncio.create_task(push(client, number)) for number in range(CLIENTS)]
        await asyncio.wait_for(enough.wait(), 60)
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
        await asyncio.gather(*clients)

    if database_url is None:
        with closing(sqlite3.connect(tmp_path / "arcrun.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    again = serve(*arguments).ready()
    async with httpx.AsyncClient(base_url=again["url"], headers=headers) as client:
        listed = await names_of_credentials(client)
    assert len(acknowledged) >= BEFORE_THE_KILL
    assert acknowledged <= listed
