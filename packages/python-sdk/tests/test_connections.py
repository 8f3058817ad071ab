"""Connections: what they may carry, where they lead, and to whom they belong."""

from __future__ import annotations

import asyncio
import gc
import gzip
import os
import threading
import time
import zlib
from typing import Any

import httpx
import pytest

import arcrun
from arcrun import (
    APITimeoutError,
    ConfigurationError,
    InsecureTransportError,
    UnexpectedResponseError,
)
from arcrun._core.decoding import MAX_RESPONSE_BYTES, CorruptBodyError, Decoder
from arcrun._http import ssl_context

HEALTH = {"ok": True}


# --- limits of responses ------------------------------------------------------------------------


def inflated(encoding: str, body: bytes, size: int = 7, limit: int = 10_000) -> bytes:
    """Decode a body that arrives in small parts."""
    decoder = Decoder(encoding, limit)
    return b"".join(decoder.feed(body[i : i + size]) for i in range(0, len(body), size))


def raw_deflate(text: bytes) -> bytes:
    """Compress without zlib's header and checksum."""
    return zlib.compress(text)[2:-4]


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("Deflate", zlib.compress),
        ("deflate", raw_deflate),
    ],
)
def test_a_body_is_decoded(encoding, encode, size) -> None:
    for text in ("你好，世界".encode() * 50, b'{"ok":true}', b""):
        assert inflated(encoding, encode(text), size) == text


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("rest", [gzip.compress(b"second", mtime=0), b"\0\0\0", b"trailing"])
def test_of_gzip_the_first_member_is_read(rest, size) -> None:
    assert inflated("gzip", gzip.compress(b"first" * 20) + rest, size) == b"first" * 20


@pytest.mark.parametrize("body", [b"\xff\xff\xff\xff", b'{"ok":true}'])
def test_a_body_that_is_no_deflate_is_corrupt(body) -> None:
    with pytest.raises(CorruptBodyError):
        inflated("deflate", body)


def test_a_body_of_exactly_the_limit_is_taken() -> None:
    assert len(inflated("gzip", gzip.compress(b"x" * 10_000))) == 10_000
    with pytest.raises(
        UnexpectedResponseError, match=r"larger than 10,000 bytes.*max_response_bytes"
    ):
        inflated("gzip", gzip.compress(b"x" * 10_001))


def test_without_the_option_64_mebibytes_are_taken() -> None:
    assert MAX_RESPONSE_BYTES == 67_108_864


def test_a_body_that_is_not_what_its_encoding_says_is_corrupt() -> None:
    with pytest.raises(CorruptBodyError):
        inflated("gzip", b"not gzip")


def test_another_encoding_than_those_asked_for_is_refused() -> None:
    with pytest.raises(UnexpectedResponseError, match="'br'"):
        Decoder("br", 10)


def test_a_bomb_is_not_unpacked(kind, server, canned) -> None:
    body = gzip.compress(b'{"ok": true' + b" " * 50_000_000 + b"}")
    server.on("GET", "/health", canned(200, body, {"Content-Encoding": "gzip"}))
    client = kind.client(server.url, max_response_bytes=1_000_000)
    with pytest.raises(UnexpectedResponseError, match="larger than 1,000,000 bytes"):
        kind.run(client.health())
    assert len(server.requests) == 1
    assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


def test_a_compressed_response_is_read(kind, server, canned) -> None:
    body = gzip.compress(b'{"ok": true}')
    server.on("GET", "/health", canned(200, body, {"Content-Encoding": "gzip"}))
    assert kind.run(kind.client(server.url).health()) == HEALTH


def test_the_limit_counts_for_a_transport_of_the_users_own(kind) -> None:
    body = httpx.MockTransport(lambda _: httpx.Response(200, content=b" " * 100))
    client = kind.client(
        "https://engine.test", http_client=kind.http_client(transport=body), max_response_bytes=99
    )
    with pytest.raises(UnexpectedResponseError, match="99 bytes"):
        kind.run(client.health())


@pytest.mark.parametrize("option", ["max_response_bytes", "max_connections"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "5", True])
def test_a_malformed_limit_is_refused(option, value) -> None:
    with pytest.raises(ConfigurationError, match=option):
        arcrun.Arcrun(**{option: value})


