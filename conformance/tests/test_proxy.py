"""The recording proxy over real sockets: what it records, and each fault as a client feels it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from mini_engine import KEY, MiniEngine

from arcrun_conformance.faults import FaultPlan, Rewrite, fault_of
from arcrun_conformance.journal import Journal
from arcrun_conformance.proxy import Proxy
from arcrun_conformance.standin import Standin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Bench:
    """A proxy before the miniature engine, and a client that speaks to the proxy."""

    def __init__(self, proxy: Proxy, client: httpx.AsyncClient, journal: Journal) -> None:
        self.proxy, self.client, self.journal = proxy, client, journal
        self.faults: FaultPlan

    def order(self, **fault: Any) -> None:
        self.faults.add([fault_of(fault)])


@pytest.fixture
async def bench(engine: MiniEngine) -> AsyncIterator[Bench]:
    journal, faults = Journal(), FaultPlan()
    async with (
        Proxy(engine.origin, journal, faults) as proxy,
        httpx.AsyncClient(
            base_url=proxy.origin, headers={"x-arcrun-api-key": KEY}, timeout=5
        ) as client,
    ):
        made = Bench(proxy, client, journal)
        made.faults = faults
        yield made


async def test_after_close_the_answer_is_whole_and_the_connection_ends(bench: Bench) -> None:
    bench.order(where={"path": "/health"}, do="close")
    first = await bench.client.get("/health")
    second = await bench.client.get("/health")
    assert first.json()["ok"] is second.json()["ok"] is True
    assert first.headers["connection"] == "close"
    assert "connection" not in second.headers
    assert bench.journal.exchanges[0].fault == "close (after the engine had answered)"


async def test_requests_and_answers_are_recorded_whole(bench: Bench, engine: MiniEngine) -> None:
    bench.journal.step = "push"
    answer = await bench.client.post(
        "/credentials", params={"a": ["1", "2"], "b": "值"}, json={"name": "密鑰"}
    )

    assert answer.status_code == 201
    (exchange,) = bench.journal.exchanges
    assert exchange.step == "push"
    assert exchange.request.value()["query"] == {"a": ["1", "2"], "b": "值"}
    assert exchange.request.value()["body"] == {"name": "密鑰"}
    assert exchange.request.header("x-arcrun-api-key") == KEY
    assert exchange.answer is not None
    assert exchange.answer.value()["body"] == {"success": True, "name": "密鑰"}
    assert exchange.finished is not None
    assert exchange.finished >= exchange.started
    assert engine.journal.exchanges[0].request.target == exchange.request.target
    assert engine.journal.exchanges[0].request.body == exchange.request.body


async def test_the_engine_sees_its_own_host_and_the_record_what_the_sdk_sent(
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
    answers = await asyncio.gather(*(bench.client.get(f"/health?n={n}") for n in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    seen = {exchange.request.query["n"] for exchange in bench.journal.exchanges}
    assert seen == {str(n) for n in range(20)}


async def test_a_status_fault_answers_in_the_engines_place(
    bench: Bench, engine: MiniEngine
) -> None:
    bench.order(do={"status": {"status": 429, "headers": {"Retry-After": "0"}, "body": {"e": 1}}})
    first, second = await bench.client.get("/health"), await bench.client.get("/health")

    assert (first.status_code, first.headers["retry-after"], first.json()) == (429, "0", {"e": 1})
    assert second.status_code == 200, "a fault hits once unless `times` says more"
    assert len(engine.journal.exchanges) == 1
    assert bench.journal.exchanges[0].fault == "status"


async def test_a_fault_hits_only_what_its_where_fits_and_as_often_as_it_says(bench: Bench) -> None:
    bench.order(where={"path": "/credentials"}, times=2, do={"status": {"status": 503}})
    statuses = [
        (await bench.client.get(path)).status_code
        for path in ("/health", "/credentials", "/credentials", "/credentials")
    ]
    assert statuses == [200, 503, 503, 200]


async def test_a_reset_breaks_the_connection(bench: Bench, engine: MiniEngine) -> None:
    bench.order(do="reset")
    with pytest.raises(httpx.ReadError):
        await bench.client.get("/health")
    assert engine.journal.exchanges == []
    assert bench.journal.exchanges[0].answer is None or bench.journal.exchanges[0].fault == "reset"


async def test_a_reset_with_forward_loses_only_the_answer(bench: Bench, engine: MiniEngine) -> None:
    bench.order(do="reset", forward=True)
    with pytest.raises(httpx.ReadError):
        await bench.client.post("/credentials", json={"name": "n"})
    assert list(engine.credentials) == ["n"]


async def test_a_truncated_answer_ends_half_way(bench: Bench) -> None:
    bench.order(do="truncate")
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        await bench.client.get("/health")


async def test_a_delay_keeps_the_answer_back(bench: Bench) -> None:
    bench.order(do={"delay": 0.2})
    began = time.perf_counter()
    assert (await bench.client.get("/health")).status_code == 200
    assert time.perf_counter() - began >= 0.2


async def test_a_delay_longer_than_the_clients_patience_is_a_timeout(bench: Bench) -> None:
    bench.order(do={"delay": 30})
    with pytest.raises(httpx.ReadTimeout):
        await bench.client.get("/health", timeout=0.1)


async def test_a_drip_sends_byte_by_byte(bench: Bench) -> None:
    bench.order(do={"drip": 0.001})
    async with bench.client.stream("GET", "/health") as answer:
        pieces = [piece async for piece in answer.aiter_raw()]
    assert json.loads(b"".join(pieces))["ok"] is True
    assert len(pieces) > 10


async def test_malformed_http_is_a_protocol_error(bench: Bench) -> None:
    bench.order(do={"malformed": "http"})
    with pytest.raises(httpx.RemoteProtocolError):
        await bench.client.get("/health")


async def test_malformed_json_is_no_json(bench: Bench) -> None:
    bench.order(do={"malformed": "json"})
    answer = await bench.client.get("/health")
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


async def test_a_redirect_points_elsewhere(bench: Bench) -> None:
    bench.order(do={"redirect": {"to": "http://elsewhere.invalid/x", "status": 302}})
    answer = await bench.client.get("/health")
    assert (answer.status_code, answer.headers["location"]) == (302, "http://elsewhere.invalid/x")


async def test_a_rewrite_changes_one_field_of_an_answer(bench: Bench) -> None:
    bench.faults.rewrites = [Rewrite({"path": "/health"}, "capabilities.0", "ours・改")]
    body = (await bench.client.get("/health")).json()
    assert body == {"ok": True, "capabilities": ["ours・改", "sealed_read"]}


async def test_a_rewrite_leaves_other_paths_and_errors_alone(bench: Bench) -> None:
    bench.faults.rewrites = [Rewrite({}, "credentials", [])]
    assert (await bench.client.get("/nowhere")).json()["code"] == "not_found"


async def test_a_target_that_is_gone_is_a_502_that_says_so() -> None:
    journal = Journal()
    async with (
        Proxy("http://127.0.0.1:1", journal, FaultPlan()) as proxy,
        httpx.AsyncClient() as client,
    ):
        answer = await client.get(f"{proxy.origin}/health")
    assert answer.status_code == 502
    assert answer.json()["code"] == "target_unreachable"
    assert "did not answer" in (journal.exchanges[0].problem or "")


async def test_a_base_path_of_the_target_is_kept(engine: MiniEngine) -> None:
    async with (
        Proxy(f"{engine.origin}/api/v1/", Journal(), FaultPlan()) as proxy,
        httpx.AsyncClient() as client,
    ):
        await client.get(f"{proxy.origin}/health?q=1")
    assert engine.journal.exchanges[0].request.target == "/api/v1/health?q=1"


async def test_a_header_may_hold_any_text(bench: Bench) -> None:
    bench.order(do={"status": {"status": 200, "headers": {"X-Note": "值é"}}})
    answer = await bench.client.get("/health")
    assert answer.headers.raw[-2][1].decode() == "值é"


async def test_a_failure_of_the_proxy_itself_is_noted_not_hidden(bench: Bench) -> None:
    bench.faults.rewrites = [Rewrite({}, "no.such.field", 1)]
    with pytest.raises(httpx.RemoteProtocolError):
        await bench.client.get("/health")
    assert bench.journal.broken_requests == ["the recording server failed: KeyError('no')"]


async def test_what_is_no_http_is_noted(bench: Bench) -> None:
    port = int(bench.proxy.origin.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\x16\x03\x01 this is TLS\r\n\r\n")
    await reader.read()
    writer.close()
    assert len(bench.journal.broken_requests) == 1


async def test_the_standin_answers_as_the_scenario_says_and_records() -> None:
    journal = Journal()
    answers = [
        {"where": {"path": "/v1/x"}, "status": 201, "headers": {"X-A": "b"}, "body": {"值": 1}},
    ]
    async with Standin(journal, FaultPlan(), answers) as standin, httpx.AsyncClient() as client:
        prepared = await client.get(f"{standin.origin}/v1/x")
        other = await client.head(f"{standin.origin}/other")
    assert (prepared.status_code, prepared.headers["x-a"], prepared.json()) == (201, "b", {"值": 1})
    assert other.status_code == 200
    assert [exchange.place for exchange in journal.exchanges] == ["standin", "standin"]
