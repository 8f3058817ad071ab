"""What looking up placeholders costs: many of them, long ones, and a large context."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from turns import counted_turns

if TYPE_CHECKING:
    from .conftest import RecordingEngine

LINES = ["input >> PIPE >> a"]
FIELDS: dict[str, Any] = {f"k{number}": number for number in range(20_000)}


@pytest.mark.parametrize("root", ["ctx", "prev", "input"])
async def test_a_field_is_found_without_copying_the_context_of_each_placeholder(
    engine: RecordingEngine, root: str
) -> None:
    text = f"{{{{{root}.k1}}}}" * 5000

    async def seconds(fields: dict[str, Any]) -> float:
        began = time.process_time()
        result = await engine.run(LINES, {"a": {"component": "give", "value": text}}, fields)
        assert result.data == "1" * 5000
        return time.process_time() - began

    few = min([await seconds({"k1": 1}) for _ in range(3)])
    many = min([await seconds(FIELDS) for _ in range(3)])
    assert many < 5 * few  # a copy for each of them takes more than ten times as long


async def test_a_placeholder_with_many_dots_is_looked_up_in_linear_time(
    engine: RecordingEngine,
) -> None:
    async def seconds(dots: int) -> float:
        written = "{{" + "a." * dots + "a}}"
        began = time.process_time()
        result = await engine.run(LINES, {"a": {"component": "give", "value": written}})
        assert result.data == written
        return time.process_time() - began

    short = min([await seconds(25_000) for _ in range(3)])
    long = min([await seconds(100_000) for _ in range(3)])
    assert long < 8 * short  # 16 times as long in quadratic time


async def test_a_field_of_the_context_hides_a_node_of_the_same_name(
    engine: RecordingEngine,
) -> None:
    config = {
        "a": {"component": "give", "value": {"b": {"x": 1}}},
        "b": {"component": "give", "value": "{{ctx.a.b.x}} {{ctx.b.x}} {{ctx.b.y}}"},
    }
    lines = [*LINES, "a >> PIPE >> b"]
    assert (await engine.run(lines, config, {})).data == "1 1 {{ctx.b.y}}"


async def test_others_have_their_turn_while_much_is_filled_in(engine: RecordingEngine) -> None:
    config = {"a": {"component": "comp_passthrough"} | {f"v{n}": "x {{ctx}}" for n in range(60)}}
    with counted_turns() as turns:
        result = await engine.run(LINES, config, {"numbers": list(range(30_000))})
    assert result.error is not None
    assert result.error.startswith("Node a failed: what its templates put in is larger")
    assert turns.count > 50  # without a thread there are as many as there are nodes


async def test_data_that_only_escapes_braces_is_filled_too(engine: RecordingEngine) -> None:
    config = {"a": {"component": "give", "value": r"\{{a}}"}}
    assert (await engine.run(LINES, config)).data == "{{a}}"
