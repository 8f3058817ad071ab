"""What is retried, how often, and after how long."""

from __future__ import annotations

import email.utils
import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arcrun
from arcrun._core import operations, retry
from arcrun._core.errors import APIConnectionError
from arcrun._core.response import Response

SOON = {"retry-after-ms": "1"}
RUN_OK = {"success": True, "data": {"text": "HELLO"}, "duration_ms": 1}


@pytest.fixture(autouse=True)
def short_delays(monkeypatch) -> None:
    monkeypatch.setattr(retry, "FIRST_DELAY", 0.001)


def delay(outcome, *, call=None, attempt=0, max_retries=2) -> float | None:
    return retry.next_delay(
        call or operations.health(), outcome, attempt=attempt, max_retries=max_retries
    )


def response(status: int, body: bytes = b"{}", **headers: str) -> Response:
    return Response(status, {k.replace("_", "-"): v for k, v in headers.items()}, body)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_two_retries_by_default(status, kind, server, canned) -> None:
    server.on("GET", "/health", canned(status, headers=SOON))
    with pytest.raises(arcrun.APIStatusError) as caught:
        kind.run(kind.client(server.url).health())
    assert caught.value.status == status
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 501])
def test_other_statuses_are_not_retried(status, kind, server, canned) -> None:
    server.on("GET", "/health", canned(status, headers=SOON))
    with pytest.raises(arcrun.APIStatusError):
        kind.run(kind.client(server.url).health())
    assert len(server.requests) == 1


def test_a_retry_that_succeeds_is_a_success(kind, server, canned) -> None:
    server.on("GET", "/health", canned(503, headers=SOON), canned(502, headers=SOON), {"ok": True})
    assert kind.run(kind.client(server.url).health()) == {"ok": True}


@pytest.mark.parametrize("max_retries", [0, 1, 3])
def test_max_retries_sets_the_number_of_retries(max_retries, kind, server, canned) -> None:
    server.on("GET", "/health", canned(503, headers=SOON))
    with pytest.raises(arcrun.ServerError):
        kind.run(kind.client(server.url, max_retries=max_retries).health())
    assert len(server.requests) == max_retries + 1


def drop(handler) -> None:
    handler.connection.close()


def cut(handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


@pytest.mark.parametrize("fault", [drop, cut])
def test_a_lost_connection_is_retried(fault, kind, server, canned) -> None:
    server.on("GET", "/health", canned(act=fault), {"ok": True})
    assert kind.run(kind.client(server.url).health()) == {"ok": True}
    server.on("GET", "/health", canned(act=fault))
    with pytest.raises(APIConnectionError):
        kind.run(kind.client(server.url).health())


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.creds.push("a", "b"),
        lambda c: c.creds.delete("a"),
        lambda c: c.workflows.push("a", {"nodes": [], "edges": []}),
        lambda c: c.workflows.delete("a"),
    ],
)
def test_upserts_and_deletes_are_retried(call, kind, server, canned) -> None:
    again = (canned(503, headers=SOON), {"name": "a", "success": True, "deleted": True})
    for method, path in [
        ("POST", "/credentials"),
        ("DELETE", "/credentials/a"),
        ("POST", "/webhooks/named"),
        ("DELETE", "/webhooks/named/a"),
    ]:
        server.on(method, path, *again)
    assert kind.run(call(kind.client(server.url)))["name"] == "a"
    bodies = [request.body for request in server.requests]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("resource", ["creds", "workflows"])
def test_a_delete_that_finds_nothing_after_a_retry_succeeds(resource, kind, server, canned) -> None:
    path = {"creds": "/credentials/a", "workflows": "/webhooks/named/a"}[resource]
    gone = canned(404, {"error": "gone"})
    server.on("DELETE", path, canned(503, headers=SOON), gone)
    client = kind.client(server.url)
    assert kind.run(getattr(client, resource).delete("a"))["name"] == "a"
    server.on("DELETE", path, gone)
    with pytest.raises(arcrun.NotFoundError):
        kind.run(getattr(client, resource).delete("a"))


def runs(server):
    return server.to("/webhooks/named/greet/trigger")


def test_a_run_is_not_retried_without_idempotency_keys(kind, server, canned) -> None:
    server.on("GET", "/health", {"ok": True})
    server.on("POST", "/webhooks/named/greet/trigger", canned(503, headers=SOON), RUN_OK)
    with pytest.raises(arcrun.ServerError):
        kind.run(kind.client(server.url).workflows.run("greet"))
    (request,) = runs(server)
    assert "idempotency-key" not in request.headers


