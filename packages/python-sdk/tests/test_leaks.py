"""A bound client's secrets reach the service, and nothing else."""

from __future__ import annotations

import copy
import logging
import pickle
import socket
import traceback
from typing import Any

import httpx
import pytest

SECRET = "s3cret/密 key+value:1"  # written otherwise in a URL, in JSON and in a form
HEADER_SECRET = "s3cret-for-a-header:1"
MARKS = ("s3cret", b"s3cret".hex())

PLACES: dict[str, Any] = {
    "header": ({"header": {"Authorization": "Bearer {{secret.tok}}"}}, HEADER_SECRET, "/v1/pages"),
    "basic": (
        {"header": {"Authorization": "Basic api:{{secret.tok}}"}},
        HEADER_SECRET,
        "/v1/pages",
    ),
    "query": ({"query": {"key": "{{secret.tok}}"}}, SECRET, "/v1/pages"),
    "path": ({"path": {"bot_token": "{{secret.tok}}"}}, SECRET, "/bot{bot_token}/getMe"),
    "body": ({"body": {"token": "{{secret.tok}}"}}, SECRET, "/v1/pages"),
}


@pytest.fixture(params=list(PLACES))
def place(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def bound(place, kind, server, other_server, offer) -> Any:
    """A client bound to `other_server`; the engine is `server`."""
    inject, secret, _ = PLACES[place]
    offer("stand_in", other_server.url, ["tok"], inject=inject)
    client = kind.client(server.url)
    kind.run(client.auth.setup("stand_in", tok=secret))
    return kind.bind(client, "stand_in", trust_origin=other_server.url)


def send(kind, bound, place, **options) -> httpx.Response:
    """POST a JSON body to the place's path."""
    return kind.run(bound.post(PLACES[place][2], json={"text": "你好"}, **options))


def on_wire(place: str, request: Any) -> str:
    """The secret as the request carried it, decoded by the standard library alone."""
    import base64
    import json
    from urllib.parse import parse_qs, unquote, urlsplit

    parts = urlsplit(request.target)
    if place == "header":
        return request.headers["authorization"].removeprefix("Bearer ")
    if place == "basic":
        words = request.headers["authorization"].removeprefix("Basic ")
        return base64.b64decode(words).decode().removeprefix("api:")
    if place == "query":
        return parse_qs(parts.query)["key"][0]
    if place == "path":
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


def test_secret_reaches_the_service(bound, place, kind, other_server) -> None:
    other_server.on("POST", "*", {"ok": True})
    response = send(kind, bound, place)
    assert response.json() == {"ok": True}
    (request,) = other_server.requests
    assert on_wire(place, request) == PLACES[place][1]
    if place != "body":
        assert request.json == {"text": "你好"}


def test_client_is_a_genuine_httpx_client(bound, kind) -> None:
    assert type(bound) is (httpx.Client if kind.name == "sync" else httpx.AsyncClient)


def test_nothing_seen_of_a_response_holds_it(bound, place, kind, other_server, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    other_server.on("POST", "*", {"ok": True})
    response = send(kind, bound, place)
    assert_clean(*everything(response), caplog.text)
    assert "HTTP Request: POST" in caplog.text


def test_no_error_of_a_status_holds_it(bound, place, kind, other_server, reply) -> None:
    other_server.on("POST", "*", reply(403, {"error": "no"}))
    with pytest.raises(httpx.HTTPStatusError) as caught:
        send(kind, bound, place).raise_for_status()
    assert_clean(*exception_texts(caught.value), *everything(caught.value.response))


def test_event_hooks_do_not_see_it(bound, place, kind, other_server) -> None:
    seen: list[object] = []

    def see(item: Any) -> None:
        seen.extend([item, item.url, dict(item.headers)])

    async def see_async(item: Any) -> None:
        see(item)

    hook = see if kind.name == "sync" else see_async
    bound.event_hooks = {"request": [hook], "response": [hook]}
    other_server.on("POST", "*", {})
    send(kind, bound, place)
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
def test_no_transport_error_holds_it(
    bound, place, kind, other_server, reply, fault, reachable
) -> None:
    other_server.on("POST", "*", reply(act=fault))
    with pytest.raises(httpx.TransportError) as caught:
        send(kind, bound, place)
    assert_clean(*exception_texts(caught.value), reachable(caught.value))
    requests = [x for x in frame_objects(caught.value) if isinstance(x, httpx.Request)]
    assert requests
    for request in requests:
        assert_clean(request.url, dict(request.headers), request.read())
    assert caught.value.request.url.path == httpx.URL(PLACES[place][2]).path


def test_no_connect_error_holds_it(bound, place, kind, other_server) -> None:
    other_server.close()
    with pytest.raises(httpx.ConnectError) as caught:
        send(kind, bound, place)
    assert_clean(*exception_texts(caught.value))


def test_it_is_not_taken_along_a_redirect(bound, place, kind, server, other_server, reply) -> None:
    elsewhere = f"{server.url}/caught"
    other_server.on("POST", "*", reply(307, headers={"Location": elsewhere}))
    server.on("POST", "/caught", {"ok": True})
    response = send(kind, bound, place, follow_redirects=True)
    assert str(response.url) == elsewhere
    (request,) = server.to("/caught")
    assert_clean(request.target, request.headers, request.body, *everything(response))
    assert_clean(*everything(response.history[0]))


def test_it_goes_along_a_redirect_within_the_service(
    bound, place, kind, other_server, reply
) -> None:
    path = PLACES[place][2]
    other_server.on("POST", "*", reply(307, headers={"Location": path}), {"ok": True})
    response = send(kind, bound, place, follow_redirects=True)
    assert [on_wire(place, request) for request in other_server.requests] == [PLACES[place][1]] * 2
    assert_clean(*everything(response), *everything(response.history[0]))


def test_a_redirect_that_repeats_it_is_cleaned(bound, place, kind, server, other_server) -> None:
    def echo(handler: Any) -> None:
        target = handler.path if place in {"path", "query"} else f"/x?t={PLACES[place][1]}"
        location = f"{server.url}{target}".encode().decode("latin-1")
        handler.send_response(307)
        handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    other_server.replies["POST", "*"] = [type("R", (), {"act": staticmethod(echo)})()]
    server.on("POST", "*", {"ok": True})
    del server.requests[:]
    response = send(kind, bound, place, follow_redirects=True)
    (request,) = server.requests
    assert_clean(request.target, request.headers, *everything(response))
    assert_clean(*everything(response.history[0]), response.history[0].next_request)


@pytest.mark.parametrize("place", ["path", "query"], indirect=True)
def test_a_redirect_within_the_service_that_repeats_it_is_followed(
    bound, place, kind, other_server
) -> None:
    def echo(handler: Any) -> None:
        handler.send_response(307)
        handler.send_header("Location", f"{handler.path}{'&' if place == 'query' else '?'}again=1")
        handler.send_header("Content-Length", "0")
        handler.send_header("Connection", "close")  # as the server does after an `act`
        handler.end_headers()

    first = type("R", (), {"act": staticmethod(echo)})()
    other_server.on("POST", "*", {"ok": True})
    other_server.replies["POST", "*"].insert(0, first)
    response = send(kind, bound, place, follow_redirects=True)
    assert [on_wire(place, request) for request in other_server.requests] == [PLACES[place][1]] * 2
    assert "again=1" in other_server.requests[1].target
    assert_clean(*everything(response), *everything(response.history[0]))


def test_an_absolute_foreign_url_gets_nothing(bound, place, kind, server, other_server) -> None:
    server.on("POST", "*", {"ok": True})
    del server.requests[:]
    path = PLACES[place][2]
    kind.run(bound.post(f"{server.url}{path}", json={"text": "你好"}))
    (request,) = server.requests
    assert_clean(request.target, request.headers, request.body)
    assert not other_server.requests


def test_an_absolute_url_of_the_service_gets_it(bound, place, kind, other_server) -> None:
    other_server.on("POST", "*", {"ok": True})
    kind.run(bound.post(f"{other_server.url}{PLACES[place][2]}", json={}))
    assert on_wire(place, other_server.requests[0]) == PLACES[place][1]


def test_another_scheme_on_the_same_host_gets_nothing(bound, place, kind, other_server) -> None:
    secure = other_server.url.replace("http:", "https:")
    with pytest.raises(httpx.TransportError) as caught:  # what listens there speaks no TLS
        kind.run(bound.post(f"{secure}{PLACES[place][2]}", json={}))
    assert_clean(*exception_texts(caught.value))


def test_no_look_at_the_client_shows_it(bound, place, kind, other_server) -> None:
    other_server.on("POST", "*", {})
    send(kind, bound, place)
    assert_clean(repr(bound), vars(bound), bound.headers, dict(bound.headers), bound.params)
    assert_clean(
        bound.base_url, bound.cookies, *(vars(x) for x in vars(bound).values() if is_ours(x))
    )


def is_ours(item: object) -> bool:
    return type(item).__module__.startswith("arcrun") and hasattr(item, "__dict__")


def test_client_is_not_pickled_or_copied(bound) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(bound)
    with pytest.raises(TypeError, match="bind again"):
        pickle.dumps(bound._transport)
    with pytest.raises(TypeError, match="bind again"):
        copy.deepcopy(bound._transport)


def test_a_trace_callback_does_not_see_it(bound, place, kind, other_server) -> None:
    seen: list[object] = []

    def see(event: str, info: dict[str, Any]) -> None:
        seen.append((event, info))

    async def see_async(event: str, info: dict[str, Any]) -> None:
        see(event, info)

    other_server.on("POST", "*", {})
    trace = see if kind.name == "sync" else see_async
    send(kind, bound, place, extensions={"trace": trace})
    assert len(other_server.requests) == 1
    assert seen == []


def test_a_streamed_body_that_breaks_off_does_not_show_it(
    bound, place, kind, other_server, reply, reachable
) -> None:
    other_server.on("POST", "*", reply(act=cut_body))

    def read() -> None:
        with bound.stream("POST", PLACES[place][2], json={}) as response:
            response.read()

    async def read_async() -> None:
        async with bound.stream("POST", PLACES[place][2], json={}) as response:
            await response.aread()

    with pytest.raises(httpx.RemoteProtocolError) as caught:
        kind.run(read() if kind.name == "sync" else read_async())
    assert_clean(*exception_texts(caught.value), reachable(caught.value))
