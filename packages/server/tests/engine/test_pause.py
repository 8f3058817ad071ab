from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.engine import (
    ComponentError,
    RunLimits,
    RunResult,
    compile_flow,
    resume_graph,
    run_graph,
)

if TYPE_CHECKING:
    from .conftest import RecordingEngine


def give(value: Any) -> dict[str, Any]:
    return {"component": "give", "value": value}


ASK = {"component": "ask"}


async def pause(
    engine: RecordingEngine, lines: list[str], config: Any, run_input: Any = None
) -> Any:
    """Run up to the pause; the state goes through JSON, as a store would keep it."""
    result = await run_graph(
        engine.compile(lines, config, "流程"), run_input or {}, engine.environment
    )
    return stored(result)


def stored(result: RunResult) -> Any:
    assert result.success
    assert result.paused is not None
    return json.loads(json.dumps(result.paused.continuation))


async def test_a_component_that_waits_pauses_the_run(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 審", "審 >> 完成後 >> 後"]
    graph = engine.compile(lines, {"審": ASK, "後": give(0)})
    result = await run_graph(graph, {}, engine.environment)
    assert (result.success, result.data, result.error) == (True, None, None)
    assert result.paused is not None
    assert (result.paused.task_id, result.paused.node_id) == ("審核-1", "審")
    assert [entry["nodeId"] for entry in result.trace] == ["input", "審"]
    assert engine.order == ["審"]


@pytest.mark.parametrize(
    "value",
    [
        {"pending": True},
        {"pending": True, "task_id": ""},
        {"pending": True, "task_id": 3},
        {"pending": 1, "task_id": "x"},
    ],
)
async def test_a_result_without_a_task_does_not_pause(engine: RecordingEngine, value: Any) -> None:
    result = await engine.run(["input >> 完成後 >> 審"], {"審": give(value)})
    assert result.paused is None
    assert result.data == value


async def test_a_resumed_run_goes_on_from_the_node_with_the_callbacks_data(
    engine: RecordingEngine,
) -> None:
    lines = ["input >> 完成後 >> 前", "前 >> 完成後 >> 審", "審 >> 完成後 >> 後"]
    config = {
        "前": give({"a": 1}),
        "審": ASK,
        "後": give(["{{審.批}}", "{{prev.批}}", "{{前.a}}", "{{input.q}}", "{{a}}", "{{_today}}"]),
    }
    state = await pause(engine, lines, config, {"q": "問"})
    result = await resume_graph(state, engine.environment, data={"批": "准"})
    assert result.data == ["准", "准", 1, "問", 1, "2026-11-22"]
    assert [entry["nodeId"] for entry in result.trace] == ["審", "後"]
    assert engine.order == ["前", "審", "後"]


async def test_edge_types_count_when_a_run_is_resumed(engine: RecordingEngine) -> None:
    lines = [
        "input >> 完成後 >> 審",
        "審 >> 成立時 >> 准",
        "審 >> 否則 >> 駁",
        "審 >> IF(額 > 100) >> 大額",
    ]
    config = {"審": ASK, **{name: give({}) for name in ("准", "駁", "大額")}}
    state = await pause(engine, lines, config)
    await resume_graph(state, engine.environment, data={"branch": "false", "額": 500})
    assert engine.order == ["審", "駁", "大額"]


async def test_a_task_that_failed_fails_the_node(engine: RecordingEngine) -> None:
    state = await pause(
        engine, ["input >> 完成後 >> 審", "審 >> 完成後 >> 後"], {"審": ASK, "後": give(0)}
    )
    result = await resume_graph(state, engine.environment, success=False, error="逾期")
    assert (result.success, result.error, result.failed_node) == (
        False,
        "Node 審 failed: 逾期",
        "審",
    )
    result = await resume_graph(state, engine.environment, success=False)
    assert result.error == "Node 審 failed: the task failed"


async def test_a_task_that_failed_goes_along_the_on_fail_edge(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 審", "審 >> ON_SUCCESS >> 好", "審 >> 失敗時 >> 警"]
    config = {"審": ASK, "好": give(0), "警": give("{{prev.error}}")}
    state = await pause(engine, lines, config)
    result = await resume_graph(state, engine.environment, success=False, error="逾期")
    assert result.data == "逾期"


async def test_a_callback_without_data_is_a_success(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 審", "審 >> ON_SUCCESS >> 後"]
    state = await pause(engine, lines, {"審": ASK, "後": give("{{prev}}")})
    assert (await resume_graph(state, engine.environment)).data == {"success": True}


async def test_a_callbacks_data_is_held_to_the_limits(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(output_bytes=50)
    state = await pause(engine, ["input >> 完成後 >> 審"], {"審": ASK})
    result = await resume_graph(state, engine.environment, data="字" * 50)
    assert result.failed_node == "審"
    assert "a run allows 50" in str(result.error)


async def test_a_run_may_pause_again(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 一審", "一審 >> 完成後 >> 二審", "二審 >> 完成後 >> 後"]
    config = {
        "一審": ASK,
        "二審": {"component": "ask", "task": "審核-2"},
        "後": give(["{{一審.v}}", "{{二審.v}}"]),
    }
    state = await pause(engine, lines, config)
    again = await resume_graph(state, engine.environment, data={"v": 1})
    assert again.paused is not None
    assert again.paused.task_id == "審核-2"
    assert (await resume_graph(stored(again), engine.environment, data={"v": 2})).data == [1, 2]


async def test_branches_that_wait_to_meet_are_kept(engine: RecordingEngine) -> None:
    lines = [
        "input >> 完成後 >> 甲",
        "input >> 完成後 >> 審",
        "input >> 完成後 >> 乙",
        "甲 >> 完成後 >> 合",
        "審 >> 完成後 >> 合",
        "乙 >> 完成後 >> 合",
    ]
    config = {
        "甲": give({"甲": 1}),
        "審": ASK,
        "乙": give({"乙": 3}),
        "合": give(["{{甲.甲}}", "{{審.v}}", "{{乙.乙}}", "{{prev}}"]),
    }
    state = await pause(engine, lines, config)
    result = await resume_graph(state, engine.environment, data={"v": 2})
    assert engine.order == ["甲", "審", "乙", "合"]
    assert result.data == [1, 2, 3, {"甲": 1, "v": 2, "乙": 3}]


async def test_several_starts_are_kept(engine: RecordingEngine) -> None:
    lines = ["甲 >> 完成後 >> 一", "審 >> 完成後 >> 二", "丙 >> 完成後 >> 三"]
    config = {
        "甲": give({}),
        "一": give({"一": 1}),
        "審": ASK,
        "二": give({"二": "{{prev.v}}"}),
        "丙": give({}),
        "三": give({"三": 3}),
    }
    state = await pause(engine, lines, config)
    result = await resume_graph(state, engine.environment, data={"v": 2})
    assert result.data == {"一": 1, "二": 2, "三": 3}


async def test_a_pause_inside_foreach_goes_on_with_the_same_element(
    engine: RecordingEngine,
) -> None:
    lines = [
        "input >> 完成後 >> 列",
        "列 >> 對每個 單 >> 查",
        "查 >> 完成後 >> 審",
        "審 >> 完成後 >> 記",
        "列 >> 完成後 >> 報",
    ]
    config = {
        "列": give({"單": ["甲", "乙"]}),
        "查": give({"查": "{{單}}"}),
        "審": ASK,
        "記": give("{{loop.index}}{{單}}{{查.查}}{{審.v}}{{列.單.1}}"),
        "報": give("{{results}}"),
    }
    state = await pause(engine, lines, config)
    again = await resume_graph(state, engine.environment, data={"v": "准"})
    result = await resume_graph(stored(again), engine.environment, data={"v": "駁"})
    assert result.data == ["0甲甲准乙", "1乙乙駁乙"]
    assert engine.order == ["列", "查", "審", "記", "查", "審", "記", "報"]


async def test_failures_before_a_pause_inside_foreach_are_kept(engine: RecordingEngine) -> None:
    async def picky(given: Any, invocation: Any) -> Any:
        if given["item"] == "壞":
            raise ComponentError("不行")
        return {"pending": True, "task_id": "t"}

    engine.components = {"picky": picky}
    lines = ["input >> 完成後 >> 列", "列 >> 對每個 >> 審"]
    config = {"列": give({"items": ["壞", "甲"]}), "審": {"component": "picky"}}
    state = await pause(engine, lines, config)
    result = await resume_graph(state, engine.environment, success=False, error="駁回")
    assert result.error == "Node 審 failed: all 2 elements of '列' failed; the first: 不行"
    assert result.failed_input["item"] == "壞"


@pytest.mark.parametrize("by_edge", [True, False])
async def test_a_pause_inside_a_called_workflow_goes_on_there_and_then_here(
    engine: RecordingEngine, by_edge: bool
) -> None:
    inner = compile_flow(
        ["input >> 完成後 >> 審", "審 >> 完成後 >> 內"],
        {"審": ASK, "內": give("{{審.v}}{{input.q}}")},
    )
    engine.workflows = {"子": inner}
    edge, config = (
        "完成後",
        {"子": {"component": "trigger_workflow", "workflow_name": "子", "input": {"q": "問"}}},
    )
    if by_edge:
        edge, config = "SUBFLOW", {"子": {"input": {"q": "問"}}}
    lines = ["input >> 完成後 >> 前", f"前 >> {edge} >> 子", "子 >> 完成後 >> 後"]
    state = await pause(
        engine, lines, {"前": give({"a": 1}), **config, "後": give(["{{prev}}", "{{a}}"])}
    )
    engine.workflows = {}
    result = await resume_graph(state, engine.environment, data={"v": "准"})
    seen, a = result.data
    assert (seen if by_edge else seen["sub_result"]["data"]) == "准問"
    assert a == 1
    assert [entry["nodeId"] for entry in result.trace] == ["子", "後"]


async def test_the_state_of_a_long_run_grows_with_its_results_only(engine: RecordingEngine) -> None:
    lines = [f"n{i} >> PIPE >> n{i + 1}" for i in range(60)]
    config: Any = {f"n{i}": {"component": "comp_passthrough"} for i in range(60)}
    state = await pause(engine, lines, {**config, "n60": ASK}, {"文": "字" * 100})
    assert len(json.dumps(state, ensure_ascii=False)) < 60 * 500
    assert (await resume_graph(state, engine.environment, data={"好": 1})).data == {"好": 1}


async def test_a_resumed_run_counts_its_steps_on(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(steps=2)
    state = await pause(
        engine, ["input >> 完成後 >> 審", "審 >> 完成後 >> 後"], {"審": ASK, "後": give(0)}
    )
    result = await resume_graph(state, engine.environment, data={})
    assert "2 steps" in str(result.error)


async def test_a_resumed_run_has_its_time_anew_and_may_run_out_of_it(
    engine: RecordingEngine,
) -> None:
    lines = ["input >> 完成後 >> 審", "審 >> 完成後 >> 掛"]
    state = await pause(engine, lines, {"審": ASK, "掛": {"component": "hang"}})
    engine.limits = RunLimits(seconds=0.02)
    result = await resume_graph(state, engine.environment, data={})
    assert result.error == "Node 掛 failed: the run's time is over (0.02 seconds)"


@pytest.mark.parametrize("state", [{}, {"version": 2}, {"version": "1"}])
async def test_a_state_of_another_version_is_refused(engine: RecordingEngine, state: Any) -> None:
    with pytest.raises(ValueError, match="not the state of a paused run"):
        await resume_graph(state, engine.environment)


async def test_a_state_in_which_no_node_waits_is_refused(engine: RecordingEngine) -> None:
    state = await pause(engine, ["input >> 完成後 >> 審"], {"審": ASK})
    with pytest.raises(ValueError, match="no node waits"):
        await resume_graph({**state, "waiting_node": ["start_node", 0]}, engine.environment)
