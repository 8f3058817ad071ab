"""Workflows: documents that are compiled, and runs that fail or pause."""

from __future__ import annotations

import pickle
import re
import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arcrun
from arcrun import InvalidArgumentError, WorkflowPaused, WorkflowRunError
from arcrun._core.graphs import node_id
from arcrun._core.response import find_pause

FLOW = ["input >> 完成後 >> Read It", "Read It >> 對每個 >> 大寫"]
COMPILED = {
    "version": "1",
    "triplets": FLOW,
    "missing": [],
    "cypher": {
        "nodes": [
            {"id": "input", "type": "Input"},
            {"id": "read-it", "type": "Input", "label": "Read It"},
            {"id": "大寫", "type": "Component", "label": "大寫", "data": {"kept": 1}},
        ],
        "edges": [
            {"from": "input", "to": "read-it", "type": "PIPE"},
            {"from": "read-it", "to": "大寫", "type": "FOREACH"},
        ],
    },
}
DOCUMENT = {
    "name": "ignored",
    "description": "讀草稿",
    "flow": FLOW,
    "config": {
        "Read It": {"component": "kbdb_get", "page_name": "索引"},
        "大寫": {"component": "comp_uppercase"},
    },
}
GRAPH = {"id": "x", "name": "y", "nodes": [{"id": "a", "type": "Input"}], "edges": []}


def pushed(server):
    (request,) = server.to("/webhooks/named")
    return request.json


@pytest.fixture
def ready(server):
    server.on("POST", "/cypher/search", COMPILED)
    server.on("POST", "/webhooks/named", {"name": "greet", "webhook_url": "u"})
    return server


def test_a_document_is_compiled_and_its_config_merged(kind, ready) -> None:
    result = kind.run(kind.client(ready.url).workflows.push("greet", DOCUMENT))
    assert result["name"] == "greet"
    (search,) = ready.to("/cypher/search")
    assert search.json == {"triplets": FLOW, "mode": "compile"}
    assert "x-arcrun-api-key" not in search.headers
    assert pushed(ready) == {
        "name": "greet",
        "description": "讀草稿",
        "config": DOCUMENT["config"],
        "graph": {
            "id": "greet",
            "name": "greet",
            "nodes": [
                {"id": "input", "type": "Input"},
                {
                    "id": "read-it",
                    "type": "Component",
                    "label": "Read It",
                    "componentId": "kbdb_get",
                    "data": {"page_name": "索引"},
                },
                {
                    "id": "大寫",
                    "type": "Component",
                    "label": "大寫",
                    "componentId": "comp_uppercase",
                    "data": {"kept": 1},
                },
            ],
            "edges": COMPILED["cypher"]["edges"],
        },
    }


def test_the_config_argument_overrides_the_documents(kind, ready) -> None:
    config = {"大寫": {"component": "comp_counter", "start": 3}}
    kind.run(kind.client(ready.url).workflows.push("greet", DOCUMENT, config=config))
    node = pushed(ready)["graph"]["nodes"][2]
    assert node["componentId"] == "comp_counter"
    assert node["data"] == {"kept": 1, "start": 3}


def test_a_graph_is_stored_unchanged_under_the_workflows_name(kind, ready) -> None:
    kind.run(kind.client(ready.url).workflows.push("greet", GRAPH))
    assert ready.to("/cypher/search") == []
    graph = {**GRAPH, "id": "greet", "name": "greet"}
    assert pushed(ready) == {"name": "greet", "description": "greet", "graph": graph}
    assert GRAPH["id"] == "x"


