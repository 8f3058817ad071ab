"""What is done about failures, with components that meet them and workflows that are stored."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from loopback_site import Site, serving

from arcrun_server.errors import StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from conftest import Api

    from arcrun_server.store import Store

DIVIDE = {
    "id": "除",
    "type": "Component",
    "componentId": "number_ops",
    "data": {"operation": "divide", "a": 1, "b": 0},
}


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as opened:
        yield opened


@pytest.fixture
async def serve_nothing() -> str:
    """The address of a server that has ended."""
    async with serving() as ended:
        return ended.url


async def execute(api: Api, config: dict[str, Any]) -> dict[str, Any]:
    """Run one node and return the response's body."""
    body = {"triplets": ["input >> PIPE >> 查"], "config": {"查": config}}
    response = await api("POST", "/cypher/execute", json=body)
    found: dict[str, Any] = response.json()
    return found


def busy_twice(site: Site, path: str) -> None:
    """Let a path respond that it is busy, twice, and then well."""
    site.respond(path, '"好"')
    good = site.responses[path]
    site.respond(path, "忙", 503, {"Retry-After": "0"})
    site.later[path] = [site.responses[path], good]


RETRY = {"times": 5, "backoff_seconds": 0}


async def test_requests_are_repeated_until_they_succeed(alice: Api, site: Site) -> None:
    recipe = {
        "canonical_id": "ask",
        "display_name": "問",
        "endpoint": f"{site.url}/recipe",
        "method": "GET",
    }
    assert (await alice("POST", "/recipes", json=recipe)).status_code == 200
    for path, config in {
        "/request": {"component": "http_request", "url": f"{site.url}/request"},
        "/url": {"component": f"{site.url}/url"},
        "/recipe": {"component": "ask"},
    }.items():
        busy_twice(site, path)
        found = await execute(alice, {**config, "retry": RETRY})
        assert found["trace"][1]["attempts"] == 3, path
        assert "好" in json.dumps(found["data"], ensure_ascii=False)
        assert len([got for got in site.received if got.path == path]) == 3


async def test_a_request_that_takes_too_long_is_a_time_out(alice: Api, site: Site) -> None:
    config = {"component": "http_request", "url": f"{site.url}/silent", "timeout_seconds": 0.05}
    retry = {"times": 1, "backoff_seconds": 0, "on": ["timeout"]}
    found = await execute(alice, {**config, "retry": retry})
    assert found["data"]["error_type"] == "timeout"
    assert found["trace"][1]["attempts"] == 2


async def test_a_connection_that_breaks_is_repeated(alice: Api, serve_nothing: str) -> None:
    for component in (f"{serve_nothing}/x", "http_request"):
        retry = {"times": 2, "backoff_seconds": 0, "on": ["connection"]}
        fields = {"url": f"{serve_nothing}/x"} if component == "http_request" else {}
        config = {"component": component, **fields, "retry": retry, "on_failure": "continue"}
        assert (await execute(alice, config))["trace"][1]["attempts"] == 3


async def test_an_address_that_is_forbidden_is_not_repeated(alice: Api) -> None:
    config = {
        "component": "http_request",
        "url": "http://169.254.169.254/",
        "on_failure": "continue",
    }
    found = await execute(alice, {**config, "retry": RETRY})
    assert "attempts" not in found["trace"][1]
    assert found["failed_nodes"] == ["查"]


async def push(api: Api, name: str, nodes: list[Any], **fields: Any) -> None:
    graph = {"nodes": nodes, "edges": [], **fields}
    body = {"name": name, "graph": graph, "description": "測試"}
    response = await api("POST", "/webhooks/named", json=body)
    assert response.status_code == 201, response.text


async def verdicts(api: Api, name: str) -> list[tuple[str, str]]:
    response = await api("GET", f"/workflows/{name}/executions")
    listed = response.json()["data"]["executions"]
    return [(entry["verdict"], entry["message"]) for entry in listed]


async def test_a_failed_run_starts_the_workflow_that_it_names(alice: Api, site: Site) -> None:
    site.respond("/told", "{}")
    tell = {"id": "告", "type": "Component", "componentId": f"{site.url}/told"}
    await push(alice, "tell", [tell])
    await push(alice, "main", [DIVIDE], on_failure_workflow="tell")
    response = await alice("POST", "/webhooks/named/main/trigger", json={"q": 1})
    assert response.status_code == 500
    told = json.loads(site.received[0].body)
    assert told["workflow"] == "main"
    assert told["error"] == response.json()["error"]
    assert told["failed_node"] == "除"
    assert len(told["run_id"]) == 32
    assert await verdicts(alice, "tell") == [("success", "")]


async def test_a_run_that_succeeds_starts_none(alice: Api) -> None:
    start = {"id": "input", "type": "Input"}
    await push(alice, "tell", [start])
    await push(alice, "main", [start], on_failure_workflow="tell")
    response = await alice("POST", "/webhooks/named/main/trigger", json={})
    assert response.status_code == 200
    assert await verdicts(alice, "tell") == []


async def test_a_repetition_under_the_same_key_starts_none_again(alice: Api) -> None:
    await push(alice, "tell", [{"id": "input", "type": "Input"}])
    await push(alice, "main", [DIVIDE], on_failure_workflow="tell")
    for _ in range(2):
        headers = {"Idempotency-Key": "k"}
        response = await alice("POST", "/webhooks/named/main/trigger", json={}, headers=headers)
        assert response.status_code == 500
    assert await verdicts(alice, "tell") == [("success", "")]


async def test_a_workflow_that_fails_after_a_failure_starts_no_other(alice: Api) -> None:
    await push(alice, "last", [{"id": "input", "type": "Input"}])
    await push(alice, "tell", [DIVIDE], on_failure_workflow="last")
    await push(alice, "main", [DIVIDE], on_failure_workflow="tell")
    await alice("POST", "/webhooks/named/main/trigger", json={})
    assert [verdict for verdict, _ in await verdicts(alice, "tell")] == ["failed"]
    assert await verdicts(alice, "last") == []


async def test_a_workflow_of_another_account_is_not_started(alice: Api, bob: Api) -> None:
    await push(bob, "tell", [{"id": "input", "type": "Input"}])
    await push(alice, "main", [DIVIDE], on_failure_workflow="tell")
    await alice("POST", "/webhooks/named/main/trigger", json={})
    assert await verdicts(bob, "tell") == []
    await push(alice, "tell", [{"id": "input", "type": "Input"}])
    ((verdict, message),) = await verdicts(alice, "tell")
    assert verdict == "failed"
    assert "there is no workflow 'tell', which 'main' names" in message


async def test_a_store_that_fails_meanwhile_does_not_change_the_response(
    alice: Api,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await push(alice, "main", [DIVIDE], on_failure_workflow="tell")
    right: Callable[..., Any] = store.workflows.graph_text

    async def graph_text(account: str, name: str) -> Any:
        if name == "tell":
            raise StorageUnavailableError("磁碟滿了")
        return await right(account, name)

    monkeypatch.setattr(store.workflows, "graph_text", graph_text)
    with caplog.at_level(logging.WARNING, "arcrun_server.runs"):
        response = await alice("POST", "/webhooks/named/main/trigger", json={})
    assert response.json()["failed_node"] == "除"
    assert "tell could not be run after a failure: 磁碟滿了" in caplog.text
