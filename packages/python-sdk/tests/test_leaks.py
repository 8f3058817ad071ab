"""A bound client's secrets reach the service, and are seen nowhere else."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
import socket
import traceback
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from arcrun import UnexpectedResponseError

SECRET = "s3cret/密 key+value:1"  # encoded differently in a URL, in JSON and in a form
HEADER_SECRET = "s3cret-for-a-header:1"
MARKS = ("s3cret", b"s3cret".hex())


class Case(NamedTuple):
    """A section of a recipe's `inject`, the secret that it carries, and the path to request."""

    inject: dict[str, dict[str, str]]
    secret: str
    path: str


SECTIONS = {
    "header": Case(
        {"header": {"Authorization": "Bearer {{secret.tok}}"}}, HEADER_SECRET, "/v1/pages"
    ),
    "basic": Case(
        {"header": {"Authorization": "Basic api:{{secret.tok}}"}}, HEADER_SECRET, "/v1/pages"
    ),
    "query": Case({"query": {"key": "{{secret.tok}}"}}, SECRET, "/v1/pages"),
    "path": Case({"path": {"bot_token": "{{secret.tok}}"}}, SECRET, "/bot{bot_token}/getMe"),
    "body": Case({"body": {"token": "{{secret.tok}}"}}, SECRET, "/v1/pages"),
}