def test_the_description_argument_overrides_the_documents(kind, ready) -> None:
    kind.run(kind.client(ready.url).workflows.push("greet", DOCUMENT, description="打招呼"))
    assert pushed(ready)["description"] == "打招呼"


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        ("flow: []", "yaml.safe_load"),
        (None, "yaml.safe_load"),
        ({}, "yaml.safe_load"),
        ({"nodes": []}, "yaml.safe_load"),
        ({"flow": []}, "not empty"),
        ({"flow": "a >> b >> c"}, "list of lines"),
        ({"flow": ["a >> b >> c", {"a": 1}]}, "flow line 2 is not text"),
        ({"flow": FLOW, "config": []}, None),
        ({"flow": FLOW, "config": ["x"]}, "config must map"),
        ({"flow": FLOW, "config": {1: {"component": "set"}}}, "node 1 that is not text: quote it"),
        (
            {"flow": FLOW, "config": {"read it": {"since": [date(2026, 1, 2)]}}},
            r"since\.0 is a date, which YAML makes of an unquoted date: quote it",
        ),
        ({"flow": FLOW, "config": {"大寫": "comp"}}, "config of node '大寫'"),
        ({"flow": FLOW, "config": {"大写": {"component": "x"}}}, "names a node '大写'"),
        ({"flow": FLOW, "config": {"read": {}}}, "did you mean 'read-it'"),
        ({"flow": FLOW, "description": 5}, "description must be non-empty text"),
        ({"flow": FLOW, "description": " "}, "description must be non-empty text"),
    ],
)
def test_a_faulty_document_is_refused_before_it_is_stored(graph, message, kind, ready) -> None:
    client = kind.client(ready.url)
    if message is None:
        kind.run(client.workflows.push("greet", graph))
        return
    with pytest.raises(InvalidArgumentError, match=message):
        kind.run(client.workflows.push("greet", graph))
    assert ready.to("/webhooks/named") == []


def test_components_that_the_engine_does_not_know_are_listed(kind, ready) -> None:
    ready.on("POST", "/cypher/search", {**COMPILED, "missing": ["kbdb_gett", "送信"]})
    with pytest.raises(InvalidArgumentError, match="does not know kbdb_gett, 送信"):
        kind.run(kind.client(ready.url).workflows.push("greet", DOCUMENT))
    assert ready.to("/webhooks/named") == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Read It", "read-it"),
        (" 讀  草稿\t甲 ", "讀-草稿-甲"),
        ("A", "a"),
        ("kbdb_get", "kbdb_get"),
    ],
)
def test_node_ids(name: str, expected: str) -> None:
    assert node_id(name) == expected


