"""How many runs of a workflow go on at the same time, if it says so (docs/contract.md#policies)."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from durable_server import (
    Engine,
    Service,
    accept,
    calls,
    ended,
    engine,
    failing_node,
    push,
    service,
    until,
)

__all__ = ["engine", "service"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")


def limited(service: Service, most: int, when_full: str = "queue") -> dict[str, Any]:
    """Return a workflow with one node, of whose runs so many may go on."""
    return calls(service, "/a") | {"max_running": most, "when_full": when_full}


async def statuses(engine: Engine) -> list[str]:
    """Return the status of each run, oldest first."""
    listed = (await engine.client.get("/runs")).json()["runs"]
    return [entry["status"] for entry in reversed(listed)]


async def trigger(engine: Engine, name: str = "w", **options: Any) -> Any:
    return await engine.client.post(f"/webhooks/named/{name}/trigger", json={"n": 1}, **options)


async def test_one_run_more_waits_until_one_has_ended(engine: Engine, service: Service) -> None:
    await push(engine.client, "w", limited(service, 2))
    service.hold("/a")
    runs = [await accept(engine.client, "w") for _ in range(4)]
    await service.arrived("/a", 2)
    while_two_go_on = await statuses(engine)
    service.release("/a")
    all_ended = [(await ended(engine.client, run))["status"] for run in runs]

    assert while_two_go_on == ["running", "running", "queued", "queued"]
    assert all_ended == ["succeeded"] * 4
    assert len(service.received["/a"]) == 4


async def test_runs_that_wait_are_started_after_a_kill(engine: Engine, service: Service) -> None:
    await push(engine.client, "w", limited(service, 1))
    service.hold("/a")
    runs = [await accept(engine.client, "w") for _ in range(3)]
    await service.arrived("/a")
    await engine.end()
    service.release("/a")
    await engine.start_again()

    assert [(await ended(engine.client, run))["status"] for run in runs] == ["succeeded"] * 3
    # The first one was asked twice: it was running when the process was killed.
    assert len(service.received["/a"]) == 4
    assert len(set(service.received["/a"])) == 3


async def test_a_run_that_is_cancelled_makes_room(engine: Engine, service: Service) -> None:
    await push(engine.client, "w", limited(service, 1))
    service.hold("/a")
    first, second, third = [await accept(engine.client, "w") for _ in range(3)]
    await service.arrived("/a")
    waiting = await engine.client.post(f"/runs/{second}/cancel")
    running = await engine.client.post(f"/runs/{first}/cancel")
    await service.arrived("/a", 2)
    service.release("/a")

    assert (waiting.status_code, running.status_code) == (200, 200)
    assert (await ended(engine.client, third))["status"] == "succeeded"
    assert await statuses(engine) == ["cancelled", "cancelled", "succeeded"]
    assert len(service.received["/a"]) == 2


async def test_one_run_more_is_refused_if_the_workflow_says_so(
    engine: Engine, service: Service
) -> None:
    await push(engine.client, "w", limited(service, 1, "refuse"))
    service.hold("/a")
    first = await accept(engine.client, "w", headers={"Idempotency-Key": "first"})
    await service.arrived("/a")
    again = await accept(engine.client, "w", headers={"Idempotency-Key": "first"})
    refused = await trigger(engine, params={"async": "1"}, headers={"Idempotency-Key": "second"})
    waited_for = await trigger(engine, headers={"Idempotency-Key": "third"})
    service.release("/a")
    await ended(engine.client, first)
    later = await accept(engine.client, "w", headers={"Idempotency-Key": "second"})
    later_ended = await ended(engine.client, later)
    waited_for_later = await trigger(engine, headers={"Idempotency-Key": "third"})

    assert again == first
    assert (refused.status_code, refused.json()["code"]) == (409, "workflow_full")
    assert "max_running" in refused.json()["error"]
    assert (waited_for.status_code, waited_for.json()["code"]) == (409, "workflow_full")
    assert later_ended["status"] == "succeeded"
    assert waited_for_later.status_code == 200, waited_for_later.text
    assert len(service.received["/a"]) == 3


async def test_runs_that_are_waited_for_are_counted(engine: Engine, service: Service) -> None:
    await push(engine.client, "w", limited(service, 1))
    service.hold("/a")
    waiting = [asyncio.create_task(trigger(engine)) for _ in range(2)]
    await service.arrived("/a")
    for _ in range(3):  # the second one has been accepted, and waits
        await statuses(engine)
    arrived = len(service.received["/a"])
    service.release("/a")
    responses = [await one for one in waiting]

    assert arrived == 1
    assert [response.status_code for response in responses] == [200, 200]
    assert responses[0].json()["data"]["status"] == 200
    assert set(responses[0].json()) == {"success", "data", "duration_ms"}


async def test_a_failure_that_is_waited_for_is_told_as_any_other(
    engine: Engine, service: Service
) -> None:
    graph = limited(service, 1)
    graph["nodes"].append(failing_node("b"))
    graph["edges"].append({"from": "a", "to": "b", "type": "PIPE"})
    await push(engine.client, "w", graph)
    unlimited = {name: graph[name] for name in ("nodes", "edges")}
    await push(engine.client, "unlimited", unlimited)
    failed = await trigger(engine)
    without = await trigger(engine, "unlimited")

    assert failed.status_code == without.status_code == 500
    assert failed.json()["failed_node"] == "b"
    duration = {"duration_ms": 0}
    assert failed.json() | duration == without.json() | duration


async def test_a_paused_run_keeps_no_room_and_needs_some_when_it_goes_on(
    engine: Engine, service: Service
) -> None:
    asks = {"pending": True, "task_id": "${task}"}
    graph = calls(service, "/b") | {"max_running": 1}
    graph["nodes"].insert(
        0,
        {
            "id": "ask",
            "type": "Component",
            "componentId": "set",
            "data": {"values": asks | {"task_id": "{{input.task}}"}},
        },
    )
    graph["edges"] = [{"from": "ask", "to": "b", "type": "PIPE"}]
    await push(engine.client, "w", graph)
    service.hold("/b")
    first = await accept(engine.client, "w", {"task": "one"})
    await until(engine.client, first, lambda run: run["status"] == "paused")
    second = await accept(engine.client, "w", {"task": "two"})
    await until(engine.client, second, lambda run: run["status"] == "paused")

    async def resume(task: str) -> None:
        body = {"task_id": task, "data": {"n": 1}}
        response = await engine.client.post("/workflows/resume", json=body, params={"async": "1"})
        assert response.status_code == 202, response.text

    await resume("one")
    await service.arrived("/b")
    await resume("two")
    while_one_goes_on = await statuses(engine)
    service.release("/b")
    all_ended = [(await ended(engine.client, run))["status"] for run in (first, second)]

    assert while_one_goes_on == ["running", "queued"]
    assert all_ended == ["succeeded", "succeeded"]


async def test_runs_wait_for_those_that_were_accepted_without_a_limit(
    engine: Engine, service: Service
) -> None:
    await push(engine.client, "w", calls(service, "/a"))
    service.hold("/a")
    first = await accept(engine.client, "w")
    await service.arrived("/a")
    await push(engine.client, "w", limited(service, 1))
    second = await accept(engine.client, "w")
    while_one_goes_on = await statuses(engine)
    service.release("/a")

    assert while_one_goes_on == ["running", "queued"]
    for run in (first, second):
        assert (await ended(engine.client, run))["status"] == "succeeded"
