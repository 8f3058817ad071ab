"""The events of runs: all of them, in order, once, to whoever asks and whenever (docs/contract.md#events-of-a-run)."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from durable_server import (
    WAIT,
    Engine,
    Service,
    accept,
    calls,
    ended,
    engine,
    push,
    service,
    until,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from postgresql_server import PostgreSQLServer

__all__ = ["engine", "service"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")

Event = tuple[str, str, dict[str, Any]]


@asynccontextmanager
async def following(
    client: httpx.AsyncClient, run_id: str, last: str | None = None
) -> AsyncIterator[AsyncIterator[Event]]:
    """Read the events of a run, as (id, type, data)."""
    headers = {} if last is None else {"Last-Event-ID": last}
    async with client.stream("GET", f"/runs/{run_id}/events", headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield parsed(response)


async def parsed(response: httpx.Response) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if line.startswith(":"):
            continue
        if line:
            fields[name] = value
        elif fields:
            yield fields["id"], fields["event"], json.loads(fields["data"])
            fields = {}


async def all_events(
    client: httpx.AsyncClient, run_id: str, last: str | None = None
) -> list[Event]:
    async with following(client, run_id, last) as events:
        return [event async for event in events]


async def next_event(events: AsyncIterator[Event]) -> Event:
    return await asyncio.wait_for(anext(events), WAIT)


def shown(events: list[Event]) -> list[tuple[str, str]]:
    """Return id and status of events, of nodes with their names."""
    return [
        (number, data["status"] if kind == "status" else f"{data['node']} {data['status']}")
        for number, kind, data in events
    ]


async def test_who_comes_after_the_end_gets_what_was(engine: Engine, service: Service) -> None:
    await push(engine.client, "w", calls(service, "/a", "/b"))
    run_id = await accept(engine.client, "w")
    run = await ended(engine.client, run_id)
    events = await all_events(engine.client, run_id)

    assert shown(events) == [
        ("0-0", "queued"),
        ("0-1", "running"),
        ("0-2", "a ok"),
        ("0-3", "b ok"),
        ("1-0", "succeeded"),
    ]
    times = [data.get("at") for _, _, data in events]
    assert times == [run["created_at"], run["started_at"], None, None, run["ended_at"]]
    assert [data["duration_ms"] for _, kind, data in events if kind == "node"] == [
        entry["duration_ms"] for entry in run["trace"]
    ]


async def test_what_happens_arrives_while_the_run_goes_on(engine: Engine, service: Service) -> None:
    await push(engine.client, "w", calls(service, "/a", "/b"))
    service.hold("/b")
    run_id = await accept(engine.client, "w")
    async with following(engine.client, run_id) as events:
        first = [await next_event(events) for _ in range(3)]
        await service.arrived("/b")
        service.release("/b")
        rest = [event async for event in events]

    assert shown(first) == [("0-0", "queued"), ("0-1", "running"), ("0-2", "a ok")]
    assert shown(rest) == [("0-3", "b ok"), ("1-0", "succeeded")]
    assert first + rest == await all_events(engine.client, run_id)


async def test_a_client_that_comes_back_gets_what_it_has_not_got(
    engine: Engine, service: Service
) -> None:
    await push(engine.client, "w", calls(service, "/a", "/b"))
    run_id = await accept(engine.client, "w")
    await ended(engine.client, run_id)
    events = await all_events(engine.client, run_id)

    for seen, (number, _, _) in enumerate(events):
        assert await all_events(engine.client, run_id, number) == events[seen + 1 :]


async def test_the_ids_are_the_same_after_the_process_was_killed(
    engine: Engine, service: Service
) -> None:
    await push(engine.client, "w", calls(service, "/a", "/b"))
    service.hold("/b")
    run_id = await accept(engine.client, "w")
    async with following(engine.client, run_id) as events:
        first = [await next_event(events) for _ in range(3)]
    await service.arrived("/b")
    await engine.end(signal.SIGKILL)
    await engine.start_again()
    await service.arrived("/b", 2)
    async with following(engine.client, run_id, first[-1][0]) as events:
        service.release("/b")
        rest = [event async for event in events]

    assert shown(first + rest) == [
        ("0-0", "queued"),
        ("0-1", "running"),
        ("0-2", "a ok"),
        ("0-3", "b ok"),
        ("1-0", "succeeded"),
    ]


async def test_a_pause_is_an_event_and_the_stream_goes_on_with_the_callback(
    engine: Engine, service: Service
) -> None:
    service.answers["/ask"] = json.dumps({"pending": True, "task_id": "審核-1"}).encode()
    graph = {
        "nodes": [{"id": "ask", "type": "Component", "componentId": f"{service.url}/ask"}],
        "edges": [],
    }
    await push(engine.client, "w", graph)
    run_id = await accept(engine.client, "w")
    async with following(engine.client, run_id) as events:
        first = [await next_event(events) for _ in range(4)]
        await until(engine.client, run_id, lambda run: run["status"] == "paused")
        response = await engine.client.post(
            "/workflows/resume?async=1", json={"task_id": "審核-1", "data": {"n": 1}}
        )
        rest = [event async for event in events]

    assert response.status_code == 202
    assert shown(first) == [
        ("0-0", "queued"),
        ("0-1", "running"),
        ("0-2", "ask waiting"),
        ("1-0", "paused"),
    ]
    assert first[-1][2]["task_id"] == "審核-1"
    assert first[-1][2]["paused_node_id"] == "ask"
    assert shown(rest) == [("1-1", "running"), ("1-2", "ask ok"), ("2-0", "succeeded")]
    assert first + rest == await all_events(engine.client, run_id)


async def test_a_run_that_was_waited_for_has_events_once_it_has_paused(
    engine: Engine, service: Service
) -> None:
    service.answers["/ask"] = json.dumps({"pending": True, "task_id": "t"}).encode()
    graph = {
        "nodes": [{"id": "ask", "type": "Component", "componentId": f"{service.url}/ask"}],
        "edges": [],
    }
    await push(engine.client, "w", graph)
    paused = (await engine.client.post("/webhooks/named/w/trigger", json={})).json()
    cancelled = await engine.client.post(f"/runs/{paused['run_id']}/cancel")
    events = await all_events(engine.client, paused["run_id"])

    assert cancelled.status_code == 200
    assert shown(events) == [
        ("0-0", "queued"),
        ("0-1", "running"),
        ("0-2", "ask waiting"),
        ("1-0", "paused"),
        ("1-1", "cancelled"),
    ]


async def test_a_cancelled_run_ends_its_stream(engine: Engine, service: Service) -> None:
    await push(engine.client, "w", calls(service, "/a", "/b"))
    service.hold("/b")
    run_id = await accept(engine.client, "w")
    async with following(engine.client, run_id) as events:
        first = [await next_event(events) for _ in range(3)]
        await engine.client.post(f"/runs/{run_id}/cancel")
        rest = [event async for event in events]
    service.release("/b")

    assert shown(first)[-1] == ("0-2", "a ok")
    assert shown(rest) == [("1-0", "cancelled")]


async def test_a_failure_says_why_and_no_secret(engine: Engine, service: Service) -> None:
    secret = "s3cr3t-in-a-node"
    await engine.client.post("/credentials", json={"name": "TOKEN", "value": secret})
    service.answers["/a"] = json.dumps({"success": False, "error": f"no {secret}"}).encode()
    node = {"id": "a", "type": "Component", "componentId": f"{service.url}/a", "on_failure": "stop"}
    graph = {"nodes": [node | {"data": {"token": "{{credential.TOKEN}}"}}], "edges": []}
    await push(engine.client, "w", graph)
    run_id = await accept(engine.client, "w")
    await ended(engine.client, run_id)
    events = await all_events(engine.client, run_id)

    assert shown(events)[2:] == [("0-2", "a failed"), ("1-0", "failed")]
    assert events[2][2]["error"].startswith("no ")
    assert events[3][2]["failed_node"] == "a"
    assert secret not in json.dumps(events)


async def test_elements_that_run_together_have_events_in_the_order_of_the_list(
    engine: Engine, service: Service
) -> None:
    graph = calls(service, "/a")
    graph["nodes"].insert(0, {"id": "all", "type": "Input", "concurrency": 3})
    graph["edges"] = [{"from": "all", "to": "a", "type": "FOREACH", "iterator": "item"}]
    await push(engine.client, "w", graph)
    run_id = await accept(engine.client, "w", {"items": list(range(6))})
    async with following(engine.client, run_id) as events:
        live = [event async for event in events]

    assert [number for number, _, _ in live] == [
        "0-0",
        "0-1",
        *(f"0-{n}" for n in range(2, 9)),
        "1-0",
    ]
    assert live == await all_events(engine.client, run_id)


async def test_what_is_no_id_of_an_event_is_refused(engine: Engine, service: Service) -> None:
    await push(engine.client, "w", calls(service, "/a"))
    run_id = await accept(engine.client, "w")
    await ended(engine.client, run_id)
    for last in ("", "x", "1", "0-1-2", "-1-0", "0-01", "2-0", "999999999-0"):
        response = await engine.client.get(
            f"/runs/{run_id}/events", headers={"Last-Event-ID": last}
        )
        assert (response.status_code, response.json()["code"]) == (400, "invalid_request"), last
        assert response.json()["details"][0]["path"] == "Last-Event-ID"


async def test_there_are_no_events_of_what_is_not_ones_own(
    engine: Engine, service: Service
) -> None:
    await push(engine.client, "w", calls(service, "/a"))
    run_id = await accept(engine.client, "w")
    missing = await engine.client.get(f"/runs/{'0' * 32}/events")
    async with httpx.AsyncClient(base_url=engine.client.base_url) as stranger:
        refused = await stranger.get(f"/runs/{run_id}/events")

    assert (missing.status_code, missing.json()["code"]) == (404, "run_not_found")
    assert refused.status_code == 401


async def test_a_stream_counts_as_a_request_of_its_key_until_its_client_leaves(
    serve: Callable[..., Any], tmp_path: Path, service: Service
) -> None:
    arguments = ("--dev", "--json", "--data", tmp_path)
    server = await asyncio.to_thread(
        Engine, lambda: serve(*arguments, ARCRUN_SERVER_REQUESTS_PER_KEY="2")
    )
    await push(server.client, "w", calls(service, "/a"))
    service.hold("/a")
    run_id = await accept(server.client, "w")
    async with following(server.client, run_id), following(server.client, run_id):
        refused = await server.client.get(f"/runs/{run_id}")
    run = await until(server.client, run_id, lambda run: run.get("status") == "running")
    service.release("/a")

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert run["run_id"] == run_id
    await server.client.aclose()


async def test_what_another_process_executes_has_the_same_events(
    serve: Callable[..., Any], tmp_path: Path, postgresql: PostgreSQLServer, service: Service
) -> None:
    url = postgresql.schema()
    arguments = ("--dev", "--json", "--data", tmp_path, "--database", url)
    one = await asyncio.to_thread(Engine, lambda: serve(*arguments))
    other = await asyncio.to_thread(Engine, lambda: serve(*arguments))
    await push(one.client, "w", calls(service, "/a", "/b"))
    service.hold("/b")
    run_id = await accept(one.client, "w")
    await service.arrived("/b")
    async with following(other.client, run_id) as events:
        first = [await next_event(events) for _ in range(2)]
        service.release("/b")
        rest = [event async for event in events]

    assert shown(first) == [("0-0", "queued"), ("0-1", "running")]
    assert shown(rest) == [("0-2", "a ok"), ("0-3", "b ok"), ("1-0", "succeeded")]
    assert first + rest == await all_events(one.client, run_id)
    for process in (one, other):
        await process.client.aclose()


async def test_what_another_process_cancels_ends_its_stream_at_once(
    serve: Callable[..., Any], tmp_path: Path, postgresql: PostgreSQLServer, service: Service
) -> None:
    url = postgresql.schema()
    arguments = ("--dev", "--json", "--data", tmp_path, "--database", url)
    one = await asyncio.to_thread(Engine, lambda: serve(*arguments))
    other = await asyncio.to_thread(Engine, lambda: serve(*arguments))
    await push(one.client, "w", calls(service, "/a"))
    service.hold("/a")
    run_id = await accept(one.client, "w")
    await service.arrived("/a")
    async with following(one.client, run_id) as events:
        first = [await next_event(events) for _ in range(2)]
        cancelled = await other.client.post(f"/runs/{run_id}/cancel")
        rest = [event async for event in events]
    service.release("/a")

    assert cancelled.status_code == 200
    assert shown(first + rest) == [("0-0", "queued"), ("0-1", "running"), ("1-0", "cancelled")]
    for process in (one, other):
        await process.client.aclose()


async def test_a_server_that_stops_ends_its_streams_at_once(
    engine: Engine, service: Service
) -> None:
    await push(engine.client, "w", calls(service, "/a"))
    service.hold("/a")
    run_id = await accept(engine.client, "w")
    client = httpx.AsyncClient(
        base_url=engine.client.base_url, headers=engine.client.headers, timeout=60
    )
    async with client, following(client, run_id) as events:
        await next_event(events)
        await service.arrived("/a")
        began = asyncio.get_running_loop().time()
        await engine.end(signal.SIGTERM)
        rest = [event async for event in events]
        took = asyncio.get_running_loop().time() - began
    service.release("/a")

    assert shown(rest) == [("0-1", "running")]
    assert took < 8, "the grace for requests is 10 s"
