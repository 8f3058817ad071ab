from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import text

from arcrun_server.app import create_app
from arcrun_server.errors import Detail, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import Api
    from sqlalchemy import Connection

    from arcrun_server.settings import Settings
    from arcrun_server.store import Store

KEYED = [
    ("GET", "/credentials"),
    ("POST", "/credentials"),
    ("GET", "/credentials/a"),
    ("PUT", "/credentials/a"),
    ("DELETE", "/credentials/a"),
    ("GET", "/webhooks/named"),
    ("POST", "/webhooks/named"),
    ("DELETE", "/webhooks/named/a"),
    ("GET", "/webhooks/named/a/definition"),
    ("POST", "/webhooks/named/a/trigger"),
]


@pytest.mark.parametrize(("method", "path"), KEYED)
async def test_key_is_checked_first(nobody: Api, method: str, path: str) -> None:
    response = await nobody(method, path, content=b"{broken")
    assert (response.status_code, response.json()["code"]) == (401, "missing_api_key")
    assert response.json()["requires"] == "X-Arcrun-API-Key"
    assert response.headers["WWW-Authenticate"] == 'ApiKey header="X-Arcrun-API-Key"'


@pytest.mark.parametrize(("method", "path"), KEYED)
@pytest.mark.parametrize("key", ["ak_" + "0" * 48, "ak_short", "nonsense", "ak_" + "g" * 48])
async def test_unknown_key_is_refused(nobody: Api, method: str, path: str, key: str) -> None:
    response = await nobody(method, path, headers={"X-Arcrun-API-Key": key})
    assert (response.status_code, response.json()["code"]) == (401, "unknown_api_key")
    assert key not in response.text


async def test_revoked_key_is_refused_at_once(alice: Api) -> None:
    assert (await alice("GET", "/credentials")).status_code == 200
    [entry] = alice.store.accounts.keys()
    assert alice.store.accounts.revoke(entry.id)
    response = await alice("GET", "/credentials")
    assert (response.status_code, response.json()["code"]) == (401, "unknown_api_key")


async def test_unknown_route_is_404_in_the_common_shape(nobody: Api) -> None:
    for path in ("/nope", "/credentials/", "/health/", "/docs/secret.txt"):
        response = await nobody("GET", path)
        assert (response.status_code, response.json()["code"]) == (404, "not_found"), path
        assert response.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/credentials", "GET, POST"),
        ("POST", "/credentials/a", "DELETE, GET, PUT"),
        ("DELETE", "/health", "GET"),
        ("GET", "/validate", "POST"),
        ("TRACE", "/webhooks/named", "GET, POST"),
        ("OPTIONS", "/auth-recipes", "GET"),
        ("QUERY", "/", "GET"),
    ],
)
async def test_other_methods_are_405_with_the_allowed_ones(
    nobody: Api, method: str, path: str, allowed: str
) -> None:
    response = await nobody(method, path)
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    # Auth-recipe paths take more methods as the contract grows; what must hold is named exactly.
    assert set(allowed.split(", ")) <= set(response.headers["Allow"].split(", "))
    assert method not in response.headers["Allow"].split(", ")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"{", "line 1, column 2"),
        (b'{"a": 1,}', "line 1, column"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "digits"),
        (b'{"name": "a", "name": "b"}', "duplicate key"),
        (b'{"a": "\xff"}', "UTF-8"),
        ('{"a": "名"}'.encode("utf-16"), "UTF-8"),
        (b"[" * 90_000, "deep"),
        (b"[" * 101 + b"]" * 101, "deep"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "deep"),
        (b'{"a": "\n"}', "line 1"),
        (b"'a'", "line 1"),
    ],
    ids=range(15),
)
async def test_bad_json_is_400_with_its_position(alice: Api, content: bytes, says: str) -> None:
    for path in ("/credentials", "/webhooks/named", "/validate", "/cypher/search"):
        response = await alice(
            "POST", path, content=content, headers={"Content-Type": "application/json"}
        )
        assert (response.status_code, response.json()["code"]) == (400, "invalid_json"), path
        assert says in response.json()["error"]


