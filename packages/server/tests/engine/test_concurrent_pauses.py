"""Elements of a FOREACH that are run at the same time, and wait for callbacks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.engine import (
    ComponentError,
    RunLimits,
    compile_flow,
    resume_graph,
    run_graph,
)

if TYPE_CHECKING:
    from arcrun_server.engine import RunResult

    from .conftest import RecordingEngine

ASKING = ["input >> PIPE >> 列", "列 >> FOREACH >> 審", "審 >> PIPE >> 記", "列 >> PIPE >> 報"]


def asking(items: list[Any], concurrency: int) -> dict[str, Any]:
    return {
        "列": {"component": "give", "value": {"items": items}, "concurrency": concurrency},
        "審": {"component": "ask_if", "task": "審{{item}}"},
        "記": {"component": "give", "value": "{{loop.index}}{{item}}:{{審.v}}"},
        "報": {"component": "give", "value": "{{results}}"},
    }


def ask_if(waiting: str) -> Any:
    async def component(given: Any, _invocation: Any) -> Any:
        if given["item"] in waiting:
            return {"pending": True, "task_id": given["task"]}
        if given["item"] == "壞":
            raise ComponentError("不行")
        return {"v": "自動"}

    return component


async def resume(
    engine: RecordingEngine, result: RunResult, place: str | None = None, **delivered: Any
) -> RunResult:
    assert result.paused is not None
    state = json.loads(json.dumps(result.paused.continuation))
    return await resume_graph(state, engine.environment, place=place, **delivered)


def tasks(result: RunResult) -> list[tuple[str, str]]:
    assert result.paused is not None, result.error
    return [(task.task_id, task.place) for task in result.paused.tasks]


async def test_a_run_pauses_when_all_elements_that_may_begin_have_ended_or_wait(
    engine: RecordingEngine,
) -> None:
    engine.components = {"ask_if": ask_if("乙丁")}
    graph = engine.compile(ASKING, asking(list("甲乙丙丁壞"), 3))
    paused = await run_graph(graph, {}, engine.environment)
    assert tasks(paused) == [("審乙", "列.0[1]/審"), ("審丁", "列.0[3]/審")]
    assert paused.paused is not None
    assert (paused.paused.task_id, paused.paused.node_id) == ("審乙", "審")
    assert paused.failed_nodes == ["審"]
    names = [entry["nodeId"] for entry in paused.trace]
    assert names == ["input", "列", "審", "記", "審", "審", "記", "審", "審"]

    again = await resume(engine, paused, "列.0[3]/審", data={"v": "准"})
    assert tasks(again) == [("審乙", "列.0[1]/審")]
    result = await resume(engine, again, data={"v": "駁"})
    failed = {"success": False, "error": "Node 審 failed: 不行"}
    assert result.data == ["0甲:自動", "1乙:駁", "2丙:自動", "3丁:准", failed]


async def test_elements_that_wait_count_among_those_that_run_at_the_same_time(
    engine: RecordingEngine,
) -> None:
    engine.components = {"ask_if": ask_if("甲乙丙丁")}
    graph = engine.compile(ASKING, asking(list("甲乙丙丁"), 2))
    result = await run_graph(graph, {}, engine.environment)
    assert [task for task, _ in tasks(result)] == ["審甲", "審乙"]
    result = await resume(engine, result, "列.0[1]/審", data={"v": 2})
    assert [task for task, _ in tasks(result)] == ["審甲", "審丙"]
    result = await resume(engine, result, "列.0[2]/審", success=False, error="逾期")
    assert [task for task, _ in tasks(result)] == ["審甲", "審丁"]
    result = await resume(engine, result, "列.0[0]/審", data={"v": 1})
    result = await resume(engine, result, data={"v": 4})
    failed = {"success": False, "error": "Node 審 failed: 逾期"}
    assert result.data == ["0甲:1", "1乙:2", failed, "3丁:4"]


async def test_a_callback_for_a_node_that_does_not_wait_is_refused(engine: RecordingEngine) -> None:
    engine.components = {"ask_if": ask_if("甲")}
    graph = engine.compile(ASKING, asking(list("甲乙"), 2))
    paused = await run_graph(graph, {}, engine.environment)
    with pytest.raises(ValueError, match="No node of this run waits at"):
        await resume(engine, paused, "列.0[1]/審", data={})


async def test_elements_wait_inside_called_workflows_and_inner_lists(
    engine: RecordingEngine,
) -> None:
    engine.components = {"ask_if": ask_if("甲乙")}
    engine.workflows = {
        "子": compile_flow(
            ["input >> FOREACH >> 審", "審 >> PIPE >> 內"],
            {
                "審": {"component": "ask_if", "task": "審{{item}}"},
                "內": {"component": "give", "value": "{{審.v}}{{item}}"},
            },
            name="子",
        )
    }
    lines = ["input >> PIPE >> 列", "列 >> FOREACH 組 >> 子"]
    given = {
        "列": {"component": "give", "value": {"組": [["丙", "甲"], ["乙"]]}, "concurrency": 2},
        "子": {
            "component": "trigger_workflow",
            "workflow_name": "子",
            "input": {"items": "{{組}}"},
        },
    }
    graph = engine.compile(lines, given)
    result = await run_graph(graph, {}, engine.environment)
    places = ["列.0[0]/子()/input.0[1]/審", "列.0[1]/子()/input.0[0]/審"]
    assert [place for _, place in tasks(result)] == places
    result = await resume(engine, result, places[1], data={"v": "駁"})
    result = await resume(engine, result, places[0], data={"v": "准"})
    inner = [element["sub_result"]["data"]["results"] for element in result.data["results"]]
    assert inner == [["自動丙", "准甲"], ["駁乙"]]


async def test_limits_count_on_when_a_run_of_several_elements_is_resumed(
    engine: RecordingEngine,
) -> None:
    engine.components = {"ask_if": ask_if("甲乙")}
    engine.limits = RunLimits(steps=5)
    graph = engine.compile(ASKING, asking(list("甲乙"), 2))
    result = await run_graph(graph, {}, engine.environment)
    result = await resume(engine, result, data={"v": 1})
    assert tasks(result) == [("審乙", "列.0[1]/審")]
    result = await resume(engine, result, data={"v": 1})
    assert "5 steps" in str(result.error)
