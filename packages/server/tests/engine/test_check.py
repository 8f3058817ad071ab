from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.engine import MemoryEnvironment, RunLimits, check_graph, run_graph
from arcrun_server.engine.check import MAX_DATA_BYTES
from arcrun_server.engine.edges import EDGE_TYPES
from arcrun_server.engine.loops import find_loop


def node(identity: str, component: str | None = "comp_passthrough", **more: Any) -> dict[str, Any]:
    base = {"id": identity, "type": "Component", **more}
    return base if component is None else {**base, "componentId": component}


def edge(source: str, target: str, kind: str = "PIPE", **more: Any) -> dict[str, Any]:
    return {"from": source, "to": target, "type": kind, **more}


def graph(nodes: list[Any], *edges: Any) -> dict[str, Any]:
    return {"nodes": nodes, "edges": [*edges]}


def only(found: Any, known: Any = None) -> Any:
    (problem,) = check_graph(found, known)
    return problem


def test_a_sound_graph_has_no_problems() -> None:
    sound = graph(
        [
            {"id": "input", "type": "Input"},
            node("讀", "kbdb_get", data={"頁": "{{input.p}}"}),
            node("寫"),
        ],
        edge("input", "讀"),
        edge("讀", "寫", "FOREACH", iterator="草稿"),
    )
    assert check_graph({**sound, "id": "x", "name": "x"}, known=["kbdb_get"]) == []


@pytest.mark.parametrize(
    ("found", "path"),
    [
        (None, "graph"),
        ([], "graph"),
        ({"nodes": {}, "edges": []}, "nodes"),
        ({"nodes": [], "edges": 3}, "edges"),
        ({"nodes": [], "edges": []}, "nodes"),
        (graph([node(str(n)) for n in range(1001)]), "nodes"),
        (graph([node("a"), node("b")], *[edge("a", "b")] * 5001), "edges"),
        (graph([3]), "nodes[0]"),
        (graph([{"type": "Component", "componentId": "x"}]), "nodes[0].id"),
        (graph([node("")]), "nodes[0].id"),
        (graph([{"id": 3, "type": "Input"}]), "nodes[0].id"),
        (graph([node("a" * 257)]), "nodes[0].id"),
        (graph([node("半\ud83d")]), "nodes[0].id"),
        (graph([{"id": "a"}]), "nodes[0].type"),
        (graph([{"id": "a", "type": ["Input"]}]), "nodes[0].type"),
        (graph([node("a", 3)]), "nodes[0].componentId"),  # type: ignore[arg-type]
        (graph([node("a", "c" * 2049)]), "nodes[0].componentId"),
        (graph([{**node("a"), "componentId": None}]), "nodes[0].componentId"),
        (graph([node("a", label=3)]), "nodes[0].label"),
        (graph([node("a", data=[])]), "nodes[0].data"),
        (graph([node("a", data={"x": "半\ud83d"})]), "nodes[0].data"),
        (graph([node("a", data={"x": "字" * MAX_DATA_BYTES})]), "nodes[0].data"),
        (graph([node("a"), node("a")]), "nodes[1].id"),
        (graph([node("a")], 7), "edges[0]"),
        (graph([node("a"), node("b")], {"from": "a", "type": "PIPE"}), "edges[0].to"),
        (graph([node("a"), node("b")], {"from": 1, "to": "b", "type": "PIPE"}), "edges[0].from"),
        (graph([node("a"), node("b")], {"from": "a", "to": "b"}), "edges[0].type"),
        (graph([node("a"), node("b")], edge("a", "b", "ON_BRANCH")), "edges[0].branch"),
        (graph([node("a"), node("b")], edge("a", "b", "ON_BRANCH", branch=" ")), "edges[0].branch"),
        (graph([node("a"), node("b")], edge("a", "b", "IF")), "edges[0].condition"),
        (graph([node("a"), node("b")], edge("a", "b", "IF", condition=3)), "edges[0].condition"),
        (
            graph([node("a"), node("b")], edge("a", "b", "IF", condition="a = b")),
            "edges[0].condition",
        ),
        (
            graph([node("a"), node("b")], edge("a", "b", "FOREACH", iterator="a b")),
            "edges[0].iterator",
        ),
        (graph([node("a"), node("b")], edge("a", "b", "FOREACH", iterator=1)), "edges[0].iterator"),
    ],
)
def test_each_problem_is_reported_with_its_path(found: Any, path: str) -> None:
    problem = only(found)
    assert problem.path == path
    assert problem.message.endswith((".", "?", ")"))
    assert problem.code == "invalid_graph"