@pytest.mark.parametrize(
    ("content", "path", "says"),
    [
        (rb'{"a": "\ud800"}', "a", "surrogate"),
        (rb'{"a": [1, {"b": "x\uDC00y"}]}', "a[1].b", "surrogate"),
        (rb'{"a": "\udd11\ud83d"}', "a", "surrogate"),
        (rb'{"\udfff": 1}', None, "surrogate"),
        (rb'{"a": {"\u0000": 1}}', "a", "NUL"),
        (rb'{"name": "a\u0000b"}', "name", "NUL"),
        (rb'["\\\u0000"]', "[0]", "NUL"),
    ],
    ids=range(7),
)
async def test_text_that_is_none_is_refused_with_its_place(
    alice: Api, content: bytes, path: str | None, says: str
) -> None:
    await alice("POST", "/webhooks/named", json={"name": "w", "description": "d", "graph": GRAPH})
    routes = ("/credentials", "/webhooks/named", "/webhooks/named/w/trigger", "/auth-recipes")
    for route in (*routes, "/recipes", "/validate", "/cypher/search", "/cypher/execute"):
        response = await alice("POST", route, content=content, headers=JSON)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_text"), route
        assert says in response.json()["error"]
        [detail] = response.json()["details"]
        assert detail.get("path") == path
        assert response.content.decode().isprintable()


async def test_backslashes_that_escape_nothing_are_taken(alice: Api) -> None:
    value = r"\u0000 and \ud800, each behind a backslash"
    response = await alice("POST", "/credentials", json={"name": "a", "value": value})
    assert response.status_code == 200


async def test_surrogate_pairs_and_deep_but_sane_json_are_taken(alice: Api) -> None:
    value = json.loads('{"data": ' + "[" * 50 + "]" * 50 + ', "text": "\\ud83d\\udd11"}')
    node = {"id": "n", "type": "Component", "componentId": "comp_counter", "data": value}
    graph = {"nodes": [node], "edges": []}
    assert (await alice("POST", "/validate", content=json.dumps(graph), headers=JSON)).json()[
        "valid"
    ] is True


