"""What a run records of the models that its nodes asked: sums, and each node with its recipe and blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("anthropic", reason="the SDK needs Python 3.11")

from llm_answers import ask
from prompts import greet, push, template
from pushed_recipes import post

from arcrun_server.engine import compile_flow
from arcrun_server.runs.usage import MOST_NODES, ModelUsage

if TYPE_CHECKING:
    from conftest import Api
    from llm_answers import MessagesApi


async def push_workflow(api: Api, lines: list[str], config: dict[str, Any]) -> None:
    graph = compile_flow(lines, config)
    await post(api, "/webhooks/named", {"name": "w", "graph": graph, "description": "d"}, 201)


async def test_a_triggered_run_says_what_it_used_and_what_it_asked_with(
    engine: Api, messages_api: MessagesApi
) -> None:
    block = await template(engine, "Greet {{who}}")
    fragments = [{"var": "f", "source": "kbdb_block", "block_id": block}]
    await push(engine, greet("{{f}}", fragments=fragments))
    messages_api.answers("Hi")
    node = {"component": "claude_api", "recipe": "greet"}
    await push_workflow(engine, ["input >> FOREACH xs >> ask", "ask >> PIPE >> end"], {"ask": node})
    run_input = {"xs": [1, 2], "name": "小明"}
    run = await engine("POST", "/webhooks/named/w/trigger", json=run_input)
    usage = run.json()["usage"]
    history = await engine("GET", "/workflows/w/executions")
    assert [one["usage"] for one in history.json()["data"]["executions"]] == [usage]
    nodes = usage.pop("nodes")
    assert usage == {
        "calls": 2,
        "input_tokens": 650,
        "cached_tokens": 600,
        "output_tokens": 84,
        "cost_usd": 0.0096,
    }
    assert [(node["node"], node["model"], node["recipe"], node["version"]) for node in nodes] == [
        ("ask", "claude-sonnet-5-5", "prompt_recipe:greet", 1)
    ] * 2
    assert nodes[0]["fragments"] == [{"var": "f", "blocks": [{"block_id": block, "version": 1}]}]


async def test_a_run_whose_model_gave_no_answer_says_what_it_used(
    engine: Api, messages_api: MessagesApi
) -> None:
    await push(engine, greet())
    messages_api.answers("No", stop_reason="refusal")
    failed = await ask(engine, {"name": "小明"}, recipe="greet")
    assert failed["success"] is False
    assert (failed["usage"]["calls"], failed["usage"]["output_tokens"]) == (1, 42)
    assert failed["usage"]["nodes"][0]["recipe"] == "prompt_recipe:greet"


async def test_a_run_that_asks_no_model_has_no_usage(engine: Api) -> None:
    await push_workflow(engine, ["input >> PIPE >> a"], {"a": {"component": "comp_passthrough"}})
    run = await engine("POST", "/webhooks/named/w/trigger", json={})
    assert "usage" not in run.json()
    history = await engine("GET", "/workflows/w/executions")
    assert all("usage" not in one for one in history.json()["data"]["executions"])


@pytest.mark.parametrize("size", [1, 5_000])
def test_what_is_kept_of_single_nodes_is_bounded(size: int) -> None:
    usage = ModelUsage()
    for _ in range(2 * MOST_NODES):
        usage.add("n", {"output_tokens": 1, "model": "m" * size})
    found = usage.as_json()
    assert found is not None
    assert (found["calls"], found["output_tokens"]) == (2 * MOST_NODES, 2 * MOST_NODES)
    assert len(found["nodes"]) == (MOST_NODES if size == 1 else 3)
