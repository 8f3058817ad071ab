"""The recording proxy over real sockets: what it records, and the effect of each fault."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from mini_engine import KEY, MiniEngine

from arcrun_conformance.wire.faults import FaultInjector, Rewrite, fault_of
from arcrun_conformance.wire.journal import Journal
from arcrun_conformance.wire.proxy import Proxy
from arcrun_conformance.wire.standin import Standin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Bench:
    """A proxy before the mini engine, and a client of the proxy."""

    def __init__(self, proxy: Proxy, client: httpx.AsyncClient, journal: Journal) -> None:
        self.proxy, self.client, self.journal = proxy, client, journal
        self.faults: FaultInjector

    def inject(self, **fault: Any) -> None:
        self.faults.add([fault_of(fault)])


@pytest.fixture
async def bench(engine: MiniEngine) -> AsyncIterator[Bench]:
    journal, faults = Journal(), FaultInjector()
    async with (
        Proxy(engine.origin, journal, faults) as proxy,
        httpx.AsyncClient(
            base_url=proxy.origin, headers={"x-arcrun-api-key": KEY}, timeout=5
        ) as client,
    ):
        made = Bench(proxy, client, journal)
        made.faults = faults
        yield made


async def test_after_close_the_response_is_complete_and_the_connection_ends(bench: Bench) -> None:
    bench.inject(where={"path": "/health"}, do="close")
    first = await bench.client.get("/health")
    second = await bench.client.get("/health")
    assert first.json()["ok"] is second.json()["ok"] is True
    assert first.headers["connection"] == "close"
    assert "connection" not in second.headers
    assert bench.journal.exchanges[0].fault == "close (after the engine had responded)"


async def test_a_request_that_was_sent_in_a_step_belongs_to_it_however_late_it_is_read(
    bench: Bench,
) -> None:
    """As on a busy machine, where an SDK gives a request up before the proxy has turned to it."""
    await bench.journal.begin("first")
    # Nothing here lets the proxy read it before the next step begins.
    address = urlsplit(bench.proxy.origin)
    with socket.create_connection((address.hostname, address.port)) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not bench.journal.exchanges
        await bench.journal.begin("second")
        (late,) = bench.journal.exchanges
        assert late.step == "first"
    await bench.client.get("/health")
    assert bench.journal.exchanges[1].step == "second"


async def test_requests_and_responses_are_recorded_completely(
    bench: Bench, engine: MiniEngine
) -> None:
    await bench.journal.begin("push")
    response = await bench.client.post(
        "/credentials", params={"a": ["1", "2"], "b": "值"}, json={"name": "密鑰"}
    )

    assert response.status_code == 201
    (exchange,) = bench.journal.exchanges
    assert exchange.step == "push"
    assert exchange.request.value()["query"] == {"a": ["1", "2"], "b": "值"}
    assert exchange.request.value()["body"] == {"name": "密鑰"}
    assert exchange.request.header("x-arcrun-api-key") == KEY
    assert exchange.response is not None
    assert exchange.response.value()["body"] == {"success": True, "name": "密鑰"}
    assert exchange.finished is not None
    assert exchange.finished >= exchange.started
    assert engine.journal.exchanges[0].request.target == exchange.request.target
    assert engine.journal.exchanges[0].request.body == exchange.request.body


async def test_the_engine_gets_its_own_host_and_the_journal_has_what_the_sdk_sent(
    bench: Bench, engine: MiniEngine
) -> None:
    await bench.client.get("/health", headers={"accept-encoding": "br", "user-agent": "arcrun-x/1"})

    forwarded, sent = engine.journal.exchanges[0].request, bench.journal.exchanges[0].request
    assert forwarded.header("host") == engine.origin.removeprefix("http://")
    assert forwarded.header("accept-encoding") == "identity"
    assert forwarded.header("user-agent") == "arcrun-x/1"
    assert sent.header("accept-encoding") == "br"


async def test_one_connection_carries_several_requests(bench: Bench) -> None:
    for _ in range(3):
        assert (await bench.client.get("/health")).json()["ok"] is True
    assert [exchange.number for exchange in bench.journal.exchanges] == [1, 2, 3]


async def test_requests_at_the_same_time_are_all_recorded(bench: Bench) -> None:
    responses = await asyncio.gather(*(bench.client.get(f"/health?n={n}") for n in range(20)))
    assert {response.status_code for response in responses} == {200}
    seen = {exchange.request.query["n"] for exchange in bench.journal.exchanges}
    assert seen == {str(n) for n in range(20)}


async def test_a_status_fault_replaces_the_engines_response(
    bench: Bench, engine: MiniEngine
) -> None:
    bench.inject(do={"status": {"status": 429, "headers": {"Retry-After": "0"}, "body": {"e": 1}}})
    first, second = await bench.client.get("/health"), await bench.client.get("/health")

    assert (first.status_code, first.headers["retry-after"], first.json()) == (429, "0", {"e": 1})
    assert second.status_code == 200, "a fault affects one request unless `times` says more"
    assert len(engine.journal.exchanges) == 1
    assert bench.journal.exchanges[0].fault == "status"


async def test_a_fault_affects_only_matching_requests_and_as_many_as_times_says(
    bench: Bench,
) -> None:
    bench.inject(where={"path": "/credentials"}, times=2, do={"status": {"status": 503}})
    statuses = [
        (await bench.client.get(path)).status_code
        for path in ("/health", "/credentials", "/credentials", "/credentials")
    ]
    assert statuses == [200, 503, 503, 200]


async def test_a_reset_breaks_the_connection(bench: Bench, engine: MiniEngine) -> None:
    bench.inject(do="reset")
    with pytest.raises(httpx.ReadError):
        await bench.client.get("/health")
    assert engine.journal.exchanges == []
    assert (
        bench.journal.exchanges[0].response is None or bench.journal.exchanges[0].fault == "reset"
    )


async def test_a_reset_with_forward_loses_only_the_response(
    bench: Bench, engine: MiniEngine
) -> None:
    bench.inject(do="reset", forward=True)
    with pytest.raises(httpx.ReadError):
        await bench.client.post("/credentials", json={"name": "n"})
    assert list(engine.credentials) == ["n"]


async def test_a_truncated_response_ends_half_way(bench: Bench) -> None:
    bench.inject(do="truncate")
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        await bench.client.get("/health")


async def test_a_delay_holds_the_response_back(bench: Bench) -> None:
    bench.inject(do={"delay": 0.2})
    began = time.perf_counter()
    assert (await bench.client.get("/health")).status_code == 200
    assert time.perf_counter() - began >= 0.2


async def test_a_delay_longer_than_the_clients_timeout_is_a_timeout(bench: Bench) -> None:
    bench.inject(do={"delay": 30})
    with pytest.raises(httpx.ReadTimeout):
        await bench.client.get("/health", timeout=0.1)


async def test_a_drip_sends_byte_by_byte(bench: Bench) -> None:
    bench.inject(do={"drip": 0.001})
    async with bench.client.stream("GET", "/health") as response:
        pieces = [piece async for piece in response.aiter_raw()]
    assert json.loads(b"".join(pieces))["ok"] is True
    assert len(pieces) > 10


async def test_a_trickle_sends_the_head_byte_by_byte(bench: Bench) -> None:
    bench.inject(do={"trickle": 0.001})
    began = time.perf_counter()
    async with bench.client.stream("GET", "/health") as response:
        assert time.perf_counter() - began >= 0.02
        assert json.loads(await response.aread())["ok"] is True


async def test_interim_responses_without_end_stop_when_the_client_leaves(bench: Bench) -> None:
    bench.inject(do={"stall": "interim"})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await bench.client.get("/health", timeout=0.2)
    assert (await bench.client.get("/health")).status_code == 200


async def test_malformed_http_is_a_protocol_error(bench: Bench) -> None:
    bench.inject(do={"malformed": "http"})
    with pytest.raises(httpx.RemoteProtocolError):
        await bench.client.get("/health")


async def test_malformed_json_is_not_valid_json(bench: Bench) -> None:
    bench.inject(do={"malformed": "json"})
    response = await bench.client.get("/health")
    assert response.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        response.json()


async def test_a_redirect_has_the_location_of_the_fault(bench: Bench) -> None:
    bench.inject(do={"redirect": {"to": "http://elsewhere.invalid/x", "status": 302}})
    response = await bench.client.get("/health")
    assert (response.status_code, response.headers["location"]) == (
        302,
        "http://elsewhere.invalid/x",
    )


async def test_a_rewrite_changes_one_field_of_a_response(bench: Bench) -> None:
    bench.faults.rewrites = [Rewrite({"path": "/health"}, "capabilities.0", "ours・改")]
    body = (await bench.client.get("/health")).json()
    assert body == {"ok": True, "capabilities": ["ours・改", "sealed_read"]}


async def test_a_rewrite_leaves_other_paths_and_errors_alone(bench: Bench) -> None:
    bench.faults.rewrites = [Rewrite({}, "credentials", [])]
    assert (await bench.client.get("/nowhere")).json()["code"] == "not_found"


async def test_a_target_that_is_unreachable_is_a_502_that_says_so() -> None:
    journal = Journal()
    async with (
        Proxy("http://127.0.0.1:1", journal, FaultInjector()) as proxy,
        httpx.AsyncClient() as client,
    ):
        response = await client.get(f"{proxy.origin}/health")
    assert response.status_code == 502
    assert response.json()["code"] == "target_unreachable"
    assert "did not respond" in (journal.exchanges[0].problem or "")


async def test_a_base_path_of_the_target_is_kept(engine: MiniEngine) -> None:
    async with (
        Proxy(f"{engine.origin}/api/v1/", Journal(), FaultInjector()) as proxy,
        httpx.AsyncClient() as client,
    ):
        await client.get(f"{proxy.origin}/health?q=1")
    assert engine.journal.exchanges[0].request.target == "/api/v1/health?q=1"


async def test_a_header_may_be_any_text(bench: Bench) -> None:
    bench.inject(do={"status": {"status": 200, "headers": {"X-Note": "值é"}}})
    response = await bench.client.get("/health")
    assert response.headers.raw[-2][1].decode() == "值é"


async def test_a_failure_of_the_proxy_itself_is_recorded(bench: Bench) -> None:
    bench.faults.rewrites = [Rewrite({}, "no.such.field", 1)]
    with pytest.raises(httpx.RemoteProtocolError):
        await bench.client.get("/health")
    assert bench.journal.broken_requests == ["the recording server failed: KeyError: 'no'"]


async def test_a_request_that_is_not_http_is_recorded(bench: Bench) -> None:
    port = int(bench.proxy.origin.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\x16\x03\x01 this is TLS\r\n\r\n")
    await reader.read()
    writer.close()
    assert len(bench.journal.broken_requests) == 1


async def test_the_standin_responds_as_the_scenario_says_and_records() -> None:
    journal = Journal()
    responses = [
        {"where": {"path": "/v1/x"}, "status": 201, "headers": {"X-A": "b"}, "body": {"值": 1}},
    ]
    async with (
        Standin(journal, FaultInjector(), responses) as standin,
        httpx.AsyncClient() as client,
    ):
        prepared = await client.get(f"{standin.origin}/v1/x")
        other = await client.head(f"{standin.origin}/other")
    assert (prepared.status_code, prepared.headers["x-a"], prepared.json()) == (201, "b", {"值": 1})
    assert other.status_code == 200
    assert [exchange.server for exchange in journal.exchanges] == ["standin", "standin"]


async def test_a_prepared_response_can_be_compressed_and_name_its_own_type(bench: Bench) -> None:
    status = {
        "status": 200,
        "gzip": True,
        "headers": {"Content-Type": "application/json"},
        "body": '["\\ud800"]',
    }
    bench.inject(where={"path": "/health"}, do={"status": status})
    async with bench.client.stream("GET", "/health") as response:
        raw = b"".join([piece async for piece in response.aiter_raw()])
    assert gzip.decompress(raw) == b'["\\ud800"]'
    assert response.headers.get_list("content-type") == ["application/json"]
    assert response.headers["content-encoding"] == "gzip"
