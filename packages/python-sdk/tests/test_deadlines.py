"""The time-out of a call is that of the whole, in whatever pieces the response comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import httpcore
import pytest

import arcrun
from arcrun import APITimeoutError
from arcrun._core import deadlines
from arcrun._core.deadlines import Allowance, Deadline, deadline_of, for_call
from arcrun._http import attempt, limits
from arcrun._sync.network import TimedBackend, TimedStream

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ENDLESS = 30  # seconds in which a server that never ends would end


def forever(handler: Any, part: bytes, pause: float) -> None:
    """Send a part again and again, until the client has gone."""
    end = time.monotonic() + ENDLESS
    try:
        while time.monotonic() < end:
            handler.wfile.write(part)
            time.sleep(pause)
    except OSError:
        return


def slow_head(handler: Any) -> None:
    handler.wfile.write(HEAD + b"X-Slow: ")
    forever(handler, b"x", 0.02)


def slow_headers(handler: Any) -> None:
    handler.wfile.write(HEAD)
    forever(handler, b"X-Slow: x\r\n", 0.02)


def interim_responses(handler: Any) -> None:
    forever(handler, b"HTTP/1.1 102 Processing\r\n\r\n", 0.02)


def many_interim_responses(handler: Any) -> None:
    forever(handler, b"HTTP/1.1 103 Early Hints\r\n\r\n" * 500, 0)


def slow_body(handler: Any) -> None:
    handler.wfile.write(HEAD + b"Content-Length: 100000\r\n\r\n")
    forever(handler, b" ", 0.02)


def slow_chunks(handler: Any) -> None:
    handler.wfile.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    forever(handler, b"1\r\n \r\n", 0.02)


SLOW = [
    slow_head,
    slow_headers,
    interim_responses,
    many_interim_responses,
    slow_body,
    slow_chunks,
]


def seconds_of(call: Callable[[], Any], expected: type[Exception]) -> float:
    """Return how long a call took to fail."""
    started = time.monotonic()
    with pytest.raises(expected):
        call()
    return time.monotonic() - started


@pytest.mark.parametrize("slow", SLOW)
def test_a_call_ends_in_time(slow, kind, server, canned) -> None:
    server.on("GET", "/health", canned(act=slow))
    client = kind.client(server.url, max_retries=0)
    took = seconds_of(lambda: kind.run(client.health(timeout=0.3)), APITimeoutError)
    assert 0.25 < took < 3


def test_a_call_in_another_thread_ends_in_time(server, canned, key) -> None:
    server.on("GET", "/health", canned(act=slow_head))
    took: list[float] = []

    def ask() -> None:
        with arcrun.Arcrun(key, base_url=server.url, max_retries=0) as client:
            took.append(seconds_of(lambda: client.health(timeout=0.3), APITimeoutError))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(ENDLESS)
    assert took[0] < 3


def test_a_body_that_nobody_reads_ends_in_time(kind, server, canned, monkeypatch) -> None:
    """The engine takes the request byte by byte."""
    connection = NeverReads()
    monkeypatch.setattr(deadlines, "_LATE", 0.01)
    stream = TimedStream(connection)
    allowance = Allowance.of(0.2, Deadline(0.2))
    took = seconds_of(
        lambda: stream.write(b"x" * 1_000_000, allowance),
        httpcore.WriteTimeout,
    )
    assert 0.15 < took < 2
    assert 0 < connection.written < 1_000_000


class NeverReads(httpcore.NetworkStream):
    """A connection that is slow, but never too slow for the time-out of one write."""

    written = 0

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        assert timeout is not None
        assert timeout <= 0.2
        time.sleep(0.02)
        self.written += len(buffer)


def test_a_bound_client_waits_for_the_head_as_long_as_it_was_told(
    kind, server, other_server, canned, serve_recipe
) -> None:
    other_server.on("GET", "/x", canned(act=slow_head))
    inject = {"header": {"Authorization": "Bearer {{secret.tok}}"}}
    serve_recipe("own", other_server.url, ["tok"], inject=inject)
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", tok="s3cret"))
    bound = kind.bind(client, "own", trust_origin=other_server.url)
    for url in ("/x", other_server.url.replace("127.0.0.1", "localhost") + "/x"):
        took = seconds_of(lambda url=url: kind.run(bound.get(url, timeout=0.3)), Exception)
        assert 0.25 < took < 3, url


def test_a_stream_of_a_bound_client_may_take_longer(
    kind, server, other_server, canned, serve_recipe
) -> None:
    def stream(handler: Any) -> None:
        handler.wfile.write(HEAD + b"Content-Length: 10\r\n\r\n")
        for _ in range(10):
            time.sleep(0.05)
            handler.wfile.write(b"x")

    other_server.on("GET", "/x", canned(act=stream))
    inject = {"header": {"Authorization": "Bearer {{secret.tok}}"}}
    serve_recipe("own", other_server.url, ["tok"], inject=inject)
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", tok="s3cret"))
    bound = kind.bind(client, "own", trust_origin=other_server.url)
    assert kind.run(bound.get("/x", timeout=0.3)).text == "x" * 10


@pytest.mark.parametrize("slow", [slow_head, slow_body])
def test_a_token_endpoint_has_as_long_as_a_call(
    slow, kind, server, other_server, canned, serve_recipe
) -> None:
    other_server.on("POST", "/token", canned(act=slow))
    serve_recipe(
        "own",
        other_server.url,
        ["refresh_token"],
        primitive="oauth2",
        oauth2={"token_endpoint": f"{other_server.url}/token", "client_id": "c"},
        inject={"header": {"Authorization": "Bearer {{runtime.access_token}}"}},
    )
    client = kind.client(server.url, timeout=0.3, max_retries=0)
    kind.run(client.auth.setup("own", refresh_token="s3cret"))

    def get_token() -> Any:
        return kind.run(client.auth.get_token("own", trust_origin=other_server.url))

    assert seconds_of(get_token, arcrun.TokenExchangeError) < 3


class Clock:
    """A clock that stands still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(deadlines.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    return Clock(monkeypatch)


def test_what_one_wait_leaves_is_what_the_next_has(clock) -> None:
    found = for_call({"connect": 5, "read": 60, "write": 60, "pool": 60}, 60)
    connect, read, write = (found[name] for name in ("connect", "read", "write"))
    assert isinstance(connect, Allowance)
    assert isinstance(read, Allowance)
    assert isinstance(write, Allowance)
    clock.now += 1000  # waiting for one of the pool's connections does not count
    assert connect.left() == 5
    clock.now += 20
    assert write.left() == 40
    clock.now += 38
    assert read.left() == 2
    assert connect.left() == 2
    assert found["pool"] == 60


def test_time_outs_of_the_users_own_stay_apart(clock) -> None:
    found = for_call({"connect": 5, "read": 60, "write": 30, "pool": None}, None)
    read, write = found["read"], found["write"]
    assert isinstance(read, Allowance)
    assert isinstance(write, Allowance)
    assert write.left() == 30
    clock.now += 29
    assert (write.left(), read.left()) == (1, 60)
    assert type(found["connect"]) is int


def test_no_time_out_is_none() -> None:
    found = for_call({"connect": None, "read": None, "write": None, "pool": None}, None)
    assert set(found.values()) == {None}
    assert deadline_of(found) is None
    assert deadline_of({}) is None


def test_what_has_arrived_at_the_end_is_read_once(clock) -> None:
    deadline = Deadline(10)
    assert not deadline.is_over
    assert deadline.left() == 10
    clock.now += 10.5
    assert deadline.is_over
    assert [deadline.left() for _ in range(3)] == [0.05, 0, 0]


def test_a_deadline_that_was_lifted_leaves_each_wait_its_own_time(clock) -> None:
    read = for_call({"read": 10}, None)["read"]
    assert isinstance(read, Allowance)
    assert read.left() == 10
    clock.now += 9
    read.deadline.lift()
    clock.now += 900
    assert read.left() == 10


def test_seconds_count_for_the_whole_and_httpx_timeouts_as_they_are() -> None:
    of_seconds = attempt(limits(7))["timeout"]
    assert of_seconds["read"].deadline is of_seconds["connect"].deadline
    of_httpx = attempt(limits(arcrun._http.httpx.Timeout(7)))["timeout"]
    assert of_httpx["read"].deadline is not of_httpx["write"].deadline


class Addresses(httpcore.NetworkBackend):
    """Connects to none of the addresses but the last."""

    def __init__(self, last: str) -> None:
        self.last = last
        self.tried: list[tuple[str, float | None]] = []

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        self.tried.append((host, timeout))
        if host != self.last:
            raise httpcore.ConnectTimeout("silent")
        return NeverReads()


def test_each_address_of_a_host_has_its_share_of_the_time(clock, monkeypatch) -> None:
    found = [(0, 0, 0, "", (f"192.0.2.{n}", 80)) for n in (1, 2, 3)]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    allowance = Allowance.of(6, Deadline(60))
    backend = Addresses("192.0.2.3")
    assert isinstance(TimedBackend(backend).connect_tcp("h.test", 80, allowance), TimedStream)
    assert backend.tried == [("192.0.2.1", 2), ("192.0.2.2", 3), ("192.0.2.3", 6)]
    with pytest.raises(httpcore.ConnectTimeout):
        TimedBackend(Addresses("no other")).connect_tcp("h.test", 80, allowance)
