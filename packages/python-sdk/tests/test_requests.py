"""Requests to the engine: what is sent, and what each kind of response becomes."""

from __future__ import annotations

import copy
import logging
import pickle
import time
from typing import Any

import httpx
import pytest

import arcrun
from arcrun import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    InvalidArgumentError,
    UnexpectedResponseError,
)

HEALTH = {"ok": True, "bundle_version": "1.4.24"}


def test_every_request_carries_the_key_and_the_user_agent(kind, server, key) -> None:
    server.on("GET", "/credentials", {"success": True, "credentials": [], "total": 0})
    client = kind.client(server.url)
    assert kind.run(client.creds.list()) == []
    (request,) = server.requests
    assert request.headers["x-arcrun-api-key"] == key
    assert request.headers["user-agent"] == f"arcrun-python/{arcrun.__version__}"
    assert request.headers["accept"] == "application/json"
    assert "content-type" not in request.headers


def test_a_body_is_json_in_utf8(kind, server) -> None:
    server.on("POST", "/webhooks/named", {"name": "greet"})
    client = kind.client(server.url)
    graph = {"nodes": [], "edges": []}
    kind.run(client.workflows.push("greet", graph, description="打招呼"))
    (request,) = server.requests
    assert request.headers["content-type"] == "application/json"
    assert "打招呼".encode() in request.body


def test_health_needs_no_key_and_sends_none(kind, server) -> None:
    server.on("GET", "/health", HEALTH)
    assert kind.run(kind.client(server.url).health()) == HEALTH
    assert kind.run(kind.client(server.url, None).health()) == HEALTH
    assert all("x-arcrun-api-key" not in request.headers for request in server.requests)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "big5"])
def test_a_response_that_is_not_utf8_is_no_result(kind, encoding) -> None:
    content = '{"ok": true, "a": "中"}'.encode(encoding)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content))
    client = kind.client("https://engine.test", http_client=kind.http_client(transport=transport))
    with pytest.raises(UnexpectedResponseError, match="not a JSON object"):
        kind.run(client.health())


def test_unknown_fields_of_a_response_are_kept(kind, server) -> None:
    server.on("GET", "/health", {**HEALTH, "地區": "台北"})
    assert kind.run(kind.client(server.url).health())["地區"] == "台北"


def test_a_base_url_with_a_path(kind, server) -> None:
    server.on("GET", "/engine/health", HEALTH)
    assert kind.run(kind.client(f"{server.url}/engine/").health())["ok"]


def test_the_users_http_client_is_used_and_stays_open(kind, server) -> None:
    server.on("GET", "/health", HEALTH)
    http = kind.http_client(headers={"X-Mine": "1"}, base_url="https://elsewhere.test")
    client = kind.client(server.url, http_client=http)
    kind.run(client.health())
    kind.run(client.close())
    headers = server.requests[0].headers
    assert headers["x-mine"] == "1"
    assert headers["user-agent"] == f"arcrun-python/{arcrun.__version__}"
    assert headers["accept"] == "application/json"
    assert not http.is_closed


def test_own_connections_are_closed(kind, server) -> None:
    server.on("GET", "/health", HEALTH)
    client = kind.client(server.url)
    kind.run(client.health())
    kind.run(client.close())
    assert client._connection.http.is_closed


def test_context_manager(kind, server, key) -> None:
    server.on("GET", "/health", HEALTH)

    def use() -> Any:
        with arcrun.Arcrun(key, base_url=server.url) as client:
            return client, client.health()

    async def use_async() -> Any:
        async with arcrun.AsyncArcrun(key, base_url=server.url) as client:
            return client, await client.health()

    client, health = kind.run(use() if kind.name == "sync" else use_async())
    assert health == HEALTH
    assert client._connection.http.is_closed


