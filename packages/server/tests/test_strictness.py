"""Warnings, strictness, failed nodes and what is not there, on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from test_runs import executions, push, trigger

if TYPE_CHECKING:
    from conftest import Api


def graph(**values: Any) -> dict[str, Any]:
    return {
        "nodes": [
            {"id": "input", "type": "Input"},
            {"id": "n", "type": "Component", "componentId": "set", "data": {"values": values}},
        ],
        "edges": [{"from": "input", "to": "n", "type": "PIPE"}],
    }


async def stored(api: Api, of: Any, **more: Any) -> Any:
    body = {"name": "w", "graph": of, "description": "測試", **more}
    return await api("POST", "/webhooks/named", json=body)


async def test_a_push_warns_of_names_that_nothing_declares(alice: Api) -> None:
    response = await stored(alice, graph(x="{{inptu.text}}"))
    assert response.status_code == 201
    [warning] = response.json()["warnings"]
    assert (warning["node"], warning["placeholder"]) == ("n", "{{inptu.text}}")
    assert "did you mean 'input'?" in warning["message"]
    validated = await alice("POST", "/validate", json=graph(x="{{inptu.text}}"))
    assert validated.json()["warnings"] == [warning]


async def test_a_push_without_doubts_has_no_warnings(alice: Api) -> None:
    assert "warnings" not in (await stored(alice, graph(x="{{input.text}}"))).json()


async def test_a_strict_push_refuses_what_it_would_warn_of(alice: Api) -> None:
    response = await stored(alice, graph(x="{{inptu.text}}"), strict=True)
    assert response.status_code == 400
    assert response.json()["code"] == "invalid_graph"
    assert response.json()["details"][0]["path"] == "graph.nodes[1]"


async def test_a_push_refuses_what_cannot_be_a_placeholder(alice: Api) -> None:
    response = await stored(alice, graph(x="{{items[0].x}}"))
    assert response.status_code == 400
    assert "write {{items.0.x}}" in response.json()["error"]
    assert response.json()["details"][0]["path"] == "graph.nodes[1].data.values"


def sending(**data: Any) -> dict[str, Any]:
    made = graph()
    made["nodes"][1] |= {"id": "問", "componentId": "http_request", "data": data}
    made["edges"][0]["to"] = "問"
    return made


@pytest.mark.parametrize(
    "data",
    [
        {"url": "{{input.url}}"},
        {"url": "https://{{input.host}}/x"},
        {"url": "https://api.example{{input.suffix}}/x"},
        {"url": "https://api.example:{{input.port}}/x"},
        {"url": "{{input.scheme}}://api.example/x"},
        {"url": "https://{{credential.tok}}.example/x"},
        {"url": ""},
        {},
    ],
)
@pytest.mark.parametrize("strict", [True, False])
async def test_a_push_refuses_a_credential_for_a_host_that_data_chooses(
    alice: Api, data: dict[str, Any], strict: bool
) -> None:
    leaking = sending(**data, headers={"X": ["{{secret.tok}}"], "Y": "{{credential.a}}"})
    pushed = await stored(alice, leaking, strict=strict)
    assert (pushed.status_code, pushed.json()["code"]) == (400, "invalid_graph")
    assert pushed.json()["details"][0]["path"] == "graph.nodes[1].data.url"
    message = pushed.json()["details"][0]["message"]
    assert message.startswith("The node '問': the credential a, tok is sent only to a host that")
    assert "write scheme and host there as they are" in message
    validated = await alice("POST", "/validate", json=leaking)
    assert (validated.status_code, validated.json()["valid"]) == (400, False)
    assert validated.json()["errors"] == [f"nodes[1].data.url: {message}"]
    executed = await alice("POST", "/execute", json={"graph": leaking})
    assert executed.status_code == 400
    assert (await alice("GET", "/webhooks/named/w/definition")).status_code == 404


@pytest.mark.parametrize(
    "data",
    [
        {"url": "https://api.example/{{input.id}}?q={{input.q}}", "headers": {"X": "{{secret.a}}"}},
        {"url": "https://api.example:8443", "form": {"x": "{{credential.a}}"}},
        {"url": "{{input.url}}", "headers": {"X": "{{input.credential}}"}},
        {"url": "{{input.url}}", "headers": {"X": "\\{{credential.a}}"}},
    ],
)
async def test_a_push_takes_a_credential_for_a_host_that_is_fixed(
    alice: Api, data: dict[str, Any]
) -> None:
    assert (await stored(alice, sending(**data))).status_code == 201


async def test_a_run_names_the_placeholders_that_found_nothing(alice: Api) -> None:
    await push(alice, "w", graph(x="{{input.text}}"))
    expected = [{"node": "n", "placeholder": "{{input.text}}"}]
    assert (await trigger(alice, "w", {})).json()["warnings"] == expected
    assert "warnings" not in (await trigger(alice, "w", {"text": "字"})).json()
    executed = await alice("POST", "/execute", json={"graph": graph(x="{{input.text}}")})
    assert executed.json()["warnings"] == expected


async def test_a_workflow_that_was_pushed_strict_fails_where_nothing_is_found(alice: Api) -> None:
    assert (await stored(alice, graph(x="{{input.text}}"), strict=True)).status_code == 201
    failed = await trigger(alice, "w", {})
    assert (failed.status_code, failed.json()["failed_node"]) == (500, "n")
    assert failed.json()["error"] == (
        "Node n failed: {{input.text}} has no value, and the run is strict"
    )
    assert (await trigger(alice, "w", {"text": "字"})).json()["data"] == {"x": "字"}


@pytest.mark.parametrize("value", ["true", "1", "TRUE"])
async def test_one_run_may_be_strict(alice: Api, value: str) -> None:
    await push(alice, "w", graph(x="{{input.text}}"))
    path = f"/webhooks/named/w/trigger?strict={value}"
    assert (await alice("POST", path, json={})).status_code == 500
    body = {"graph": graph(x="{{input.text}}"), "strict": True}
    assert (await alice("POST", "/execute", json=body)).status_code == 500
    lines = {"triplets": ["input >> 完成後 >> n"], "strict": True}
    config = {"n": {"component": "set", "values": {"x": "{{input.text}}"}}}
    body = {**lines, "config": config}
    assert (await alice("POST", "/cypher/execute", json=body)).status_code == 500


async def test_the_same_run_strict_and_not_is_not_the_same_request(alice: Api) -> None:
    await push(alice, "w", graph(x="{{input.text}}"))
    await trigger(alice, "w", {}, "k")
    path = "/webhooks/named/w/trigger?strict=true"
    again = await alice("POST", path, json={}, headers={"Idempotency-Key": "k"})
    assert again.status_code == 409


async def test_a_run_that_went_on_after_a_failure_is_partial(alice: Api) -> None:
    failing = graph(success=False)
    failing["nodes"].append({"id": "後", "type": "Component", "componentId": "set"})
    failing["nodes"][-1]["data"] = {"values": {"a": 1}}
    failing["edges"].append({"from": "n", "to": "後", "type": "PIPE"})
    await push(alice, "w", failing)
    response = (await trigger(alice, "w", {})).json()
    assert (response["success"], response["data"]) == (True, {"a": 1})
    assert response["failed_nodes"] == ["n"]
    assert [entry["verdict"] for entry in await executions(alice, "w")] == ["partial"]


async def test_the_run_of_a_sub_workflow_is_among_its_own_executions(alice: Api) -> None:
    await push(alice, "child", graph(success=False))
    parent = {
        "nodes": [{"id": "input", "type": "Input"}, {"id": "child", "type": "Component"}],
        "edges": [{"from": "input", "to": "child", "type": "CALLS_SUBFLOW"}],
    }
    await push(alice, "parent", parent)
    response = (await trigger(alice, "parent", {})).json()
    assert response["failed_nodes"] == ["child"]
    assert [entry["verdict"] for entry in await executions(alice, "child")] == ["partial"]
    assert [entry["verdict"] for entry in await executions(alice, "parent")] == ["partial"]


@pytest.mark.parametrize("value", ["1", "true"])
async def test_a_run_in_the_background_is_refused_before_it_begins(alice: Api, value: str) -> None:
    await push(alice, "w", graph(x=1))
    response = await alice("POST", f"/webhooks/named/w/trigger?async={value}", json={})
    assert response.status_code == 400
    assert response.json()["requires"] == "durable_runs"
    assert await executions(alice, "w") == []


@pytest.mark.parametrize("query", ["async=0", "async=false", "strict=false"])
async def test_a_run_that_is_waited_for_is_run(alice: Api, query: str) -> None:
    await push(alice, "w", graph(x=1))
    path = f"/webhooks/named/w/trigger?{query}"
    assert (await alice("POST", path, json={})).json()["data"] == {"x": 1}


@pytest.mark.parametrize(
    "query", ["async=maybe", "strict=2", "strict=", "async=1&async=0", "strict=0&strict=0"]
)
async def test_a_flag_that_is_neither_true_nor_false_is_refused(alice: Api, query: str) -> None:
    await push(alice, "w", graph(x=1))
    response = await alice("POST", f"/webhooks/named/w/trigger?{query}", json={})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


async def test_only_what_is_near_is_suggested_else_what_there_is(alice: Api) -> None:
    unknown = graph()
    unknown["nodes"][1]["componentId"] = "qqqq"
    response = (await stored(alice, unknown)).json()
    assert "suggestion" not in response["details"][0]
    assert "use a URL, or one of airtable" in response["error"]
    unknown["nodes"][1]["componentId"] = "swich"
    assert (await stored(alice, unknown)).json()["details"][0]["suggestion"] == "switch"
