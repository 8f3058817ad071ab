from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine import RunLimits, compile_flow

if TYPE_CHECKING:
    from .conftest import RecordingEngine


def give(value: Any) -> dict[str, Any]:
    return {"component": "give", "value": value}


def trigger(**data: Any) -> dict[str, Any]:
    return {"component": "trigger_workflow", **data}


LINES = ["input >> 完成後 >> 呼叫", "呼叫 >> 完成後 >> 後"]


def child(value: Any) -> Any:
    return compile_flow(["input >> 完成後 >> 內"], {"內": give(value)}, name="子")


async def test_trigger_workflow_runs_another_workflow_and_tells_how_it_went(
    engine: RecordingEngine,
) -> None:
    engine.workflows = {"子": child({"問": "{{input.q}}"})}
    config = {
        "呼叫": trigger(workflow_name="子", input={"q": "{{input.題}}"}),
        "後": give("{{prev}}"),
    }
    result = await engine.run(LINES, config, {"題": "天氣"})
    duration = result.data["sub_result"].pop("duration_ms")
    assert duration >= 0
    assert result.data == {
        "success": True,
        "triggered_workflow": "子",
        "status": "completed",
        "sub_result": {"success": True, "data": {"問": "天氣"}},
    }
    assert [entry["nodeId"] for entry in result.trace] == ["input", "呼叫", "後"]


async def test_the_called_workflow_sees_its_own_input_only(engine: RecordingEngine) -> None:
    engine.workflows = {"子": child(["{{input}}", "{{題}}", "{{loop.item}}"])}
    config = {
        "呼叫": trigger(workflow_name="子", input={"q": 1}),
        "後": give("{{呼叫.sub_result.data}}"),
    }
    assert (await engine.run(LINES, config, {"題": "天氣"})).data == [
        {"q": 1},
        "{{題}}",
        "{{loop.item}}",
    ]


async def test_a_called_workflow_that_fails_is_a_failure_as_a_result(
    engine: RecordingEngine,
) -> None:
    failing = compile_flow(
        ["input >> 完成後 >> 內"], {"內": {"component": "fail", "reason": "沒電"}}
    )
    engine.workflows = {"子": failing}
    lines = ["input >> 完成後 >> 呼叫", "呼叫 >> ON_SUCCESS >> 好", "呼叫 >> 失敗時 >> 壞"]
    config = {"呼叫": trigger(workflow_name="子"), "好": give(0), "壞": give("{{prev}}")}
    result = await engine.run(lines, config)
    sub_result = result.data.pop("sub_result")
    assert result.data == {
        "success": False,
        "triggered_workflow": "子",
        "status": "failed",
        "error": "Node 內 failed: 沒電",
    }
    assert (sub_result["success"], sub_result["failed_node"]) == (False, "內")
    assert engine.order == ["內", "壞"]


async def test_a_workflow_that_is_not_there_fails_the_node(engine: RecordingEngine) -> None:
    result = await engine.run(LINES, {"呼叫": trigger(workflow_name="沒有"), "後": give(0)})
    assert result.error == "Node 呼叫 failed: there is no workflow '沒有'; push it first"


async def test_a_workflow_that_is_not_there_goes_along_the_on_fail_edge(
    engine: RecordingEngine,
) -> None:
    lines = ["input >> 完成後 >> 呼叫", "呼叫 >> 失敗時 >> 警"]
    config = {"呼叫": trigger(workflow_name="沒有"), "警": give("{{prev.error}}")}
    assert (await engine.run(lines, config)).data == "there is no workflow '沒有'; push it first"


async def test_a_workflow_that_cannot_run_fails_the_node(engine: RecordingEngine) -> None:
    engine.workflows = {"子": {"nodes": [], "edges": []}}
    result = await engine.run(LINES, {"呼叫": trigger(workflow_name="子"), "後": give(0)})
    assert result.error is not None
    assert result.error.startswith("Node 呼叫 failed: the workflow '子' can't run: nodes:")


async def test_wrong_parameters_of_trigger_workflow_are_errors(engine: RecordingEngine) -> None:
    for data, message in [
        ({}, "`workflow_name` must be the name of a workflow, as text"),
        ({"workflow_name": 3}, "`workflow_name` must be the name of a workflow, as text"),
        ({"workflow_name": "子", "input": []}, "`input` must be an object"),
        ({"workflow_name": "子", "wait": "{{input.等}}"}, "`wait: false` is not supported"),
    ]:
        result = await engine.run(LINES, {"呼叫": trigger(**data), "後": give(0)}, {"等": False})
        assert result.error is not None
        assert message in result.error