ERRORS = {
    "ours": (
        {"error": "no such thing", "code": "workflow_not_found"},
        ("no such thing", "workflow_not_found"),
    ),
    "bare": ({"error": "沒有這個"}, ("沒有這個", None)),
    "success false": ({"success": False, "error": "壞了"}, ("壞了", None)),
    "human": (
        {"ok": False, "error_code": "E42", "human_message": "請重試", "next_actions": ["再試一次"]},
        ("請重試", "E42"),
    ),
    "nested": ({"error": {"message": "deep", "x": 1}}, ("deep", None)),
    "several": ({"valid": False, "errors": ["a", "b"]}, ("a; b", None)),
    "text": (b"404 Not Found", ("404 Not Found", None)),
    "a text that just fits": (b"x" * 300, ("x" * 300, None)),
    "a long text": (b"x" * 301, ("x" * 300 + "\N{HORIZONTAL ELLIPSIS}", None)),
    "page": (b"<html>503</html>", ("the engine returned an error without a message", None)),
    "empty": (b"", ("the engine returned an error without a message", None)),
    "no utf-8": (b"\xff\xfe", ("��", None)),
    "a list": ([1, 2], ("the engine returned an error without a message", None)),
}


@pytest.mark.parametrize("shape", list(ERRORS))
def test_every_shape_of_error_is_read(shape, kind, server, canned) -> None:
    body, (message, code) = ERRORS[shape]
    server.on("GET", "/credentials", canned(418, body, {"X-Request-Id": "r-1"}))
    with pytest.raises(APIStatusError) as caught:
        kind.run(kind.client(server.url).creds.list())
    error = caught.value
    assert (error.status, error.message, error.code) == (418, message, code)
    assert error.request_id == "r-1"
    assert "HTTP 418" in str(error)
    assert "request r-1" in str(error)
    assert error.next_actions == (["再試一次"] if shape == "human" else [])


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (409, "ConflictError"),
        (413, "APIStatusError"),
        (429, "RateLimitError"),
        (499, "APIStatusError"),
        (500, "ServerError"),
        (503, "ServerError"),
        (599, "ServerError"),
    ],
)
def test_each_status_has_its_class(status, name, kind, server, canned) -> None:
    server.on("GET", "/credentials", canned(status, {"error": "x"}))
    client = kind.client(server.url, max_retries=0)
    with pytest.raises(APIStatusError) as caught:
        kind.run(client.creds.list())
    assert type(caught.value) is getattr(arcrun, name)


def test_details_and_next_actions_are_shown(kind, server, canned) -> None:
    body = {
        "error": "the graph has 2 faults",
        "code": "invalid_graph",
        "requires": ["a key"],
        "details": [
            {"line": 2, "column": 4, "message": "unknown edge", "suggestion": "完成後"},
            {"path": "nodes[0]", "message": "no id"},
            "not an object",
        ],
        "next_actions": ["fix the flow"],
    }
    server.on("POST", "/webhooks/named", canned(400, body))
    with pytest.raises(arcrun.BadRequestError) as caught:
        kind.run(kind.client(server.url).workflows.push("w", {"nodes": [], "edges": []}))
    error = caught.value
    assert error.requires == ["a key"]
    assert error.details == body["details"][:2]
    assert "line 2: unknown edge (完成後)" in str(error)
    assert "nodes[0]: no id" in str(error)
    assert "→ fix the flow" in str(error)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"<html>", b"\xff{}", b"[" * 100_000])
def test_a_response_that_is_not_a_json_object_is_unexpected(body, kind, server, canned) -> None:
    server.on("GET", "/health", canned(200, body))
    with pytest.raises(UnexpectedResponseError, match="is the base URL an arcrun engine"):
        kind.run(kind.client(server.url).health())
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "call"),
    [
        ("GET", "/health", {"status": "ok"}, lambda c: c.health()),
        ("GET", "/credentials", {"credentials": {}}, lambda c: c.creds.list()),
        ("GET", "/auth-recipes", {"recipes": None}, lambda c: c.auth.list_services()),
        ("POST", "/credentials", {"success": True}, lambda c: c.creds.push("a", "b")),
        ("DELETE", "/credentials/a", {"success": True}, lambda c: c.creds.delete("a")),
        ("GET", "/webhooks/named", {"total": 0}, lambda c: c.workflows.list()),
        ("GET", "/webhooks/named/a/definition", {}, lambda c: c.workflows.get("a")),
        ("DELETE", "/webhooks/named/a", {}, lambda c: c.workflows.delete("a")),
        ("GET", "/workflows/a/executions", {"data": []}, lambda c: c.workflows.executions("a")),
        (
            "POST",
            "/cypher/search",
            {"cypher": {}},
            lambda c: c.workflows.push("a", {"flow": ["x"]}),
        ),
    ],
)
def test_a_response_of_another_shape_is_unexpected(method, path, body, call, kind, server) -> None:
    server.on(method, path, body)
    with pytest.raises(UnexpectedResponseError):
        kind.run(call(kind.client(server.url)))


