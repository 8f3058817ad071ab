"""Workflows with a `cron`, in servers: pushed, listed, run by themselves, and set by workflows (docs/contract.md#schedules)."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from durable_server import WAIT, Engine, ended

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import httpx
    from conftest import Api
    from postgresql_server import PostgreSQLServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")

YEARLY = {"expr": "0 0 1 1 *", "timezone": "Asia/Taipei"}


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    """What moves the engine's clock."""
    return tmp_path / "ahead"


@pytest.fixture
async def engine(
    serve: Callable[..., Any], tmp_path: Path, database_url: str | None, clock_file: Path
) -> AsyncIterator[Engine]:
    """An engine on SQLite and on PostgreSQL whose clock can be moved."""
    arguments = ["--dev", "--json", "--data", tmp_path / "data", "--log-level", "warning"]
    arguments += ["--database", database_url] if database_url else []
    made = await asyncio.to_thread(
        Engine, lambda: serve(*arguments, ARCRUN_SERVER_CLOCK_FILE=str(clock_file))
    )
    yield made
    await made.client.aclose()


def move(clock_file: Path, moment: str) -> None:
    """Move the engine's clock to a moment."""
    ahead = datetime.fromisoformat(moment).timestamp() - time.time()
    clock_file.write_text(str(ahead), "ascii")


async def push(
    client: httpx.AsyncClient, name: str, nodes: list[dict[str, Any]] | None = None, **fields: Any
) -> None:
    graph = {"nodes": nodes or [{"id": "input", "type": "Input"}], "edges": [], **fields}
    response = await client.post(
        "/webhooks/named", json={"name": name, "description": "a test's", "graph": graph}
    )
    assert response.status_code == 201, response.text


async def cron_of(client: httpx.AsyncClient, name: str) -> Any:
    response = await client.get(f"/webhooks/named/{name}/definition")
    return response.json()["graph"].get("cron")


async def runs_of(client: httpx.AsyncClient, name: str, count: int) -> list[dict[str, Any]]:
    """Wait until a workflow has so many runs, and return them as they ended, oldest first."""
    deadline = asyncio.get_running_loop().time() + WAIT
    while True:
        listed = (await client.get("/runs", params={"workflow": name})).json()["runs"]
        if len(listed) >= count:
            return [await ended(client, entry["run_id"]) for entry in listed[::-1]]
        assert asyncio.get_running_loop().time() < deadline, listed
        await asyncio.sleep(0.05)


def setter(**data: Any) -> list[dict[str, Any]]:
    return [{"id": "排程", "type": "Component", "componentId": "cron", "data": data}]


async def trigger(client: httpx.AsyncClient, name: str, run_input: Any = None) -> Any:
    return (await client.post(f"/webhooks/named/{name}/trigger", json=run_input or {})).json()


async def test_a_schedule_is_shown_changed_and_removed_by_pushing(engine: Engine) -> None:
    client = engine.client
    await push(client, "unscheduled")
    await push(client, "report", cron={"expr": "@daily"})
    listed = (await client.get("/webhooks/named")).json()["workflows"]
    assert [(entry["name"], entry.get("cron_expr")) for entry in listed] == [
        ("report", "@daily"),
        ("unscheduled", None),
    ]
    assert "cron_expr" not in listed[1]
    assert await cron_of(client, "report") == {"expr": "@daily", "timezone": "UTC"}
    assert await cron_of(client, "unscheduled") is None

    await push(client, "report", cron=YEARLY)
    assert await cron_of(client, "report") == YEARLY
    await push(client, "report")
    assert await cron_of(client, "report") is None
    health = (await client.get("/health")).json()
    assert "schedules" in health["capabilities"]


async def test_ticks_that_were_missed_while_the_engine_was_off_are_run_once(
    engine: Engine, clock_file: Path
) -> None:
    move(clock_file, "2030-06-01T00:00:00+00:00")
    await push(engine.client, "report", cron={"expr": "@daily", "timezone": "Asia/Taipei"})
    move(clock_file, "2030-06-01T16:00:00+00:00")
    [first] = await runs_of(engine.client, "report", 1)
    assert first["status"] == "succeeded"
    assert first["trigger"] == "schedule"
    assert first["input"] == {
        "scheduled_at": "2030-06-02T00:00:00+08:00",
        "timezone": "Asia/Taipei",
    }
    await engine.end()
    move(clock_file, "2030-06-08T00:00:00+00:00")
    await engine.start_again()
    await runs_of(engine.client, "report", 2)
    move(clock_file, "2030-06-08T16:00:00+00:00")
    runs = await runs_of(engine.client, "report", 3)
    assert [run["input"]["scheduled_at"] for run in runs] == [
        "2030-06-02T00:00:00+08:00",
        "2030-06-03T00:00:00+08:00",
        "2030-06-09T00:00:00+08:00",
    ]