def test_data_may_be_nested_but_not_without_end() -> None:
    deep: Any = "字"
    for _ in range(5000):
        deep = {"k": [deep]}
    assert "nested deeper" in only(graph([node("a", data={"x": deep})])).message


def test_several_problems_are_reported_at_once() -> None:
    found = graph(
        [node("a"), {"id": "b", "type": "Componnt"}], edge("a", "c"), edge("a", "b", "PIP")
    )
    assert [(problem.path, problem.suggestion) for problem in check_graph(found)] == [
        ("nodes[1].type", "Component"),
        ("edges[0].to", None),
        ("edges[1].type", "PIPE"),
    ]
    assert [problem.path for problem in check_graph({})] == ["nodes", "edges"]


def test_about_fifty_problems_are_reported_and_not_more() -> None:
    for found in (
        graph([node("a")], *[edge("x", "y")] * 5000),
        graph([3] * 1000),
        graph([node(str(n), "unknown") for n in range(1000)]),
    ):
        assert 50 <= len(check_graph(found, known=["hash"])) <= 52


def test_trigger_workflow_that_should_not_wait_is_refused() -> None:
    found = graph([node("a", "trigger_workflow", data={"workflow_name": "子", "wait": False})])
    assert only(found).path == "nodes[0].data.wait"


def test_an_edge_to_a_node_that_is_not_there_names_the_nearest() -> None:
    problem = only(graph([node("讀取草稿"), node("b")], edge("讀取草搞", "b")))
    assert (problem.path, problem.suggestion) == ("edges[0].from", "讀取草稿")


@pytest.mark.parametrize(
    ("kind", "suggestion"), [("on_sucess", "ON_SUCCESS"), ("完成後", "PIPE"), ("pipe", "PIPE")]
)
def test_an_unknown_edge_type_names_the_nearest(kind: str, suggestion: str) -> None:
    problem = only(graph([node("a"), node("b")], edge("a", "b", kind)))
    assert problem.suggestion == suggestion


def test_the_error_for_an_edge_type_that_resembles_none_lists_all() -> None:
    message = only(graph([node("a"), node("b")], edge("a", "b", "🦆"))).message
    assert all(kind in message for kind in EDGE_TYPES)


def test_an_unknown_component_names_the_nearest() -> None:
    problem = only(graph([node("a", "http_requst")]), known=["http_request", "hash"])
    assert (problem.path, problem.suggestion) == ("nodes[0].componentId", "http_request")
    assert problem.code == "unknown_component"


def test_the_error_for_a_component_that_resembles_none_says_what_may_be_used() -> None:
    assert (
        "use a URL, or one of comp_counter"
        in only(graph([node("a", "🦆")]), known=["hash"]).message
    )


@pytest.mark.parametrize(
    "component",
    [
        "comp_counter",
        "trigger_workflow",
        "https://example.com/a",
        "http://[::1]:80/",
        "http://例.tw/",
    ],
)
def test_built_ins_and_urls_need_not_be_known(component: str) -> None:
    assert check_graph(graph([node("a", component)]), known=[]) == []


@pytest.mark.parametrize("component", ["https://", "http:///x", "http://[::1", "http://a:b/"])
def test_an_invalid_url_is_refused(component: str) -> None:
    assert "not a complete URL" in only(graph([node("a", component)]), known=[]).message


def test_a_component_node_needs_a_component() -> None:
    problem = only(graph([node("a"), node("b", None)], edge("a", "b")))
    assert problem.message == "The node 'b' has no component; give it one."
    problem = only(graph([node("a", None), node("b")], edge("a", "b")))
    assert "type Input" in problem.message


def test_an_input_with_a_component_is_fine() -> None:
    assert check_graph(graph([{"id": "a", "type": "Input", "componentId": "comp_counter"}])) == []


def test_the_target_of_a_subflow_edge_has_no_component() -> None:
    assert check_graph(graph([node("a"), node("子", None)], edge("a", "子", "CALLS_SUBFLOW"))) == []
    assert (
        check_graph(
            graph([node("a"), node("子", "trigger_workflow")], edge("a", "子", "CALLS_SUBFLOW"))
        )
        == []
    )
    problem = only(graph([node("a"), node("子", "hash")], edge("a", "子", "CALLS_SUBFLOW")))
    assert problem.path == "nodes[1].componentId"