def test_a_run_is_not_retried_when_the_capabilities_are_unknown(kind, server, canned) -> None:
    server.on("GET", "/health", canned(500))
    server.on("POST", "/webhooks/named/greet/trigger", canned(503, headers=SOON), RUN_OK)
    client = kind.client(server.url)
    with pytest.raises(arcrun.ServerError):
        kind.run(client.workflows.run("greet"))
    assert len(runs(server)) == 1
    assert kind.run(client.workflows.run("greet")) == RUN_OK
    assert len(server.to("/health")) == 2  # a failed request is not remembered


def test_a_run_is_retried_with_one_idempotency_key(kind, server, canned) -> None:
    server.on("GET", "/health", {"ok": True, "capabilities": ["idempotency_key"]})
    trigger = "/webhooks/named/greet/trigger"
    server.on("POST", trigger, canned(503, headers=SOON), canned(act=drop), RUN_OK)
    client = kind.client(server.url)
    assert kind.run(client.workflows.run("greet", {"text": "hello"})) == RUN_OK
    kind.run(client.workflows.run("greet"))
    keys = [request.headers["idempotency-key"] for request in runs(server)]
    assert len(keys) == 4
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert len(server.to("/health")) == 1


def test_without_retries_the_capabilities_are_not_fetched(kind, server) -> None:
    server.on("POST", "/webhooks/named/greet/trigger", RUN_OK)
    kind.run(kind.client(server.url, max_retries=0).workflows.run("greet"))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"success": False, "error": "Node a failed: x", "duration_ms": 1},
        {"success": False, "error": "workflow paused at node a waiting for task t"},
        {"error": "workflow paused at node a waiting for task t"},
    ],
)
def test_a_failure_or_pause_of_the_workflow_is_never_retried(body, kind, server, canned) -> None:
    server.on("GET", "/health", {"ok": True, "capabilities": ["idempotency_key"]})
    server.on("POST", "/webhooks/named/greet/trigger", canned(500, body, SOON))
    with pytest.raises(arcrun.ArcrunError):
        kind.run(kind.client(server.url).workflows.run("greet"))
    assert len(runs(server)) == 1


@given(st.integers(0, 50))
def test_delays_double_have_full_jitter_and_are_capped(attempt: int) -> None:
    most = min(retry.LONGEST_DELAY, retry.FIRST_DELAY * 2**attempt)
    assert 0 <= retry.backoff(attempt) <= most


def test_jitter_spreads_over_the_whole_range(monkeypatch) -> None:
    asked: list[tuple[float, float]] = []
    monkeypatch.setattr(retry, "FIRST_DELAY", 0.5)
    monkeypatch.setattr(
        retry, "random", SimpleNamespace(uniform=lambda *bounds: asked.append(bounds) or 0.0)
    )
    for attempt in range(6):
        retry.backoff(attempt)
    assert asked == [(0, 0.5), (0, 1), (0, 2), (0, 4), (0, 8), (0, 8)]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "3"}, 3.0),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after_ms": "250", "retry_after": "9"}, 0.25),
        ({"retry_after_ms": "soon", "retry_after": "9"}, 9.0),
        ({"retry_after": "3600"}, retry.LONGEST_RETRY_AFTER),
        ({"retry_after_ms": "1000000000"}, retry.LONGEST_RETRY_AFTER),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_the_delay_that_the_engine_asks_for_is_used(
    headers: dict[str, str], seconds: float
) -> None:
    assert delay(response(429, **headers)) == seconds


def test_a_date_is_read_as_a_delay() -> None:
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    found = delay(response(503, retry_after=date))
    assert found is not None
    assert 27 < found <= 30
    far = email.utils.formatdate(time.time() + 86400, usegmt=True)
    assert delay(response(503, retry_after=far)) == retry.LONGEST_RETRY_AFTER


@pytest.mark.parametrize(
    "text",
    [
        *("-1", "nan", "inf", "soon", "", "Wed, 99 Foo 2015", "Wed, 21 Oct 99999 07:28:00 GMT"),
        *("3_0", "0x1E", "1e3", "30s"),
    ],
)
def test_a_malformed_delay_is_ignored(text: str) -> None:
    found = delay(response(429, retry_after=text))
    assert found is not None
    assert found <= retry.FIRST_DELAY


def test_no_delay_after_the_last_try() -> None:
    assert delay(response(503), attempt=2) is None
    assert delay(APIConnectionError("x"), attempt=1, max_retries=1) is None
    assert delay(APIConnectionError("x")) is not None
    assert delay(response(200)) is None
