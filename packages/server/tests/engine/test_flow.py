from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.engine import FlowError, Problem, compile_flow, parse_flow, search_triplets
from arcrun_server.engine.edges import LABELS
from arcrun_server.engine.flow import node_id


def problems_of(lines: Any, config: Any = None) -> list[Problem]:
    with pytest.raises(FlowError) as caught:
        compile_flow(lines, config)
    return caught.value.problems


def only_problem(line: Any) -> Problem:
    (problem,) = problems_of([line])
    return problem


def test_a_line_has_a_source_an_edge_and_a_target() -> None:
    (triplet,) = parse_flow(["  讀取 草稿  >> 對每個 草稿 >>  合成 "])
    assert (triplet.source, triplet.label, triplet.target) == ("讀取 草稿", "對每個 草稿", "合成")
    assert (triplet.type, triplet.iterator, triplet.line) == ("FOREACH", "草稿", 1)


def test_node_ids_are_the_names_in_lower_case_with_dashes_for_white_space() -> None:
    assert node_id(" Read  草稿\tX ") == "read-草稿-x"


@pytest.mark.parametrize("name", ["input", "Trigger", "WEBHOOK", "start"])
def test_input_names_are_virtual_in_any_case(name: str) -> None:
    graph = compile_flow([f"{name} >> 完成後 >> 做"], {"做": {"component": "c"}})
    assert graph["nodes"][0] == {"id": name.lower(), "type": "Input", "label": name}


@pytest.mark.parametrize("name", ["output", "Result", "END", "done"])
def test_output_names_are_virtual_in_any_case(name: str) -> None:
    graph = compile_flow([f"做 >> 完成後 >> {name}"], {"做": {"component": "c"}})
    assert graph["nodes"][1] == {"id": name.lower(), "type": "Output", "label": name}


def test_a_node_without_incoming_edges_and_component_is_an_input() -> None:
    graph = compile_flow(["使用者 >> 完成後 >> 做"], {"做": {"component": "c"}})
    assert graph["nodes"][0]["type"] == "Input"


def test_config_gives_components_and_parameters() -> None:
    graph = compile_flow(
        ["input >> 完成後 >> Read 草稿"],
        {"read 草稿": {"component": "kbdb_get", "page_name": "{{input.頁}}", "n": 3}},
        name="晨報",
    )
    assert graph == {
        "id": "晨報",
        "name": "晨報",
        "nodes": [
            {"id": "input", "type": "Input", "label": "input"},
            {
                "id": "read-草稿",
                "type": "Component",
                "label": "Read 草稿",
                "componentId": "kbdb_get",
                "data": {"page_name": "{{input.頁}}", "n": 3},
            },
        ],
        "edges": [{"from": "input", "to": "read-草稿", "type": "PIPE"}],
    }


def test_edges_carry_condition_iterator_and_branch() -> None:
    graph = compile_flow(["a >> IF(n > 3) >> b", "a >> 對每個 列 >> c", "a >> 分支（急） >> d"])
    assert [
        {key: edge[key] for key in edge if key not in {"from", "to"}} for edge in graph["edges"]
    ] == [
        {"type": "IF", "condition": "n > 3"},
        {"type": "FOREACH", "iterator": "列"},
        {"type": "ON_BRANCH", "branch": "急"},
    ]


def test_a_node_named_like_a_known_component_runs_it() -> None:
    graph = compile_flow(["input >> 完成後 >> comp_counter"], known=["comp_counter"])
    assert graph["nodes"][1]["componentId"] == "comp_counter"
    graph = compile_flow(["hash >> 完成後 >> output"], known=["hash", "output"])
    assert [node["type"] for node in graph["nodes"]] == ["Component", "Output"]


def test_a_line_of_two_parts_is_an_error_with_a_way_to_write_it() -> None:
    problem = only_problem("讀取 >> 合成")
    assert (problem.line, problem.column) == (1, 7)
    assert problem.suggestion == "讀取 >> 完成後 >> 合成"


def test_a_line_of_four_parts_is_an_error_where_the_fourth_begins() -> None:
    problem = only_problem("a >> PIPE >> b >> c")
    assert (problem.line, problem.column) == (1, 19)
    assert "line of its own" in problem.message


