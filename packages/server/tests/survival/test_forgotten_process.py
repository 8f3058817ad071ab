"""A process that nobody lists any more ends while it has runs: those that remain take them over."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

import postgresql_server
import pytest
from durable_server import Engine, Service, accept, calls, ended, push

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_its_runs_are_taken_over(
    serve: Callable[..., Any], service: Service, tmp_path: Path, database_url: str
) -> None:
    arguments = ["--dev", "--json", "--data", tmp_path, "--database", database_url]
    engine = await asyncio.to_thread(Engine, lambda: serve(*arguments))
    await push(engine.client, "w", calls(service, "/a", "/b"))
    service.hold("/b")
    run_id = await accept(engine.client, "w", {"n": 1})
    await service.arrived("/b")
    await engine.end(signal.SIGKILL)
    # As if another process had taken over what it had, and it had gone on without noticing.
    postgresql_server.execute(database_url, "DELETE FROM executors")
    service.release("/b")
    await engine.start_again()
    run = await ended(engine.client, run_id)
    await engine.client.aclose()
    assert run["status"] == "succeeded"
    assert len(service.received["/a"]) == 1
    assert len(set(service.received["/b"])) == 1