BAD_NAMES = [
    "",
    "a b",
    "a/b",
    "../a",
    "a\n",
    "打招呼",
    "é",
    "a?b",
    "a.b",
    None,
    5,
    "x" * 5 + "!",
    "x" * 129,
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_malformed_workflow_names_are_refused_before_any_request(name, kind, server) -> None:
    workflows = kind.client(server.url).workflows
    for call in (
        lambda: workflows.push(name, GRAPH),
        lambda: workflows.get(name),
        lambda: workflows.delete(name),
        lambda: workflows.run(name),
        lambda: workflows.executions(name),
    ):
        with pytest.raises(InvalidArgumentError, match="is not a valid workflow name"):
            kind.run(call())
    assert server.requests == []


def test_list_get_and_delete(kind, server) -> None:
    summary = {"name": "greet", "description": "打招呼", "cron_expr": None, "webhook_url": "u"}
    server.on("GET", "/webhooks/named", {"workflows": [summary], "total": 1})
    stored = {"name": "greet", "graph": GRAPH, "description": "打招呼", "config": None}
    server.on("GET", "/webhooks/named/greet/definition", stored)
    server.on("DELETE", "/webhooks/named/greet", {"deleted": True, "name": "greet"})
    workflows = kind.client(server.url).workflows
    assert kind.run(workflows.list()) == [summary]
    assert kind.run(workflows.get("greet")) == stored
    assert kind.run(workflows.delete("greet")) == {"deleted": True, "name": "greet"}


def test_executions(kind, server) -> None:
    entry = {"timestamp": 1, "workflow_id": "greet", "verdict": "success", "message": "好"}
    data = {"workflow_name": "greet", "count": 1, "executions": [entry]}
    server.on("GET", "/workflows/greet/executions", {"ok": True, "data": data})
    workflows = kind.client(server.url).workflows
    assert kind.run(workflows.executions("greet")) == [entry]
    assert kind.run(workflows.executions("greet", limit=5)) == [entry]
    targets = [request.target for request in server.requests]
    assert targets == ["/workflows/greet/executions", "/workflows/greet/executions?limit=5"]


@pytest.mark.parametrize("limit", [0, -1, True])
def test_a_malformed_limit_is_refused(limit, kind, server) -> None:
    with pytest.raises(InvalidArgumentError, match="limit"):
        kind.run(kind.client(server.url).workflows.executions("greet", limit=limit))
    assert server.requests == []


@pytest.fixture
def run(kind, server, canned):
    def run_workflow(status=200, body=None, **options):
        server.on("GET", "/health", {"ok": True})
        server.on("POST", "/webhooks/named/greet/trigger", canned(status, body))
        return kind.run(kind.client(server.url).workflows.run("greet", **options))

    return run_workflow


def test_a_run_takes_input_and_returns_data(run, server) -> None:
    body = {"success": True, "data": {"text": "你好"}, "duration_ms": 3}
    assert run(200, body, input={"text": "你好"}) == body
    assert server.to("/webhooks/named/greet/trigger")[0].json == {"text": "你好"}


def test_a_run_without_input_sends_an_empty_object(run, server) -> None:
    run(200, {"success": True, "data": None})
    assert server.to("/webhooks/named/greet/trigger")[0].json == {}


def test_input_that_names_a_credential_stays_text(run, server) -> None:
    run(200, {"success": True}, input={"x": "{{credential.tok}}"})
    assert server.to("/webhooks/named/greet/trigger")[0].json == {"x": "{{credential.tok}}"}


def test_an_accepted_run(run, server) -> None:
    assert run(202, {"accepted": True, "run_id": "r"}, run_async=True)["run_id"] == "r"
    assert server.requests[-1].target.endswith("/trigger?async=1")


@pytest.mark.parametrize("given", [[1], "text", 5])
def test_input_must_be_a_mapping(given, kind, server) -> None:
    with pytest.raises(InvalidArgumentError, match="must be a mapping"):
        kind.run(kind.client(server.url).workflows.run("greet", given))
    assert server.requests == []


FAILED = {
    "success": False,
    "error": "Node 大寫 failed: no text",
    "code": "run_failed",
    "duration_ms": 12,
    "failed_node": "大寫",
    "failed_input": {"token": "s3cret"},
    "trace": [
        {"node": "input", "status": "ok"},
        {"node": "大寫", "status": "failed", "error": "no text", "input": "s3cret"},
    ],
}


def test_a_failed_run_reports_node_and_reason(run) -> None:
    with pytest.raises(WorkflowRunError, match="Node 大寫 failed: no text") as caught:
        run(500, FAILED)
    error = caught.value
    assert (error.failed_node, error.status, error.code) == ("大寫", 500, "run_failed")
    assert error.failed_input == {"token": "s3cret"}
    assert error.trace == tuple(FAILED["trace"])
    assert error.duration_ms == 12


def test_run_data_is_in_attributes_only(run) -> None:
    with pytest.raises(WorkflowRunError) as caught:
        run(500, FAILED)
    again = pickle.loads(pickle.dumps(caught.value))
    assert "s3cret" not in f"{caught.value} {caught.value!r}"
    assert b"s3cret" not in pickle.dumps(caught.value)
    assert (again.failed_node, again.trace, again.failed_input) == ("大寫", (), None)
    assert str(again) == str(caught.value)


@pytest.mark.parametrize("mark", [{"status": "failed"}, {"status": "error"}, {"error": "x"}])
def test_the_failed_node_is_found_in_the_trace(mark, run) -> None:
    trace = [{"node": "a", "status": "ok"}, {"node": "b", **mark}]
    with pytest.raises(WorkflowRunError, match="at node 'b'") as caught:
        run(500, {"success": False, "error": "壞了", "trace": trace})
    assert caught.value.failed_node == "b"


def test_a_failure_without_message_or_trace(run) -> None:
    with pytest.raises(WorkflowRunError, match="gave no reason") as caught:
        run(500, {"success": False})
    assert caught.value.failed_node is None
    assert caught.value.duration_ms is None


def test_a_failure_of_the_engine_is_not_a_failure_of_the_workflow(run) -> None:
    with pytest.raises(arcrun.ServerError) as caught:
        run(500, b"Internal Server Error")
    assert not isinstance(caught.value, WorkflowRunError)
    assert caught.value.message == "Internal Server Error"


def test_an_unknown_workflow_is_not_found(run) -> None:
    with pytest.raises(arcrun.NotFoundError):
        run(404, {"success": False, "error": "no such workflow"})


def test_a_failure_with_status_200_is_a_failure(run) -> None:
    with pytest.raises(WorkflowRunError):
        run(200, {"success": False, "error": "x"})


@pytest.mark.parametrize("status", [200, 202])
def test_a_paused_run_reports_its_task(status, run) -> None:
    body = {
        "success": True,
        "paused": True,
        "task_id": "t1",
        "run_id": "r1",
        "paused_node_id": "等",
    }
    with pytest.raises(WorkflowPaused, match="task t1") as caught:
        run(status, body)
    error = caught.value
    assert (error.task_id, error.run_id, error.node) == ("t1", "r1", "等")
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)