def test_a_line_of_one_part_is_an_error_at_its_end() -> None:
    problem = only_problem("讀取  ")
    assert (problem.column, "three parts" in problem.message) == (3, True)


def test_an_empty_line_is_an_error() -> None:
    assert "empty" in only_problem("   ").message


@pytest.mark.parametrize(
    ("line", "column", "suggestion"),
    [
        ("a -> PIPE -> b", 3, "a >> PIPE >> b"),
        ("a ＞＞ 完成後 ＞＞ b", 3, "a >> 完成後 >> b"),
        ("a >> 完成後 → b", 10, "a >> 完成後 >> b"),
    ],
)
def test_the_error_for_another_arrow_suggests_the_right_one(
    line: str, column: int, suggestion: str
) -> None:
    problem = only_problem(line)
    assert (problem.column, problem.suggestion) == (column, suggestion)


@pytest.mark.parametrize(
    ("line", "column", "word"),
    [
        (" >> 完成後 >> b", 1, "before"),
        ("a >> 完成後 >>  ", 12, "after"),
        ("a >>  >> b", 5, "label"),
    ],
)
def test_a_missing_part_is_an_error_where_it_should_stand(
    line: str, column: int, word: str
) -> None:
    problem = only_problem(line)
    assert (problem.line, problem.column) == (1, column)
    assert word in problem.message


def test_an_unknown_label_is_an_error_at_its_column_with_the_nearest_label() -> None:
    problem = only_problem("讀取草稿 >> 完成 >> 合成")
    assert (problem.line, problem.column, problem.suggestion) == (1, 9, "完成後")
    assert str(problem).startswith("line 1, column 9: '完成' is not an edge label")


def test_every_problem_of_a_flow_is_reported_at_once() -> None:
    problems = problems_of(["a >> b", "a >> 完成後 >> b", " >> 完了 >> ", 7])
    assert [(problem.line, problem.column) for problem in problems] == [
        (1, 6),
        (3, 1),
        (3, 5),
        (3, 10),
        (4, 1),
    ]


@pytest.mark.parametrize("lines", ["a >> PIPE >> b", {"a": 1}, None])
def test_a_flow_that_is_no_list_is_an_error(lines: Any) -> None:
    (problem,) = problems_of(lines)
    assert problem.path == "flow"


def test_a_flow_without_lines_is_an_error() -> None:
    assert "no lines" in problems_of([])[0].message


def test_a_flow_has_at_most_a_thousand_lines() -> None:
    assert "1001 lines" in problems_of(["a >> PIPE >> b"] * 1001)[0].message


def test_about_fifty_problems_are_reported_and_not_more() -> None:
    assert 50 <= len(problems_of(["a >> b"] * 1000)) <= 52
    assert len(problems_of(["a >> PIPE >> b"], {f"x{n}": {} for n in range(1000)})) == 50


def test_a_line_has_at_most_1024_characters() -> None:
    assert only_problem("a" * 1025).column == 1025


def test_a_name_has_at_most_256_characters() -> None:
    assert "257 characters" in only_problem("a" * 257 + " >> PIPE >> b").message


def test_a_name_with_half_a_character_is_an_error() -> None:
    assert "surrogate" in only_problem("a\ud83d >> PIPE >> b").message


def test_config_for_a_node_that_is_not_there_names_the_nearest() -> None:
    (problem,) = problems_of(["input >> 完成後 >> 讀取草稿"], {"讀取草搞": {"component": "c"}})
    assert (problem.path, problem.suggestion) == ("config.讀取草搞", "讀取草稿")
    (problem,) = problems_of(["a >> 完成後 >> b"], {"完全不同": {}})
    assert problem.suggestion is None


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"b": "comp"}, "config.b"),
        ({"b": {"component": 3}}, "config.b.component"),
        ({"b": {"component": ""}}, "config.b.component"),
        ([], "config"),
    ],
)
def test_a_config_of_the_wrong_form_is_an_error_at_its_path(config: Any, path: str) -> None:
    assert problems_of(["a >> 完成後 >> b"], config)[0].path == path