def test_a_dead_engine_is_a_connection_error(kind, server) -> None:
    server.close()
    client = kind.client(server.url, max_retries=0)
    with pytest.raises(APIConnectionError, match="could not be reached") as caught:
        kind.run(client.health())
    assert isinstance(caught.value.__cause__, httpx.ConnectError)
    assert not isinstance(caught.value, APITimeoutError)


def hang(handler: Any) -> None:
    handler.connection.settimeout(10)
    handler.rfile.read(1)  # until the client goes away


def drip(handler: Any) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    try:
        for _ in range(1000):
            handler.wfile.write(b" ")
            time.sleep(0.02)
    except OSError:
        return


@pytest.mark.parametrize("slow", [hang, drip])
def test_a_slow_engine_is_a_timeout(slow, kind, server, canned) -> None:
    server.on("GET", "/health", canned(act=slow))
    client = kind.client(server.url, max_retries=0)
    started = time.monotonic()
    with pytest.raises(APITimeoutError, match="in time"):
        kind.run(client.health(timeout=0.15))
    assert time.monotonic() - started < 8  # the server takes 10 and 20 s


def test_a_timeout_is_set_for_a_client_a_copy_or_a_call(kind, key) -> None:
    seen: list[dict[str, float]] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(200, json=HEALTH)

    http = kind.http_client(transport=httpx.MockTransport(respond))
    client = kind.client("https://engine.test", http_client=http, timeout=7)
    kind.run(client.health())
    kind.run(client.with_options(timeout=9).health())
    kind.run(client.health(timeout=3))
    kind.run(kind.client("https://engine.test", http_client=http).health())
    assert [(limit["connect"], limit["read"]) for limit in seen] == [
        (5, 7),
        (5, 9),
        (3, 3),
        (5, 60),
    ]


@pytest.mark.parametrize("timeout", [0, -1, "5"])
def test_a_malformed_timeout_of_a_call_is_refused(timeout, kind, server) -> None:
    with pytest.raises(InvalidArgumentError, match="above 0"):
        kind.run(kind.client(server.url).health(timeout=timeout))
    assert server.requests == []


def test_options_of_a_copy_do_not_change_the_client(kind, server) -> None:
    server.on("GET", "/health", HEALTH)
    client = kind.client(server.url)
    other = client.with_options(max_retries=0)
    kind.run(other.close())
    assert kind.run(client.health()) == HEALTH
    assert (client._connection.max_retries, other._connection.max_retries) == (2, 0)


def test_with_raw_response_returns_the_response_and_the_result(kind, server, canned) -> None:
    server.on(
        "GET",
        "/credentials",
        canned(503, headers={"retry-after-ms": "1"}),
        canned(200, {"credentials": [], "total": 0}, {"X-Request-Id": "r-2"}),
    )
    client = kind.client(server.url)
    raw = kind.run(client.with_raw_response(client.creds.list)())
    assert raw.result == []
    assert (raw.status, raw.request_id, raw.attempts) == (200, "r-2", 2)
    assert raw.headers["content-type"] == "application/json"
    assert raw.content == b'{"credentials": [], "total": 0}'


def test_with_raw_response_refuses_a_function_that_makes_no_request(kind, server) -> None:
    client = kind.client(server.url)

    async def nothing_async() -> None:
        return None

    nothing = (lambda: None) if kind.name == "sync" else nothing_async
    with pytest.raises(arcrun.InvalidArgumentError, match="made no request"):
        kind.run(client.with_raw_response(nothing)())