JSON = {"Content-Type": "application/json"}
GRAPH = {"nodes": [{"id": "input", "type": "Input"}], "edges": []}


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": ""},
        {},
        {"Content-Type": "application/json; charset=big5"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_other_media_types_are_415(alice: Api, headers: dict[str, str]) -> None:
    response = await alice(
        "POST", "/credentials", content=b'{"name": "a", "value": "v"}', headers=headers
    )
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")
    assert (await alice("GET", "/credentials")).json()["total"] == 0


@pytest.mark.parametrize("kind", ["application/json; charset=UTF-8", "Application/JSON"])
async def test_json_by_any_of_its_spellings_is_taken(alice: Api, kind: str) -> None:
    response = await alice(
        "POST",
        "/credentials",
        content='{"name": "a", "value": "密"}'.encode(),
        headers={"Content-Type": kind},
    )
    assert response.status_code == 200


async def parts(size: int) -> AsyncIterator[bytes]:
    for _ in range(size):
        yield b" " * 1024


@pytest.mark.parametrize("streamed", [False, True])
async def test_body_over_the_limit_is_413_and_names_the_limit(alice: Api, streamed: bool) -> None:
    content: Any = parts(3 * 1024) if streamed else b" " * (2 * 1024 * 1024 + 1)
    response = await alice("POST", "/credentials", content=content, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")
    assert "2097152" in response.json()["error"]


async def test_clients_request_id_is_repeated(nobody: Api) -> None:
    for path, status in (("/health", 200), ("/nope", 404), ("/credentials", 401)):
        response = await nobody("GET", path, headers={"X-Request-Id": "req-1:a/b.c"})
        assert (response.status_code, response.headers["X-Request-Id"]) == (status, "req-1:a/b.c")


@pytest.mark.parametrize("sent", ["", "a b", "名".encode(), "x" * 129, 'x"y', "<script>"])
async def test_request_id_that_is_not_safe_to_repeat_is_replaced(nobody: Api, sent: Any) -> None:
    response = await nobody("GET", "/health", headers={"X-Request-Id": sent})
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-Id"])


async def test_failure_inside_is_500_and_logs_no_secret(
    alice: Api, failing: Any, caplog: pytest.LogCaptureFixture
) -> None:
    error = RuntimeError("broke on sk-secret-in-an-exception")
    with (
        caplog.at_level(logging.INFO, "arcrun_server"),
        failing(alice.store.credentials, "push", error),
    ):
        response = await alice(
            "POST",
            "/credentials?q=sk-secret-in-query",
            json={"name": "a", "value": "sk-secret-in-a-body"},
            headers={"X-Request-Id": "find-me"},
        )
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert response.headers["X-Request-Id"] == "find-me"
    assert "RuntimeError" in caplog.text
    assert "find-me" in caplog.text
    assert "POST /credentials 500" in caplog.text
    assert alice.key is not None
    for secret in ("sk-secret", alice.key):
        assert secret not in caplog.text
        assert secret not in response.text


async def test_storage_failure_is_503_and_says_to_try_again(alice: Api, failing: Any) -> None:
    reason = StorageUnavailableError("the disk is full")
    with failing(alice.store.credentials, "push", reason):
        response = await alice("POST", "/credentials", json={"name": "a", "value": "v"})
    assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")
    assert "the disk is full" in response.json()["error"]
    assert response.headers["Retry-After"] == "1"


async def test_full_disk_is_503_and_the_rest_goes_on(alice: Api) -> None:
    def pages(connection: Connection) -> int:
        return int(connection.execute(text("PRAGMA page_count")).scalar_one())

    database = alice.store.database
    room = database.read_now(pages)
    database.write_now(lambda c: c.execute(text(f"PRAGMA max_page_count = {room}")).scalar_one())
    body = {"name": "a", "value": "密" * 60_000}
    response = await alice("POST", "/credentials", json=body)
    assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")
    assert "disk is full" in response.json()["error"]
    assert (await alice("GET", "/credentials")).json()["total"] == 0
    assert (await alice("GET", "/health")).status_code == 200
    database.write_now(lambda c: c.execute(text("PRAGMA max_page_count = 99999")).scalar_one())
    assert (await alice("POST", "/credentials", json=body)).status_code == 200


async def test_client_that_leaves_is_no_failure(
    nobody: Api, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/validate",
        "raw_path": b"/validate",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "scheme": "http",
        "server": ("testserver", 80),
        "http_version": "1.1",
        "root_path": "",
    }
    with caplog.at_level(logging.INFO, "arcrun_server"):
        await nobody.app(scope, receive, send)
    assert sent == []
    assert "POST /validate 499" in caplog.text
    assert "failed" not in caplog.text


async def test_responses_to_an_account_are_kept_by_no_cache(alice: Api, nobody: Api) -> None:
    assert (await alice("GET", "/credentials")).headers["Cache-Control"] == "no-store"
    assert "Cache-Control" not in (await nobody("GET", "/auth-recipes")).headers


HOSTS_OF_THIS_MACHINE = [
    "127.0.0.1:8787",
    "127.1.2.3",
    "localhost",
    "LOCALHOST:80",
    "app.localhost:3000",
    "[::1]:8787",
]
OTHER_HOSTS = [
    "arcrun.evil.example",
    "arcrun.evil.example:8787",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "xlocalhost",
    "128.0.0.1",
    "[::2]",
    "127.0.0.1:8787@evil.example",
    "",
]


@pytest.mark.parametrize("path", ["/health", "/auth-recipes", "/docs", "/nowhere"])
async def test_development_mode_is_called_by_a_name_of_this_machine_only(
    store: Store, settings: Settings, path: str
) -> None:
    def client_of(**changed: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=create_app(replace(settings, **changed), store))
        return httpx.AsyncClient(transport=transport, base_url="http://localhost")

    async with client_of() as client:
        for host in HOSTS_OF_THIS_MACHINE:
            assert (await client.get(path, headers={"Host": host})).status_code != 421, host
        for host in OTHER_HOSTS:
            response = await client.get(path, headers={"Host": host})
            assert (response.status_code, response.json()["code"]) == (421, "misdirected_request")
            assert "localhost" in response.json()["error"]
            assert response.headers["X-Request-Id"]
    async with client_of(dev=False) as served, client_of(public_url="https://a.example") as known:
        for client in (served, known):
            response = await client.get(path, headers={"Host": "engine.example"})
            assert response.status_code != 421


@pytest.mark.parametrize(
    ("origin", "may_call"),
    [
        ("http://localhost:3000", True),
        ("http://127.0.0.1:5173", True),
        ("https://[::1]:8443", True),
        ("http://app.localhost", True),
        ("http://localhost.evil.example", False),
        ("https://evil.example", False),
        ("chrome-extension://localhost", False),
        ("null", False),
    ],
)
async def test_pages_of_this_machine_may_call_in_development_mode_only(
    store: Store, settings: Settings, origin: str, may_call: bool
) -> None:
    for dev in (True, False):
        app = create_app(replace(settings, dev=dev), store)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            preflight = await client.options(
                "/credentials", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
            )
            response = await client.get("/health", headers={"Origin": origin})
        allowed = origin if may_call and dev else None
        assert preflight.headers.get("Access-Control-Allow-Origin") == allowed
        assert response.headers.get("Access-Control-Allow-Origin") == allowed
        assert (response.headers.get("Vary") == "Origin") is dev


async def test_pages_of_named_origins_may_call(store: Store, settings: Settings) -> None:
    app = create_app(replace(settings, cors_origins=("https://arcrun.dev",)), store)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        preflight = await client.options(
            "/credentials",
            headers={
                "Origin": "https://arcrun.dev",
                "Access-Control-Request-Method": "PUT",
                "Access-Control-Request-Headers": "x-arcrun-api-key",
            },
        )
        assert preflight.status_code == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == "https://arcrun.dev"
        assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
        allowed = preflight.headers["Access-Control-Allow-Headers"]
        assert {"Content-Type", "Authorization", "X-Arcrun-API-Key", "Idempotency-Key"} <= set(
            allowed.split(", ")
        )
        response = await client.get("/credentials", headers={"Origin": "https://arcrun.dev"})
        assert response.status_code == 401
        assert response.headers["Access-Control-Allow-Origin"] == "https://arcrun.dev"
        assert "X-Request-Id" in response.headers["Access-Control-Expose-Headers"]
        assert response.headers["Vary"] == "Origin"
        stranger = await client.options(
            "/credentials",
            headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "PUT"},
        )
        assert stranger.status_code == 405
        assert "Access-Control-Allow-Origin" not in stranger.headers


async def test_without_the_setting_no_origin_may_call(nobody: Api) -> None:
    response = await nobody("GET", "/health", headers={"Origin": "https://arcrun.dev"})
    assert response.status_code == 200
    assert "Access-Control-Allow-Origin" not in response.headers


def test_a_detail_holds_only_what_is_known() -> None:
    assert Detail("甲。", path="p").as_json() == {"path": "p", "message": "甲。"}
    assert Detail("甲。", line=1, column=2, suggestion="乙").as_json() == {
        "line": 1,
        "column": 2,
        "message": "甲。",
        "suggestion": "乙",
    }


async def test_a_byte_order_mark_before_json_is_tolerated(alice: Api) -> None:
    headers = {"Content-Type": "application/json"}
    body = b"\xef\xbb\xbf" + b'{"name": "a", "value": "b"}'
    response = await alice("POST", "/credentials", content=body, headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize(("digits", "status"), [("-" + "9" * 400, 200), ("-" + "9" * 401, 400)])
async def test_a_sign_is_no_digit(alice: Api, digits: str, status: int) -> None:
    graph = '{"nodes": [{"id": "input", "type": "Input"}], "edges": []}'
    body = f'{{"graph": {graph}, "context": {{"n": {digits}}}}}'
    response = await alice("POST", "/execute", content=body, headers=JSON)
    assert response.status_code == status
