"""`client.runs` and `client.workflows.resume`: what is sent, what comes back, what is refused."""

from __future__ import annotations

import json

import pytest

from arcrun import ConflictError, InvalidArgumentError

RUN = "0123456789abcdef" * 2
STATE = {"run_id": RUN, "status": "running", "trace": []}


@pytest.fixture
def client(kind, server):
    server.on("GET", "/health", {"ok": True, "capabilities": ["durable_runs"]})
    return kind.client(server.url)


def body_of(server, path: str):
    (request,) = server.to(path)
    return json.loads(request.body)


def test_a_run_is_read_and_cancelled(kind, server, client) -> None:
    server.on("GET", f"/runs/{RUN}", STATE)
    server.on("POST", f"/runs/{RUN}/cancel", {**STATE, "status": "cancelled"})
    assert kind.run(client.runs.get(RUN)) == STATE
    assert kind.run(client.runs.cancel(RUN))["status"] == "cancelled"


def test_the_list_follows_its_pages_with_its_filters(kind, server, client) -> None:
    one, two = ({"run_id": RUN, "status": "paused", "workflow": name} for name in ("a", "b"))
    server.on("GET", "/runs", {"runs": [one], "next_cursor": "x&y"}, {"runs": [two]})
    assert kind.run(client.runs.list(workflow="greet", status="paused")) == [one, two]
    assert [request.target for request in server.to("/runs")] == [
        "/runs?workflow=greet&status=paused",
        "/runs?workflow=greet&status=paused&cursor=x%26y",
    ]


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ({}, {}),
        ({"start": "讀"}, {"from": "讀"}),
        ({"latest": True}, {"latest": True}),
        ({"start": "b", "latest": True}, {"from": "b", "latest": True}),
    ],
)
def test_a_retry_says_from_where_and_with_which_workflow(
    kind, server, client, options, body
) -> None:
    server.on("POST", f"/runs/{RUN}/retry", {"accepted": True, "run_id": "f" * 32})
    assert kind.run(client.runs.retry(RUN, **options))["run_id"] == "f" * 32
    assert body_of(server, f"/runs/{RUN}/retry") == body


@pytest.mark.parametrize(
    ("arguments", "options", "body"),
    [
        (["t-1"], {}, {"task_id": "t-1", "success": True}),
        (["審核"], {"data": {"a": 1}}, {"task_id": "審核", "success": True, "data": {"a": 1}}),
        (["t-1", "text"], {}, {"task_id": "t-1", "success": True, "data": "text"}),
        (
            ["t-1"],
            {"success": False, "error": "退回"},
            {"task_id": "t-1", "success": False, "error": "退回"},
        ),
        (["t-1"], {"error": "退回"}, {"task_id": "t-1", "success": False, "error": "退回"}),
    ],
)
def test_a_paused_run_is_brought_what_it_waits_for(
    kind, server, client, arguments, options, body
) -> None:
    answer = {"success": False, "resumed": True, "status": "failed", "error": "退回"}
    server.on("POST", "/workflows/resume", answer)
    assert kind.run(client.workflows.resume(*arguments, **options)) == answer
    assert body_of(server, "/workflows/resume") == body


def test_what_would_be_done_twice_is_not_retried(kind, server, client, canned) -> None:
    for path in (f"/runs/{RUN}/cancel", f"/runs/{RUN}/retry", "/workflows/resume"):
        server.on("POST", path, canned(503, {"error": "busy", "code": "storage_unavailable"}))
    calls = (
        lambda: client.runs.cancel(RUN),
        lambda: client.runs.retry(RUN),
        lambda: client.workflows.resume("t-1"),
    )
    for call in calls:
        with pytest.raises(Exception, match="busy"):
            kind.run(call())
    posted = [request for request in server.requests if request.method == "POST"]
    assert len(posted) == 3


def test_a_run_that_has_ended_is_a_conflict(kind, server, client, canned) -> None:
    server.on(
        "POST",
        f"/runs/{RUN}/cancel",
        canned(409, {"error": "it is failed", "code": "conflict"}),
    )
    with pytest.raises(ConflictError, match="it is failed"):
        kind.run(client.runs.cancel(RUN))


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.runs.get("a/b"),
        lambda c: c.runs.get("0" * 31),
        lambda c: c.runs.get(RUN.upper()),
        lambda c: c.runs.cancel(""),
        lambda c: c.runs.retry(5),
        lambda c: c.runs.retry(RUN, start=""),
        lambda c: c.runs.retry(RUN, start=5),
        lambda c: c.runs.retry(RUN, latest=1),
        lambda c: c.runs.list(workflow="a b"),
        lambda c: c.runs.list(status="done"),
        lambda c: c.workflows.resume(""),
        lambda c: c.workflows.resume("a" * 257),
        lambda c: c.workflows.resume("t-1", success="no"),
        lambda c: c.workflows.resume("t-1", success=True, error="退回"),
        lambda c: c.workflows.resume("t-1", {1, 2}),
    ],
)
def test_what_is_not_valid_is_refused_before_a_request(kind, server, client, call) -> None:
    with pytest.raises(InvalidArgumentError):
        kind.run(call(client))
    assert server.requests == []


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.runs.get(RUN),
        lambda c: c.runs.cancel(RUN),
        lambda c: c.runs.retry(RUN),
        lambda c: c.runs.list(),
        lambda c: c.workflows.resume("t-1"),
    ],
)
def test_an_engine_that_keeps_no_runs_is_not_asked(kind, server, call) -> None:
    server.on("GET", "/health", {"ok": True, "capabilities": ["components"]})
    client = kind.client(server.url)
    with pytest.raises(InvalidArgumentError, match="durable_runs"):
        kind.run(call(client))
    assert [request.method for request in server.requests] == ["GET"]