# --- proxies ------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY", "http_proxy"])
def test_requests_to_this_machine_go_through_no_proxy(
    variable, kind, server, other_server, monkeypatch, key
) -> None:
    monkeypatch.setenv(variable, other_server.url)
    server.on("GET", "/credentials", {"credentials": []})
    kind.run(kind.client(server.url).creds.list())
    assert server.requests[0].headers["x-arcrun-api-key"] == key
    assert other_server.requests == []


def test_an_own_client_that_would_send_the_key_to_a_proxy_is_refused(
    kind, server, other_server, monkeypatch
) -> None:
    monkeypatch.setenv("http_proxy", other_server.url)
    with pytest.raises(InsecureTransportError, match="NO_PROXY"):
        kind.client(server.url, http_client=kind.http_client())
    kind.client(server.url, http_client=kind.http_client(trust_env=False))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    kind.client(server.url, http_client=kind.http_client())


@pytest.mark.parametrize("no_proxy", ["engine.test", ".test", "*"])
def test_no_proxy_is_read_for_the_engine(no_proxy, kind, other_server, monkeypatch) -> None:
    monkeypatch.setenv("https_proxy", other_server.url)
    monkeypatch.setenv("no_proxy", no_proxy)
    client = kind.client("https://engine.test", max_retries=0)
    with pytest.raises(arcrun.APIConnectionError):
        kind.run(client.health())
    assert other_server.requests == []


def test_the_engine_is_reached_through_the_proxy(kind, other_server, monkeypatch) -> None:
    monkeypatch.setenv("https_proxy", other_server.url)
    with pytest.raises(arcrun.APIConnectionError):
        kind.run(kind.client("https://engine.test", max_retries=0).health())
    assert other_server.requests[0].target == "engine.test:443"


@pytest.mark.parametrize(
    "proxy", ["ftp://proxy.test", "http://proxy.test:x", "socks5://proxy.test"]
)
def test_a_proxy_that_cannot_be_used_is_an_error_that_names_the_variable(
    proxy, kind, monkeypatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY"):
        kind.run(kind.client("https://engine.test").health())


def test_certificates_that_are_not_there_are_an_error_that_names_the_variable(
    kind, monkeypatch, tmp_path
) -> None:
    ssl_context.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    try:
        with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
            kind.run(kind.client("https://engine.test").health())
    finally:
        ssl_context.cache_clear()


def test_certificates_that_cannot_be_parsed_are_an_error_too(kind, monkeypatch, tmp_path) -> None:
    (tmp_path / "bad.pem").write_text("nonsense")
    ssl_context.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "bad.pem"))
    try:
        with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
            kind.run(kind.client("https://engine.test").health())
    finally:
        ssl_context.cache_clear()


def test_plain_http_reads_no_certificates(kind, server, canned, monkeypatch, tmp_path) -> None:
    ssl_context.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    server.on("GET", "/health", canned(200, HEALTH))
    assert kind.run(kind.client(server.url).health()) == HEALTH


