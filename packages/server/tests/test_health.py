"""`GET /health`: how database and queue are (docs/contract.md#health)."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from durable_server import Engine, Service, accept, calls, engine, push, service, until
from health_probe import JUDGES_TIMES

from arcrun_server.accounts.keys import new_key
from arcrun_server.errors import StorageUnavailableError
from arcrun_server.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Api
    from postgresql_server import PostgreSQLServer

__all__ = ["engine", "service"]


async def health_when(
    client: httpx.AsyncClient, reached: Callable[[httpx.Response], bool]
) -> httpx.Response:
    """Ask for the health until it is as it is waited for."""

    async def ask() -> httpx.Response:
        while True:
            response = await client.get("/health")
            if reached(response):
                return response
            await asyncio.sleep(0.05)

    return await asyncio.wait_for(ask(), 60)


async def test_database_and_queue_are_shown_without_a_key(
    engine: Engine, service: Service, database_kind: str
) -> None:
    health = (await engine.client.get("/health", headers={"X-Arcrun-API-Key": ""})).json()
    assert health["ok"] is True
    assert health["database"] == {"ok": True, "kind": database_kind}
    assert health["queue"] == {"queued": 0, "oldest_seconds": 0.0}


@pytest.mark.skipif(sys.platform == "win32", reason="it is stopped by a signal")
async def test_runs_that_wait_for_their_turn_are_counted(
    serve: Callable[..., Any], tmp_path: Path, service: Service
) -> None:
    def start() -> Any:
        return serve("--dev", "--json", "--data", tmp_path, ARCRUN_SERVER_RUNS_AT_ONCE="1")

    engine = await asyncio.to_thread(Engine, start)
    await push(engine.client, "w", calls(service, "/a"))
    service.hold("/a")
    await accept(engine.client, "w")
    await service.arrived("/a")
    for _ in range(2):
        run_id = await accept(engine.client, "w")
    health = await health_when(engine.client, lambda got: got.json()["queue"]["queued"] == 2)
    assert health.json()["queue"]["oldest_seconds"] > 0
    service.release("/a")
    await until(engine.client, run_id, lambda run: run["status"] == "succeeded")
    await engine.client.aclose()


async def test_engine_without_durable_runs_has_no_queue(nobody: Api) -> None:
    health = (await nobody("GET", "/health")).json()
    assert health["database"] == {"ok": True, "kind": nobody.store.database.kind}
    assert "queue" not in health


async def test_database_that_fails_is_503_and_named_by_its_kind_only(
    nobody: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_query: object) -> None:
        raise StorageUnavailableError("the database at db.internal refuses arcrun")

    monkeypatch.setattr(nobody.store.database, "read_long_now", refuse)
    response = await nobody("GET", "/health")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    body = response.json()
    assert (body["ok"], body["code"]) == (False, "storage_unavailable")
    assert body["database"] == {"ok": False, "kind": nobody.store.database.kind}
    assert "sealed_read" in body["capabilities"]
    assert "queue" not in body
    assert "db.internal" not in response.text


async def test_database_that_hangs_does_not_hold_up_the_response(
    serve: Callable[..., Any], tmp_path: Path, postgresql: PostgreSQLServer
) -> None:
    import psycopg

    url = postgresql.schema()
    store = Store(tmp_path / "data", url)
    store.accounts.create(new_key())
    store.close()
    server = serve("--json", "--data", tmp_path / "data", ARCRUN_SERVER_DATABASE=url)
    ready = await asyncio.to_thread(server.ready)
    async with httpx.AsyncClient(base_url=ready["url"], timeout=60) as client:
        assert (await client.get("/health")).status_code == 200
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE properties IN ACCESS EXCLUSIVE MODE")
            failed = await health_when(client, lambda got: got.status_code == 503)
            times = []
            for _ in range(10):
                began = time.perf_counter()
                failed = await client.get("/health")
                times.append(time.perf_counter() - began)
        assert failed.json()["database"] == {"ok": False, "kind": "postgresql"}
        longest = max(times) if JUDGES_TIMES else statistics.median(times)
        assert longest < (0.1 if JUDGES_TIMES else 0.5), "a response waits for the database"
        await health_when(client, lambda got: got.status_code == 200)
