"""Data in conditions: IF edges, `if_control`, `filter` and `try_catch` read no value as a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.components.registry import Registry
from arcrun_server.engine import check_parameters, compile_flow
from arcrun_server.outbound import Outbound

if TYPE_CHECKING:
    from .conftest import RecordingEngine

REGISTRY = Registry(Outbound())
IDS = ("if_control", "filter", "try_catch", "set")
# A condition, the run's input, and whether it holds.
CASES: list[tuple[str, dict[str, Any], bool]] = [
    ("{{status}} == done", {"status": "done"}, True),
    ("{{status}} == done", {"status": "done or not"}, False),
    ("{{status}} == done", {"status": "1 == 1 or x"}, False),
    ("{{status}} == 'a > b'", {"status": "a > b"}, True),
    ("{{approved}} == true", {"approved": "1 == 1"}, False),
    ("{{approved}}", {"approved": ""}, False),
    ("{{n}} == 3", {"n": 3}, True),
    ("{{n}} == 3", {"n": "3"}, False),
    ("{{a}} == {{b}}", {"a": "x y", "b": "x y"}, True),
    ("{{a}} == {{b}}", {"a": "{{b}}", "b": "x"}, False),
    (r"{{a}} == \{{b}}", {"a": "{{b}}", "b": "x"}, True),
    (r"{{a}} == \{{b}}", {"a": "x", "b": "x"}, False),
    (r"{{a}} == '\{{b}} > 1'", {"a": "{{b}} > 1", "b": 2}, True),
    # In quotes, texts are inserted as they are and everything else as JSON.
    ("""'{{list}}' == '["文"]'""", {"list": ["文"]}, True),
    ("""'{{list}}' == '{"文":null}'""", {"list": {"文": None}}, True),
    ("'{{n}}號' == '3號'", {"n": 3}, True),
    ("'{{n}}' == 3", {"n": 3}, False),
    ("'{{text}}' == '文'", {"text": "文"}, True),
    ("n > {{least}} and not done", {"n": 5, "least": 4, "done": False}, True),
]


def with_catalog(engine: RecordingEngine) -> None:
    engine.components = {name: REGISTRY.get(name) for name in IDS}


@pytest.mark.parametrize(("condition", "run_input", "expected"), CASES)
async def test_an_if_edge_and_if_control_read_no_value_as_a_condition(
    engine: RecordingEngine, condition: str, run_input: dict[str, Any], expected: bool
) -> None:
    with_catalog(engine)
    lines = ["input >> 完成後 >> 判", "判 >> 成立時 >> 真", f"input >> IF({condition}) >> 邊"]
    config = {
        "判": {"component": "if_control", "condition": condition},
        "真": {"component": "give", "value": 1},
        "邊": {"component": "give", "value": 1},
    }
    result = await engine.run(lines, config, run_input)
    assert result.success, result.error
    assert engine.order == (["真", "邊"] if expected else [])


async def test_a_filter_compares_the_elements_with_values_of_the_run(
    engine: RecordingEngine,
) -> None:
    with_catalog(engine)
    items = [{"狀態": "a > b", "n": 1}, {"狀態": "好", "n": 2}]
    config = {
        "選": {
            "component": "filter",
            "items": "{{input.items}}",
            "condition": "狀態 == {{input.要}} and {{item.n}} < {{input.most}}",
        }
    }
    result = await engine.run(
        ["input >> 完成後 >> 選"], config, {"items": items, "要": "a > b", "most": 2}
    )
    assert result.data["data"]["items"] == items[:1]


async def test_a_filter_compares_with_braces_that_are_text(engine: RecordingEngine) -> None:
    with_catalog(engine)
    items = ["{{名}}", "甲"]
    config = {
        "選": {"component": "filter", "items": "{{input.文}}", "condition": r"item == \{{名}}"}
    }
    result = await engine.run(["input >> 完成後 >> 選"], config, {"文": items, "名": "甲"})
    assert result.data["data"]["items"] == items[:1]


@pytest.mark.parametrize("condition", ["k == {{a", "k == '{{a'", 'k == "{{a"'])
def test_braces_that_are_not_closed_are_refused_when_they_are_pushed(condition: str) -> None:
    config = {"判": {"component": "if_control", "condition": condition}}
    graph = compile_flow(["input >> 完成後 >> 判", f"判 >> IF({condition}) >> output"], config)
    found = check_parameters(graph)
    assert [problem.path for problem in found.problems] == [
        "nodes[1].data.condition",
        "edges[1].condition",
    ]
    assert all(r"Write `\{{` for the text `{{`" in problem.message for problem in found.problems)


async def test_the_input_brings_no_condition(engine: RecordingEngine) -> None:
    with_catalog(engine)
    config = {"判": {"component": "if_control"}}
    result = await engine.run(["input >> 完成後 >> 判"], config, {"condition": "1 == 1"})
    assert "`condition` is missing" in str(result.error)


@pytest.mark.parametrize("text", ["{{prev.error}}", "{{x}}", "{{"])
async def test_an_error_that_looks_like_a_placeholder_is_an_error(
    engine: RecordingEngine, text: str
) -> None:
    with_catalog(engine)
    config = {"檢": {"component": "try_catch", "error": "{{input.e}}"}}
    result = await engine.run(["input >> 完成後 >> 檢"], config, {"e": text})
    assert result.data["data"] == {"result": text, "branch": "catch"}


@pytest.mark.parametrize("component", ["if_control", "filter"])
def test_a_condition_that_is_none_is_refused_when_it_is_pushed(component: str) -> None:
    config = {"判": {"component": component, "items": [], "condition": "n === 3"}}
    found = check_parameters(compile_flow(["input >> 完成後 >> 判"], config))
    assert [problem.path for problem in found.problems] == ["nodes[1].data.condition"]
