"""Runs that ask a daemon and wait for its callback, on an engine in a process of its own (docs/prompt-recipes.md#mira)."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from durable_server import Engine, Service, accept, ended, push, service, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

__all__ = ["service"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")

TOKEN = "mira-" + "7" * 20
RECIPE = {
    "name": "entities",
    "inputs": [{"var": "draft", "from": "input.draft"}],
    "prompt_assembly": {"user": "List the entities of {{draft}}"},
    "output": {
        "format": "json",
        "schema": {
            "type": "object",
            "required": ["entities"],
            "properties": {"entities": {"type": "array", "items": {"type": "string"}}},
        },
    },
}
ANSWER = {"data": '```json\n{"entities": ["小明", "河道"]}\n```'}


@pytest.fixture
async def mira(
    serve: Callable[..., Any], tmp_path: Path, service: Service
) -> AsyncIterator[Engine]:
    """An engine whose provider is `mira`, with a recipe and a workflow that passes on what it returns."""
    settings = {
        "ARCRUN_SERVER_LLM": "mira",
        "ARCRUN_SERVER_LLM_BASE_URL": f"{service.url}/prompts",
        "ARCRUN_SERVER_PUBLIC_URL": "https://engine.example",
    }
    arguments = ["--dev", "--json", "--data", tmp_path, "--log-level", "warning"]
    made = await asyncio.to_thread(Engine, lambda: serve(*arguments, **settings))
    await prepare(made, service)
    yield made
    await made.client.aclose()


async def prepare(engine: Engine, service: Service) -> None:
    """Push the credential, the recipe and the workflow."""
    credential = {"name": "mira_token", "value": TOKEN}
    assert (await engine.client.post("/credentials", json=credential)).status_code == 200
    recipe = await engine.client.post("/prompt-recipes", json={"recipe": RECIPE})
    assert recipe.status_code == 201, recipe.text
    ask = {"recipe": "prompt_recipe:entities", "mira_token": "{{secret.mira_token}}"}
    keep = {
        "url": f"{service.url}/keep",
        "method": "POST",
        "body_json": {"kept": "{{ask.entities}}"},
    }
    nodes = [
        {"id": "ask", "type": "Component", "componentId": "claude_api", "data": ask},
        {"id": "keep", "type": "Component", "componentId": "http_request", "data": keep},
    ]
    edges = [{"from": "ask", "to": "keep", "type": "PIPE"}]
    await push(engine.client, "wiki", {"nodes": nodes, "edges": edges})


def prompt_of(service: Service) -> dict[str, Any]:
    """Return what the daemon was asked last."""
    return json.loads([body for path, body, _ in service.requests if path == "/prompts"][-1])


def kept(service: Service) -> list[Any]:
    """Return what the node after the prompt has sent."""
    return [json.loads(body)["kept"] for path, body, _ in service.requests if path == "/keep"]


async def call_back(engine: Engine, url: str, body: Any) -> httpx.Response:
    """Call a callback URL as the daemon does: without a key, and here at the port where the engine is now."""
    parts = urlsplit(url)
    async with httpx.AsyncClient(base_url=engine.client.base_url, timeout=60) as daemon:
        return await daemon.post(f"{parts.path}?{parts.query}", json=body)


async def paused(engine: Engine) -> str:
    """Start a run and return its id when it waits for the daemon."""
    run_id = await accept(engine.client, "wiki", {"draft": "第一章"})
    await until(engine.client, run_id, lambda run: run.get("status") == "paused")
    return run_id


async def test_a_run_waits_for_the_daemon_and_goes_on_once_whatever_process_dies(
    mira: Engine, service: Service
) -> None:
    run_id = await paused(mira)
    prompt = prompt_of(service)
    await mira.end()
    await mira.start_again()
    resumed = await call_back(
        mira, prompt["callback_url"], {"task_id": prompt["task_id"], **ANSWER}
    )
    run = await ended(mira.client, run_id)
    second = await call_back(mira, prompt["callback_url"], {"data": '{"entities": ["other"]}'})
    after = (await mira.client.get(f"/runs/{run_id}")).json()

    assert prompt["callback_url"].startswith("https://engine.example/workflows/resume?token=")
    assert (resumed.status_code, resumed.json()["resumed"]) == (200, True)
    assert run["status"] == "succeeded"
    assert kept(service) == [["小明", "河道"]]
    assert second.json()["noop"] is True
    assert after == run
    assert len(service.received["/prompts"]) == 1
    assert service.received["/prompts"] == [prompt["task_id"]]


async def test_the_token_and_the_credential_stand_in_no_run(mira: Engine, service: Service) -> None:
    run_id = await paused(mira)
    url = prompt_of(service)["callback_url"]
    token = parse_qs(urlsplit(url).query)["token"][0]
    waiting = (await mira.client.get(f"/runs/{run_id}")).text
    await call_back(mira, url, ANSWER)
    run = json.dumps(await ended(mira.client, run_id), ensure_ascii=False)

    assert "第一章" in run
    for secret in (token, token.rpartition(".")[2], TOKEN):
        assert secret not in waiting
        assert secret not in run


async def test_a_forged_callback_is_refused_and_changes_nothing(
    mira: Engine, service: Service
) -> None:
    run_id = await paused(mira)
    url = prompt_of(service)["callback_url"]
    other_run = url.replace(run_id, "0" * 32)
    last = "0" if url[-1] != "0" else "1"
    refused = [
        await call_back(mira, forged, ANSWER) for forged in (other_run, url[:-1] + last, url[:-1])
    ]
    waiting = (await mira.client.get(f"/runs/{run_id}")).json()

    assert other_run != url
    assert [response.status_code for response in refused] == [401, 401, 401]
    assert waiting["status"] == "paused"
    assert kept(service) == []


async def test_a_callback_that_comes_before_the_run_has_paused_is_kept_for_it(
    mira: Engine, service: Service
) -> None:
    service.hold("/prompts")
    run_id = await accept(mira.client, "wiki", {"draft": "第一章"})
    await service.arrived("/prompts")
    early = await call_back(mira, prompt_of(service)["callback_url"], ANSWER)
    service.release("/prompts")
    run = await ended(mira.client, run_id)

    assert (early.status_code, early.json()["resumed"]) == (202, True)
    assert run["status"] == "succeeded"
    assert kept(service) == [["小明", "河道"]]


async def test_a_process_that_is_killed_while_it_asks_asks_again_for_the_same_task(
    mira: Engine, service: Service
) -> None:
    service.hold("/prompts")
    run_id = await accept(mira.client, "wiki", {"draft": "第一章"})
    await service.arrived("/prompts")
    first = prompt_of(service)
    await mira.end()
    service.release("/prompts")
    await mira.start_again()
    await until(mira.client, run_id, lambda run: run.get("status") == "paused")

    assert prompt_of(service) == first
    assert service.received["/prompts"] == [first["task_id"]] * 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"data": '{"entities": "小明"}'}, "does not fit the schema"),
        ({"data": "Here you are"}, "JSON"),
    ],
)
async def test_an_answer_that_does_not_fit_the_recipe_is_a_failure_of_its_node(
    mira: Engine, service: Service, answer: dict[str, Any], reason: str
) -> None:
    run_id = await paused(mira)
    await call_back(mira, prompt_of(service)["callback_url"], answer)
    run = await ended(mira.client, run_id)

    assert (run["status"], run["failed_nodes"]) == ("partial", ["ask"])
    resumed = next(entry for entry in run["trace"] if entry["output"].get("raw_text"))
    assert resumed["output"]["raw_text"] == answer["data"]
    assert reason in resumed["output"]["error"]


async def test_a_daemon_that_reports_a_failure_fails_the_node(
    mira: Engine, service: Service
) -> None:
    run_id = await paused(mira)
    failed = {"success": False, "error": "沒有額度"}  # "no quota"
    await call_back(mira, prompt_of(service)["callback_url"], failed)
    run = await ended(mira.client, run_id)

    assert (run["status"], run["failed_node"]) == ("failed", "ask")
    assert "沒有額度" in run["error"]
