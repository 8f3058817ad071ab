"""OpenTelemetry's own instrumentation of httpx records neither a service's secrets nor the API key."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

SECRET = "s3cret-0a1b2c3d"
INJECT = {
    "header": {"header": {"Authorization": "Bearer {{secret.tok}}"}},
    "query": {"query": {"key": "{{secret.tok}}"}},
    "path": {"path": {"bot_token": "{{secret.tok}}"}},
    "body": {"body": {"token": "{{secret.tok}}"}},
}
CAPTURED = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_"
README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


class Spans:
    """What was exported, as text."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    @property
    def texts(self) -> list[str]:
        return [span.to_json() for span in self.exporter.get_finished_spans()]

    def of(self, url: str) -> list[str]:
        return [text for text in self.texts if url in text]


@pytest.fixture
def spans() -> Spans:
    return Spans()


@pytest.fixture
def all_headers(monkeypatch) -> None:
    """Let instrumentation record every header, which it does only on request."""
    for side in ("REQUEST", "RESPONSE"):
        monkeypatch.setenv(CAPTURED + side, ".*")


@contextlib.contextmanager
def instrumented(spans: Spans) -> Iterator[None]:
    """Instrument httpx as a whole."""
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=spans.provider)
    try:
        yield
    finally:
        instrumentor.uninstrument()


@pytest.fixture(params=list(INJECT))
def section(request) -> str:
    return request.param


@pytest.fixture
def bind(section, kind, server, other_server, serve_recipe, canned) -> Any:
    """Binds a client to `other_server`, which redirects once and repeats the target."""
    serve_recipe("own", other_server.url, ["tok"], inject=INJECT[section])
    moved = f"/bot{SECRET}/done" if section == "path" else f"/done?key={SECRET}"
    other_server.on("POST", "*", canned(307, headers={"Location": moved}), {"ok": True})
    client = kind.client(server.url)

    def make(**options: Any) -> Any:
        kind.run(client.auth.setup("own", tok=SECRET))
        return kind.bind(client, "own", trust_origin=other_server.url, **options)

    return make


def send(kind, bound) -> None:
    path = "/bot{bot_token}/pages"
    response = kind.run(bound.post(path, json={"text": "你好"}, follow_redirects=True))
    assert response.json() == {"ok": True}


@pytest.mark.usefixtures("all_headers")
def test_instrumentation_of_httpx_as_a_whole_does_not_see_bound_requests(
    kind, bind, spans, server, other_server
) -> None:
    with instrumented(spans):
        send(kind, bind())
    assert SECRET in f"{other_server.requests[0]!r}"
    assert spans.of(server.url)  # the requests to the engine
    assert spans.of(other_server.url) == []
    assert SECRET not in "".join(spans.texts)


@pytest.mark.usefixtures("all_headers")
def test_an_instrumented_bound_client_shows_requests_as_they_were_written(
    kind, bind, spans, other_server
) -> None:
    bound = bind()
    HTTPXClientInstrumentor.instrument_client(bound, tracer_provider=spans.provider)
    send(kind, bound)
    assert SECRET in f"{other_server.requests[0]!r}"
    assert len(spans.of(other_server.url)) == 2
    assert SECRET not in "".join(spans.texts)


@pytest.mark.usefixtures("all_headers")
def test_both_ways_at_once(kind, bind, spans, other_server) -> None:
    with instrumented(spans):
        bound = bind()
        HTTPXClientInstrumentor.instrument_client(bound, tracer_provider=spans.provider)
        send(kind, bound)
    assert len(spans.of(other_server.url)) == 2
    assert SECRET not in "".join(spans.texts)


@pytest.mark.usefixtures("all_headers")
def test_a_transport_of_httpx_that_the_user_passes_is_not_seen_either(
    kind, bind, spans, other_server
) -> None:
    transport = httpx.HTTPTransport if kind.name == "sync" else httpx.AsyncHTTPTransport
    with instrumented(spans):
        send(kind, bind(transport=kind.keep(transport())))
    assert SECRET not in "".join(spans.texts)


@pytest.mark.usefixtures("all_headers")
def test_an_error_of_an_instrumented_bound_client_holds_no_secret(
    kind, bind, spans, other_server
) -> None:
    bound = bind()
    HTTPXClientInstrumentor.instrument_client(bound, tracer_provider=spans.provider)
    other_server.close()
    with pytest.raises(httpx.ConnectError):
        send(kind, bound)
    (text,) = spans.texts
    assert "ConnectError" in text
    assert SECRET not in text


# --- the key ------------------------------------------------------------------------------------


def test_the_key_is_in_no_span(kind, spans, server, key) -> None:
    server.on("GET", "/credentials", {"credentials": []})
    with instrumented(spans):
        kind.run(kind.client(server.url).creds.list())
    assert server.requests[0].headers["x-arcrun-api-key"] == key
    (text,) = spans.texts
    assert f"{server.url}/credentials" in text
    assert key not in text


@pytest.mark.usefixtures("all_headers")
@pytest.mark.parametrize("has_own_client", [True, False])
def test_the_key_is_in_no_span_of_headers_if_its_header_is_sanitized(
    has_own_client, kind, spans, server, key, monkeypatch
) -> None:
    (name, value) = re.search(r"`(OTEL_\w+)=(\S+)`", README).groups()
    monkeypatch.setenv(name, value)
    server.on("GET", "/credentials", {"credentials": []})
    with contextlib.ExitStack() as stack:
        http = kind.http_client() if has_own_client else None
        if has_own_client:
            HTTPXClientInstrumentor.instrument_client(http, tracer_provider=spans.provider)
        else:
            stack.enter_context(instrumented(spans))
        kind.run(kind.client(server.url, http_client=http).creds.list())
    (text,) = spans.texts
    assert '"http.request.header.x_arcrun_api_key": [\n            "[REDACTED]"' in text
    assert key not in text


# --- transports of the user's own ---------------------------------------------------------------


def recipe_of_the_readme() -> httpx.BaseTransport:
    """The README's transport that sends by one of httpx, without spans."""
    (code,) = re.findall(r"```python no-run\n([^`]*suppress_http[^`]*)```", README)
    scope = {"httpx": httpx}
    exec(code, scope)
    return scope["Counting"]()


@pytest.mark.usefixtures("all_headers")
@pytest.mark.parametrize("kind", ["sync"], indirect=True)
def test_a_transport_around_one_of_httpx_suppresses_spans_itself(
    kind, bind, spans, other_server
) -> None:
    transport = recipe_of_the_readme()
    with instrumented(spans):
        send(kind, bind(transport=transport))
    assert transport.count == 2
    transport.inner.close()
    assert SECRET in f"{other_server.requests[0]!r}"
    assert SECRET not in "".join(spans.texts)
