"""One test for each difference from the deployed engine (docs/contract.md#differences-from-the-deployed-engine)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.engine import FlowError, check_graph, compile_flow, parse_flow, run_graph

if TYPE_CHECKING:
    from .conftest import RecordingEngine


def give(value: Any) -> dict[str, Any]:
    return {"component": "give", "value": value}


async def test_a_start_node_with_a_component_is_a_component_and_runs(
    engine: RecordingEngine,
) -> None:
    graph: Any = {
        "nodes": [
            {"id": "取", "type": "Input", "componentId": "give", "data": {"value": {"x": 1}}},
            {"id": "output", "type": "Output"},
        ],
        "edges": [{"from": "取", "to": "output", "type": "PIPE"}],
    }
    assert (
        compile_flow(["取 >> 完成後 >> output"], {"取": give(1)})["nodes"][0]["type"] == "Component"
    )
    result = await run_graph(graph, {}, engine.environment)
    assert engine.order == ["取"]
    assert result.data == {"x": 1}
    assert result.trace[0]["type"] == "Component"


def test_branch_names_of_chinese_do_not_turn_into_a_pipe() -> None:
    (triplet,) = parse_flow(["a >> ON_BRANCH(啟用) >> b"])
    assert (triplet.type, triplet.branch) == ("ON_BRANCH", "啟用")


def test_iterator_names_of_chinese_are_read() -> None:
    (triplet,) = parse_flow(["a >> 對每個 草稿 >> b"])
    assert (triplet.type, triplet.iterator) == ("FOREACH", "草稿")


def test_a_malformed_line_is_refused_and_not_dropped() -> None:
    with pytest.raises(FlowError) as caught:
        parse_flow(["a >> 完成後 >> b", "b >> c"])
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == (2, 6)


def test_an_unknown_label_is_refused_and_not_taken_for_a_pipe() -> None:
    with pytest.raises(FlowError) as caught:
        parse_flow(["a >> 之後 >> b"])
    problem = caught.value.problems[0]
    assert (problem.line, problem.column) == (1, 6)


async def test_an_if_compares_by_type_and_not_as_text(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> a", "a >> IF(n == 3) >> 數", "a >> IF(n > 10) >> 大"]
    config = {"a": give({"n": "3"}), "數": give(0), "大": give(0)}
    await engine.run(lines, config)
    assert engine.order == ["a"]


async def test_an_if_on_a_missing_key_is_false(engine: RecordingEngine) -> None:
    await engine.run(["input >> 完成後 >> a", "a >> IF(沒有) >> b"], {"a": give({}), "b": give(0)})
    assert engine.order == ["a"]


def test_an_if_without_condition_is_refused() -> None:
    with pytest.raises(FlowError, match="would always run"):
        parse_flow(["a >> 條件滿足時 >> b"])
    nodes = [{"id": name, "type": "Component", "componentId": "comp_counter"} for name in "ab"]
    problems = check_graph({"nodes": nodes, "edges": [{"from": "a", "to": "b", "type": "IF"}]})
    assert [problem.path for problem in problems] == ["edges[0].condition"]


def test_a_bare_on_branch_is_refused() -> None:
    with pytest.raises(FlowError, match="could never run"):
        parse_flow(["a >> ON_BRANCH >> b"])


async def test_calls_subflow_is_no_no_op(engine: RecordingEngine) -> None:
    engine.workflows = {"子": compile_flow(["input >> PIPE >> 內"], {"內": give("子的結果")})}
    result = await engine.run(["input >> CALLS_SUBFLOW >> 子"])
    assert result.data == "子的結果"


async def test_the_second_edge_sees_its_own_nodes_result(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> a", "a >> 完成後 >> b", "a >> 完成後 >> c"]
    config = {"a": give({"v": "a的"}), "b": give({"v": "b的"}), "c": give("{{prev.v}}{{v}}")}
    assert (await engine.run(lines, config)).data == "a的a的"


async def test_of_on_true_and_on_false_at_most_one_fires(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> a", "a >> 成立時 >> 真", "a >> 不成立時 >> 假"]
    config = {"a": give({"branch": "true"}), "真": give({"branch": "false"}), "假": give(0)}
    await engine.run(lines, config)
    assert engine.order == ["a", "真"]


async def test_of_on_success_and_on_fail_exactly_one_fires(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> a", "a >> ON_SUCCESS >> 好", "a >> ON_FAIL >> 壞"]
    config = {"a": give({"success": True}), "好": give({"success": False}), "壞": give(0)}
    await engine.run(lines, config)
    assert engine.order == ["a", "好"]


async def test_edges_after_a_foreach_see_results(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 列", "列 >> 對每個 >> 做", "列 >> 完成後 >> 報"]
    config = {
        "列": give({"items": [1, 2]}),
        "做": give("{{item}}"),
        "報": give(["{{results}}", "{{列.results}}"]),
    }
    assert (await engine.run(lines, config)).data == [[1, 2], [1, 2]]


async def test_an_untaken_edge_does_not_starve_a_fan_in(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> a", "a >> 成立時 >> b", "b >> 完成後 >> 合", "a >> 完成後 >> 合"]
    config = {"a": give({"branch": "false"}), "b": give(0), "合": give("到了")}
    assert (await engine.run(lines, config)).data == "到了"


async def test_templates_of_chinese_and_with_spaces_are_filled(engine: RecordingEngine) -> None:
    result = await engine.run(
        ["input >> 完成後 >> 讀", "讀 >> 完成後 >> 寫"],
        {"讀": give({"t": "文"}), "寫": give("{{讀.t}} {{ 讀.t }} {{ q }}")},
        {"q": 1},
    )
    assert result.data == "文 文 1"


async def test_run_input_cannot_fetch_secrets(engine: RecordingEngine) -> None:
    engine.secrets = {"tok": "s3cr3t-value"}
    result = await engine.run(
        ["input >> 完成後 >> a"], {"a": give("{{input.q}}")}, {"q": "{{credential.tok}}"}
    )
    assert result.data == "{{credential.tok}}"


async def test_loop_stays_bound_downstream(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> 列", "列 >> 對每個 >> 做", "做 >> 完成後 >> 後"]
    config = {
        "列": give({"items": ["甲"]}),
        "做": give({}),
        "後": give("{{loop.item}}{{loop.index}}"),
    }
    assert (await engine.run(lines, config)).data["results"] == ["甲0"]


def test_loops_are_found_before_a_graph_is_stored() -> None:
    graph = compile_flow(["甲 >> 完成後 >> 乙", "乙 >> 完成後 >> 甲"], {n: give(0) for n in "甲乙"})
    assert "甲 → 乙 → 甲" in check_graph(graph)[0].message


async def test_a_resumed_run_obeys_the_types_of_edges(engine: RecordingEngine) -> None:
    from arcrun_server.engine import resume_graph

    lines = ["input >> 完成後 >> 審", "審 >> 失敗時 >> 壞", "審 >> ON_SUCCESS >> 好"]
    graph = engine.compile(lines, {"審": {"component": "ask"}, "壞": give(0), "好": give(0)})
    paused = (await run_graph(graph, {}, engine.environment)).paused
    assert paused is not None
    await resume_graph(paused.continuation, engine.environment, data={"x": 1})
    assert engine.order == ["審", "好"]


async def test_data_of_an_input_node_is_merged_into_the_context(engine: RecordingEngine) -> None:
    graph: Any = {
        "nodes": [
            {"id": "input", "type": "Input", "data": {"語": "中", "n": "{{input.count}}"}},
            {"id": "讀", "type": "Component", "componentId": "give"},
        ],
        "edges": [{"from": "input", "to": "讀", "type": "PIPE"}],
    }
    graph["nodes"][1]["data"] = {"value": "{{語}} {{n}} {{題}} {{prev.語}} {{input.語}}"}
    result = await run_graph(graph, {"題": "晨", "count": 2, "語": "英"}, engine.environment)
    assert result.data == "中 2 晨 中 英"
    assert result.trace[0]["output"] == {"題": "晨", "count": 2, "語": "中", "n": 2}


async def test_a_built_in_gives_back_the_values_without_the_results_by_node(
    engine: RecordingEngine,
) -> None:
    lines = [f"c{number} >> 完成後 >> c{number + 1}" for number in range(10)]
    config = {f"c{number}": {"component": "comp_counter"} for number in range(11)}
    assert (await engine.run(lines, config, {"count": 0})).data == {"count": 11}


async def test_the_result_of_an_output_node_is_what_came_before(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> a", "a >> 完成後 >> output"]
    result = await engine.run(lines, {"a": give({"x": 1})}, {"q": 2})
    assert result.data == {"x": 1}


async def test_a_foreach_without_a_list_fails(engine: RecordingEngine) -> None:
    lines = ["input >> 完成後 >> a", "a >> 對每個 草稿 >> b"]
    result = await engine.run(lines, {"a": give({"x": 1}), "b": give(0)})
    assert "finds no list" in str(result.error)


async def test_a_failed_run_names_its_node(engine: RecordingEngine) -> None:
    result = await engine.run(["input >> 完成後 >> a"], {"a": {"component": "fail"}})
    assert result.failed_node == "a"


async def test_each_start_node_runs_to_its_end_before_the_next(engine: RecordingEngine) -> None:
    lines = ["甲 >> 完成後 >> 甲後", "乙 >> 完成後 >> 乙後"]
    await engine.run(lines, {name: give({}) for name in ("甲", "甲後", "乙", "乙後")})
    assert engine.order == ["甲", "甲後", "乙", "乙後"]
