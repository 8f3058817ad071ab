"""Spans: requests, runs, nodes and requests to services, as an OpenTelemetry collector gets them."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from durable_server import Engine, Service, accept, calls, ended, push, service, until
from loopback_site import Site, site
from span_receiver import SpanReceiver, receiving_spans

from arcrun_server.errors import StartupError
from arcrun_server.settings import settings_from
from arcrun_server.telemetry import tracing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

__all__ = ["service", "site"]

SECRET = "canary-of-the-spans"
INTERNAL, SERVER, CLIENT = 1, 2, 3
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def receiver() -> Iterator[SpanReceiver]:
    with receiving_spans() as opened:
        yield opened


@pytest.fixture
async def engine(
    serve: Callable[..., Any], tmp_path: Path, receiver: SpanReceiver
) -> AsyncIterator[Engine]:
    """An engine whose spans go to the receiver."""

    def start() -> Any:
        return serve(
            *("--dev", "--json", "--data", tmp_path, "--log-level", "warning"),
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
            OTEL_BSP_SCHEDULE_DELAY="50",
        )

    made = await asyncio.to_thread(Engine, start)
    yield made
    await made.client.aclose()


async def spans(receiver: SpanReceiver, name: str, count: int = 1) -> list[Any]:
    return await asyncio.to_thread(receiver.wait_for, name, count)


async def test_a_run_that_is_waited_for_is_a_trace_from_request_to_service(
    engine: Engine, receiver: SpanReceiver, site: Site
) -> None:
    site.respond("/fetch?q=1", "{}")
    node = {"id": "fetch", "type": "Component", "componentId": "http_request"}
    graph = {"nodes": [{**node, "data": {"url": f"{site.url}/fetch?q=1"}}], "edges": []}
    await push(engine.client, "greet", graph)
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-Id": "mine-1"}
    response = await engine.client.post("/webhooks/named/greet/trigger", json={}, headers=headers)
    assert response.status_code == 200

    (request,) = await spans(receiver, "POST /webhooks/named/{name}/trigger")
    (run,) = receiver.named("run greet")
    (step,) = receiver.named("node fetch")
    (outgoing,) = receiver.named("GET")
    assert [span.trace_id for span in (request, run, step, outgoing)] == [TRACE] * 4
    assert request.parent_id == PARENT
    assert [span.parent_id for span in (run, step, outgoing)] == [
        span.span_id for span in (request, run, step)
    ]
    kinds = [span.kind for span in (request, run, step, outgoing)]
    assert kinds == [SERVER, INTERNAL, INTERNAL, CLIENT]
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/webhooks/named/{name}/trigger",
        "http.response.status_code": 200,
        "arcrun.request_id": "mine-1",
    }
    assert len(str(run.attributes.pop("arcrun.run_id"))) == 32
    assert run.attributes == {
        "arcrun.trigger": "api",
        "arcrun.workflow": "greet",
        "arcrun.run.status": "succeeded",
    }
    assert step.attributes == {
        "arcrun.node": "fetch",
        "arcrun.component": "http_request",
        "arcrun.place": "fetch",
        "arcrun.workflow": "greet",
    }
    assert outgoing.attributes == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "http.response.status_code": 200,
    }
    assert not any(span.failed for span in (request, run, step, outgoing))
    assert request.service == "arcrun-server"
    assert receiver.paths == {"/v1/traces"}
    assert "traceparent" not in site.received[0].headers, "a service is not part of this system"


async def test_no_secret_no_query_no_body_and_no_error_text_is_in_a_span(
    engine: Engine, receiver: SpanReceiver, site: Site
) -> None:
    site.respond(f"/{SECRET}?key={SECRET}", f'{{"said": "{SECRET}"}}', status=500)
    await engine.client.post("/credentials", json={"name": "token", "value": SECRET})
    fetch = {
        "id": "fetch",
        "type": "Component",
        "componentId": "http_request",
        "data": {
            "url": f"{site.url}/{{{{credential.token}}}}?key={{{{credential.token}}}}",
            "method": "POST",
            "headers": {"Authorization": "Bearer {{credential.token}}"},
            "body_json": {"said": "{{input.said}}"},
        },
    }
    # Its host has a secret in it.
    for name in ("jira_api_token", "jira_email", "jira_domain"):
        credential = {"name": name, "value": SECRET, "service": "jira"}
        await engine.client.post("/credentials", json=credential)
    in_host = {"id": "in_host", "type": "Component", "componentId": "jira", "data": {"_path": "/"}}
    by_url = {"id": "by_url", "type": "Component", "componentId": f"{site.url}/x?key={SECRET}"}
    broken = {
        "id": "broken",
        "type": "Component",
        "componentId": "code",
        "data": {"code": f"throw new Error('{SECRET}')"},
    }
    nodes = [fetch, by_url, broken, in_host]
    site.respond(f"/x?key={SECRET}", "{}")
    await push(engine.client, "w", {"nodes": nodes, "edges": []})
    response = await engine.client.post(
        f"/webhooks/named/w/trigger?unused={SECRET}", json={"said": SECRET}
    )

    assert response.json()["failed_node"] == "in_host"

    (run,) = await spans(receiver, "run w")
    (step,) = receiver.named("node fetch")
    (jira,) = receiver.named("node in_host")
    (to_jira,) = [span for span in receiver.spans if span.parent_id == jira.span_id]
    assert to_jira.failed
    (by_url_step,) = receiver.named("node by_url")
    assert by_url_step.attributes["arcrun.component"] == "url"
    (outgoing,) = [span for span in receiver.named("POST") if span.parent_id == step.span_id]
    assert (outgoing.failed, outgoing.attributes["error.type"]) == (True, "500")
    assert (step.failed, step.attributes["error.type"]) == (True, "failed_result")
    assert run.failed
    assert {(span.status_text, span.events) for span in receiver.spans} == {("", 0)}
    await engine.end(signal.SIGTERM)
    sent = b"".join(receiver.bodies)
    assert SECRET.encode() not in sent
    assert engine._key.encode() not in sent


async def test_an_accepted_run_is_a_trace_whose_id_is_its_own(
    engine: Engine, receiver: SpanReceiver, service: Service
) -> None:
    await push(engine.client, "w", calls(service, "/a"))
    run_id = await accept(engine.client, "w")
    await ended(engine.client, run_id)
    (run,) = await spans(receiver, "run w")
    assert (run.trace_id, run.parent_id) == (run_id, "")
    assert run.attributes["arcrun.run_id"] == run_id
    assert run.attributes["arcrun.segment"] == 0
    (step,) = receiver.named("node a")
    assert (step.trace_id, step.parent_id) == (run_id, run.span_id)
    (request,) = receiver.named("POST /webhooks/named/{name}/trigger")
    assert request.trace_id != run_id
    assert request.attributes["arcrun.run_id"] == run_id


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
async def test_spans_after_a_restart_are_in_the_trace_of_the_run(
    engine: Engine, receiver: SpanReceiver, service: Service
) -> None:
    service.answers["/ask"] = b'{"pending": true, "task_id": "review"}'
    ask = {"id": "ask", "type": "Component", "componentId": f"{service.url}/ask"}
    after = {"id": "after", "type": "Component", "componentId": f"{service.url}/after"}
    edges = [{"from": "ask", "to": "after", "type": "PIPE"}]
    await push(engine.client, "w", {"nodes": [ask, after], "edges": edges})
    run_id = await accept(engine.client, "w")
    await until(engine.client, run_id, lambda run: run["status"] == "paused")
    (first,) = await spans(receiver, "run w")
    assert first.attributes["arcrun.run.status"] == "paused"
    await engine.end()
    await engine.start_again()
    resume = {"task_id": "review", "data": {"fine": True}}
    assert (await engine.client.post("/workflows/resume", json=resume)).status_code == 200
    await ended(engine.client, run_id)
    second = (await spans(receiver, "run w", 2))[1]
    assert (second.trace_id, second.attributes["arcrun.segment"]) == (run_id, 1)
    assert second.attributes["arcrun.run.status"] == "succeeded"
    assert [span.trace_id for span in receiver.named("node after")] == [run_id]


async def test_a_collector_that_is_not_there_changes_nothing_but_the_log(
    serve: Callable[..., Any], tmp_path: Path, service: Service
) -> None:
    def start() -> Any:
        return serve(
            *("--dev", "--json", "--data", tmp_path, "--log-level", "warning"),
            OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1",
            OTEL_BSP_SCHEDULE_DELAY="50",
            OTEL_EXPORTER_OTLP_TIMEOUT="1",
        )

    engine = await asyncio.to_thread(Engine, start)
    await push(engine.client, "w", calls(service, "/a"))
    run = await ended(engine.client, await accept(engine.client, "w"))
    assert run["status"] == "succeeded"
    await engine.client.aclose()
    assert await asyncio.to_thread(engine._server.stop) == 0


@pytest.mark.parametrize(
    ("environment", "on"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://c/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_variables_of_opentelemetry_decide(
    environment: dict[str, str], on: bool, tmp_path: Path
) -> None:
    assert settings_from(environment, data_dir=tmp_path).tracing is on


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "sent by http/protobuf only"),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "sent by OTLP only"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"}, "must begin with http"),
    ],
)
def test_what_this_server_can_not_do_keeps_it_from_starting(
    more: dict[str, str], message: str, tmp_path: Path
) -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", **more}
    with pytest.raises(StartupError, match=message):
        settings_from(environment, data_dir=tmp_path)


def test_missing_packages_are_named_with_the_command_that_brings_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "_PACKAGES", ("opentelemetry.sdk", "not_there.exporter"))
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}
    with pytest.raises(StartupError, match=r"pip install 'arcrun-server\[otel\]'"):
        settings_from(environment, data_dir=tmp_path)


def test_server_without_an_endpoint_does_not_import_opentelemetry() -> None:
    program = (
        "import sys, tempfile, pathlib\n"
        "from arcrun_server.app import create_app\n"
        "from arcrun_server.settings import settings_from\n"
        "create_app(settings_from({}, data_dir=pathlib.Path(tempfile.mkdtemp())))\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
