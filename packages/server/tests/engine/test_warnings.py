"""What goes wrong in a run without ending it: placeholders without a value, and failures that nothing takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.components.registry import Registry
from arcrun_server.engine import (
    MemoryEnvironment,
    RunLimits,
    check_parameters,
    compile_flow,
    resume_graph,
    run_graph,
)
from arcrun_server.outbound import Outbound

if TYPE_CHECKING:
    from .conftest import RecordingEngine

TRY_CATCH: Any = Registry(Outbound()).get("try_catch")
FAILURE = {"success": False, "error": "壞了"}


def give(value: Any) -> dict[str, Any]:
    return {"component": "give", "value": value}


def checked(value: Any, component: str = "give", **config: Any) -> Any:
    return check_parameters(
        compile_flow(
            [
                "input >> 完成後 >> 讀取",
                "讀取 >> 完成後 >> Read 草稿.v1",
                "讀取 >> 對每個 篇 >> 寫",
            ],
            {"寫": {"component": component, "value": value, **config}},
        )
    )


async def test_a_run_names_the_placeholders_that_have_no_value_once_each(
    engine: RecordingEngine,
) -> None:
    lines = ["input >> 完成後 >> 列", "列 >> 對每個 >> 做", "列 >> 完成後 >> 報"]
    config = {
        "列": give({"items": [1, 2]}),
        "做": give("{{input.txt}}{{item}}"),
        "報": give("{{x}}"),
    }
    result = await engine.run(lines, config)
    assert result.success
    assert result.data == "{{x}}"
    assert result.warnings == [
        {"node": "做", "placeholder": "{{input.txt}}"},
        {"node": "報", "placeholder": "{{x}}"},
    ]


async def test_a_run_that_finds_everything_has_no_warnings(engine: RecordingEngine) -> None:
    engine.secrets = {"tok": "s3cr3t"}
    config = {"做": give(["{{credential.tok}}", "{{input.a}}", "\\\\{{b}} \\{{c}}"])}
    result = await engine.run(["input >> 完成後 >> 做"], config, {"a": None, "b": 1})
    assert result.warnings == []
    assert result.data == ["[redacted]", None, "\\1 {{c}}"]


async def test_try_catch_may_ask_for_an_error_that_is_not_there(engine: RecordingEngine) -> None:
    engine.components = {"try_catch": TRY_CATCH}
    config = {"甲": give({}), "檢": {"component": "try_catch", "error": "{{甲.error}}"}}
    graph = engine.compile(["input >> 完成後 >> 甲", "甲 >> 完成後 >> 檢"], config)
    result = await run_graph(graph, {}, engine.environment, strict=True)
    assert result.data["data"]["branch"] == "try"
    assert result.warnings == []


@pytest.mark.parametrize("by", ["run", "graph"])
async def test_in_a_strict_run_a_placeholder_without_a_value_fails_its_node(
    engine: RecordingEngine, by: str
) -> None:
    graph = engine.compile(
        ["input >> 完成後 >> 做", "做 >> 失敗時 >> 救", "input >> 完成後 >> 再"],
        {"做": give("{{inptu.x}}"), "救": give(1), "再": give("{{無}}")},
    )
    if by == "graph":
        graph["strict"] = True
    result = await run_graph(graph, {}, engine.environment, strict=by == "run")
    assert result.error == "Node 再 failed: {{無}} has no value, and the run is strict"
    assert engine.order == ["救"]
    assert result.warnings[0] == {"node": "做", "placeholder": "{{inptu.x}}"}


async def test_a_paused_run_keeps_what_went_wrong(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 壞", "壞 >> 完成後 >> 問", "問 >> 完成後 >> 後"]
    config = {"壞": give(FAILURE), "問": {"component": "ask", "x": "{{無}}"}, "後": give(1)}
    paused = (await engine.run(lines, config)).paused
    assert paused is not None
    result = await resume_graph(paused.continuation, engine.environment, data={})
    assert result.failed_nodes == ["壞"]
    assert result.warnings == [{"node": "問", "placeholder": "{{無}}"}]


async def test_a_node_whose_failure_the_run_goes_on_after_is_named(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 壞", "壞 >> 完成後 >> 過", "過 >> 完成後 >> output"]
    config = {"壞": give(FAILURE), "過": {"component": "comp_passthrough"}}
    result = await engine.run(lines, config)
    assert result.success
    assert (result.failed_nodes, result.verdict) == (["壞"], "partial")


async def test_a_failure_that_an_on_fail_edge_takes_is_not_named(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 壞", "壞 >> 失敗時 >> 救"]
    result = await engine.run(lines, {"壞": give(FAILURE), "救": give({})})
    assert (result.failed_nodes, result.verdict) == ([], "success")


async def test_an_element_that_fails_is_named(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 列", "列 >> 對每個 >> 判", "判 >> IF(item == 1) >> 壞"]
    config = {
        "列": give({"items": [1, 2]}),
        "判": give({"item": "{{item}}"}),
        "壞": {"component": "fail"},
    }
    result = await engine.run(lines, config)
    assert (result.success, result.failed_nodes) == (True, ["壞"])


async def test_a_run_that_fails_is_failed_and_not_partial(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 壞", "壞 >> 完成後 >> 更壞"]
    result = await engine.run(lines, {"壞": give(FAILURE), "更壞": {"component": "fail"}})
    assert (result.failed_nodes, result.verdict) == (["壞"], "failed")


@pytest.mark.parametrize("by_edge", [True, False])
async def test_sub_workflows_are_reported_with_their_own_verdict(by_edge: bool) -> None:
    async def fails(given: Any, invocation: Any) -> Any:
        return FAILURE

    child = compile_flow(
        ["input >> 完成後 >> 壞", "壞 >> 完成後 >> 好"],
        {"壞": {"component": "fails"}, "好": {"component": "comp_counter", "success": True}},
    )
    child["nodes"][-1]["data"]["error"] = None
    environment = MemoryEnvironment(components={"fails": fails}, workflows={"子": child})
    config = {} if by_edge else {"子": {"component": "trigger_workflow", "workflow_name": "子"}}
    edge = "CALLS_SUBFLOW" if by_edge else "完成後"
    result = await run_graph(compile_flow([f"input >> {edge} >> 子"], config), {}, environment)
    assert result.verdict == "success"
    [(name, sub_run)] = environment.sub_runs
    assert (name, sub_run.verdict, sub_run.failed_nodes) == ("子", "partial", ["壞"])
    if not by_edge:
        assert result.data["sub_result"]["failed_nodes"] == ["壞"]


async def test_a_sub_workflow_that_the_end_of_the_run_cuts_off_is_reported_too() -> None:
    child = compile_flow(
        ["input >> 完成後 >> 數", "數 >> 完成後 >> 再數"],
        {name: {"component": "comp_counter"} for name in ("數", "再數")},
    )
    environment = MemoryEnvironment(workflows={"子": child}, limits=RunLimits(steps=3))
    result = await run_graph(compile_flow(["input >> CALLS_SUBFLOW >> 子"]), {}, environment)
    assert not result.success
    assert [(name, run.verdict) for name, run in environment.sub_runs] == [("子", "failed")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{input.x", r"holds a name in between. Write `\{{` for"),
        ("a {{input.x} b", "is not a placeholder"),
        ("{{}}", "is not a placeholder"),
        ("{{ }}", "is not a placeholder"),
        ("{{a {{b}}", "is not a placeholder"),
        ("{{items[0].x}}", "write {{items.0.x}}"),
        ("{{input['a b'].x}}", "write {{input.a b.x}}"),
        ("{{x | default('y')}}", "no filters; write {{x}}"),
        ("{{'x'}}", "names with dots between"),
        ("{{input..x}}", "names with dots between"),
        ("{{input.}}", "names with dots between"),
    ],
)
def test_what_cannot_be_a_placeholder_is_refused(text: str, says: str) -> None:
    [problem] = checked([{"deep": text}]).problems
    assert says in problem.message
    assert problem.path == "nodes[3].data.value"


@pytest.mark.parametrize(
    "text",
    [
        *("{{input.x}}", "{{prev.x}}", "{{ctx.x}}", "{{loop.item}}", "{{_today}}", "{{success}}"),
        *(
            "{{credential.tok}}",
            "{{讀取.x}}",
            "{{ Read 草稿.v1.x }}",
            "{{read-草稿.v1}}",
            "{{篇.x}}",
        ),
        *(
            r"\{{",
            r"\{{ x | y }}",
            "{ {x} }",
            '{"a":{"b":1}}',
            "{{input.金額(元)}}",
            "{{input.@id}}",
        ),
    ],
)
def test_what_is_known_before_the_run_is_no_warning(text: str) -> None:
    found = checked(text)
    assert (found.problems, found.warnings) == ([], [])


def test_a_name_that_nothing_declares_is_a_warning_with_the_nearest() -> None:
    [warning] = checked("{{inptu.text}}").warnings
    assert (warning.node, warning.placeholder) == ("寫", "{{inptu.text}}")
    assert "did you mean 'input'?" in warning.message
    [warning] = checked("{{zzzzzz}}").warnings
    assert "{{input.NAME}}" in warning.message


def test_a_placeholder_of_a_condition_that_json_escapes_is_warned_of() -> None:
    graph = compile_flow([r'input >> IF(n == "\u007b{nowhere}}") >> hash'], known=["hash"])
    assert [warning.placeholder for warning in check_parameters(graph).warnings] == ["{{nowhere}}"]


def test_conditions_are_checked_like_texts() -> None:
    flow = ["input >> IF({{a[0]}} > 1) >> 寫", "input >> IF({{inptu.x}}) >> 寫"]
    found = check_parameters(compile_flow(flow, {"寫": give(1)}))
    assert [problem.path for problem in found.problems] == ["edges[0].condition"]
    assert [warning.placeholder for warning in found.warnings] == ["{{inptu.x}}"]


@pytest.mark.parametrize(
    "condition", ["n == {{input.n", 'n == "{{input.n"', "n == {{}}", "n == x{{ y"]
)
def test_a_condition_with_braces_that_are_no_placeholder_is_refused(condition: str) -> None:
    graph = compile_flow([f"input >> IF({condition}) >> hash"], known=["hash"])
    assert [problem.path for problem in check_parameters(graph).problems] == ["edges[0].condition"]


def test_code_is_never_a_template() -> None:
    found = checked(1, component="code", code="const a = {{b: 1}")
    assert (found.problems, found.warnings) == ([], [])


def test_data_of_an_input_node_and_of_set_declares_fields() -> None:
    graph: Any = {
        "nodes": [
            {"id": "input", "type": "Input", "data": {"語言": "中"}},
            {"id": "a", "type": "Component", "componentId": "set", "data": {"values": {"題": 1}}},
            {
                "id": "b",
                "type": "Component",
                "componentId": "set",
                "data": {"values": {"x": "{{語言}}{{題}}{{別}}"}},
            },
        ],
        "edges": [],
    }
    assert [warning.placeholder for warning in check_parameters(graph).warnings] == ["{{別}}"]


@pytest.mark.parametrize("placeholder", ["{{ x + 1 }}", "{{len(x)}}", "{{x > 3}}", "{{ a - b }}"])
def test_a_placeholder_that_computes_is_told_that_none_does(placeholder: str) -> None:
    [warning] = checked(placeholder).warnings
    assert warning.message.endswith(
        "; a placeholder looks a name up and does not compute: a node of its own does"
    )