def test_arguments_that_cannot_be_json_are_refused_before_any_request(kind, server) -> None:
    client = kind.client(server.url)
    for value in (object(), float("nan"), {1, 2}, "\ud800"):
        with pytest.raises(InvalidArgumentError, match="cannot be written as JSON"):
            kind.run(client.workflows.run("greet", {"x": value}))
    assert server.requests == []


def test_log_lines_have_method_path_and_status_and_no_secret(kind, server, key, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    server.on("POST", "/credentials", {"success": True, "name": "tok"})
    client = kind.client(server.url, credential_format="plain")
    kind.run(client.creds.push("tok", "s3cret-密"))
    lines = [record.getMessage() for record in caplog.records if record.name == "arcrun"]
    assert lines[0].startswith("POST /credentials: 200 in ")
    assert key not in caplog.text
    assert "s3cret" not in caplog.text


def test_clients_show_no_key_and_are_not_pickled(kind, server, key) -> None:
    client = kind.client(server.url)
    seen = f"{client!r} {vars(client)} {client._connection!r} {client._connection.settings!r}"
    assert repr(client) == f"<{type(client).__name__} of {server.url}>"
    assert key not in seen
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            copied(client)
        with pytest.raises(TypeError, match="cannot be pickled"):
            copied(client._connection)


@pytest.mark.parametrize("ends", ["response", "error"])
def test_a_sent_request_no_longer_holds_the_key(ends, kind, key, seen_by_tools, reachable) -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        assert request.headers["x-arcrun-api-key"] == key
        if ends == "error":
            raise httpx.ReadError("broken", request=request)
        return httpx.Response(200, json={"credentials": []})

    http = kind.http_client(transport=httpx.MockTransport(respond))
    client = kind.client("https://engine.test", http_client=http, max_retries=0)
    if ends == "response":
        kind.run(client.creds.list())
    else:
        with pytest.raises(APIConnectionError) as caught:
            kind.run(client.creds.list())
        assert key not in seen_by_tools(caught.value)
        assert key not in reachable(caught.value)
    assert "x-arcrun-api-key" not in seen[0].headers


def test_a_cause_does_not_hold_a_plain_credential(kind, reachable) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        assert b"s3cret" in request.content
        raise httpx.ReadError("broken", request=request)

    http = kind.http_client(transport=httpx.MockTransport(fail))
    options = {"http_client": http, "max_retries": 0, "credential_format": "plain"}
    client = kind.client("https://engine.test", **options)
    with pytest.raises(APIConnectionError) as caught:
        kind.run(client.creds.push("tok", "s3cret"))
    assert isinstance(caught.value.__cause__, httpx.ReadError)
    assert str(caught.value.__cause__.request.url) == "https://engine.test/credentials"
    assert "s3cret" not in reachable(caught.value)


def test_an_error_that_repeats_the_key_is_blanked_out(kind, server, canned, key) -> None:
    server.on("GET", "/credentials", canned(401, {"error": f"{key} is unknown", "code": "unknown"}))
    with pytest.raises(arcrun.AuthenticationError) as caught:
        kind.run(kind.client(server.url).creds.list())
    assert caught.value.message == "*** is unknown"
    assert key not in f"{caught.value} {vars(caught.value)}"


def test_a_request_id_that_repeats_the_key_is_blanked_out(kind, server, canned, key) -> None:
    server.on("GET", "/credentials", canned(400, {}, {"X-Request-Id": f"of {key}"}))
    with pytest.raises(arcrun.BadRequestError) as caught:
        kind.run(kind.client(server.url).creds.list())
    assert caught.value.request_id == "of ***"
    assert key not in f"{caught.value} {vars(caught.value)}"


def test_errors_survive_pickling() -> None:
    error = arcrun.NotFoundError("gone (HTTP 404)", status=404, code="x", message="gone", body="{}")
    error.stored = ("a",)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is arcrun.NotFoundError
    assert (str(again), vars(again)) == (str(error), vars(error))
