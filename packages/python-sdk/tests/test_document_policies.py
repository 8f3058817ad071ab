"""What a document says about failures and runs, which becomes fields of the graph (docs/contract.md#policies)."""

from __future__ import annotations

import pytest
import yaml

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


def pushed(server):
    (request,) = server.to("/webhooks/named")
    return request.json


@pytest.fixture
def ready(server):
    server.on("POST", "/cypher/search", COMPILED)
    server.on("POST", "/webhooks/named", {"name": "greet", "webhook_url": "u"})
    return server


def test_what_is_said_about_failures_stands_beside_the_parameters(kind, ready) -> None:
    said = {
        "retry": {"times": 2, "on": [429]},
        "timeout_seconds": 9,
        "on_failure": "stop",
        "repeatable": True,
        "on_failure_workflow": "notify",
        "max_running": 3,
        "when_full": "refuse",
        "cron": {"expr": "30 8 * * MON-FRI", "timezone": "Asia/Taipei"},
    }
    fields = {
        "retry": {"times": 1},
        "timeout_seconds": 5,
        "on_failure": "continue",
        "repeatable": False,
        "concurrency": 4,
    }
    config = {
        "Read It": {"component": "kbdb_get", "page_name": "索引", **fields},
        "大寫": {"component": "http_request", "timeout_seconds": 5, "repeatable": False},
        "input": {"concurrency": 2},
    }
    kind.run(
        kind.client(ready.url).workflows.push("greet", {"flow": FLOW, "config": config, **said})
    )
    body = pushed(ready)
    assert body.keys() == {"name", "graph", "description", "config"}
    graph = body["graph"]
    assert {key: graph[key] for key in graph.keys() - {"id", "name", "nodes", "edges"}} == said
    nodes = {node["id"]: node for node in graph["nodes"]}
    assert nodes["input"] == {"id": "input", "type": "Input", "concurrency": 2}
    assert nodes["read-it"] == {
        "id": "read-it",
        "type": "Component",
        "label": "Read It",
        "componentId": "kbdb_get",
        "data": {"page_name": "索引"},
        **fields,
    }
    assert nodes["大寫"]["data"] == {"kept": 1, "timeout_seconds": 5}
    assert nodes["大寫"]["repeatable"] is False
    assert "timeout_seconds" not in nodes["大寫"]


def test_on_is_a_key_of_retry_though_yaml_reads_it_as_true(kind, ready) -> None:
    document = yaml.safe_load("""
        flow: ["Read It >> 完成後 >> 大寫"]
        retry: {times: 1, on: [503]}
        config:
          Read It: {component: kbdb_get, retry: {times: 2, on: [connection, 429]}}
          大寫: {component: comp_uppercase, retry: {times: 3}}
    """)
    kind.run(kind.client(ready.url).workflows.push("greet", document))
    body = pushed(ready)
    expected = {"times": 2, "on": ["connection", 429]}
    assert body["graph"]["retry"] == {"times": 1, "on": [503]}
    assert {node["id"]: node.get("retry") for node in body["graph"]["nodes"]} == {
        "input": None,
        "read-it": expected,
        "大寫": {"times": 3},
    }
    assert body["config"]["Read It"]["retry"] == expected