NOW = datetime(2026, 11, 22, 16, 30, tzinfo=timezone(timedelta(hours=8)))


def search(lines: list[str], mode: str | None = None) -> Any:
    return search_triplets(lines, known=["hash"], now=NOW, version="1.2.3", mode=mode)


def test_search_returns_nodes_edges_and_what_is_missing() -> None:
    found = search(["input >> 完成後 >> hash", "hash >> 失敗時 >> 通知"])
    assert found["version"] == "1.2.3"
    assert found["timestamp"] == "2026-11-22T08:30:00.000Z"
    assert found["triplets"][1] == {
        "line": 2,
        "from": "hash",
        "edge": "失敗時",
        "to": "通知",
        "type": "ON_FAIL",
    }
    assert found["nodes"][1] == {
        "name": "hash",
        "id": "hash",
        "type": "Component",
        "componentId": "hash",
    }
    assert found["nodes"][2]["componentId"] is None
    assert found["cypher"]["edges"][1] == {"from": "hash", "to": "通知", "type": "ON_FAIL"}
    assert found["missing"] == ["通知"]


def test_search_in_compile_mode_misses_nothing() -> None:
    assert search(["input >> 完成後 >> 通知"], mode="compile")["missing"] == []


def test_search_does_not_miss_the_component_of_a_sub_workflow() -> None:
    assert search(["input >> SUBFLOW >> 子流程"])["missing"] == []


def test_what_search_returns_compiles_to_the_same_graph_as_the_document() -> None:
    lines = ["input >> 完成後 >> 讀", "讀 >> 對每個 篇 >> 寫", "讀 >> 失敗時 >> output"]
    config = {"讀": {"component": "x", "頁": "{{input.p}}"}, "寫": {"component": "y"}}
    cypher = search(lines, mode="compile")["cypher"]
    for node in cypher["nodes"]:
        entry = config.get(node["label"], {})
        if entry:
            node["componentId"] = entry["component"]
            data = {key: value for key, value in entry.items() if key != "component"}
            node.update({"data": data} if data else {})
    compiled = compile_flow(lines, config)
    assert (cypher["nodes"], cypher["edges"]) == (compiled["nodes"], compiled["edges"])


PART = st.text(max_size=20).filter(lambda text: ">" not in text)


@given(st.lists(st.text(max_size=40), min_size=1, max_size=5))
def test_any_lines_are_either_parsed_or_refused_with_their_position(lines: list[str]) -> None:
    try:
        assert len(parse_flow(lines)) == len(lines)
    except FlowError as error:
        for problem in error.problems:
            assert problem.line is not None
            assert 1 <= problem.line <= len(lines)
            assert problem.column is not None
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
            assert problem.message


@given(PART, PART, PART)
def test_any_three_parts_are_parsed_or_refused_with_their_position(
    source: str, label: str, target: str
) -> None:
    line = f"{source}>>{label}>>{target}"
    try:
        (triplet,) = parse_flow([line])
    except FlowError as error:
        problems = error.problems
    else:
        problems = []
        assert (triplet.source, triplet.target) == (source.strip(), target.strip())
    assert all(problem.line == 1 and problem.column for problem in problems)


NAMES = st.text(st.characters(whitelist_categories=["L", "Nd"]), min_size=1, max_size=10)
SIMPLE = st.sampled_from(sorted(set(LABELS) - {"IF", "條件滿足時", "ON_BRANCH", "BRANCH", "分支"}))


@given(NAMES, SIMPLE, NAMES, st.sampled_from(["", " ", "\t", "　"]))
def test_any_good_line_is_parsed_however_it_is_spaced(
    source: str, label: str, target: str, space: str
) -> None:
    line = f"{space}{source}{space}>>{space}{label}{space}>>{space}{target}{space}"
    (triplet,) = parse_flow([line])
    assert (triplet.source, triplet.type, triplet.target) == (source, LABELS[label], target)


@given(st.text())
def test_an_unknown_label_never_becomes_a_pipe(label: str) -> None:
    try:
        (triplet,) = parse_flow([f"a >> {label} >> b"])
    except FlowError:
        return
    assert triplet.type != "PIPE" or label.strip().upper() in {"PIPE", "完成後"}
