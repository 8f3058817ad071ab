"""What one key may do at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from arcrun_server.accounts.keys import HEADER, new_key
from arcrun_server.app import create_app
from arcrun_server.outbound import Outbound
from arcrun_server.outbound import client as client_module
from arcrun_server.slots import NoSlotError, Queues, Slots

if TYPE_CHECKING:
    from arcrun_server.settings import Settings
    from arcrun_server.store import Store

GRAPH = {"nodes": [{"id": "a", "type": "Component", "componentId": "comp_counter"}], "edges": []}


@pytest.mark.parametrize("idempotent", [False, True])
async def test_one_run_too_many_is_429_and_claims_no_idempotency_key(
    settings: Settings, store: Store, idempotent: bool
) -> None:
    key = new_key()
    store.accounts.create(key)
    headers = {HEADER: key} | ({"Idempotency-Key": "once"} if idempotent else {})
    for runs, status in ((0, 429), (1, 200)):
        app = create_app(replace(settings, runs_per_key=runs), store)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers
        ) as client:
            body = {"name": "a", "description": "a", "graph": GRAPH}
            assert (await client.post("/webhooks/named", json=body)).status_code == 201
            response = await client.post("/webhooks/named/a/trigger", json={})
        assert response.status_code == status
        if status == 429:
            assert response.headers["retry-after"] == "1"
            assert response.json()["code"] == "too_many_requests"


def test_slots_are_given_back_also_after_a_failure() -> None:
    slots = Slots(1, "runs")
    for _ in range(3):
        with pytest.raises(KeyError), slots.taken("a"):
            raise KeyError
    with slots.taken("a"), pytest.raises(NoSlotError, match="1 runs of this key"), slots.taken("a"):
        pass


async def test_those_who_wait_for_a_turn_get_one_in_order() -> None:
    queues, order = Queues(1), []

    async def take(number: int) -> None:
        async with queues.turn("a"):
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(take(number) for number in range(5)))
    assert order == list(range(5))
    assert queues._queues == {}


async def test_a_slow_service_of_one_account_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrived: list[str] = []
    go_on = asyncio.Event()

    async def slow(_self: Any, _method: str, url: str, *_: Any, **_more: Any) -> Any:
        arrived.append(url)
        await go_on.wait()
        return SimpleNamespace(status=200)

    monkeypatch.setattr(client_module.Outbound, "_follow", slow)
    outbound = Outbound(calls_per_key=2)

    async def call(account: str, url: str) -> None:
        with outbound.on_behalf_of(account):
            await outbound.send("GET", url)

    calls = [asyncio.create_task(call("a", f"http://a/{number}")) for number in range(5)]
    calls.append(asyncio.create_task(call("b", "http://b/")))
    for _ in range(10):
        await asyncio.sleep(0)
    assert sorted(arrived) == ["http://a/0", "http://a/1", "http://b/"]
    go_on.set()
    await asyncio.gather(*calls)
    assert len(arrived) == 6