def test_a_paused_run_as_the_deployed_engine_reports_it(run) -> None:
    text = "workflow paused at node 等 回覆 waiting for task task-9"
    with pytest.raises(WorkflowPaused) as caught:
        run(500, {"success": False, "error": text})
    assert (caught.value.task_id, caught.value.node) == ("task-9", "等 回覆")


PAUSED = r"workflow paused at node (.+?) waiting for task (\S+)"
fragments = st.sampled_from(
    ["workflow paused at node ", " waiting for task ", "a", " ", "\n", "\r", "等", "x y"]
)


@given(st.lists(fragments, max_size=9).map("".join))
def test_a_pause_is_found_as_the_regular_expression_finds_it(message: str) -> None:
    found, expected = find_pause(message), re.search(PAUSED, message)
    assert (found and found.groups()) == (expected and expected.groups())


def test_a_long_message_is_searched_in_linear_time() -> None:
    started = time.perf_counter()
    assert find_pause("workflow paused at node " * 40_000) is None  # some minutes if quadratic
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("graph", [DOCUMENT, GRAPH])
def test_nothing_is_sent_without_a_key(graph, kind, server) -> None:
    workflows = kind.client(server.url, None).workflows
    with pytest.raises(arcrun.ConfigurationError, match="API key"):
        kind.run(workflows.push("greet", graph))
    assert server.requests == []


@pytest.mark.parametrize("graph", [DOCUMENT, GRAPH])
@pytest.mark.parametrize(
    "options",
    [
        {"description": " "},
        {"description": 5},
        {"config": {"a": 1}},
        {"config": 5},
        {"timeout": 0},
        {"timeout": float("inf")},
        {"timeout": 1e300},
    ],
)
def test_options_are_checked_before_the_first_request(options, graph, kind, server) -> None:
    with pytest.raises(InvalidArgumentError):
        kind.run(kind.client(server.url).workflows.push("greet", graph, **options))
    assert server.requests == []


def test_a_run_in_the_background_is_refused_by_an_engine_that_has_none(kind, server) -> None:
    server.on("GET", "/health", {"ok": True, "capabilities": ["sealed_read"]})
    with pytest.raises(InvalidArgumentError, match="durable_runs"):
        kind.run(kind.client(server.url).workflows.run("greet", run_async=True))
    assert server.to("/webhooks/named/greet/trigger") == []


