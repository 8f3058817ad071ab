"""The faults below HTTP, over real sockets: connections that break, stall, or say what is no response."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from mini_engine import KEY, MiniEngine

from arcrun_conformance.runs.values import silent_port
from arcrun_conformance.wire.faults import FaultInjector, Rewrite, fault_of, prepared_response
from arcrun_conformance.wire.journal import Exchange, Journal, Request, Response
from arcrun_conformance.wire.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Bench:
    """A proxy before the mini engine, with one fault at a time."""

    def __init__(self, proxy: Proxy, faults: FaultInjector, journal: Journal) -> None:
        self.proxy, self.faults, self.journal = proxy, faults, journal

    async def get(self, do: Any, **more: Any) -> httpx.Response:
        self.faults.add([fault_of({"do": do, **more})])
        async with httpx.AsyncClient(headers={"x-arcrun-api-key": KEY}, timeout=0.5) as client:
            return await client.get(f"{self.proxy.origin}/health")


@pytest.fixture
async def bench(engine: MiniEngine) -> AsyncIterator[Bench]:
    journal, faults = Journal(), FaultInjector()
    async with Proxy(engine.origin, journal, faults) as proxy:
        yield Bench(proxy, faults, journal)


@pytest.mark.parametrize("do", ["reset", {"reset": "head"}, {"reset": "body"}, "hangup"])
async def test_a_connection_that_breaks_gives_no_response(bench: Bench, do: Any) -> None:
    with pytest.raises(httpx.TransportError):
        await bench.get(do)
    assert len(bench.journal.exchanges) == 1


@pytest.mark.parametrize("do", [{"reset": "after"}, {"close": "silently"}, "close"])
async def test_a_connection_that_ends_afterwards_gives_its_response(bench: Bench, do: Any) -> None:
    response = await bench.get(do)
    assert response.json()["ok"] is True
    assert ("connection" in response.headers) == (do == "close")


@pytest.mark.parametrize("place", ["head", "body"])
async def test_a_stalled_response_never_ends(bench: Bench, place: str) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await bench.get({"stall": place})


async def test_interim_responses_come_first(bench: Bench) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(bench.proxy.origin[17:]))
    bench.faults.add([fault_of({"do": {"informational": [102, 103]}})])
    writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    lines = [(await reader.readline()).split()[1:2] for _ in range(5)]
    writer.close()
    assert lines == [[b"102"], [], [b"103"], [], [b"200"]]


async def test_raw_bytes_are_sent_as_they_are(bench: Bench) -> None:
    response = await bench.get({"raw": "HTTP/1.1 299 值\r\nX-A: b\r\n\r\nrest"})
    assert (response.status_code, response.headers["x-a"], response.text) == (299, "b", "rest")


async def test_a_body_may_be_in_another_encoding_or_no_text(bench: Bench) -> None:
    encoded = await bench.get({"status": {"status": 200, "body": "密", "charset": "big5"}})
    binary = {"status": 200, "base64": base64.b64encode(b"\xff\x00").decode()}
    assert encoded.content == "密".encode("big5")
    assert (await bench.get({"status": binary})).content == b"\xff\x00"


@pytest.mark.parametrize(
    ("do", "text"),
    [
        ({"reset": "body"}, "reset (body) (after the engine had responded)"),
        ({"stall": "head"}, "stall"),
        ({"close": "silently"}, "close (silently) (after the engine had responded)"),
        ("hangup", "hangup"),
    ],
)
def test_reports_say_which_fault_it_was(do: Any, text: str) -> None:
    assert fault_of({"do": do}).text == text


@pytest.mark.parametrize(
    ("do", "forward", "place", "seconds"),
    [
        ("reset", False, "head", 0.0),
        ({"reset": "head"}, False, "head", 0.0),
        ({"reset": "body"}, True, "body", 0.0),
        ({"reset": "after"}, True, "after", 0.0),
        ("stall", False, "head", 0.0),
        ({"stall": "body"}, True, "body", 0.0),
        ("close", True, "announced", 0.0),
        ({"close": "silently"}, True, "silently", 0.0),
        ("truncate", True, "head", 0.0),
        ("hangup", False, "head", 0.0),
        ({"delay": 2.5}, True, "head", 2.5),
        ({"drip": 0.5}, True, "head", 0.5),
        ({"trickle": 0.5}, True, "head", 0.5),
        ({"stall": "interim"}, False, "interim", 0.0),
        ({"informational": [102]}, True, "head", 0.0),
        ({"malformed": "http"}, False, "head", 0.0),
        ({"raw": "x"}, False, "head", 0.0),
        ({"status": {"status": 503}}, False, "head", 0.0),
        ({"redirect": {"to": "/x"}}, False, "head", 0.0),
    ],
)
def test_which_faults_reach_the_engine_and_where_they_happen(
    do: Any, forward: bool, place: str, seconds: float
) -> None:
    fault = fault_of({"do": do})
    assert (fault.forward, fault.place, fault.seconds) == (forward, place, seconds)
    assert (fault.times, fault.hits, fault.where) == (1, 0, {})
    assert fault_of({"do": do, "forward": not forward}).forward is not forward


def test_what_a_fault_sends_instead_of_a_response() -> None:
    def instead(do: Any) -> Response | None:
        return fault_of({"do": do}).response

    assert instead({"redirect": {"to": "/x"}}) == Response(307, [("location", "/x")])
    assert instead({"redirect": {"to": "/x", "status": 301}}) == Response(301, [("location", "/x")])
    broken = Response(200, [("content-type", "application/json")], b'{"success": tru')
    assert instead({"malformed": "json"}) == broken
    assert instead({"malformed": "http"}) is None
    assert fault_of({"do": {"raw": "值"}}).raw == "值".encode()
    assert fault_of({"do": {"informational": [102, 103]}}).interim == (102, 103)


def test_a_prepared_response_says_what_it_is_unless_its_headers_do() -> None:
    default = prepared_response({})
    assert (default.status, default.headers) == (200, [("content-type", "application/json")])
    assert default.value()["body"] == {"error": "a fault injected by the test", "code": "fault"}
    text = prepared_response({"status": 500, "body": "值", "headers": {"X-N": 1}})
    assert text == Response(500, [("x-n", "1"), ("content-type", "text/plain")], "值".encode())
    binary = prepared_response({"base64": "/wA="})
    assert binary == Response(200, [("content-type", "application/json")], b"\xff\x00")
    typed = prepared_response({"body": {}, "headers": {"Content-Type": "a/b", "X-N": 1}})
    assert typed.headers == [("content-type", "a/b"), ("x-n", "1")]


def test_a_fault_is_taken_as_often_as_it_says_and_then_the_next() -> None:
    injector = FaultInjector()
    injector.add([fault_of({"do": "hangup", "times": 2, "where": {"path": "/a"}})])
    injector.add([fault_of({"do": "reset"})])

    def taken(path: str) -> str | None:
        fault = injector.take(Exchange(1, "engine", "s", 0.0, Request("GET", path, [])))
        return fault.kind if fault else None

    assert [taken(path) for path in ("/a", "/b", "/a", "/a")] == ["hangup", "reset", "hangup", None]
    assert [fault.hits for fault in injector.faults] == [2, 1]


@pytest.mark.parametrize(("status", "changed"), [(200, True), (299, True), (300, False)])
def test_only_a_successful_response_is_rewritten(status: int, changed: bool) -> None:
    injector = FaultInjector()
    injector.rewrites = [
        Rewrite({"path": "/other"}, "a", "never"),
        Rewrite({"path": "/x"}, "a.1.b", "值"),
    ]
    response = Response.from_json({"a": [{"b": 0}, {"b": 1, "c": 2}]}, status)
    exchange = Exchange(1, "engine", "s", 0.0, Request("GET", "/x", []))
    found = injector.rewrite(exchange, response)
    expected = '{"a": [{"b": 0}, {"b": "值", "c": 2}]}' if changed else None
    assert found.body == (expected.encode() if expected else response.body)
    assert (found.status, found.headers) == (status, [("content-type", "application/json")])


async def test_a_silent_port_lets_a_client_wait() -> None:
    with silent_port() as port, pytest.raises(httpx.ConnectTimeout):
        async with httpx.AsyncClient(timeout=0.3) as client:
            await client.get(f"http://127.0.0.1:{port}/")