# --- processes, event loops and threads ---------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of fork in a process with threads
def test_a_child_opens_connections_of_its_own(server, key) -> None:
    server.on("GET", "/health", HEALTH)
    client = arcrun.Arcrun(key, base_url=server.url)
    client.health()
    transport: Any = client._connection.http._transport
    parents = next(iter(transport._pools.values()))["http", None]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            client.health()
            (pools,) = transport._pools.values()
            status = 0 if pools["http", None] is not parents else 2
        finally:
            os.write(writer, bytes([status]))
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 1) == b"\0"
    os.close(reader)
    os.close(writer)
    assert client.health() == HEALTH
    client.close()


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the first loop left a connection open
def test_a_client_is_used_in_one_event_loop_after_the_other(server, key) -> None:
    server.on("GET", "/health", HEALTH)
    client = arcrun.AsyncArcrun(key, base_url=server.url)
    for _ in range(3):
        assert asyncio.run(client.health()) == HEALTH  # type: ignore[arg-type]
    del client
    gc.collect()


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_a_client_is_used_in_two_event_loops_at_the_same_time(server, key) -> None:
    server.on("GET", "/health", HEALTH)
    results: list[object] = []

    def use(client: arcrun.AsyncArcrun) -> None:
        async def ask() -> None:
            results.extend(await asyncio.gather(*(client.health() for _ in range(20))))

        threads = [threading.Thread(target=lambda: asyncio.run(ask())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

    use(arcrun.AsyncArcrun(key, base_url=server.url))
    gc.collect()
    assert results == [HEALTH] * 40


def test_a_closed_client_says_so(kind, server) -> None:
    client = kind.client(server.url)
    kind.run(client.close())
    with pytest.raises(ConfigurationError, match="closed"):
        kind.run(client.health())


# --- time ---------------------------------------------------------------------------------------


def test_no_free_connection_is_said_as_that(server, canned, key) -> None:
    arrived, done = threading.Event(), threading.Event()

    def wait(handler: Any) -> None:
        arrived.set()
        done.wait(10)

    server.on("GET", "/health", canned(act=wait))
    client = arcrun.Arcrun(key, base_url=server.url, max_retries=0, max_connections=1)

    def ask() -> None:
        with pytest.raises(arcrun.APIConnectionError):
            client.health()

    first = threading.Thread(target=ask)
    first.start()
    assert arrived.wait(10)
    try:
        with pytest.raises(APITimeoutError, match=r"no connection was free.*max_connections"):
            client.with_options(timeout=0.05).health()
    finally:
        done.set()
        first.join()
        client.close()


class Slow(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that has the headers late, and then the whole body at once."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        time.sleep(0.06)
        return httpx.Response(200, stream=Once(b'{"ok": true}'))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


class Once(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self.body = body

    def __iter__(self) -> Any:
        yield self.body

    async def __aiter__(self) -> Any:
        yield self.body


def test_a_whole_response_is_not_thrown_away_for_being_late(kind) -> None:
    http = kind.http_client(transport=Slow())
    client = kind.client("https://engine.test", http_client=http, timeout=0.05, max_retries=0)
    assert kind.run(client.health()) == HEALTH


def test_the_time_outs_of_an_own_client_are_kept(kind) -> None:
    seen: list[dict[str, float]] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(200, json=HEALTH)

    own = httpx.Timeout(30, connect=20)
    http = kind.http_client(transport=httpx.MockTransport(respond), timeout=own)
    client = kind.client("https://engine.test", http_client=http)
    kind.run(client.health())
    kind.run(client.with_options(timeout=httpx.Timeout(9, connect=8)).health())
    kind.run(client.health(timeout=3))
    assert [(limit["connect"], limit["read"]) for limit in seen] == [(20, 30), (8, 9), (3, 3)]


def test_an_http_client_of_the_wrong_kind_is_refused(kind) -> None:
    other = httpx.AsyncClient() if kind.name == "sync" else httpx.Client()
    for wrong in (other, object(), httpx):
        with pytest.raises(ConfigurationError, match=r"http_client must be an? "):
            kind.client("https://engine.test", http_client=wrong)


# --- instrumentation ----------------------------------------------------------------------------


def test_instrumentation_of_httpx_does_not_see_a_request_with_secrets(
    kind, server, other_server, serve_recipe, monkeypatch
) -> None:
    seen: list[str] = []
    made = httpx.HTTPTransport if kind.name == "sync" else httpx.AsyncHTTPTransport
    name = "handle_request" if kind.name == "sync" else "handle_async_request"
    inner = getattr(made, name)

    def wrapper(transport: Any, request: httpx.Request) -> Any:
        seen.append(str(request.url))
        return inner(transport, request)

    wrapper.__wrapped__ = inner  # type: ignore[attr-defined] # as wrapt and functools.wraps do
    monkeypatch.setattr(made, name, wrapper)
    other_server.on("GET", "*", {})
    serve_recipe("own", other_server.url, ["tok"], inject={"query": {"key": "{{secret.tok}}"}})
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", tok="s3cret"))
    assert [url for url in seen if url.startswith(server.url)]
    bound = kind.bind(client, "own", trust_origin=other_server.url)
    kind.run(bound.get("/x"))
    assert other_server.requests[0].target == "/x?key=s3cret"
    assert "s3cret" not in str(seen)
