"""Large bodies are checked by a worker, with the same result as small ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.engine import RunResult
from arcrun_server.errors import ApiError
from arcrun_server.routes import large_bodies
from arcrun_server.routes.run_response import short_response
from arcrun_server.web.body import check_values
from arcrun_server.workers import WorkerBusyError, WorkerFailedError, WorkerPool, WorkerTimeoutError

if TYPE_CHECKING:
    from conftest import Api

PADDING = "x" * large_bodies.LARGE
NODE = {"id": "a", "type": "Component", "componentId": "comp_counter", "data": {"n": 1}}
DOUBTFUL = {**NODE, "data": {"n": "{{inptu.n}}"}}
JSON = {"Content-Type": "application/json"}


def padded(body: dict[str, Any]) -> bytes:
    """Return a body with so much white space that it is large."""
    return json.dumps(body).encode() + b" " * large_bodies.LARGE


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/validate", {"nodes": [NODE], "edges": []}),
        ("/validate", {"nodes": [{**NODE, "componentId": "comp_countr"}], "edges": []}),
        ("/validate", {"nodes": [{**NODE, "label": 1}], "edges": []}),
        ("/validate", {"nodes": [NODE], "edges": [], "extra": 1}),
        ("/validate", {"nodes": []}),
        ("/validate", {"nodes": [DOUBTFUL], "edges": []}),
        ("/validate", {"nodes": [DOUBTFUL], "edges": [], "strict": True}),
        (
            "/execute",
            {"graph": {"nodes": [NODE], "edges": []}, "context": {"count": 1}, "contex": 1},
        ),
        ("/execute", {"graph": {"nodes": [], "edges": []}}),
        ("/cypher/search", {"triplets": ["a >> PIPE >> b"], "mode": "x"}),
        ("/webhooks/named", {"name": "a b", "graph": {}, "description": "a"}),
        ("/recipes", {"canonical_id": "1"}),
        ("/auth-recipes", {"service": "S"}),
    ],
)
async def test_what_is_wrong_is_said_in_the_same_words(
    alice: Api, path: str, body: dict[str, Any]
) -> None:
    small = await alice("POST", path, content=json.dumps(body).encode(), headers=JSON)
    large = await alice("POST", path, content=padded(body), headers=JSON)
    assert (large.status_code, large.json()) == (small.status_code, small.json())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/validate", b'{"nodes":[' + b"{}," * 100_000 + b'{}],"edges":[]}'),
        ("/execute", b'{"graph":{},"context":{"a":[' + b"1," * 100_000 + b"1]}}"),
        ("/webhooks/named", b"[" + b"[]," * 100_000 + b"[]]"),
        ("/webhooks/named", b"{" + b'"a":"' * 50_000 + b"," * 100_001),
    ],
)
async def test_a_body_of_too_many_values_is_refused_before_they_are_made(
    alice: Api, path: str, body: bytes
) -> None:
    response = await alice("POST", path, content=body, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (413, "too_many_values")
    assert "more than 100,000 values" in response.json()["error"]


def test_values_are_counted_exactly() -> None:
    value = {"a": [1, [], {}, [[]], "[,{"], "b": {'",\\"': [None]}, "c": ""}
    written = json.dumps(value).encode()
    check_values(written, 12)
    with pytest.raises(ApiError):
        check_values(written, 11)


async def test_a_text_may_have_any_number_of_commas(alice: Api) -> None:
    node = {**NODE, "componentId": "comp_passthrough"}
    body = {"graph": {"nodes": [node], "edges": []}, "context": {"table": "1,2\n" * 150_000}}
    response = await alice("POST", "/execute", json=body)
    assert response.status_code == 200, response.text[:300]
    assert response.json()["data"]["table"] == body["context"]["table"]


@pytest.mark.parametrize("large", ["", "x" * 100_000])
async def test_large_responses_are_written_as_small_ones(large: str) -> None:
    data = {"字": "你好", "半": "\ud800", "n": [1.5, None, True, {}], "large": large}
    response = await short_response(RunResult(success=True, data=data))
    assert json.loads(response.body)["data"] == data
    response = await short_response(RunResult(success=True, data={"文": ["好", large]}))
    assert b'{"success":true,"data":{"\xe6\x96\x87":["\xe5\xa5\xbd",' in response.body
    response = await short_response(RunResult(success=True, data=[float("nan"), large]))
    assert (response.status, json.loads(response.body)["code"]) == (500, "run_failed")


async def test_large_graphs_and_inputs_are_run(alice: Api) -> None:
    graph = {"nodes": [{**NODE, "data": {"text": PADDING}}], "edges": []}
    body = {"name": "a", "description": "a", "graph": graph}
    assert (await alice("POST", "/webhooks/named", json=body)).status_code == 201
    ran = await alice("POST", "/webhooks/named/a/trigger", json={"count": 1, "more": PADDING})
    assert ran.json()["data"]["count"] == 2
    executed = await alice("POST", "/execute", json={"graph": graph, "context": {"count": 2}})
    assert executed.json()["data"]["count"] == 3


async def test_a_large_graph_is_stored_with_its_warnings_and_as_strict_as_was_asked(
    alice: Api,
) -> None:
    node = {**DOUBTFUL, "data": {"n": "{{inptu.n}}", "text": PADDING}}
    body = {"name": "a", "description": "a", "graph": {"nodes": [node], "edges": []}}
    pushed = await alice("POST", "/webhooks/named", json=body)
    assert [warning["node"] for warning in pushed.json()["warnings"]] == ["a"]
    refused = await alice("POST", "/webhooks/named", json={**body, "strict": True})
    assert refused.json()["details"][0]["path"] == "graph.nodes[0]"
    node["data"]["n"] = "{{input.n}}"
    assert (await alice("POST", "/webhooks/named", json={**body, "strict": True})).is_success
    ran = await alice("POST", "/webhooks/named/a/trigger", json={})
    assert "the run is strict" in ran.json()["error"]


async def test_components_of_the_account_are_known_to_the_worker(alice: Api, nobody: Api) -> None:
    recipe = {
        "canonical_id": "mine",
        "display_name": "m",
        "endpoint": "https://example.com/",
        "method": "GET",
    }
    assert (await alice("POST", "/recipes", json=recipe)).status_code == 200
    graph = padded({"nodes": [{**NODE, "componentId": "mine"}], "edges": []})
    assert (await alice("POST", "/validate", content=graph, headers=JSON)).json()["valid"] is True
    refused = await nobody("POST", "/validate", content=graph, headers=JSON)
    assert refused.json()["code"] == "unknown_component"


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (WorkerTimeoutError("it took longer than 5 s"), 400, "send a smaller one"),
        (WorkerFailedError("the worker died twice"), 400, "send a smaller one"),
        (WorkerBusyError("no worker"), 429, "try again in a moment"),
    ],
)
async def test_a_body_that_can_not_be_checked_is_refused(
    nobody: Api, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, says: str
) -> None:
    async def fail(*_: Any) -> bytes:
        raise error

    monkeypatch.setattr(WorkerPool, "run", fail)
    body = padded({"nodes": [NODE], "edges": []})
    response = await nobody("POST", "/validate", content=body, headers=JSON)
    assert response.status_code == status
    assert says in response.json()["error"]
    assert response.headers.get("retry-after") == ("1" if status == 429 else None)


async def test_a_credential_is_never_handed_to_a_worker(
    alice: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WorkerPool, "run", None)
    body = {"name": "a", "value": "密" * 40_000}
    assert (await alice("POST", "/credentials", json=body)).status_code == 200
    fields = {f"k{number}": 1 for number in range(10_000)}
    refused = await alice("POST", "/credentials", json=body | fields)
    assert refused.status_code == 400
    too_long = await alice(
        "PUT", "/credentials/a", content=b'{"value":"' + b"x" * 600_000 + b'"}', headers=JSON
    )
    assert "larger than any credential" in too_long.json()["error"]
