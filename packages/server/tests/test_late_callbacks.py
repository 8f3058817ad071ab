"""Callbacks that come twice, too early or too late change nothing (docs/contract.md#runs)."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from durable_server import Engine, Service, accept, calls, ended, engine, push, service, until

from arcrun_server.runs.run_ids import new_run_id
from arcrun_server.sealing.server_key import FILE_NAME, load_server_key
from arcrun_server.store.run_tokens import RunTokens

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["engine", "service"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")


async def asks_twice(engine: Engine, service: Service) -> str:
    """Accept a run that waits at `first`, then at `second`, then calls `/end`; return its id when it waits."""
    graph = calls(service, "/begin", "/end")
    for name in ("first", "second"):
        service.answers[f"/{name}"] = json.dumps({"pending": True, "task_id": name}).encode()
        graph["nodes"].append(
            {"id": name, "type": "Component", "componentId": f"{service.url}/{name}", "data": {}}
        )
    order = ["begin", "first", "second", "end"]
    graph["edges"] = [
        {"from": before, "to": after, "type": "PIPE"} for before, after in pairwise(order)
    ]
    await push(engine.client, "w", graph)
    run_id = await accept(engine.client, "w")
    await waits_for(engine, run_id, "first")
    return run_id


async def waits_for(engine: Engine, run_id: str, task_id: str) -> None:
    await until(
        engine.client,
        run_id,
        lambda run: (run.get("status"), run.get("task_id")) == ("paused", task_id),
    )


async def call_back(
    engine: Engine, tmp_path: Path, run_id: str, place: str, **body: Any
) -> httpx.Response:
    """Call the callback URL of an invocation, which needs no key."""
    token = RunTokens(load_server_key(tmp_path / FILE_NAME)).write(run_id, place)
    async with httpx.AsyncClient(base_url=engine.client.base_url, timeout=60) as anybody:
        return await anybody.post(
            "/workflows/resume", params={"token": token, "async": "1"}, json=body or {"data": {}}
        )


def is_noop(response: httpx.Response) -> bool:
    return response.status_code == 200 and response.json().get("noop") is True


async def test_a_second_callback_changes_nothing_however_far_the_run_has_gone(
    engine: Engine, service: Service, tmp_path: Path
) -> None:
    run_id = await asks_twice(engine, service)
    taken = await call_back(engine, tmp_path, run_id, "first", data={"n": 1})
    await waits_for(engine, run_id, "second")
    while_it_waits = await call_back(engine, tmp_path, run_id, "first", data={"n": 2})
    service.hold("/end")
    await call_back(engine, tmp_path, run_id, "second")
    await service.arrived("/end")
    while_it_goes_on = await call_back(engine, tmp_path, run_id, "first", data={"n": 3})
    by_its_task = await engine.client.post("/workflows/resume", json={"task_id": "first"})
    found = await engine.client.get("/executions/first")
    service.release("/end")
    run = await ended(engine.client, run_id)

    assert taken.status_code == 202
    assert is_noop(while_it_waits)
    assert "an earlier callback" in while_it_waits.json()["reason"]
    assert is_noop(while_it_goes_on)
    assert is_noop(by_its_task)
    assert found.json()["run_id"] == run_id
    assert run["status"] == "succeeded"
    assert [entry["output"] for entry in run["trace"] if entry["nodeId"] == "first"][1:] == [
        {"n": 1}
    ]


async def test_a_task_that_waits_is_found_before_one_that_is_done(
    engine: Engine, service: Service, tmp_path: Path
) -> None:
    await asks_twice(engine, service)
    second = await accept(engine.client, "w")
    await waits_for(engine, second, "first")
    await call_back(engine, tmp_path, second, "first")
    await waits_for(engine, second, "second")
    resumed = await engine.client.post(
        "/workflows/resume", params={"async": "1"}, json={"task_id": "first"}
    )

    assert resumed.json()["resumed"] is True
    assert resumed.json()["run_id"] != second


async def test_of_two_callbacks_that_come_too_early_the_first_one_counts(
    engine: Engine, service: Service, tmp_path: Path
) -> None:
    run_id = await asks_twice(engine, service)
    early = await call_back(engine, tmp_path, new_run_id(), "first")
    service.hold("/second")
    await call_back(engine, tmp_path, run_id, "first")
    await service.arrived("/second")
    taken = await call_back(engine, tmp_path, run_id, "second", data={"n": 1})
    second = await call_back(engine, tmp_path, run_id, "second", data={"n": 2})
    service.release("/second")
    run = await ended(engine.client, run_id)

    assert early.status_code == 202  # somebody may wait for this run, which stands in no table then
    assert taken.status_code == 202
    assert is_noop(second)
    assert run["trace"][-2]["output"] == {"n": 1}


async def test_a_callback_for_a_run_that_is_kept_no_longer_changes_nothing(
    engine: Engine, tmp_path: Path
) -> None:
    run_id = new_run_id()
    of_an_hour_ago = f"{int(run_id[:12], 16) - 3_600_000:012x}{run_id[12:]}"
    late = await call_back(engine, tmp_path, of_an_hour_ago, "first")

    assert is_noop(late)
    assert "kept no longer" in late.json()["reason"]


@pytest.mark.parametrize(
    ("body", "failed"),
    [
        ({"error": "退回"}, True),
        ({"error": "退回", "success": False}, True),
        ({"error": None, "data": {"n": 1}}, False),
        ({"error": "", "success": True, "data": {"n": 1}}, False),
    ],
    ids=["an error alone", "said so", "null", "empty"],
)
async def test_an_error_says_that_the_task_was_not_done(
    engine: Engine, service: Service, tmp_path: Path, body: dict[str, Any], *, failed: bool
) -> None:
    run_id = await asks_twice(engine, service)
    await call_back(engine, tmp_path, run_id, "first", **body)
    if failed:
        run = await ended(engine.client, run_id)
        assert (run["status"], run["failed_node"]) == ("failed", "first")
        assert "退回" in run["error"]
    else:
        await waits_for(engine, run_id, "second")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"success": True, "error": "退回"}, {"path": "error"}),
        ({"sucess": False}, {"path": "sucess", "suggestion": "success"}),
    ],
    ids=["both", "a field that there is not"],
)
async def test_a_callback_that_can_not_be_meant_is_refused(
    engine: Engine,
    service: Service,
    tmp_path: Path,
    body: dict[str, Any],
    detail: dict[str, str],
) -> None:
    run_id = await asks_twice(engine, service)
    refused = await call_back(engine, tmp_path, run_id, "first", **body)
    run = (await engine.client.get(f"/runs/{run_id}")).json()

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    [found] = refused.json()["details"]
    del found["message"]
    assert found == detail
    assert (run["status"], run["task_id"]) == ("paused", "first")
