"""A PostgreSQL that stops while engines execute what they have accepted, and starts again."""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import TYPE_CHECKING, Any

import postgresql_server
import pytest
from durable_server import Service, calls, push
from survival_engines import Engines, accept_all, wait_for_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from postgresql_server import PostgreSQLServer

RUNS = int(os.environ.get("ARCRUN_SURVIVAL_RUNS", "40"))
# How long the database stays away.
OUTAGE_SECONDS = float(os.environ.get("ARCRUN_SURVIVAL_OUTAGE", "2"))
PATHS = ("/a", "/b", "/c")
PROCESSES = 2


@pytest.fixture
def own_server() -> Iterator[PostgreSQLServer]:
    """A PostgreSQL server of this test's own, which it may stop."""
    postgresql_server.require()
    with postgresql_server.own_server() as server:
        yield server


async def test_an_outage_of_the_database_loses_and_doubles_nothing(
    serve: Callable[..., Any], service: Service, tmp_path: Path, own_server: PostgreSQLServer
) -> None:
    arguments = ["--dev", "--json", "--data", tmp_path, "--log-level", "error"]
    arguments += ["--database", own_server.schema()]
    engines = await asyncio.to_thread(Engines, lambda: serve(*arguments), PROCESSES)
    began = time.monotonic()
    refused: list[int] = []

    async def stop_and_start() -> None:
        await service.asked(RUNS)
        await asyncio.to_thread(own_server.halt)
        # The outage itself: nothing tells when it has lasted long enough.
        await asyncio.sleep(OUTAGE_SECONDS)
        refused.append((await client.get(f"{engines.urls[0]}/runs")).status_code)
        await asyncio.to_thread(own_server.start_again)

    async with engines.client() as client:
        client.base_url = engines.urls[0]
        await push(client, "w", calls(service, *PATHS))
        client.base_url = ""
        accepted, _ = await asyncio.gather(
            accept_all(engines, client, range(RUNS)), stop_and_start()
        )
        runs = [await wait_for_end(engines, client, run_id) for run_id in accepted]
    seconds = time.monotonic() - began

    keys: dict[tuple[str, int], set[str | None]] = {}
    for path, body, key in service.requests:
        keys.setdefault((path, json.loads(body)["n"]), set()).add(key)
    print(
        f"\n{RUNS} runs, {OUTAGE_SECONDS:g} s without a database, {len(service.requests)} requests"
        f" for {len(keys)} steps, {seconds:.0f} s"
    )
    assert refused == [503]
    assert [run["status"] for run in runs] == ["succeeded"] * RUNS
    assert len(set(accepted)) == RUNS
    assert sorted(keys) == sorted((path, n) for path in PATHS for n in range(RUNS))
    assert all(len(found) == 1 and None not in found for found in keys.values())