EDGE = ["input >> CALLS_SUBFLOW >> 子", "子 >> 完成後 >> 後"]


async def test_a_subflow_edge_runs_the_workflow_that_its_target_names(
    engine: RecordingEngine,
) -> None:
    engine.workflows = {"子": child({"問": "{{input.q}}"})}
    result = await engine.run(EDGE, {"後": give(["{{問}}", "{{子.問}}"])}, {"q": "天氣"})
    assert result.data == ["天氣", "天氣"]


async def test_a_subflow_edge_hands_over_input_or_data_or_the_context(
    engine: RecordingEngine,
) -> None:
    engine.workflows = {"子": child("{{input}}"), "別": child("別的")}
    for config, expected in [
        ({}, {"q": 1}),
        ({"子": {"輸": "{{input.q}}"}}, {"輸": 1}),
        ({"子": {"input": {"q": 2}, "輸": 1}}, {"q": 2}),
        ({"子": {"workflow_name": "別"}}, "別的"),
    ]:
        result = await engine.run(EDGE, {**config, "後": give("{{prev}}")}, {"q": 1})
        assert result.data == expected


async def test_a_subflow_edge_to_a_workflow_that_fails_fails_the_node(
    engine: RecordingEngine,
) -> None:
    failing = compile_flow(["input >> 完成後 >> 內"], {"內": {"component": "fail"}})
    engine.workflows = {"子": failing}
    result = await engine.run(EDGE, {"後": give(0)})
    assert result.error == "Node 子 failed: the workflow '子' failed: Node 內 failed: 壞了"
    assert result.failed_node == "子"


async def test_a_failed_subflow_goes_along_its_on_fail_edge(engine: RecordingEngine) -> None:
    failing = compile_flow(["input >> 完成後 >> 內"], {"內": {"component": "fail"}})
    engine.workflows = {"子": failing}
    lines = ["input >> SUBFLOW >> 子", "子 >> 失敗時 >> 警"]
    result = await engine.run(lines, {"警": give("{{prev.error}}")})
    assert result.data == "the workflow '子' failed: Node 內 failed: 壞了"


async def test_a_workflow_that_calls_itself_ends_at_the_depth_limit(
    engine: RecordingEngine,
) -> None:
    graph = compile_flow(["input >> 完成後 >> 又"], {"又": trigger(workflow_name="己")}, name="己")
    engine.workflows = {"己": graph}
    engine.limits = RunLimits(depth=5)
    result = await engine.run(LINES, {"呼叫": trigger(workflow_name="己"), "後": give(0)})
    assert not result.success
    assert result.error is not None
    assert "nested deeper than 5 levels; does a workflow call itself?" in result.error


async def test_a_called_workflow_shares_the_limit_of_steps(engine: RecordingEngine) -> None:
    engine.workflows = {"子": child(0)}
    engine.limits = RunLimits(steps=3)
    result = await engine.run(LINES, {"呼叫": trigger(workflow_name="子"), "後": give(0)})
    assert result.error == "Node 內 failed: the run has taken 3 steps, which is the limit"


async def test_a_workflow_can_be_called_for_each_element(engine: RecordingEngine) -> None:
    engine.workflows = {"子": child("{{input.字}}!")}
    lines = ["input >> 完成後 >> 列", "列 >> 對每個 >> 呼叫"]
    config = {
        "列": give({"items": ["甲", "乙"]}),
        "呼叫": trigger(workflow_name="子", input={"字": "{{item}}"}),
    }
    result = await engine.run(lines, config)
    assert [each["sub_result"]["data"] for each in result.data["results"]] == ["甲!", "乙!"]


async def test_the_input_does_not_choose_the_workflow_that_is_run(engine: RecordingEngine) -> None:
    engine.workflows = {"別": compile_flow(["input >> PIPE >> 內"], {"內": give("別的結果")})}
    config = {"叫": {"component": "trigger_workflow"}}
    result = await engine.run(["input >> PIPE >> 叫"], config, {"workflow_name": "別"})
    assert "`workflow_name` must be the name" in str(result.error)
    assert engine.calls == []
