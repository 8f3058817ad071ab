"""A request that is repeated within a day is one run, also if that run is kept no longer (docs/contract.md#runs)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from durable_server import Engine, Service, calls, ended, push, service

from arcrun_server.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    Ask = Callable[[], Awaitable[httpx.Response]]

__all__ = ["service"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")

KEY = b"0123456789abcdef0123456789abcdef"
HOUR = 3600


class Clock:
    """The clock of an engine, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.hours = 0.0

    def set(self, hours: float) -> None:
        """Let it be so many hours ahead."""
        self.hours = hours
        self._path.write_text(str(hours * HOUR), "ascii")


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@pytest.fixture
async def engine(
    serve: Callable[..., Any], tmp_path: Path, database_url: str | None, clock: Clock
) -> AsyncIterator[Engine]:
    """An engine on SQLite and on PostgreSQL whose clock can be set."""
    arguments = ["--dev", "--json", "--data", tmp_path / "data", "--log-level", "warning"]
    arguments += ["--database", database_url] if database_url else []
    setting = {"ARCRUN_SERVER_CLOCK_FILE": str(tmp_path / "clock")}
    made = await asyncio.to_thread(Engine, lambda: serve(*arguments, **setting))
    yield made
    await made.client.aclose()


@pytest.fixture
def store_of_engine(tmp_path: Path, database_url: str | None) -> Callable[[], Store]:
    """Open the engine's data, while it does not run."""
    return lambda: Store(tmp_path / "data", database_url)


async def by_key(engine: Engine, service: Service, _clock: Clock) -> Ask:
    """Return a trigger that is repeated under its `Idempotency-Key`."""
    await push(engine.client, "w", calls(service, "/a"))

    async def ask() -> httpx.Response:
        return await engine.client.post(
            "/webhooks/named/w/trigger",
            params={"async": "1"},
            json={"n": 1},
            headers={"Idempotency-Key": "k"},
        )

    return ask


async def by_webhook(engine: Engine, service: Service, clock: Clock) -> Ask:
    """Return a webhook that is sent again with its `webhook-id`."""
    secret = "whsec_" + base64.b64encode(KEY).decode()
    await engine.client.post("/credentials", json={"name": "SHOP", "value": secret})
    graph = calls(service, "/a") | {"webhook": {"secret": "SHOP"}}
    pushed = await engine.client.post(
        "/webhooks/named", json={"name": "w", "description": "a test's", "graph": graph}
    )
    path = httpx.URL(pushed.json()["hook_url"]).path

    async def ask() -> httpx.Response:
        timestamp, body = int(time.time() + clock.hours * HOUR), json.dumps({"n": 1}).encode()
        digest = hmac.digest(KEY, f"msg_1.{timestamp}.".encode() + body, hashlib.sha256)
        headers = {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(timestamp),
            "webhook-signature": "v1," + base64.b64encode(digest).decode(),
            "content-type": "application/json",
        }
        return await engine.client.post(path, content=body, headers=headers)

    return ask


@pytest.fixture(params=[by_key, by_webhook])
async def ask(
    request: pytest.FixtureRequest, engine: Engine, service: Service, clock: Clock
) -> Ask:
    """A request that is repeated, by whatever a repetition is known."""
    made: Ask = await request.param(engine, service, clock)
    return made


async def test_a_day_counts_also_for_a_run_that_is_removed(
    ask: Ask, engine: Engine, service: Service, clock: Clock, store_of_engine: Callable[[], Store]
) -> None:
    first = await ask()
    run_id = first.json()["run_id"]
    await ended(engine.client, run_id)
    await engine.end()
    store = store_of_engine()
    await store.ended_runs.remove([run_id])
    await asyncio.to_thread(store.close)
    await engine.start_again()
    clock.set(23)
    again = await ask()
    gone = await engine.client.get(f"/runs/{run_id}")
    clock.set(25)
    anew = await ask()
    await ended(engine.client, anew.json()["run_id"])

    assert first.status_code == again.status_code == anew.status_code == 202
    assert again.json() == first.json()
    assert gone.status_code == 404
    assert anew.json()["run_id"] != run_id
    assert len(service.received["/a"]) == 2


async def test_a_repetition_gets_its_response_also_when_the_workflow_is_deleted(
    engine: Engine, service: Service, clock: Clock
) -> None:
    ask = await by_key(engine, service, clock)
    first = await ask()
    await engine.client.delete("/webhooks/named/w")
    again = await ask()

    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_a_refused_run_leaves_its_key_free(
    engine: Engine, service: Service, clock: Clock
) -> None:
    ask = await by_key(engine, service, clock)
    graph = calls(service, "/a") | {"max_running": 1, "when_full": "refuse"}
    await push(engine.client, "w", graph)
    service.hold("/a")
    going_on = await engine.client.post("/webhooks/named/w/trigger", params={"async": "1"}, json={})
    refused = await ask()
    service.release("/a")
    await ended(engine.client, going_on.json()["run_id"])
    taken = await ask()

    assert (refused.status_code, refused.json()["code"]) == (409, "workflow_full")
    assert taken.status_code == 202


async def test_of_many_requests_at_once_under_one_key_one_is_a_run(
    engine: Engine, service: Service, clock: Clock
) -> None:
    ask = await by_key(engine, service, clock)
    responses = await asyncio.gather(*(ask() for _ in range(10)))
    [run_id] = {response.json()["run_id"] for response in responses}
    await ended(engine.client, run_id)

    assert {response.status_code for response in responses} == {202}
    assert len(service.received["/a"]) == 1
