"""What a push says about wrong policies: where, why, and what was probably meant."""

from __future__ import annotations

from typing import Any

import pytest

from arcrun_server.components.registry import Registry
from arcrun_server.engine import check_graph, compile_flow, prepare_graph
from arcrun_server.engine.policy import NODE_FIELDS, OWN_PARAMETERS, NodePolicy, Retry
from arcrun_server.outbound import Outbound


def graph_with(node: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A node with these fields, after an input; `fields` are those of the graph."""
    return {
        "nodes": [
            {"id": "input", "type": "Input"},
            {"id": "查", "type": "Component", "componentId": "hash", **node},
        ],
        "edges": [{"from": "input", "to": "查", "type": "PIPE"}],
        **fields,
    }


def found(graph: dict[str, Any]) -> list[tuple[str | None, str | None]]:
    return [(problem.path, problem.suggestion) for problem in check_graph(graph)]


@pytest.mark.parametrize(
    "node",
    [
        {"retry": {"times": 0}},
        {"retry": {"times": 20, "backoff_seconds": 0, "on": [100, 599, "any"]}},
        {"retry": {"times": 2.0, "backoff_seconds": 300}},
        {"timeout_seconds": 0.001},
        {"timeout_seconds": 86_400},
        {"on_failure": "continue"},
        {"on_failure": "stop"},
        {"repeatable": False},
        {"repeatable": True, "retry": {"times": 1}},
        {"repeatable": False, "retry": {"times": 0}},
        {"position": {"x": 1}, "color": "red"},
    ],
)
def test_what_a_node_may_say(node: dict[str, Any]) -> None:
    assert check_graph(graph_with(node)) == []


@pytest.mark.parametrize(
    ("node", "path", "suggestion"),
    [
        ({"retry": 3}, "retry", None),
        ({"retry": None}, "retry", None),
        ({"retry": {}}, "retry.times", None),
        ({"retry": {"times": 21}}, "retry.times", None),
        ({"retry": {"times": -1}}, "retry.times", None),
        ({"retry": {"times": True}}, "retry.times", None),
        ({"retry": {"times": 1.5}}, "retry.times", None),
        ({"retry": {"times": 1, "backoff_seconds": 301}}, "retry.backoff_seconds", None),
        ({"retry": {"times": 1, "backoff_seconds": "1"}}, "retry.backoff_seconds", None),
        ({"retry": {"times": 1, "backof_seconds": 1}}, "retry.backof_seconds", "backoff_seconds"),
        ({"retry": {"times": 1, "true": [429]}}, "retry.true", "on"),
        ({"retry": {"times": 1, "on": []}}, "retry.on", None),
        ({"retry": {"times": 1, "on": "429"}}, "retry.on", None),
        ({"retry": {"times": 1, "on": [429, "conection"]}}, "retry.on[1]", "connection"),
        ({"retry": {"times": 1, "on": [600]}}, "retry.on[0]", None),
        ({"retry": {"times": 1, "on": [False]}}, "retry.on[0]", None),
        ({"retry": {"times": 1, "on": [429] * 101}}, "retry.on", None),
        ({"timeout_seconds": 0}, "timeout_seconds", None),
        ({"timeout_seconds": 86_401}, "timeout_seconds", None),
        ({"timeout_seconds": "5"}, "timeout_seconds", None),
        ({"timeout_seconds": True}, "timeout_seconds", None),
        ({"on_failure": "contine"}, "on_failure", "continue"),
        ({"on_failure": True}, "on_failure", None),
        ({"repeatable": "no"}, "repeatable", None),
        ({"repeatable": False, "retry": {"times": 1}}, "retry", None),
        ({"retrys": {"times": 1}}, "retrys", "retry"),
        ({"concurency": 2}, "concurency", "concurrency"),
    ],
)
def test_what_is_wrong_is_found_at_its_place(
    node: dict[str, Any], path: str, suggestion: str | None
) -> None:
    assert found(graph_with(node)) == [(f"nodes[1].{path}", suggestion)]


@pytest.mark.parametrize(
    ("fields", "path", "suggestion"),
    [
        ({"retry": {"times": 1, "on": ["time_out"]}}, "retry.on[0]", "timeout"),
        ({"timeout_seconds": -1}, "timeout_seconds", None),
        ({"on_failure": "halt"}, "on_failure", None),
        ({"repeatable": False, "retry": {"times": 1}}, "retry", None),
        ({"on_failure_workflow": "通知"}, "on_failure_workflow", None),
        ({"on_failure_workflow": ""}, "on_failure_workflow", None),
        ({"max_running": 0}, "max_running", None),
        ({"max_running": 10_001}, "max_running", None),
        ({"max_running": 1, "when_full": "que"}, "when_full", "queue"),
        ({"when_full": "refuse"}, "when_full", None),
        ({"max_runing": 3}, "max_runing", "max_running"),
    ],
)
def test_what_is_wrong_in_a_workflow_is_found(
    fields: dict[str, Any], path: str, suggestion: str | None
) -> None:
    assert found(graph_with({}, **fields)) == [(path, suggestion)]


def test_a_field_without_effect_is_refused() -> None:
    graph = graph_with({"concurrency": 2})
    assert found(graph) == [("nodes[1].concurrency", None)]
    graph = graph_with({})
    graph["nodes"][0] |= {"on_failure": "stop", "timeout_seconds": 1}
    assert [path for path, _ in found(graph)] == ["nodes[0].timeout_seconds", "nodes[0].on_failure"]


@pytest.mark.parametrize("by_edge", [True, False])
def test_a_call_of_another_workflow_is_neither_repeated_nor_timed(by_edge: bool) -> None:
    fields = {"retry": {"times": 1}, "timeout_seconds": 1, "repeatable": True, "on_failure": "stop"}
    graph = graph_with(fields)
    if by_edge:
        del graph["nodes"][1]["componentId"]
        graph["edges"][0]["type"] = "CALLS_SUBFLOW"
    else:
        graph["nodes"][1]["componentId"] = "trigger_workflow"
    assert [path for path, _ in found(graph)] == [
        "nodes[1].retry",
        "nodes[1].timeout_seconds",
        "nodes[1].repeatable",
    ]


def test_a_config_says_it_among_the_parameters_of_the_component() -> None:
    settings = {
        "component": "set",
        "values": {"a": 1},
        "retry": {"times": 2},
        "timeout_seconds": 5,
        "on_failure": "stop",
        "concurrency": 3,
    }
    graph = compile_flow(["查 >> FOREACH >> 做"], {"查": settings, "做": {"component": "hash"}})
    node: Any = graph["nodes"][0]
    assert node == {
        "id": "查",
        "type": "Component",
        "label": "查",
        "componentId": "set",
        "data": {"values": {"a": 1}},
        "retry": {"times": 2},
        "timeout_seconds": 5,
        "on_failure": "stop",
        "concurrency": 3,
    }
    assert check_graph(graph) == []


def test_a_parameter_of_the_component_stays_one() -> None:
    settings = {"component": "http_request", "timeout_seconds": 5, "repeatable": False}
    config = {"查": settings, "完": {"component": "set"}}
    node = compile_flow(["查 >> PIPE >> 完"], config)["nodes"][0]
    assert node["data"] == {"timeout_seconds": 5}
    assert node["repeatable"] is False
    assert "timeout_seconds" not in node


def test_no_other_component_has_a_parameter_of_such_a_name() -> None:
    declared = {
        contract["canonical_id"]: frozenset(contract["input_schema"]["properties"]) & {*NODE_FIELDS}
        for contract in Registry(Outbound()).contracts()
    }
    assert {name: fields for name, fields in declared.items() if fields} == OWN_PARAMETERS


DEFAULTS = {
    "retry": {"times": 2, "backoff_seconds": 3, "on": [503]},
    "timeout_seconds": 7,
    "on_failure": "continue",
}
RETRY = Retry(2, 3.0, frozenset({503}))


@pytest.mark.parametrize(
    ("node", "fields", "expected"),
    [
        ({}, {}, NodePolicy()),
        ({}, DEFAULTS, NodePolicy(RETRY, 7.0, "continue")),
        (
            {"retry": {"times": 1}, "timeout_seconds": 1, "on_failure": "stop"},
            DEFAULTS,
            NodePolicy(Retry(1), 1.0, "stop"),
        ),
        ({"retry": {"times": 0}}, DEFAULTS, NodePolicy(None, 7.0, "continue")),
        ({"repeatable": False}, DEFAULTS, NodePolicy(None, 7.0, "continue", repeatable=False)),
        ({}, {"repeatable": False}, NodePolicy(repeatable=False)),
        ({"retry": {"times": 1}}, {"repeatable": False}, NodePolicy(Retry(1))),
        ({"repeatable": True}, {"repeatable": False}, NodePolicy()),
    ],
)
def test_a_node_has_what_its_workflow_says_unless_it_says_otherwise(
    node: dict[str, Any], fields: dict[str, Any], expected: NodePolicy
) -> None:
    graph: Any = graph_with(node, **fields)
    assert check_graph(graph) == []
    plan = prepare_graph(graph)
    assert plan.nodes[1].policy == expected
    assert plan.nodes[0].policy == NodePolicy()


def test_a_call_of_another_workflow_has_on_failure_only() -> None:
    graph: Any = graph_with({"componentId": "trigger_workflow"}, **DEFAULTS)
    assert prepare_graph(graph).nodes[1].policy == NodePolicy(on_failure="continue")


def test_a_plan_keeps_what_a_workflow_says_of_its_runs() -> None:
    graph: Any = graph_with({}, on_failure_workflow="notify", max_running=3, when_full="refuse")
    policy = prepare_graph(graph).policy
    assert (policy.on_failure_workflow, policy.max_running, policy.when_full) == (
        "notify",
        3,
        "refuse",
    )
    policy = prepare_graph(graph_with({})).policy  # type: ignore[arg-type]
    assert (policy.on_failure_workflow, policy.max_running, policy.when_full) == (
        None,
        None,
        "queue",
    )