@pytest.fixture(params=list(SECTIONS))
def section(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def bound(section, kind, server, other_server, serve_recipe) -> Any:
    """A client bound to `other_server`; the engine is `server`."""
    inject, secret, _ = SECTIONS[section]
    serve_recipe("stand_in", other_server.url, ["tok"], inject=inject)
    client = kind.client(server.url)
    kind.run(client.auth.setup("stand_in", tok=secret))
    return kind.bind(client, "stand_in", trust_origin=other_server.url)


def send(kind, bound, section, **options) -> httpx.Response:
    """POST a JSON body to the path of the case."""
    return kind.run(bound.post(SECTIONS[section].path, json={"text": "你好"}, **options))


def on_wire(section: str, request: Any) -> str:
    """The secret as the request carried it, decoded by the standard library alone."""
    import base64
    import json
    from urllib.parse import parse_qs, unquote, urlsplit

    parts = urlsplit(request.target)
    if section == "header":
        return request.headers["authorization"].removeprefix("Bearer ")
    if section == "basic":
        encoded = request.headers["authorization"].removeprefix("Basic ")
        return base64.b64decode(encoded).decode().removeprefix("api:")
    if section == "query":
        return parse_qs(parts.query)["key"][0]
    if section == "path":
        return unquote(parts.path.removeprefix("/bot").removesuffix("/getMe"))
    return json.loads(request.body)["token"]


def assert_clean(*texts: object) -> None:
    for text in texts:
        for mark in MARKS:
            assert mark not in str(text)


def everything(response: httpx.Response) -> list[object]:
    """What a user, a log or a tool can see of a response and its request."""
    request = response.request
    return [
        repr(response),
        response.url,
        response.headers,
        dict(response.headers),
        repr(request),
        request.url,
        dict(request.headers),
        request.read(),
        request.extensions,
        pickle.dumps(response),
        pickle.dumps(request),
    ]


def test_the_secret_reaches_the_service(bound, section, kind, other_server) -> None:
    other_server.on("POST", "*", {"ok": True})
    response = send(kind, bound, section)
    assert response.json() == {"ok": True}
    (request,) = other_server.requests
    assert on_wire(section, request) == SECTIONS[section].secret
    if section != "body":
        assert request.json == {"text": "你好"}


def test_a_bound_client_is_a_genuine_httpx_client(bound, kind) -> None:
    assert type(bound) is (httpx.Client if kind.name == "sync" else httpx.AsyncClient)


def test_a_response_does_not_hold_the_secret(bound, section, kind, other_server, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    other_server.on("POST", "*", {"ok": True})
    response = send(kind, bound, section)
    assert_clean(*everything(response), caplog.text)
    assert "HTTP Request: POST" in caplog.text


def test_a_status_error_does_not_hold_the_secret(
    bound, section, kind, other_server, canned
) -> None:
    other_server.on("POST", "*", canned(403, {"error": "no"}))
    with pytest.raises(httpx.HTTPStatusError) as caught:
        send(kind, bound, section).raise_for_status()
    assert_clean(*exception_texts(caught.value), *everything(caught.value.response))


def test_event_hooks_do_not_see_the_secret(bound, section, kind, other_server) -> None:
    seen: list[object] = []

    def see(item: Any) -> None:
        seen.extend([item, item.url, dict(item.headers)])

    async def see_async(item: Any) -> None:
        see(item)

    hook = see if kind.name == "sync" else see_async
    bound.event_hooks = {"request": [hook], "response": [hook]}
    other_server.on("POST", "*", {})
    send(kind, bound, section)
    assert len(seen) == 6
    assert_clean(*seen)


def exception_texts(error: BaseException) -> list[object]:
    """All that tools print of an exception: its chain, frames, locals and request."""
    texts: list[object] = []
    chain: list[BaseException] = [error]
    for link in chain:
        chain += [x for x in (link.__cause__, link.__context__) if x and x not in chain]
        texts += [repr(link), str(link), vars(link)]
        texts += traceback.TracebackException.from_exception(link, capture_locals=True).format()
        request = getattr(link, "_request", None)
        if request is not None:
            texts += [request.url, dict(request.headers), request.read()]
    return texts


def frame_objects(error: BaseException) -> list[object]:
    """The objects that the locals of an exception's frames hold, two steps deep."""
    found: list[object] = []
    chain: list[BaseException] = [error]
    for link in chain:
        chain += [x for x in (link.__cause__, link.__context__) if x and x not in chain]
        step = link.__traceback__
        while step is not None:
            found += step.tb_frame.f_locals.values()
            step = step.tb_next
    return found


def break_connection(handler: Any) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    handler.connection.close()


def cut_body(handler: Any) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


@pytest.mark.parametrize("fault", [break_connection, cut_body])
def test_a_transport_error_does_not_hold_the_secret(
    bound, section, kind, other_server, canned, fault, reachable
) -> None:
    other_server.on("POST", "*", canned(act=fault))
    with pytest.raises(httpx.TransportError) as caught:
        send(kind, bound, section)
    assert_clean(*exception_texts(caught.value), reachable(caught.value))
    requests = [x for x in frame_objects(caught.value) if isinstance(x, httpx.Request)]
    assert requests
    for request in requests:
        assert_clean(request.url, dict(request.headers), request.read())
    assert caught.value.request.url.path == httpx.URL(SECTIONS[section].path).path


def test_a_connect_error_does_not_hold_the_secret(bound, section, kind, other_server) -> None:
    other_server.close()
    with pytest.raises(httpx.ConnectError) as caught:
        send(kind, bound, section)
    assert_clean(*exception_texts(caught.value))


def test_the_secret_does_not_follow_a_redirect_to_another_origin(
    bound, section, kind, server, other_server, canned
) -> None:
    elsewhere = f"{server.url}/caught"
    other_server.on("POST", "*", canned(307, headers={"Location": elsewhere}))
    server.on("POST", "/caught", {"ok": True})
    response = send(kind, bound, section, follow_redirects=True)
    assert str(response.url) == elsewhere
    (request,) = server.to("/caught")
    assert_clean(request.target, request.headers, request.body, *everything(response))
    assert_clean(*everything(response.history[0]))


def test_the_secret_follows_a_redirect_within_the_service(
    bound, section, kind, other_server, canned
) -> None:
    path = SECTIONS[section].path
    other_server.on("POST", "*", canned(307, headers={"Location": path}), {"ok": True})
    response = send(kind, bound, section, follow_redirects=True)
    assert [on_wire(section, request) for request in other_server.requests] == [
        SECTIONS[section].secret
    ] * 2
    assert_clean(*everything(response), *everything(response.history[0]))


@pytest.mark.parametrize("is_file", [True, False], ids=["a file", "parts"])
@pytest.mark.parametrize("is_own", [True, False], ids=["within the service", "elsewhere"])
def test_a_streamed_body_that_a_redirect_asks_for_again_is_a_typed_error(
    is_own, is_file, kind, server, other_server, serve_recipe, canned, seen_by_tools, tmp_path
) -> None:
    serve_recipe("own", other_server.url, ["tok"], inject={"query": {"key": "{{secret.tok}}"}})
    target = f"{other_server.url if is_own else server.url}/moved"
    other_server.on("POST", "/x", canned(307, headers={"Location": target}))
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", tok="tok-0a1b2c3d"))
    bound = kind.bind(client, "own", trust_origin=other_server.url)

    def parts() -> Iterator[bytes]:
        yield b"streamed"

    async def async_parts() -> AsyncIterator[bytes]:
        yield b"streamed"

    if is_file and kind.name == "async":
        pytest.skip("httpx sends no file asynchronously")
    (tmp_path / "body").write_bytes(b"streamed")
    with (tmp_path / "body").open("rb") as file:
        body = file if is_file else parts() if kind.name == "sync" else async_parts()
        with pytest.raises(
            UnexpectedResponseError, match=r"POST .*/moved: the body is at its end"
        ) as caught:
            kind.run(bound.post("/x", content=body, follow_redirects=True))
    assert "pass the body as bytes" in str(caught.value)
    assert "tok-0a1b2c3d" not in seen_by_tools(caught.value)


def test_a_secret_is_removed_from_the_location_of_a_redirect(
    bound, section, kind, server, other_server
) -> None:
    def echo(handler: Any) -> None:
        target = (
            handler.path if section in {"path", "query"} else f"/x?t={SECTIONS[section].secret}"
        )
        location = f"{server.url}{target}".encode().decode("latin-1")
        handler.send_response(307)
        handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    other_server.responses["POST", "*"] = [type("R", (), {"act": staticmethod(echo)})()]
    server.on("POST", "*", {"ok": True})
    del server.requests[:]
    response = send(kind, bound, section, follow_redirects=True)
    (request,) = server.requests
    assert_clean(request.target, request.headers, *everything(response))
    assert_clean(*everything(response.history[0]), response.history[0].next_request)


@pytest.mark.parametrize("section", ["path", "query"], indirect=True)
def test_a_redirect_within_the_service_that_repeats_the_secret_is_followed(
    bound, section, kind, other_server
) -> None:
    def echo(handler: Any) -> None:
        handler.send_response(307)
        handler.send_header(
            "Location", f"{handler.path}{'&' if section == 'query' else '?'}again=1"
        )
        handler.send_header("Content-Length", "0")
        handler.send_header("Connection", "close")  # as the server does after an `act`
        handler.end_headers()

    first = type("R", (), {"act": staticmethod(echo)})()
    other_server.on("POST", "*", {"ok": True})
    other_server.responses["POST", "*"].insert(0, first)
    response = send(kind, bound, section, follow_redirects=True)
    assert [on_wire(section, request) for request in other_server.requests] == [
        SECTIONS[section].secret
    ] * 2
    assert "again=1" in other_server.requests[1].target
    assert_clean(*everything(response), *everything(response.history[0]))


def test_an_absolute_url_of_another_origin_gets_no_secret(
    bound, section, kind, server, other_server
) -> None:
    server.on("POST", "*", {"ok": True})
    del server.requests[:]
    path = SECTIONS[section].path
    kind.run(bound.post(f"{server.url}{path}", json={"text": "你好"}))
    (request,) = server.requests
    assert_clean(request.target, request.headers, request.body)
    assert not other_server.requests


def test_an_absolute_url_of_the_service_gets_the_secret(bound, section, kind, other_server) -> None:
    other_server.on("POST", "*", {"ok": True})
    kind.run(bound.post(f"{other_server.url}{SECTIONS[section].path}", json={}))
    assert on_wire(section, other_server.requests[0]) == SECTIONS[section].secret


def test_another_scheme_on_the_same_host_gets_no_secret(bound, section, kind, other_server) -> None:
    secure = other_server.url.replace("http:", "https:")
    with pytest.raises(httpx.TransportError) as caught:  # what listens there speaks no TLS
        kind.run(bound.post(f"{secure}{SECTIONS[section].path}", json={}))
    assert_clean(*exception_texts(caught.value))


def test_inspecting_the_client_shows_no_secret(bound, section, kind, other_server) -> None:
    other_server.on("POST", "*", {})
    send(kind, bound, section)
    assert_clean(repr(bound), vars(bound), bound.headers, dict(bound.headers), bound.params)
    assert_clean(
        bound.base_url, bound.cookies, *(vars(x) for x in vars(bound).values() if is_ours(x))
    )


def is_ours(item: object) -> bool:
    return type(item).__module__.startswith("arcrun") and hasattr(item, "__dict__")


def test_a_bound_client_is_not_pickled_or_copied(bound) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(bound)
    with pytest.raises(TypeError, match="bind again"):
        pickle.dumps(bound._transport)
    with pytest.raises(TypeError, match="bind again"):
        copy.deepcopy(bound._transport)


def test_a_trace_callback_does_not_see_the_secret(bound, section, kind, other_server) -> None:
    seen: list[object] = []

    def see(event: str, info: dict[str, Any]) -> None:
        seen.append((event, info))

    async def see_async(event: str, info: dict[str, Any]) -> None:
        see(event, info)

    other_server.on("POST", "*", {})
    trace = see if kind.name == "sync" else see_async
    send(kind, bound, section, extensions={"trace": trace})
    assert len(other_server.requests) == 1
    assert seen == []


def test_a_truncated_streamed_body_does_not_show_the_secret(
    bound, section, kind, other_server, canned, reachable
) -> None:
    other_server.on("POST", "*", canned(act=cut_body))

    def read() -> None:
        with bound.stream("POST", SECTIONS[section].path, json={}) as response:
            response.read()

    async def read_async() -> None:
        async with bound.stream("POST", SECTIONS[section].path, json={}) as response:
            await response.aread()

    with pytest.raises(httpx.RemoteProtocolError) as caught:
        kind.run(read() if kind.name == "sync" else read_async())
    assert_clean(*exception_texts(caught.value), reachable(caught.value))


# --- cancelled and interrupted requests ---------------------------------------------------------


class Interrupted(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that is interrupted while it sends."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        target = str(request.url)  # noqa: F841 - what a frame of the connection holds
        raise self.error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), asyncio.CancelledError(), SystemExit(1)])
