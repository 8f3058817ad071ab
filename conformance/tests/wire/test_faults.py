"""The faults below HTTP, over real sockets: connections that break, stall, or say what is no response."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from mini_engine import KEY, MiniEngine

from arcrun_conformance.runs.values import silent_port
from arcrun_conformance.wire.faults import FaultInjector, fault_of
from arcrun_conformance.wire.journal import Journal
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


async def test_a_silent_port_lets_a_client_wait() -> None:
    with silent_port() as port, pytest.raises(httpx.ConnectTimeout):
        async with httpx.AsyncClient(timeout=0.3) as client:
            await client.get(f"http://127.0.0.1:{port}/")
