"""`GET /metrics`: what is counted, for whom, and by which labels (docs/contract.md#health)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from durable_server import Engine, Service, accept, calls, ended, engine, push, service, until
from loopback_site import Site, site
from prometheus_client.parser import text_string_to_metric_families

from arcrun_server.app import create_app
from arcrun_server.errors import StartupError, StorageUnavailableError
from arcrun_server.settings import settings_from

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conftest import Api

    from arcrun_server.settings import Settings
    from arcrun_server.store import Store

__all__ = ["engine", "service", "site"]

TOKEN = "of-the-operator-0001"


class Samples:
    """The samples of a response of `/metrics`."""

    def __init__(self, response: httpx.Response) -> None:
        assert response.status_code == 200, response.text
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        self.families = list(text_string_to_metric_families(response.text))
        self.text = response.text

    def value(self, name: str, **labels: str) -> float | None:
        for family in self.families:
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return float(sample.value)
        return None

    def labels(self, name: str) -> list[Mapping[str, str]]:
        return [s.labels for family in self.families for s in family.samples if s.name == name]


async def metrics(api: Any) -> Samples:
    return Samples(await api("GET", "/metrics"))


def calling(url: str, **data: Any) -> dict[str, Any]:
    node = {"id": "call", "type": "Component", "componentId": "http_request"}
    return {"nodes": [{**node, "data": {"url": url, **data}}], "edges": []}


async def run(api: Api, graph: dict[str, Any]) -> httpx.Response:
    return await api("POST", "/execute", json={"graph": graph, "context": {}})


async def test_requests_are_counted_by_the_template_of_their_route(alice: Api) -> None:
    for name in ("one", "two"):
        await alice("GET", f"/webhooks/named/{name}/definition")
    found = await metrics(alice)
    labels = {"method": "GET", "route": "/webhooks/named/{name}/definition"}
    assert found.value("arcrun_http_requests_total", status="404", **labels) == 2
    assert found.value("arcrun_http_request_duration_seconds_count", **labels) == 2
    assert found.value("arcrun_http_request_duration_seconds_bucket", le="+Inf", **labels) == 2


async def test_what_clients_make_up_adds_no_series(nobody: Api) -> None:
    for number in range(5):
        await nobody("GET", f"/made-up-{number}")
        await nobody(f"VERB{number}", "/health")
    found = await metrics(nobody)
    assert (
        found.value("arcrun_http_requests_total", method="GET", route="unmatched", status="404")
        == 5
    )
    assert "made-up" not in found.text
    assert "VERB" not in found.text
    assert {labels["method"] for labels in found.labels("arcrun_http_requests_total")} == {
        "GET",
        "other",
    }


async def test_runs_are_counted_by_trigger_and_status(alice: Api, site: Site) -> None:
    site.respond("/bad", "{}", status=500)
    name = "a-name-of-mine"
    failing = {"nodes": [{"id": "gone", "type": "Component", "componentId": "gone"}], "edges": []}
    passing = {"nodes": [{"id": "in", "type": "Input"}], "edges": []}
    await alice(
        "POST", "/webhooks/named", json={"name": name, "description": "d", "graph": passing}
    )
    for _ in range(2):
        assert (await alice("POST", f"/webhooks/named/{name}/trigger", json={})).is_success
    await run(alice, calling(f"{site.url}/bad"))
    await run(alice, calling("http://169.254.169.254/"))
    await run(alice, failing)
    found = await metrics(alice)
    assert found.value("arcrun_runs_total", trigger="api", status="succeeded") == 2
    assert found.value("arcrun_runs_total", trigger="api", status="partial") == 1
    assert found.value("arcrun_run_duration_seconds_count", trigger="api") == sum(
        found.value("arcrun_runs_total", **labels) or 0
        for labels in found.labels("arcrun_runs_total")
    )
    assert found.value("arcrun_executions_in_progress") == 0
    assert name not in found.text


async def test_requests_to_services_are_counted_by_how_they_end(alice: Api, site: Site) -> None:
    site.respond("/good", "{}")
    site.respond("/bad", "{}", status=404)
    await run(alice, calling(f"{site.url}/good"))
    await run(alice, calling(f"{site.url}/bad"))
    await run(alice, calling(f"{site.url}/silent", timeout_ms=100))
    await run(alice, calling("http://169.254.169.254/latest"))
    await run(alice, calling("http://127.0.0.1:1/"))
    found = await metrics(alice)
    outcomes = {
        labels["outcome"]: found.value("arcrun_outgoing_requests_total", **labels)
        for labels in found.labels("arcrun_outgoing_requests_total")
    }
    assert outcomes == {"2xx": 1, "4xx": 1, "timeout": 1, "refused": 1, "connection": 1}
    assert found.value("arcrun_outgoing_request_duration_seconds_count") == 5
    assert "127.0.0.1" not in found.text


async def test_version_process_and_database_are_there(nobody: Api) -> None:
    version = (await nobody("GET", "/")).json()["version"]
    found = await metrics(nobody)
    assert found.value("arcrun_build_info", version=version) == 1
    assert found.value("arcrun_database_up") == 1
    assert found.value("arcrun_runs_queued") == 0
    assert "# TYPE arcrun_runs counter" in found.text or "# TYPE arcrun_runs_total" in found.text


async def test_only_that_the_database_is_down_is_said_of_it_while_it_is(
    nobody: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_query: object) -> None:
        raise StorageUnavailableError("the disk is full")

    monkeypatch.setattr(nobody.store.database, "read_long_now", refuse)
    found = await metrics(nobody)
    assert found.value("arcrun_database_up") == 0
    assert "arcrun_runs_queued" not in found.text
    assert found.value("arcrun_executions_in_progress") == 0


@pytest.fixture
def production(settings: Settings) -> Settings:
    return replace(settings, dev=False)


async def asked(store: Store, settings: Settings, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=create_app(settings, store))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get("/metrics", headers=headers)


async def test_without_a_token_only_development_mode_shows_them(
    store: Store, production: Settings
) -> None:
    response = await asked(store, production)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert "ARCRUN_SERVER_METRICS_TOKEN" in response.json()["next_actions"][0]


@pytest.mark.parametrize("dev", [True, False])
async def test_a_token_is_asked_for_where_one_is_set(
    store: Store, production: Settings, dev: bool
) -> None:
    settings = replace(production, dev=dev, metrics_token=TOKEN)
    for headers in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": TOKEN}):
        response = await asked(store, settings, **headers)
        assert (response.status_code, response.json()["code"]) == (401, "unknown_token")
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert TOKEN not in response.text
    assert Samples(await asked(store, settings, Authorization=f"Bearer {TOKEN}")).families
    assert TOKEN not in repr(settings)


@pytest.mark.parametrize("value", ["short", "with a space 0123456789", "ü" * 20])
def test_a_token_that_is_easy_to_guess_or_no_header_is_refused(value: str, tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="16 to 512 ASCII characters") as refused:
        settings_from({"ARCRUN_SERVER_METRICS_TOKEN": value}, data_dir=tmp_path)
    assert value not in str(refused.value)


async def test_accepted_runs_are_counted_at_their_end_whatever_it_is(
    engine: Engine, service: Service
) -> None:
    async def found() -> Samples:
        return Samples(await engine.client.get("/metrics"))

    service.answers["/ask"] = b'{"pending": true, "task_id": "review"}'
    await push(engine.client, "good", calls(service, "/a"))
    asking = {"id": "ask", "type": "Component", "componentId": f"{service.url}/ask"}
    await push(engine.client, "asks", {"nodes": [asking], "edges": []})

    await ended(engine.client, await accept(engine.client, "good"))
    paused = await accept(engine.client, "asks")
    await until(engine.client, paused, lambda run: run["status"] == "paused")
    for _ in range(100):
        if (await found()).value("arcrun_runs_paused") == 1:
            break
        await asyncio.sleep(0.05)
    before = await found()
    assert before.value("arcrun_runs_paused") == 1
    assert before.value("arcrun_runs_total", trigger="api", status="succeeded") == 1
    await engine.client.post(f"/runs/{paused}/cancel")
    retried = (await engine.client.post(f"/runs/{paused}/retry", json={})).json()["run_id"]
    await until(engine.client, retried, lambda run: run["status"] == "paused")
    done = await engine.client.post(
        "/workflows/resume", json={"task_id": "review", "data": {"fine": True}}
    )
    assert done.status_code == 200
    await ended(engine.client, retried)
    after = await found()
    assert after.value("arcrun_runs_total", trigger="api", status="cancelled") == 1
    assert after.value("arcrun_runs_total", trigger="retry", status="succeeded") == 1
    assert after.value("arcrun_run_duration_seconds_count", trigger="retry") == 1
