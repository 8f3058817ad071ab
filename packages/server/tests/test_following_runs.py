"""The run that follows a durable run which has failed (docs/contract.md#policies)."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from durable_server import (
    WAIT,
    Engine,
    Service,
    accept,
    calls,
    ended,
    engine,
    failing_node,
    push,
    service,
)
from test_pinned_recipes import noted, push_recipe

__all__ = ["engine", "service"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")


def failing(service: Service, following: str) -> dict[str, Any]:
    """Return a workflow whose second node fails."""
    graph = calls(service, "/a") | {"on_failure_workflow": following}
    graph["nodes"].append(failing_node("b"))
    graph["edges"].append({"from": "a", "to": "b", "type": "PIPE"})
    return graph


async def runs_of(engine: Engine, workflow: str) -> list[dict[str, Any]]:
    listed = (await engine.client.get("/runs", params={"workflow": workflow})).json()
    return listed["runs"]


async def test_a_failed_run_is_followed_by_one(engine: Engine, service: Service) -> None:
    await push(engine.client, "notify", calls(service, "/told"))
    await push(engine.client, "w", failing(service, "notify"))
    service.hold("/a")
    run_id = await accept(engine.client, "w")
    await service.arrived("/a")
    await engine.end()
    service.release("/a")
    await engine.start_again()
    failed = await ended(engine.client, run_id)
    [following] = await runs_of(engine, "notify")
    run = await ended(engine.client, following["run_id"])

    assert failed["status"] == "failed"
    assert run["status"] == "succeeded"
    assert run["trigger"] == "failure"
    assert run["input"] == {
        "workflow": "w",
        "error": failed["error"],
        "failed_node": "b",
        "run_id": run_id,
    }
    assert len(service.received["/told"]) == 1


async def test_a_run_that_follows_is_followed_by_none(engine: Engine, service: Service) -> None:
    await push(engine.client, "w", failing(service, "w"))
    await ended(engine.client, await accept(engine.client, "w"))
    deadline = asyncio.get_running_loop().time() + WAIT
    while any(run["status"] != "failed" for run in await runs_of(engine, "w")):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)

    assert [run["trigger"] for run in await runs_of(engine, "w")] == ["failure", "api"]


async def test_a_repetition_of_a_run_that_follows_is_followed_by_none(
    engine: Engine, service: Service
) -> None:
    await push(engine.client, "w", failing(service, "w"))
    await ended(engine.client, await accept(engine.client, "w"))
    [following, _] = await runs_of(engine, "w")
    await ended(engine.client, following["run_id"])
    response = await engine.client.post(f"/runs/{following['run_id']}/retry", json={})
    await ended(engine.client, response.json()["run_id"])

    assert [run["trigger"] for run in await runs_of(engine, "w")] == ["retry", "failure", "api"]


async def test_a_workflow_that_is_not_there_is_told_among_its_executions(
    engine: Engine, service: Service
) -> None:
    await push(engine.client, "w", failing(service, "gone"))
    await ended(engine.client, await accept(engine.client, "w"))
    await push(engine.client, "gone", calls(service, "/told"))
    executions = (await engine.client.get("/workflows/gone/executions")).json()["data"]

    assert [entry["verdict"] for entry in executions["executions"]] == ["failed"], executions
    assert await runs_of(engine, "gone") == []


async def test_a_run_that_follows_uses_recipes_in_the_versions_of_its_acceptance(
    engine: Engine, service: Service
) -> None:
    await push_recipe(engine, service, 1)
    notify = calls(service, "/begin") | {"max_running": 1}
    notify["nodes"].append({"id": "note", "type": "Component", "componentId": "note", "data": {}})
    notify["edges"].append({"from": "begin", "to": "note", "type": "PIPE"})
    await push(engine.client, "notify", notify)
    await push(engine.client, "w", failing(service, "notify"))
    service.hold("/begin")
    before = await accept(engine.client, "notify")
    await service.arrived("/begin")
    await ended(engine.client, await accept(engine.client, "w"))
    await push_recipe(engine, service, 2)
    service.release("/begin")
    await ended(engine.client, before)
    [following, _] = await runs_of(engine, "notify")
    await ended(engine.client, following["run_id"])

    assert following["trigger"] == "failure"
    assert noted(service) == ["/note/1", "/note/1"]