def test_an_interrupted_request_does_not_keep_the_secret_in_its_frames(
    error, section, kind, server, other_server, serve_recipe, reachable
) -> None:
    inject, secret, path = SECTIONS[section]
    serve_recipe("stand_in", other_server.url, ["tok"], inject=inject)
    client = kind.client(server.url)
    kind.run(client.auth.setup("stand_in", tok=secret))
    transport = Interrupted(error)
    options = {"trust_origin": other_server.url, "transport": transport}
    bound = kind.bind(client, "stand_in", **options)
    caught = caught_by(lambda: bound.post(path, json={"text": "x"}))
    assert caught is error
    assert_clean(*exception_texts(caught), reachable(caught))


def caught_by(call: Any) -> BaseException:
    """Run a call to its end, without an event loop: that would take an interruption for its own."""
    try:
        result = call()
        if hasattr(result, "send"):
            result.send(None)
    except BaseException as error:  # noqa: BLE001 - every kind of interruption
        return error
    raise AssertionError("it was not interrupted")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), asyncio.CancelledError()])
def test_an_interrupted_push_does_not_keep_the_value_in_its_frames(
    error, kind, key, reachable
) -> None:
    http = kind.http_client(transport=Interrupted(error))
    client = kind.client("https://engine.test", credential_format="plain", http_client=http)
    caught = caught_by(lambda: client.creds.push("tok", SECRET))
    assert caught is error
    texts = [*exception_texts(caught), reachable(caught)]
    assert_clean(*texts)
    assert key not in "".join(map(str, texts))


class Refusing(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport whose error quotes what it could not send, as h11 does."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.LocalProtocolError(
            f"Illegal value {request.headers.get('authorization')} {request.url}"
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


@pytest.mark.parametrize("section", ["header", "basic", "query", "path"], indirect=True)
def test_an_error_of_the_connection_that_quotes_the_secret_is_blanked(
    section, kind, server, other_server, serve_recipe
) -> None:
    inject, secret, path = SECTIONS[section]
    serve_recipe("stand_in", other_server.url, ["tok"], inject=inject)
    client = kind.client(server.url)
    kind.run(client.auth.setup("stand_in", tok=secret))
    options = {"trust_origin": other_server.url, "transport": Refusing()}
    bound = kind.bind(client, "stand_in", **options)
    with pytest.raises(httpx.LocalProtocolError, match="Illegal value") as caught:
        kind.run(bound.post(path, json={}))
    assert_clean(caught.value, repr(caught.value))