@pytest.mark.parametrize("health", [{"ok": True}, {"ok": True, "capabilities": ["durable_runs"]}])
def test_a_run_in_the_background_is_sent_where_it_may_be_known(health, kind, server) -> None:
    server.on("GET", "/health", health)
    server.on("POST", "/webhooks/named/greet/trigger", {"accepted": True})
    run = kind.client(server.url).workflows.run
    assert kind.run(run("greet", run_async=True)) == {"accepted": True}


def test_a_key_of_ones_own_makes_a_run_repeatable(kind, server) -> None:
    server.on("GET", "/health", {"ok": True, "capabilities": ["idempotency_key"]})
    server.on("POST", "/webhooks/named/greet/trigger", {"success": True, "data": {}})
    run = kind.client(server.url).workflows.run
    kind.run(run("greet", idempotency_key="order-17"))
    (request,) = server.to("/webhooks/named/greet/trigger")
    assert request.headers["idempotency-key"] == "order-17"


@pytest.mark.parametrize("key", ["", "a b", "密", "a\n", "x" * 129, 5])
def test_a_malformed_idempotency_key_is_refused(key, kind, server) -> None:
    with pytest.raises(InvalidArgumentError, match="idempotency_key"):
        kind.run(kind.client(server.url).workflows.run("greet", idempotency_key=key))
    assert server.requests == []


def test_a_workflow_is_pushed_from_a_file(kind, ready, tmp_path) -> None:
    path = tmp_path / "greet.yaml"
    path.write_text("flow:\n  - input >> 完成後 >> a\n", encoding="utf-8")
    kind.run(kind.client(ready.url).workflows.push_file(path))
    assert pushed(ready)["name"] == "greet"


@pytest.mark.parametrize("content", [None, b"- a", b"a: [", b"\xff", b""])
def test_a_file_that_is_no_workflow_is_refused(content, kind, server, tmp_path) -> None:
    path = tmp_path / "greet.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidArgumentError, match=r"greet\.yaml"):
        kind.run(kind.client(server.url).workflows.push_file(path))
    assert server.requests == []


def test_an_engine_that_lists_no_capability_has_none(kind, server) -> None:
    server.on("GET", "/health", {"ok": True, "capabilities": []})
    with pytest.raises(InvalidArgumentError, match="durable_runs"):
        kind.run(kind.client(server.url).workflows.run("greet", run_async=True))
    assert server.to("/webhooks/named/greet/trigger") == []


def test_an_engine_that_has_no_list_of_capabilities_is_asked_once(kind, server) -> None:
    server.on("GET", "/health", {"ok": True})
    server.on("POST", "/webhooks/named/greet/trigger", {"success": True, "data": {}})
    client = kind.client(server.url)
    kind.run(client.workflows.run("greet"))
    kind.run(client.workflows.run("greet", run_async=True))
    assert len(server.to("/health")) == 1


@pytest.mark.parametrize(
    "value", ['!!int ""', "!!float x", "!!timestamp x", "!!bool x", "2026-13-45", "!!int 0x"]
)
def test_a_file_with_a_value_that_yaml_cannot_read_is_refused(value, kind, tmp_path) -> None:
    path = tmp_path / "greet.yaml"
    path.write_text(f"flow: {value}", encoding="utf-8")
    with pytest.raises(InvalidArgumentError, match=r"greet\.yaml"):
        kind.run(kind.client("https://engine.test").workflows.push_file(path))


def test_a_pause_names_the_call_that_resumes_the_run(kind, server, canned) -> None:
    body = {"error": "workflow paused at node 核准 waiting for task t_1"}
    server.on("POST", "/webhooks/named/greet/trigger", canned(500, body))
    with pytest.raises(WorkflowPaused) as caught:
        kind.run(kind.client(server.url).workflows.run("greet"))
    call = 'client.request("POST", "/workflows/resume", body={"task_id": "t_1"})'
    assert str(caught.value).endswith(f"waits for task t_1: {call} resumes it")
