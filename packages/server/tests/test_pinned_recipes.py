"""A durable run uses its recipes in the versions that they had when it was accepted (docs/contract.md#runs)."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from durable_server import Engine, Service, accept, calls, ended, engine, push, service, until

__all__ = ["engine", "service"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")


async def push_recipe(engine: Engine, service: Service, version: int) -> None:
    """Push an API recipe whose requests say which version they are of."""
    recipe = {
        "canonical_id": "note",
        "display_name": "記錄",
        "description": "writes a note",
        "endpoint": f"{service.url}/note/{version}",
        "method": "POST",
        "body": {},
    }
    response = await engine.client.post("/recipes", json=recipe)
    assert response.status_code == 200, response.text


async def label(engine: Engine, version: int) -> None:
    response = await engine.client.put("/recipes/note/labels/stable", json={"version": version})
    assert response.status_code == 200, response.text


def waits_then_notes(service: Service, component: str) -> dict[str, Any]:
    """Return a workflow that waits for a callback, and then uses the recipe."""
    graph = calls(service, "/a")
    asks = {"pending": True, "task_id": "審核"}
    graph["nodes"] += [
        {"id": "ask", "type": "Component", "componentId": "set", "data": {"values": asks}},
        {"id": "note", "type": "Component", "componentId": component, "data": {}},
    ]
    graph["edges"] = [
        {"from": "a", "to": "ask", "type": "PIPE"},
        {"from": "ask", "to": "note", "type": "PIPE"},
    ]
    return graph


async def paused(engine: Engine, run_id: str) -> None:
    await until(engine.client, run_id, lambda run: run.get("status") == "paused")


async def resume(engine: Engine) -> Any:
    body = {"task_id": "審核", "data": {}}
    return (await engine.client.post("/workflows/resume", json=body)).json()


def noted(service: Service) -> list[str]:
    return [path for path, _, _ in service.requests if path.startswith("/note/")]


@pytest.mark.parametrize("component", ["note", "note@stable"])
async def test_a_run_that_goes_on_uses_the_version_of_its_acceptance(
    engine: Engine, service: Service, component: str
) -> None:
    await push_recipe(engine, service, 1)
    await label(engine, 1)
    await push(engine.client, "w", waits_then_notes(service, component))
    run_id = await accept(engine.client, "w")
    await paused(engine, run_id)
    await push_recipe(engine, service, 2)
    await label(engine, 2)
    await engine.end()
    await engine.start_again()
    resumed = await resume(engine)
    later = await accept(engine.client, "w")
    await paused(engine, later)
    await resume(engine)

    assert resumed["status"] == "succeeded"
    assert noted(service) == ["/note/1", "/note/2"]


async def test_a_run_that_is_waited_for_keeps_the_versions_of_its_pause(
    engine: Engine, service: Service
) -> None:
    await push_recipe(engine, service, 1)
    await push(engine.client, "w", waits_then_notes(service, "note"))
    response = await engine.client.post("/webhooks/named/w/trigger", json={})
    await push_recipe(engine, service, 2)
    resumed = await resume(engine)

    assert response.status_code == 202
    assert resumed["status"] == "succeeded"
    assert noted(service) == ["/note/1"]


async def test_a_repetition_uses_the_versions_of_the_first_run_or_the_newest(
    engine: Engine, service: Service
) -> None:
    await push_recipe(engine, service, 1)
    await push(
        engine.client,
        "w",
        {
            "nodes": [{"id": "note", "type": "Component", "componentId": "note", "data": {}}],
            "edges": [],
        },
    )
    first = await accept(engine.client, "w")
    await ended(engine.client, first)
    await push_recipe(engine, service, 2)
    for asked in ({}, {"latest": True}):
        response = await engine.client.post(f"/runs/{first}/retry", json=asked)
        await ended(engine.client, response.json()["run_id"])

    assert noted(service) == ["/note/1", "/note/1", "/note/2"]


async def test_a_version_that_is_gone_fails_the_node_and_says_so(
    engine: Engine, service: Service
) -> None:
    for version in (1, 2):
        await push_recipe(engine, service, version)
    await push(engine.client, "w", waits_then_notes(service, "note"))
    run_id = await accept(engine.client, "w")
    await paused(engine, run_id)
    await engine.client.delete("/recipes/note", params={"force": "true"})
    await push_recipe(engine, service, 3)
    await resume(engine)
    run = await ended(engine.client, run_id)

    assert run["status"] == "failed"
    assert "no version 2" in run["error"]
    assert noted(service) == []