def test_a_credential_cannot_be_handed_to_another_workflow() -> None:
    data = {"input": {"tok": "{{credential.tok}}"}}
    problem = only(graph([node("a", "trigger_workflow", data=data)]))
    assert problem.path == "nodes[0].data"
    problem = only(
        graph([node("a"), node("子", None, data=data)], edge("a", "子", "CALLS_SUBFLOW"))
    )
    assert problem.path == "nodes[1].data"


@pytest.mark.parametrize(
    "text", ["{{credential.my-token}}", "{{secret.名}}", "{{credential}}", "{{secret.a.b}}"]
)
def test_a_credential_reference_that_names_none_is_refused(text: str) -> None:
    assert "is not the name of a credential" in only(graph([node("a", data={"x": [text]})])).message


def test_a_loop_is_reported_with_its_nodes_and_the_edge_that_closes_it() -> None:
    found = graph(
        [node(name) for name in "甲乙丙丁"],
        edge("甲", "乙"),
        edge("乙", "丙"),
        edge("乙", "丁"),
        edge("丙", "乙", "ON_FAIL"),
    )
    problem = only(found)
    assert problem.message.startswith("These nodes run in a circle: 乙 → 丙 → 乙.")
    assert problem.path == "edges[3]"


def test_a_node_that_leads_to_itself_is_a_loop() -> None:
    assert "a → a" in only(graph([node("a")], edge("a", "a"))).message


def test_structure_may_go_in_circles() -> None:
    found = graph(
        [node("a"), node("b"), node("c")], edge("c", "a"), edge("a", "b"), edge("b", "a", "IS_A")
    )
    assert check_graph(found) == []


def test_a_graph_that_nothing_starts_is_refused() -> None:
    found = graph([node("a"), node("b")], edge("a", "b"), edge("b", "a", "IS_A"))
    assert "Nothing starts this workflow" in only(found).message


def test_a_deep_graph_is_searched_for_loops_without_deep_calls() -> None:
    names = [str(n) for n in range(1000)]
    edges = [edge(a, b) for a, b in pairwise(names)]
    assert find_loop(names, edges) is None
    loop = find_loop(names, [*edges, edge("999", "0")])
    assert loop is not None
    assert len(loop.nodes) == 1001


@given(st.integers(1, 8), st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=16))
def test_a_loop_is_found_exactly_if_the_nodes_have_no_order(
    size: int, pairs: list[tuple[int, int]]
) -> None:
    pairs = [(a % size, b % size) for a, b in pairs]
    loop = find_loop([str(n) for n in range(size)], [edge(str(a), str(b)) for a, b in pairs])
    left = set(range(size))
    while free := [n for n in left if not any(b == n and a in left for a, b in pairs)]:
        left -= set(free)
    assert (loop is not None) == bool(left)
    if loop:
        steps = list(pairwise(loop.nodes))
        assert steps
        assert all((int(a), int(b)) in pairs for a, b in steps)
        assert loop.nodes[0] == loop.nodes[-1]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["nodes", "edges", "id", "type", "from", "to", "data", "componentId"]),
            inner,
        )
    ),
    max_leaves=20,
)


@given(ANYTHING)
def test_any_json_is_checked_without_an_exception(value: Any) -> None:
    assert isinstance(check_graph(value, known=[]), list)


IDS = st.sampled_from(["a", "b", "c", "d", "甲"])
NODES = st.fixed_dictionaries(
    {"id": IDS, "type": st.sampled_from(["Input", "Component", "Output"])},
    optional={
        "componentId": st.sampled_from(["comp_counter", "comp_passthrough", "comp_uppercase"]),
        "data": st.dictionaries(
            st.sampled_from("xyz"), st.sampled_from(["{{a.x}}", "{{item}}", [1], 3])
        ),
    },
)
EDGES = st.fixed_dictionaries(
    {"from": IDS, "to": IDS, "type": st.sampled_from(sorted(EDGE_TYPES - {"CALLS_SUBFLOW"}))},
    optional={
        "condition": st.sampled_from(["count > 1", "x", "甲.count == 1"]),
        "branch": st.just("b"),
        "iterator": st.just("x"),
    },
)


@given(st.lists(NODES, max_size=5, unique_by=lambda each: each["id"]), st.lists(EDGES, max_size=8))
async def test_a_graph_without_problems_always_runs_to_an_end(nodes: Any, edges: Any) -> None:
    found: Any = {"nodes": nodes, "edges": edges}
    if check_graph(found, known=[]):
        return
    result = await run_graph(found, {"x": [1, 2]}, MemoryEnvironment(limits=RunLimits(steps=200)))
    assert result.success or result.error
    assert result.trace
