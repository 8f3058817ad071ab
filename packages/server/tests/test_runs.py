"""Runs beyond the plain trigger: repeated safely, recorded, and of graphs that are not stored."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from arcrun_server.engine import Pause, RunResult
from arcrun_server.routes.run_response import full_response, short_response
from arcrun_server.store import executions as executions_module
from arcrun_server.store import idempotency as idempotency_module

if TYPE_CHECKING:
    import httpx
    from conftest import Api

    from arcrun_server.engine import TraceEntry

INPUT = {"id": "input", "type": "Input"}
COUNT = {
    "nodes": [INPUT, {"id": "n", "type": "Component", "componentId": "comp_counter"}],
    "edges": [{"from": "input", "to": "n", "type": "PIPE"}],
}
FAIL = {
    "nodes": [
        INPUT,
        {
            "id": "失敗",
            "type": "Component",
            "componentId": "comp_uppercase",
            "data": {"text": "{{credential.nowhere}}"},
        },
    ],
    "edges": [{"from": "input", "to": "失敗", "type": "PIPE"}],
}


async def push(api: Api, name: str, graph: Any) -> None:
    body = {"name": name, "graph": graph, "description": "測試"}
    assert (await api("POST", "/webhooks/named", json=body)).status_code == 201


async def trigger(api: Api, name: str, run_input: Any, key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await api("POST", f"/webhooks/named/{name}/trigger", json=run_input, headers=headers)


async def executions(api: Api, name: str, query: str = "") -> list[dict[str, Any]]:
    response = await api("GET", f"/workflows/{name}/executions{query}")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["data"]["executions"]
    return found


async def test_repetition_under_the_same_key_runs_once(alice: Api) -> None:
    await push(alice, "w", COUNT)
    first = await trigger(alice, "w", {"count": 1}, "k-1")
    again = await trigger(alice, "w", {"count": 1}, "k-1")
    assert first.json()["data"]["count"] == 2
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(await executions(alice, "w")) == 1
    await trigger(alice, "w", {"count": 1}, "k-2")
    await trigger(alice, "w", {"count": 1})
    assert len(await executions(alice, "w")) == 3


async def test_failed_run_has_the_same_response_again(alice: Api) -> None:
    await push(alice, "w", FAIL)
    first = await trigger(alice, "w", {}, "k")
    again = await trigger(alice, "w", {}, "k")
    assert first.status_code == 500
    assert (again.status_code, again.content) == (500, first.content)
    assert len(await executions(alice, "w")) == 1


async def test_repetitions_at_the_same_time_run_once(alice: Api) -> None:
    await push(alice, "w", COUNT)
    several = await asyncio.gather(*(trigger(alice, "w", {"count": 1}, "k") for _ in range(20)))
    assert {response.content for response in several} == {several[0].content}
    assert [response.status_code for response in several] == [200] * 20
    assert len(await executions(alice, "w")) == 1


async def test_key_of_another_request_is_refused(alice: Api) -> None:
    await push(alice, "w", COUNT)
    await push(alice, "v", COUNT)
    await trigger(alice, "w", {"count": 1}, "k")
    for response in (
        await trigger(alice, "w", {"count": 2}, "k"),
        await trigger(alice, "v", {"count": 1}, "k"),
    ):
        assert (response.status_code, response.json()["code"]) == (409, "conflict")
        assert "Idempotency-Key" in response.json()["error"]
    assert len(await executions(alice, "w")) == 1


async def test_accounts_have_keys_of_their_own(alice: Api, bob: Api) -> None:
    await push(alice, "w", COUNT)
    await push(bob, "w", FAIL)
    assert (await trigger(alice, "w", {}, "k")).status_code == 200
    assert (await trigger(bob, "w", {}, "k")).status_code == 500


async def test_run_that_was_cut_off_is_not_run_again(alice: Api) -> None:
    await push(alice, "w", COUNT)
    await trigger(alice, "w", {"count": 1}, "k")
    alice.store.database.write_now(  # as a kill between claim and response leaves it
        lambda c: c.execute(text("UPDATE idempotent_responses SET status = NULL, body = NULL"))
    )
    response = await trigger(alice, "w", {"count": 1}, "k")
    assert (response.status_code, response.json()["code"]) == (409, "conflict")
    assert "cut off" in response.json()["error"]
    assert len(await executions(alice, "w")) == 1


async def test_key_is_forgotten_after_a_day(alice: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await push(alice, "w", COUNT)
    await trigger(alice, "w", {"count": 1}, "k")
    tomorrow = time.time() + 24 * 60 * 60 + 1
    monkeypatch.setattr(idempotency_module.clock, "now", lambda: tomorrow)
    assert (await trigger(alice, "w", {"count": 5}, "k")).json()["data"]["count"] == 6
    kept = alice.store.database.read_now(
        lambda c: c.execute(text("SELECT count(*) FROM idempotent_responses")).scalar_one()
    )
    assert kept == 1


async def test_kept_responses_are_sealed_in_the_database(alice: Api) -> None:
    await push(alice, "w", COUNT)
    await trigger(alice, "w", {"count": 1, "who": "customer-of-mine"}, "k")
    body = alice.store.database.read_now(
        lambda c: c.execute(text("SELECT body FROM idempotent_responses")).scalar_one()
    )
    assert b"customer-of-mine" not in body


@pytest.mark.parametrize("key", ["", "a b", "k" * 129, "k\x7f"])
async def test_key_of_a_wrong_form_is_refused(alice: Api, key: str) -> None:
    await push(alice, "w", COUNT)
    response = await alice(
        "POST", "/webhooks/named/w/trigger", json={}, headers={"Idempotency-Key": key}
    )
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
    assert await executions(alice, "w") == []


async def test_executions_are_listed_newest_first(alice: Api) -> None:
    await push(alice, "w", COUNT)
    await trigger(alice, "w", {})
    await push(alice, "w", FAIL)
    await trigger(alice, "w", {})
    response = (await alice("GET", "/workflows/w/executions")).json()
    assert response["ok"] is True
    assert (response["data"]["workflow_name"], response["data"]["count"]) == ("w", 2)
    newest, oldest = response["data"]["executions"]
    assert (newest["verdict"], oldest["verdict"]) == ("failed", "success")
    assert "失敗" in newest["message"]
    assert oldest["message"] == ""
    for entry in (newest, oldest):
        assert entry["workflow_id"] == "w"
        assert entry["duration_ms"] >= 0
        assert entry["timestamp"].endswith("Z")
    assert newest["timestamp"] >= oldest["timestamp"]
    assert len(await executions(alice, "w", "?limit=1")) == 1


async def test_executions_of_another_account_are_not_there(alice: Api, bob: Api) -> None:
    await push(alice, "w", COUNT)
    await trigger(alice, "w", {})
    assert (await bob("GET", "/workflows/w/executions")).status_code == 404
    await push(bob, "w", COUNT)
    assert await executions(bob, "w") == []


async def test_history_goes_with_its_workflow(alice: Api) -> None:
    await push(alice, "w", COUNT)
    await trigger(alice, "w", {})
    await alice("DELETE", "/webhooks/named/w")
    assert (await alice("GET", "/workflows/w/executions")).status_code == 404
    await push(alice, "w", COUNT)
    assert await executions(alice, "w") == []


async def test_message_that_is_no_text_is_recorded_as_far_as_it_is(alice: Api) -> None:
    await push(alice, "w", COUNT)
    account = await alice.store.accounts.of_key(alice.key or "")
    result = RunResult(success=False, error="the service says \ud800 壞", duration_ms=1.0)
    alice.store.executions.record(account or "", "w", 1, result)
    [entry] = await executions(alice, "w")
    assert entry["message"] == "the service says ? 壞"


@pytest.mark.parametrize("counted", [1, 100])
async def test_history_of_each_workflow_is_bounded_in_whatever_order_they_run(
    alice: Api, monkeypatch: pytest.MonkeyPatch, counted: int
) -> None:
    monkeypatch.setattr(executions_module, "SLACK", 4)
    monkeypatch.setattr(executions_module, "COUNTED", counted)
    monkeypatch.setattr(executions_module, "_TRIM", executions_module.trim(3))
    for name in ("v", "w"):
        await push(alice, name, COUNT)
    await push(alice, "seldom", COUNT)
    await trigger(alice, "seldom", {})
    for _ in range(10):
        for name in ("v", "w"):
            await trigger(alice, name, {})
    for name in ("v", "w"):
        assert 3 <= len(await executions(alice, name)) < 3 + 4
    assert len(await executions(alice, "seldom")) == 1


async def test_history_is_bounded_also_by_servers_that_end_early(
    alice: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions_module, "_TRIM", executions_module.trim(3))
    await push(alice, "w", COUNT)
    account = await alice.store.accounts.of_key(alice.key or "")
    result = RunResult(success=True, duration_ms=1.0)
    for number in range(6):  # each a server of one run
        executions_module.Executions(alice.store.database).record(
            account or "", "w", number, result
        )
    assert len(await executions(alice, "w")) == 3


async def test_graph_is_run_without_storing_it(alice: Api) -> None:
    response = await alice("POST", "/execute", json={"graph": COUNT, "context": {"count": 4}})
    body = response.json()
    assert response.status_code == 200
    assert (body["success"], body["data"]["count"]) == (True, 5)
    assert [(entry["nodeId"], entry["type"]) for entry in body["trace"]][-1] == ("n", "Component")
    assert {"input", "output", "duration_ms"} <= set(body["trace"][-1])
    assert (await alice("GET", "/webhooks/named")).json()["total"] == 0


async def test_graph_that_fails_says_what_the_node_got(alice: Api) -> None:
    response = await alice("POST", "/execute", json={"graph": FAIL, "context": {"a": 1}})
    body = response.json()
    assert response.status_code == 500
    assert (body["success"], body["code"], body["failed_node"]) == (False, "run_failed", "失敗")
    assert body["failed_input"]["a"] == 1
    assert body["trace"][-1]["status"] == "failed"


async def test_lines_are_run_without_storing_them(alice: Api) -> None:
    response = await alice(
        "POST",
        "/cypher/execute",
        json={
            "triplets": ["input >> 完成後 >> 放大", "放大 >> 完成後 >> output"],
            "config": {"放大": {"component": "comp_uppercase", "text": "{{input.名字}} ok"}},
            "context": {"名字": "小明"},
        },
    )
    body = response.json()
    assert response.status_code == 200
    assert body["data"]["text"] == "小明 OK"
    assert [node["id"] for node in body["graph"]["nodes"]] == ["input", "放大", "output"]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/execute", {}, "invalid_request"),
        ("/execute", {"graph": {"nodes": [], "edges": []}}, "invalid_graph"),
        ("/execute", {"graph": COUNT, "context": []}, "invalid_request"),
        ("/execute", {"graph": COUNT, "contxt": {}}, "invalid_request"),
        ("/cypher/execute", {"triplets": ["a >> b"]}, "invalid_graph"),
        ("/cypher/execute", {"triplets": ["input >> 完成後 >> 沒有"]}, "invalid_graph"),
        ("/cypher/execute", {"triplets": []}, "invalid_request"),
        (
            "/cypher/execute",
            {"triplets": ["input >> 完成後 >> a"], "config": {"a": []}},
            "invalid_request",
        ),
    ],
)
async def test_what_can_not_run_is_refused(alice: Api, path: str, body: Any, code: str) -> None:
    response = await alice("POST", path, json=body)
    assert (response.status_code, response.json()["code"]) == (400, code), response.text


@pytest.mark.parametrize("path", ["/execute", "/cypher/execute"])
async def test_running_needs_a_key(nobody: Api, path: str) -> None:
    response = await nobody("POST", path, content=json.dumps({}), headers={"Content-Type": "a/b"})
    assert (response.status_code, response.json()["code"]) == (401, "missing_api_key")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
async def test_number_that_json_has_no_word_for_fails_the_run(number: float) -> None:
    response = await short_response(RunResult(success=True, data={"n": number}, duration_ms=2))
    body = json.loads(response.body)
    assert (response.status, body["success"], body["code"]) == (500, False, "run_failed")
    assert "NaN or Infinity" in body["error"]
    assert body["duration_ms"] == 2


async def test_half_of_a_surrogate_pair_is_written_as_an_escape() -> None:
    response = await short_response(RunResult(success=True, data={"字": "\ud800"}))
    assert json.loads(response.body.decode("ascii"))["data"] == {"字": "\ud800"}


def returned(node: str) -> TraceEntry:
    return {"nodeId": node, "type": "Component", "input": {}, "output": {}, "duration_ms": 1.0}


async def test_run_that_pauses_fails_and_says_that_it_can_not_be_resumed() -> None:
    trace = [returned("input"), returned("審核")]
    waiting = RunResult(success=True, paused=Pause("t-1", "審核", "審核", {}), trace=trace)
    short, full = await short_response(waiting), await full_response(waiting, {})
    for status, content in ((short.status, short.body), (full.status_code, full.body)):
        body = json.loads(bytes(content))
        assert (status, body["success"], body["failed_node"]) == (500, False, "審核")
        assert "no durable runs to resume it" in body["error"]
        assert [entry["status"] for entry in body["trace"]] == ["ok", "failed"]


async def test_stored_graph_that_can_not_run_fails_its_runs(alice: Api) -> None:
    await push(alice, "w", COUNT)
    graph = json.dumps({"nodes": [], "edges": [{"from": "a", "to": "b", "type": "PIPE"}]})
    alice.store.database.write_now(  # as an engine that checked less has left it
        lambda c: c.execute(text("UPDATE workflows SET graph = :graph"), {"graph": graph})
    )
    response = await trigger(alice, "w", {})
    assert (response.status_code, response.json()["code"]) == (500, "run_failed")
    assert "can't be run" in response.json()["error"]
    assert [entry["verdict"] for entry in await executions(alice, "w")] == ["failed"]


async def test_large_graph_runs_too(alice: Api) -> None:
    node = {**COUNT["nodes"][1], "data": {"text": "長" * 70_000}}
    await push(alice, "w", {**COUNT, "nodes": [INPUT, node]})
    assert (await trigger(alice, "w", {"count": 1})).json()["data"]["count"] == 2
