from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from turns import counted_turns

from arcrun_server.engine import RunLimits, run_graph

if TYPE_CHECKING:
    from .conftest import RecordingEngine


def give(value: Any) -> dict[str, Any]:
    return {"component": "give", "value": value}


FLOW = ["input >> 完成後 >> 列", "列 >> 對每個 >> 做"]


def test_the_limits_of_a_run_are_those_of_the_contract() -> None:
    """As docs/contract.md#limits has them."""
    mib = 1024 * 1024
    assert RunLimits() == RunLimits(
        steps=10_000,
        seconds=120.0,
        output_bytes=4 * mib,
        output_values=100_000,
        total_bytes=32 * mib,
        trace_bytes=4 * mib,
        depth=16,
    )


async def test_a_run_ends_at_its_limit_of_steps(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(steps=5)
    config = {"列": give({"items": list(range(100))}), "做": give("{{item}}")}
    result = await engine.run(FLOW, config)
    assert result.error == "Node 做 failed: the run has taken 5 steps, which is the limit"
    assert len(engine.given_to("做")) == 3


async def test_a_run_ends_when_its_time_is_over_even_while_a_component_hangs(
    engine: RecordingEngine,
) -> None:
    engine.limits = RunLimits(seconds=0.5)  # enough for a slow machine to reach the node
    result = await engine.run(["input >> PIPE >> 掛"], {"掛": {"component": "hang", "x": 1}})
    assert result.error == "Node 掛 failed: the run's time is over (0.5 seconds)"
    assert result.failed_node == "掛"
    assert result.failed_input == {"input": {}, "x": 1}


async def test_a_run_of_built_ins_only_ends_when_its_time_is_over(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(seconds=0.2, steps=10_000_000, total_bytes=10**12)
    config = {"列": give({"items": list(range(90_000))}), "做": {"component": "comp_counter"}}
    result = await engine.run(FLOW, config)
    # On a busy machine the list takes that long already.
    ended = "failed: the run's time is over (0.2 seconds)"
    assert result.error in {f"Node 做 {ended}", f"Node 列 {ended}"}


async def test_time_that_is_over_is_seen_before_the_next_node(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(seconds=-1)
    graph = engine.compile(["input >> PIPE >> a"], {"a": give(0)})
    result = await run_graph(graph, {}, engine.environment)
    assert not result.success
    assert "time is over" in str(result.error)
    assert engine.order == []


async def test_time_is_not_given_back_by_an_element_that_fails(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(seconds=0.02)
    result = await engine.run(FLOW, {"列": give({"items": [1, 2]}), "做": {"component": "hang"}})
    assert result.error == "Node 做 failed: the run's time is over (0.02 seconds)"


async def test_a_run_lets_others_have_a_turn(engine: RecordingEngine) -> None:
    with counted_turns() as turns:
        config = {"列": give({"items": list(range(6000))}), "做": give(1)}
        result = await engine.run(FLOW, config)
    assert result.success
    assert turns.count >= 5


async def test_a_run_that_is_cancelled_from_outside_is_cancelled(engine: RecordingEngine) -> None:
    graph = engine.compile(["input >> PIPE >> 掛"], {"掛": {"component": "hang"}})
    task = asyncio.create_task(run_graph(graph, {}, engine.environment))
    await engine.hanging.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_result_that_is_too_large_fails_its_node(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(output_bytes=100)
    result = await engine.run(["input >> PIPE >> a"], {"a": give("字" * 33)})
    assert result.error == "Node a failed: its result has 101 bytes as JSON; a run allows 100"
    engine.limits = RunLimits(output_bytes=101)
    assert (await engine.run(["input >> PIPE >> a"], {"a": give("字" * 33)})).success


async def test_the_gathered_results_of_a_foreach_are_limited_too(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(output_bytes=200)
    config = {"列": give({"items": list(range(20))}), "做": give("十個字元十個字元")}
    result = await engine.run(FLOW, config)
    assert result.failed_node == "列"
    assert "bytes as JSON; a run allows 200" in str(result.error)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {1, 2}, "半\ud83d", b"bytes", object()]
)
async def test_a_result_that_is_not_json_fails_its_node(
    engine: RecordingEngine, value: Any
) -> None:
    async def odd(given: Any, invocation: Any) -> Any:
        return {"v": value}

    engine.components = {"odd": odd}
    result = await engine.run(["input >> PIPE >> a"], {"a": {"component": "odd"}})
    assert str(result.error).startswith("Node a failed: its result is not valid JSON (")


async def test_a_result_that_is_nested_without_end_fails_its_node(engine: RecordingEngine) -> None:
    async def odd(given: Any, invocation: Any) -> Any:
        endless: list[Any] = []
        endless.append(endless)
        return endless

    engine.components = {"odd": odd}
    result = await engine.run(["input >> PIPE >> a"], {"a": {"component": "odd"}})
    assert "made of more than 100,000 values" in str(result.error)


@pytest.mark.parametrize("value", [[1] * 101, {"a": [[1] * 51] * 2}, [{"a": [0] * 100}]])
async def test_a_result_of_too_many_values_fails_its_node(
    engine: RecordingEngine, value: Any
) -> None:
    engine.limits = RunLimits(output_values=100)
    result = await engine.run(["input >> PIPE >> a"], {"a": give(value)})
    assert str(result.error) == (
        "Node a failed: its result is made of more than 100 values, which is the limit"
    )
    assert (await engine.run(["input >> PIPE >> a"], {"a": give([[1] * 48] * 2)})).success


async def test_a_run_over_its_total_ends_also_within_foreach(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(total_bytes=1000)
    config = {"列": give({"items": list(range(50))}), "做": give("十個字元十個字元")}
    result = await engine.run(FLOW, config)
    assert result.error == (
        "Node 做 failed: the run's results together have more than 1,000 bytes, which is the limit"
    )
    assert len(engine.given_to("做")) < 50
    engine.limits = RunLimits(total_bytes=10_000)
    assert (await engine.run(FLOW, config)).success


async def test_the_total_of_results_is_counted_to_the_byte(engine: RecordingEngine) -> None:
    for total, success in [(8, True), (7, False)]:
        engine.limits = RunLimits(total_bytes=total)
        assert (await engine.run(["input >> PIPE >> a"], {"a": give("字字")})).success is success


async def test_templates_cannot_blow_a_value_up(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(output_bytes=10_000)
    lines = ["input >> 完成後 >> a", "a >> 完成後 >> b"]
    for value in (["{{a.v}}"] * 20, "{{a.v}}" * 20, "{{a}}" * 20, ["{{a}}"] * 20):
        result = await engine.run(lines, {"a": give({"v": "字" * 1000}), "b": give(value)})
        assert result.error == (
            "Node b failed: what its templates put in is larger than the 10,000 bytes that a run allows"
        )
    assert engine.given_to("b") == []
    engine.workflows = {}
    call = {"component": "trigger_workflow", "workflow_name": "x", "input": {"v": "{{a.v}}" * 20}}
    result = await engine.run(lines, {"a": give({"v": "字" * 1000}), "b": call})
    assert "what its templates put in" in str(result.error)


async def test_warnings_about_templates_are_limited(engine: RecordingEngine) -> None:
    config = {"a": {"component": "comp_counter", "v": "{{無}}" * 500 + "{{" + "長" * 500 + "}}"}}
    result = await engine.run(["input >> 完成後 >> a"], config)
    warnings = result.trace[1]["warnings"]
    assert len(warnings) == 20
    assert max(map(len, warnings)) < 300


async def test_foreach_is_nested_to_the_limit_of_depth(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> n0"] + [f"n{i} >> 對每個 >> n{i + 1}" for i in range(4)]
    config = {f"n{i}": give({"items": [0]}) for i in range(5)}
    engine.limits = RunLimits(depth=4)
    assert (await engine.run(lines, config)).success
    engine.limits = RunLimits(depth=3)
    result = await engine.run(lines, config)
    assert "nested deeper than 3 levels" in str(result.error)


async def test_results_of_built_ins_do_not_grow_with_the_number_of_nodes(
    engine: RecordingEngine,
) -> None:
    lines = [f"n{i} >> PIPE >> n{i + 1}" for i in range(200)]
    config = {f"n{i}": {"component": "comp_passthrough"} for i in range(201)}
    result = await engine.run(lines, config, {"文": "字"})
    assert result.data == {"文": "字"}
