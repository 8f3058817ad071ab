from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.engine import RunLimits
from arcrun_server.engine import budget as budget_module
from arcrun_server.engine import sizes as sizes_module
from arcrun_server.engine.budget import OMITTED, RunBudget
from arcrun_server.engine.sizes import KnownSizes, json_size

if TYPE_CHECKING:
    from .conftest import RecordingEngine

LARGE = [f"{number:010}" for number in range(1000)]


@pytest.mark.parametrize(
    "value",
    [
        {"a": LARGE, "文": "字", "n": [1, 2]},
        {"a": LARGE},
        {"a": LARGE, "b": LARGE},
        {"b": {"c": LARGE}, "a": LARGE},
        {},
        {"n": 1},
        {"n": -12, "f": 1e-7, "字": '"\\\x00\u007f\n好😀', "yes": True, "no": False, "none": None},
        {1: "a", None: 1.5, 2.5: True},
        {"a": {"b": 1.0, "c": "字"}, "d": []},
        LARGE,
        [0.5] * 20_001,
        [[[1] * 7000], {"文": {"a": [{"b": "字"}] * 6000}}],
        {f"k{number}": number for number in range(12_000)},
        "字",
        None,
    ],
)
def test_known_sizes_are_exact(value: Any) -> None:
    sizes = KnownSizes()
    sizes.of({"before": LARGE})
    for _ in range(2):
        assert sizes.of(value) == len(
            json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        )


@pytest.mark.parametrize("part", [float("nan"), float("inf"), "\ud800", object(), {1, 2}])
def test_what_is_no_json_has_no_size(part: Any) -> None:
    for value in ({"a": part}, {"a": [part]}, {"a": 1, "b": {"c": part}}):
        with pytest.raises(ValueError, match="not valid JSON"):
            KnownSizes().of(value)


def test_a_list_is_as_large_as_its_elements() -> None:
    sizes = KnownSizes()
    for items in ([], [LARGE], [LARGE, 1, {"a": LARGE}]):
        assert sizes.of_list(items) == json_size(items)


async def test_a_large_value_that_goes_from_node_to_node_is_measured_once(
    engine: RecordingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0
    measure = sizes_module.json_size

    def counting(value: Any) -> int:
        nonlocal written
        written += measure(value)
        return measure(value)

    monkeypatch.setattr(sizes_module, "json_size", counting)
    lines = ["input >> PIPE >> n0"] + [f"n{i} >> PIPE >> n{i + 1}" for i in range(100)]
    config = {f"n{i}": {"component": "comp_passthrough"} for i in range(101)}
    result = await engine.run(lines, config, {"large": LARGE})
    assert result.data == {"large": LARGE}
    assert written < 4 * json_size(LARGE)


async def test_what_goes_on_unchanged_in_a_changing_context_is_measured_once(
    engine: RecordingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"id": number, "text": "x"} for number in range(20)]
    written = 0
    measure = sizes_module.json_size

    def counting(value: Any) -> int:
        nonlocal written
        written += measure(value)
        return measure(value)

    monkeypatch.setattr(sizes_module, "json_size", counting)
    lines = ["input >> PIPE >> n0"] + [f"n{i} >> PIPE >> n{i + 1}" for i in range(50)]
    config = {f"n{i}": {"component": "comp_counter"} for i in range(51)}
    result = await engine.run(lines, config, {"rows": rows, "count": 0})
    assert result.data == {"rows": rows, "count": 51}
    assert written < 52 * len('{"rows":0,"count":51}') + 2 * measure(rows)


def test_a_turn_lasts_ten_milliseconds_from_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((100.0, 100.0, 100.0, 100.009, 100.011, 100.02, 100.022))
    monkeypatch.setattr(budget_module.time, "monotonic", lambda: next(times))
    budget = RunBudget(RunLimits())  # looks at the clock twice
    over = [budget.turn_is_over() for _ in range(5)]
    assert over == [False, False, True, False, True]


async def test_what_was_refused_is_not_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = RunBudget(RunLimits())
    result = {"data": [[]] * 100_001}
    await budget.measure(result)
    monkeypatch.setattr(KnownSizes, "of", None)
    with pytest.raises(ValueError, match="more than 100,000 values"):
        budget.take_result(result)


async def test_a_run_keeps_no_inputs_that_its_trace_has_no_room_for(
    engine: RecordingEngine,
) -> None:
    async def drop(_given: Any, _invocation: Any) -> Any:
        return {}

    engine.limits = RunLimits(trace_bytes=150_000)
    engine.components["drop"] = drop
    config = {"a": {"component": "drop", "value": {"text": "{{large}}{{large}}"}}}
    run_input = {"items": list(range(100)), "large": "x" * 100_000}
    tracemalloc.start()
    try:
        result = await engine.run(["input >> FOREACH >> a"], config, run_input)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.success
    assert most < 20 * 100_000


async def test_the_trace_does_not_repeat_a_large_context_for_each_element(
    engine: RecordingEngine,
) -> None:
    engine.limits = RunLimits(trace_bytes=100_000)
    run_input = {"items": list(range(100)), "large": LARGE}
    result = await engine.run(
        ["input >> 對每個 >> a"], {"a": {"component": "comp_counter"}}, run_input
    )
    assert result.success
    assert len(result.trace) == 101
    assert len(json.dumps(result.trace)) < 250_000
    assert result.trace[1]["input"]["large"] == LARGE
    assert result.trace[-1]["input"] == OMITTED


async def test_a_failure_shows_its_input_when_the_trace_is_full(engine: RecordingEngine) -> None:
    engine.limits = RunLimits(trace_bytes=0, output_bytes=20)
    give = {"component": "give", "value": "x" * 30}
    result = await engine.run(["input >> PIPE >> a"], {"a": give})
    assert result.trace[-1]["input"] == OMITTED
    assert result.failed_input == {"input": {}, "value": "x" * 30}