async def test_of_several_processes_each_tick_is_run_by_one(
    serve: Callable[..., Any], postgresql: PostgreSQLServer, tmp_path: Path, clock_file: Path
) -> None:
    arguments = ["--dev", "--json", "--data", tmp_path / "data", "--log-level", "warning"]
    arguments += ["--database", postgresql.schema()]
    environment = {"ARCRUN_SERVER_CLOCK_FILE": str(clock_file)}
    first, second = [
        await asyncio.to_thread(Engine, lambda: serve(*arguments, **environment)) for _ in range(2)
    ]
    move(clock_file, "2030-06-01T00:00:00+00:00")
    names = [f"report{number}" for number in range(20)]
    for name in names:
        await push(first.client, name, cron={"expr": "@daily"})
    move(clock_file, "2030-06-02T00:00:00+00:00")
    for name in names:
        [run] = await runs_of(second.client, name, 1)
        assert run["status"] == "succeeded"
    await first.end()
    move(clock_file, "2030-06-03T00:00:00+00:00")
    for name in names:
        runs = await runs_of(second.client, name, 2)
        assert [run["input"]["scheduled_at"] for run in runs] == [
            "2030-06-02T00:00:00+00:00",
            "2030-06-03T00:00:00+00:00",
        ]
    await second.client.aclose()


async def test_a_workflow_reads_sets_and_removes_a_schedule(
    engine: Engine, clock_file: Path
) -> None:
    client = engine.client
    move(clock_file, "2030-06-01T00:00:00+00:00")
    await push(client, "report")
    await push(
        client,
        "set",
        setter(action="set", workflow="report", expr="{{input.expr}}", timezone="Asia/Taipei"),
    )
    await push(client, "get", setter(action="get", workflow="report", count=1))
    await push(client, "remove", setter(action="remove", workflow="report"))
    nothing = {"result": None, "expr": None, "timezone": None, "times": []}
    shown = {
        "result": "2031-01-01T00:00:00+08:00",
        "expr": "0 0 1 1 *",
        "timezone": "Asia/Taipei",
        "times": ["2031-01-01T00:00:00+08:00"],
    }

    assert (await trigger(client, "get"))["data"]["data"] == nothing
    was_set = (await trigger(client, "set", {"expr": "0 0 1 1 *"}))["data"]["data"]
    assert was_set["result"] == shown["result"]
    assert (await trigger(client, "get"))["data"]["data"] == shown
    assert await cron_of(client, "report") == YEARLY
    move(clock_file, "2030-12-31T16:00:00+00:00")
    await runs_of(client, "report", 1)

    assert (await trigger(client, "remove"))["data"]["data"] == nothing
    assert await cron_of(client, "report") is None


async def test_a_workflow_sets_its_own_schedule_and_no_other_accounts(engine: Engine) -> None:
    client = engine.client
    await push(client, "own", setter(action="set", expr="@daily"))
    assert (await trigger(client, "own"))["success"] is True
    assert await cron_of(client, "own") == {"expr": "@daily", "timezone": "UTC"}

    await push(client, "elsewhere", setter(action="set", workflow="nowhere", expr="@daily"))
    failed = await trigger(client, "elsewhere")
    assert failed["error"].endswith("there is no workflow 'nowhere' in this account; push it first")
    # What changes something stands in the node's own data: input does not.
    await push(client, "next", setter(expr="@daily"))
    told = await trigger(client, "next", {"action": "remove", "workflow": "own"})
    assert told["data"]["data"]["expr"] == "@daily"
    assert await cron_of(client, "own") == {"expr": "@daily", "timezone": "UTC"}


async def test_an_engine_that_keeps_no_runs_refuses_a_schedule(alice: Api) -> None:
    graph = {"nodes": [{"id": "input", "type": "Input"}], "edges": [], "cron": YEARLY}
    pushed = {"name": "report", "description": "a test's", "graph": graph}
    refused = await alice("POST", "/webhooks/named", json=pushed)
    assert (refused.status_code, refused.json()["requires"]) == (400, "durable_runs")
    assert "cron" in refused.json()["error"]
    assert (await alice("GET", "/webhooks/named")).json()["workflows"] == []
    graph = {"nodes": setter(action="get", workflow="report"), "edges": []}
    ran = await alice("POST", "/execute", json={"graph": graph})
    assert "it has no capability schedules" in ran.json()["error"]
    assert "schedules" not in (await alice("GET", "/health")).json()["capabilities"]
