"""Runs that the engine has accepted: they end, once, whatever process dies (docs/contract.md#runs)."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from durable_server import Engine, Service, accept, calls, ended, engine, push, service, until

from arcrun_server.runs.accepted import ALONE
from arcrun_server.store import Store
from arcrun_server.store.runs import QUEUED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["engine", "service"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")


async def test_an_accepted_run_is_executed_and_can_be_looked_at(
    engine: Engine, service: Service
) -> None:
    await push(engine.client, "steps", calls(service, "/a", "/b", "/c"))
    run_id = await accept(engine.client, "steps", {"n": 7})
    run = await ended(engine.client, run_id)

    assert run["status"] == "succeeded"
    assert run["input"] == {"n": 7}
    assert run["data"]["status"] == 200
    assert [entry["nodeId"] for entry in run["trace"]] == ["a", "b", "c"]
    assert all(entry["duration_ms"] > 0 for entry in run["trace"])
    listed = (await engine.client.get("/runs", params={"workflow": "steps"})).json()
    assert [(entry["run_id"], entry["status"]) for entry in listed["runs"]] == [
        (run_id, "succeeded")
    ]


async def test_a_run_goes_on_where_it_was_when_its_process_is_killed(
    engine: Engine, service: Service
) -> None:
    await push(engine.client, "w", calls(service, "/a", "/b", "/c"))
    service.hold("/b")
    run_id = await accept(engine.client, "w")
    await service.arrived("/b")
    await engine.end()
    service.release("/b")
    await engine.start_again()
    run = await ended(engine.client, run_id)

    assert run["status"] == "succeeded"
    asked = {path: len(keys) for path, keys in service.received.items()}
    assert asked == {"/a": 1, "/b": 2, "/c": 1}
    keys = [key for path in ("/a", "/b", "/c") for key in service.received[path]]
    assert service.received["/b"][0] == service.received["/b"][1]
    assert None not in keys
    assert len(set(keys)) == 3
    assert [entry["nodeId"] for entry in run["trace"]] == ["a", "b", "c"]


async def test_a_run_that_was_accepted_just_before_the_kill_is_executed(
    engine: Engine, service: Service
) -> None:
    await push(engine.client, "w", calls(service, "/a"))
    run_ids = [await accept(engine.client, "w", {"n": number}) for number in range(5)]
    await engine.end()
    await engine.start_again()

    statuses = [(await ended(engine.client, run_id))["status"] for run_id in run_ids]
    assert statuses == ["succeeded"] * 5
    # That they are started again, by whatever queue, is nothing that an operator should look at.
    assert engine.log == ""


async def test_a_run_of_no_process_is_executed_by_any(
    engine: Engine, service: Service, tmp_path: Path, database_url: str | None
) -> None:
    await push(engine.client, "w", calls(service, "/a"))
    before = await accept(engine.client, "w")
    await ended(engine.client, before)
    other = Store(tmp_path, database_url) if database_url else None
    if other is None:  # a SQLite file has one process at a time
        await engine.end()
        other = Store(tmp_path)
    found = await other.runs.get(before)
    assert found is not None
    run_id = "1" * 32
    unowned = replace(found, id=run_id, status=QUEUED, executor=ALONE, result={}, trace=[])
    await other.runs.accept(replace(unowned, started_at_ms=None, ended_at_ms=None))
    await asyncio.to_thread(other.close)
    if database_url is None:
        await engine.start_again()
    run = await ended(engine.client, run_id)

    assert run["status"] == "succeeded"
    assert len(service.received["/a"]) == 2


async def test_a_clean_stop_leaves_a_run_for_the_next_process(
    engine: Engine, service: Service
) -> None:
    await push(engine.client, "w", calls(service, "/a", "/b"))
    service.hold("/b")
    run_id = await accept(engine.client, "w")
    await service.arrived("/b")
    await engine.end(signal.SIGTERM)
    service.release("/b")
    await engine.start_again()

    assert (await ended(engine.client, run_id))["status"] == "succeeded"


async def test_a_run_keeps_the_graph_with_which_it_began(engine: Engine, service: Service) -> None:
    await push(engine.client, "w", calls(service, "/a", "/b"))
    service.hold("/a")
    run_id = await accept(engine.client, "w")
    await service.arrived("/a")
    await push(engine.client, "w", calls(service, "/other"))
    await engine.end()
    service.release("/a")
    await engine.start_again()
    run = await ended(engine.client, run_id)

    assert [entry["nodeId"] for entry in run["trace"]] == ["a", "b"]
    assert "/other" not in service.received


async def test_requests_under_one_key_are_one_run(engine: Engine, service: Service) -> None:
    await push(engine.client, "w", calls(service, "/a"))
    key = {"Idempotency-Key": "k-1"}
    first = await accept(engine.client, "w", {"n": 1}, headers=key)
    second = await accept(engine.client, "w", {"n": 1}, headers=key)
    other = await engine.client.post(
        "/webhooks/named/w/trigger", params={"async": "1"}, json={"n": 2}, headers=key
    )
    await engine.end()
    await engine.start_again()
    third = await accept(engine.client, "w", {"n": 1}, headers=key)
    await ended(engine.client, first)

    assert first == second == third
    assert other.status_code == 409
    assert len(service.received["/a"]) == 1


async def test_no_more_runs_are_executed_at_once_than_the_server_may(
    serve: Callable[..., Any], service: Service
) -> None:
    server = serve("--dev", "--json", ARCRUN_SERVER_RUNS_AT_ONCE="2")
    ready = await asyncio.to_thread(server.ready)
    async with httpx.AsyncClient(
        base_url=ready["url"], headers={"X-Arcrun-API-Key": ready["key"]}, timeout=60
    ) as client:
        await push(client, "w", calls(service, "/a", "/b"))
        service.hold("/b")
        made = [await accept(client, "w", {"n": number}) for number in range(6)]
        await service.arrived("/b", 2)
        # Long enough for the queue to be looked at, which starts runs too.
        quick = {"nodes": [{"id": "n", "type": "Component", "componentId": "set", "data": {}}]}
        await push(client, "quick", quick | {"edges": []})
        for _ in range(20):
            await client.post("/webhooks/named/quick/trigger", json={})
            await asyncio.sleep(0.05)
        while_two_go_on = len(service.received["/a"])
        service.release("/b")
        all_ended = [(await ended(client, run_id))["status"] for run_id in made]

    assert while_two_go_on == 2
    assert all_ended == ["succeeded"] * 6


async def test_a_key_counts_for_a_day(
    serve: Callable[..., Any], tmp_path: Path, service: Service
) -> None:
    clock = tmp_path / "clock"
    server = serve("--dev", "--json", ARCRUN_SERVER_CLOCK_FILE=str(clock))
    ready = await asyncio.to_thread(server.ready)
    async with httpx.AsyncClient(
        base_url=ready["url"], headers={"X-Arcrun-API-Key": ready["key"]}, timeout=60
    ) as client:
        await push(client, "w", calls(service, "/a"))
        made = []
        for hours in (0, 23, 25, 47, 50, 51):
            clock.write_text(str(hours * 3600), "ascii")
            run_id = await accept(client, "w", {"n": 1}, headers={"Idempotency-Key": "k"})
            await ended(client, run_id)
            made.append(run_id)

    assert made[0] == made[1]
    assert made[2] == made[3]
    assert made[4] == made[5]
    assert len(set(made)) == 3
    assert len(service.received["/a"]) == 3


async def test_a_run_can_be_cancelled(engine: Engine, service: Service) -> None:
    await push(engine.client, "w", calls(service, "/a", "/b"))
    service.hold("/a")
    run_id = await accept(engine.client, "w")
    await service.arrived("/a")
    cancelled = await engine.client.post(f"/runs/{run_id}/cancel")
    again = await engine.client.post(f"/runs/{run_id}/cancel")
    service.release("/a")
    run = await ended(engine.client, run_id)

    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert again.status_code == 409
    assert "it is cancelled" in again.json()["error"]
    assert run["status"] == "cancelled"
    assert "/b" not in service.received


async def test_a_run_is_repeated_from_a_node_on(engine: Engine, service: Service) -> None:
    await push(engine.client, "w", calls(service, "/a", "/b", "/c"))
    first = await accept(engine.client, "w")
    await ended(engine.client, first)
    response = await engine.client.post(f"/runs/{first}/retry", json={"from": "b"})
    second = response.json()["run_id"]
    run = await ended(engine.client, second)

    assert response.status_code == 202
    assert (run["trigger"], run["retry_of"]) == ("retry", first)
    assert [entry["nodeId"] for entry in run["trace"]] == ["a", "b", "c"]
    assert {path: len(keys) for path, keys in service.received.items()} == {
        "/a": 1,
        "/b": 2,
        "/c": 2,
    }
    assert service.received["/b"][0] != service.received["/b"][1]


async def test_a_run_is_repeated_with_the_newest_workflow(engine: Engine, service: Service) -> None:
    await push(engine.client, "w", calls(service, "/a"))
    first = await accept(engine.client, "w")
    await ended(engine.client, first)
    await push(engine.client, "w", calls(service, "/new"))
    old = (await engine.client.post(f"/runs/{first}/retry", json={})).json()["run_id"]
    new = (await engine.client.post(f"/runs/{first}/retry", json={"latest": True})).json()["run_id"]
    await ended(engine.client, old)
    await ended(engine.client, new)

    assert {path: len(keys) for path, keys in service.received.items()} == {"/a": 2, "/new": 1}


async def test_nothing_is_repeated_from_a_node_that_is_not_there(
    engine: Engine, service: Service
) -> None:
    await push(engine.client, "w", calls(service, "/a"))
    run_id = await accept(engine.client, "w")
    await ended(engine.client, run_id)
    response = await engine.client.post(f"/runs/{run_id}/retry", json={"from": "x"})

    assert response.status_code == 409
    assert "there is no node 'x'; the nodes are a" in response.json()["error"]


async def test_another_account_sees_no_run(engine: Engine, service: Service) -> None:
    await push(engine.client, "w", calls(service, "/a"))
    run_id = await accept(engine.client, "w")
    await ended(engine.client, run_id)
    stranger = httpx.AsyncClient(
        base_url=engine.client.base_url, headers={"X-Arcrun-API-Key": "ak_" + "0" * 48}
    )
    async with stranger:
        for method, path in (
            ("GET", f"/runs/{run_id}"),
            ("POST", f"/runs/{run_id}/cancel"),
            ("POST", f"/runs/{run_id}/retry"),
        ):
            assert (await stranger.request(method, path, json={})).status_code == 401
    assert (await engine.client.get("/runs/" + "0" * 32)).status_code == 404


# --- pauses ----------------------------------------------------------------------------------------


async def paused_at(
    engine: Engine, service: Service, *, waited_for: bool = False
) -> dict[str, Any]:
    """Let a component on the web say that it needs time, and return the run, and what it was called with."""
    service.answers["/ask"] = json.dumps({"pending": True, "task_id": "審核-1"}).encode()
    graph = calls(service, "/a", "/b")
    graph["nodes"].insert(
        1, {"id": "ask", "type": "Component", "componentId": f"{service.url}/ask", "data": {}}
    )
    graph["edges"] = [
        {"from": "a", "to": "ask", "type": "PIPE"},
        {"from": "ask", "to": "b", "type": "PIPE"},
    ]
    await push(engine.client, "w", graph)
    if waited_for:
        response = await engine.client.post("/webhooks/named/w/trigger", json={})
        assert response.status_code == 202, response.text
        assert response.json()["paused"] is True
        run_id = response.json()["run_id"]
    else:
        run_id = await accept(engine.client, "w")
    return await until(engine.client, run_id, lambda run: run.get("status") == "paused")


@pytest.mark.parametrize("waited_for", [True, False], ids=["waited for", "accepted"])
async def test_a_paused_run_survives_a_kill_and_is_resumed_once(
    engine: Engine, service: Service, *, waited_for: bool
) -> None:
    run = await paused_at(engine, service, waited_for=waited_for)
    assert (run["task_id"], run["paused_node_id"]) == ("審核-1", "ask")
    await engine.end()
    await engine.start_again()
    waiting = (await engine.client.get("/executions/paused")).json()
    callback = {"task_id": "審核-1", "data": {"通過": True}}
    resumed = (await engine.client.post("/workflows/resume", json=callback)).json()
    second = (await engine.client.post("/workflows/resume", json=callback)).json()
    again = await ended(engine.client, run["run_id"])

    assert [entry["run_id"] for entry in waiting["runs"]] == [run["run_id"]]
    assert resumed["resumed"] is True
    assert resumed["status"] == "succeeded"
    assert (second["noop"], second["reason"]) == (
        True,
        "the run does not wait for this: it is succeeded",
    )
    assert [entry["nodeId"] for entry in again["trace"]] == ["a", "ask", "ask", "b"]
    assert {path: len(keys) for path, keys in service.received.items()} == {
        "/a": 1,
        "/ask": 1,
        "/b": 1,
    }
    # A run that is waited for is not executed again, so its requests are no repetitions.
    assert [key is None for key in service.received["/ask"]] == [waited_for]


async def test_a_run_is_repeated_from_a_node_behind_a_pause(
    engine: Engine, service: Service
) -> None:
    first = await paused_at(engine, service)
    callback = {"task_id": "審核-1", "data": {"通過": True}}
    await engine.client.post("/workflows/resume", json=callback)
    await ended(engine.client, first["run_id"])
    repeated = []
    for run_id in (first["run_id"], None):  # then the repetition is repeated
        again = run_id or repeated[0]["run_id"]
        response = await engine.client.post(f"/runs/{again}/retry", json={"from": "b"})
        assert response.status_code == 202, response.text
        repeated.append(await ended(engine.client, response.json()["run_id"]))

    for run in repeated:
        assert run["status"] == "succeeded"
        assert [entry["nodeId"] for entry in run["trace"]] == ["a", "ask", "b"]
        assert run["trace"][1]["output"] == {"通過": True}
    assert {path: len(keys) for path, keys in service.received.items()} == {
        "/a": 1,
        "/ask": 1,
        "/b": 3,
    }


async def test_results_of_a_run_that_is_gone_are_not_made_again(
    engine: Engine, service: Service, tmp_path: Path, database_url: str | None
) -> None:
    await push(engine.client, "w", calls(service, "/a", "/b") | {"max_running": 1})
    first = await accept(engine.client, "w")
    await ended(engine.client, first)
    service.hold("/a")
    long = await accept(engine.client, "w")
    await service.arrived("/a", 2)
    response = await engine.client.post(f"/runs/{first}/retry", json={"from": "b"})
    await engine.end()
    store = Store(tmp_path, database_url)
    await store.ended_runs.remove([first])
    await asyncio.to_thread(store.close)
    service.release("/a")
    await engine.start_again()
    await ended(engine.client, long)
    run = await ended(engine.client, response.json()["run_id"])

    assert run["status"] == "failed"
    assert "kept no longer" in run["error"]
    assert len(service.received["/a"]) == 3  # the first, and the long one twice


async def test_a_run_that_was_waited_for_until_it_paused_is_repeated_whole_only(
    engine: Engine, service: Service
) -> None:
    run = await paused_at(engine, service, waited_for=True)
    await engine.client.post("/workflows/resume", json={"task_id": "審核-1", "data": {}})
    await ended(engine.client, run["run_id"])
    refused = await engine.client.post(f"/runs/{run['run_id']}/retry", json={"from": "b"})
    whole = await engine.client.post(f"/runs/{run['run_id']}/retry", json={})

    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert "leave `from` out" in refused.json()["error"]
    assert whole.status_code == 202


async def test_a_task_that_failed_fails_the_node(engine: Engine, service: Service) -> None:
    await paused_at(engine, service)
    callback = {"task_id": "審核-1", "success": False, "error": "退回"}
    resumed = (await engine.client.post("/workflows/resume", json=callback)).json()

    assert (resumed["success"], resumed["status"], resumed["failed_node"]) == (
        False,
        "failed",
        "ask",
    )
    assert "退回" in resumed["error"]


async def test_a_task_leads_to_the_run_that_still_waits_for_it(
    engine: Engine, service: Service
) -> None:
    first = await paused_at(engine, service)
    second = await paused_at(engine, service)
    callback = {"task_id": "審核-1", "data": {}}
    resumed = [
        (await engine.client.post("/workflows/resume", json=callback)).json() for _ in range(3)
    ]

    assert {one.get("run_id") for one in resumed[:2]} == {first["run_id"], second["run_id"]}
    assert resumed[2]["noop"] is True


async def test_a_second_callback_changes_nothing_also_while_the_run_goes_on(
    engine: Engine, service: Service
) -> None:
    run = await paused_at(engine, service)
    service.hold("/b")
    callback = {"task_id": "審核-1", "data": {}}
    await engine.client.post("/workflows/resume", json=callback, params={"async": "1"})
    await service.arrived("/b")
    second = await engine.client.post("/workflows/resume", json=callback, params={"async": "1"})
    service.release("/b")
    await ended(engine.client, run["run_id"])

    assert (second.status_code, second.json()["noop"]) == (200, True)
    assert "an earlier callback" in second.json()["reason"]


async def test_a_forged_callback_changes_nothing(engine: Engine, service: Service) -> None:
    run = await paused_at(engine, service)
    forged = f"{run['run_id']}.{'0' * 32}.{'0' * 64}"
    anonymous = httpx.AsyncClient(base_url=engine.client.base_url)
    async with anonymous:
        with_token = await anonymous.post(
            "/workflows/resume", params={"token": forged}, json={"data": {}}
        )
        with_task = await anonymous.post("/workflows/resume", json={"task_id": "審核-1"})
    unknown = await engine.client.post("/workflows/resume", json={"task_id": "nobody's"})

    assert (with_token.status_code, with_task.status_code) == (401, 401)
    assert unknown.json()["noop"] is True
    assert (await engine.client.get(f"/runs/{run['run_id']}")).json()["status"] == "paused"


async def test_a_paused_run_can_be_cancelled(engine: Engine, service: Service) -> None:
    run = await paused_at(engine, service)
    await engine.client.post(f"/runs/{run['run_id']}/cancel")
    resumed = await engine.client.post("/workflows/resume", json={"task_id": "審核-1"})

    assert resumed.json()["reason"] == "the run does not wait for this: it is cancelled"
    assert "/b" not in service.received
