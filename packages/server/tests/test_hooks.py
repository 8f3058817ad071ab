"""Webhooks in: signed ones trigger a workflow once, all others nothing (docs/contract.md#webhooks-in)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from durable_server import Engine, ended, engine
from server_process import ServerProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from pathlib import Path

__all__ = ["engine"]

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
BODY = '{"訂單": 7, "paid": true}'.encode()
ECHO = {
    "nodes": [{"id": "echo", "type": "Component", "componentId": "comp_passthrough"}],
    "edges": [],
}


def signature(
    webhook_id: str, timestamp: int | str, body: bytes, key: bytes = KEY, version: str = "v1"
) -> str:
    digest = hmac.digest(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"{version},{base64.b64encode(digest).decode()}"


def signed(
    body: bytes = BODY,
    webhook_id: str = "msg_1",
    *,
    key: bytes = KEY,
    content_type: str = "application/json",
    seconds: int = 0,
) -> dict[str, str]:
    """Return the headers of a webhook that was sent some seconds ago."""
    timestamp = int(time.time()) - seconds
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(webhook_id, timestamp, body, key),
        "content-type": content_type,
    }


@dataclass
class Owner:
    """An account, and the names of a workflow and of a credential that only one test uses."""

    client: httpx.AsyncClient
    workflow: str
    credential: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A server for all tests of this module."""
    folder = str(tmp_path_factory.mktemp("hooks"))
    arguments = ("--port", "0", "--dev", "--json", "--data", folder, "--log-level", "warning")
    server = ServerProcess(arguments, {})
    yield server.ready()
    server.stop(signal.SIGKILL)


@pytest.fixture
async def owner(served: dict[str, Any]) -> AsyncIterator[Owner]:
    headers = {"X-Arcrun-API-Key": served["key"]}
    name = uuid4().hex
    async with httpx.AsyncClient(base_url=served["url"], headers=headers, timeout=60) as client:
        yield Owner(client, f"shop-{name}", f"SHOP_{name}")


async def hooked(
    owner: Owner, name: str | None = None, secret: str | None = SECRET, **webhook: Any
) -> str:
    """Push a workflow that takes webhooks and gives back its input; return its URL."""
    if secret is not None:
        credential = {"name": owner.credential, "value": secret}
        assert (await owner.client.post("/credentials", json=credential)).status_code == 200
    graph = ECHO | {"webhook": {"secret": owner.credential, **webhook}}
    pushed = await owner.client.post(
        "/webhooks/named",
        json={"name": name or owner.workflow, "description": "a test's", "graph": graph},
    )
    assert pushed.status_code == 201, pushed.text
    return pushed.json()["hook_url"]


async def send(
    url: str,
    headers: Mapping[str, str] | list[tuple[str, bytes]],
    body: bytes = BODY,
    **options: Any,
) -> httpx.Response:
    """Send a webhook as its sender does: without a key."""
    async with httpx.AsyncClient(timeout=30) as sender:
        return await sender.post(url, headers=headers, content=body, **options)


async def input_of(owner: Owner, response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 202, response.text
    run = await ended(owner.client, response.json()["run_id"])
    assert run["status"] == "succeeded"
    assert run["trigger"] == "webhook"
    return run["input"]


async def test_webhooks_are_taken_on_both_databases(engine: Engine) -> None:
    owner = Owner(engine.client, "shop", "SHOP")
    url = await hooked(owner)
    taken = await send(url, signed())
    again = await send(url, signed())
    listed = (await engine.client.get("/webhooks/named")).json()["workflows"]

    assert (await input_of(owner, taken))["body"] == {"訂單": 7, "paid": True}
    assert again.json() == taken.json()
    assert [entry["hook_url"] for entry in listed] == [url]


async def test_a_signed_webhook_is_a_run_with_its_body(owner: Owner) -> None:
    url = await hooked(owner)
    response = await send(url, signed())

    assert response.json()["accepted"] is True
    assert await input_of(owner, response) == {
        "body": {"訂單": 7, "paid": True},
        "query": {},
        "headers": {},
    }


async def test_the_vector_of_standard_webhooks_is_right() -> None:
    """The example of its own documentation, whose numbers are not ours."""
    from arcrun_server.web.webhook_signature import is_signed, read_secrets, read_signed

    headers = {
        "webhook-id": ["msg_p5jXN8AQM9LWM0D4loKWxJek"],
        "webhook-timestamp": ["1614265330"],
        "webhook-signature": ["v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="],
    }
    found = read_signed(headers, 1614265330)
    assert is_signed(
        found, b'{"test": 2432232314}', read_secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    )


async def test_the_same_webhook_is_one_run_however_often_it_is_sent(owner: Owner) -> None:
    url = await hooked(owner)
    first = await send(url, signed())
    again = await send(url, signed(seconds=60))
    other = await send(url, signed(webhook_id="msg_2"))
    elsewhere = await send(await hooked(owner, f"{owner.workflow}-other"), signed())

    assert first.json() == again.json()
    assert len({response.json()["run_id"] for response in (first, other, elsewhere)}) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(int(time.time()) + 5)},
        {"webhook-signature": "v1," + base64.b64encode(bytes(32)).decode()},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,é".encode("latin-1").decode("latin-1")},
        {"webhook-signature": "nothing"},
    ],
)
async def test_what_is_not_signed_by_the_secret_is_refused(
    owner: Owner, change: dict[str, str]
) -> None:
    url = await hooked(owner)
    headers = {name: value.encode("latin-1") for name, value in (signed() | change).items()}
    response = await send(url, headers)  # type: ignore[arg-type]

    assert (response.status_code, response.json()["code"]) == (401, "invalid_signature")
    runs = await owner.client.get("/runs", params={"workflow": owner.workflow})
    assert runs.json()["total"] == 0


async def test_another_body_or_another_key_or_version_is_refused(owner: Owner) -> None:
    url = await hooked(owner)
    right = signed()
    v2 = right | {"webhook-signature": right["webhook-signature"].replace("v1,", "v1a,")}
    for response in (
        await send(url, right, BODY + b" "),
        await send(url, signed(key=bytes(32))),
        await send(url, v2),
    ):
        assert (response.status_code, response.json()["code"]) == (401, "invalid_signature")
        assert SECRET not in response.text
        assert right["webhook-signature"] not in response.text


@pytest.mark.parametrize("seconds", [301, -302])
async def test_a_webhook_that_is_too_old_or_from_the_future_is_refused(
    owner: Owner, seconds: int
) -> None:
    response = await send(await hooked(owner), signed(seconds=seconds))
    assert response.status_code == 401
    assert "5 minutes" in response.json()["error"]


@pytest.mark.parametrize("seconds", [295, -295])
async def test_clocks_may_differ_by_five_minutes(owner: Owner, seconds: int) -> None:
    assert (await send(await hooked(owner), signed(seconds=seconds))).status_code == 202


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_a_header_that_is_missing_is_named(owner: Owner, missing: str) -> None:
    headers = signed()
    del headers[missing]
    response = await send(await hooked(owner), headers)
    assert response.status_code == 401
    assert response.json()["error"].endswith(f"{missing} is not so")


@pytest.mark.parametrize("timestamp", ["soon", "1e9", "-5", "１６", "9" * 13, "1.5"])
async def test_a_timestamp_is_whole_seconds(owner: Owner, timestamp: str) -> None:
    headers = signed() | {"webhook-timestamp": timestamp}
    response = await send(
        await hooked(owner),
        {name: value.encode() for name, value in headers.items()},  # type: ignore[misc]
    )
    assert response.status_code == 401


async def test_while_a_secret_is_replaced_both_are_valid(owner: Owner) -> None:
    new = b"n" * 32
    both = f"{SECRET}\nwhsec_{base64.b64encode(new).decode()}\n"
    url = await hooked(owner, secret=both)
    assert (await send(url, signed(webhook_id="a"))).status_code == 202
    assert (await send(url, signed(webhook_id="b", key=new))).status_code == 202
    assert (await send(url, signed(webhook_id="c", key=bytes(32)))).status_code == 401


async def test_one_right_signature_among_several_is_enough(owner: Owner) -> None:
    headers = signed()
    wrong = "v1," + base64.b64encode(bytes(32)).decode()
    headers["webhook-signature"] = f"v1a,abc {wrong} {headers['webhook-signature']}"
    assert (await send(await hooked(owner), headers)).status_code == 202


@pytest.mark.parametrize(
    "secret",
    ["whsec_", "whsec_c2hvcnQ=", "whsec_*", "no base64 at all", "whsec_" + "é"],
    ids=["empty", "short", "no base64", "words", "no ASCII"],
)
async def test_what_is_no_secret_signs_nothing(owner: Owner, secret: str) -> None:
    url = await hooked(owner, secret=secret)
    for key in (b"", b"short", secret.encode()):
        assert (await send(url, signed(key=key))).status_code == 401


async def test_without_its_credential_nothing_is_taken(owner: Owner) -> None:
    url = await hooked(owner, secret=None)
    assert (await send(url, signed())).status_code == 401


async def test_a_form_is_an_object_whose_repeated_names_have_lists(owner: Owner) -> None:
    body = "a=1&b=&a=2&名=台北+101".encode()
    headers = signed(body, content_type="application/x-www-form-urlencoded; charset=UTF-8")
    response = await send(await hooked(owner), headers, body)
    assert (await input_of(owner, response))["body"] == {
        "a": ["1", "2"],
        "b": "",
        "名": "台北 101",
    }


async def test_the_query_and_the_chosen_headers_are_input(owner: Owner) -> None:
    url = await hooked(owner, headers=["X-Shop-Topic", "Webhook-Id", "X-Not-Sent"])
    headers = signed() | {"X-Shop-Topic": "orders/paid", "X-Other": "kept out"}
    response = await send(f"{url}?store=tw&tag=a&tag=b", headers)
    found = await input_of(owner, response)
    assert found["query"] == {"store": "tw", "tag": ["a", "b"]}
    assert found["headers"] == {"x-shop-topic": "orders/paid", "webhook-id": "msg_1"}


@pytest.mark.parametrize("body", [b"[1, 2]", b'"text"', b"null", b"0"])
async def test_a_body_may_be_any_json(owner: Owner, body: bytes) -> None:
    response = await send(await hooked(owner), signed(body), body)
    assert (await input_of(owner, response))["body"] == json.loads(body)


async def test_a_body_may_be_empty(owner: Owner) -> None:
    headers = signed(b"")
    del headers["content-type"]
    response = await send(await hooked(owner), headers, b"")
    assert (await input_of(owner, response))["body"] is None


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "invalid_json"),
        (b'{"a": 1, "a": 2}', "application/json", 400, "invalid_json"),
        (rb'{"a": "\u0000"}', "application/json", 400, "invalid_text"),
        (b"a=%00", "application/x-www-form-urlencoded", 400, "invalid_text"),
        (b"a=%ff", "application/x-www-form-urlencoded", 400, "invalid_text"),
        (b"\xff", "application/x-www-form-urlencoded", 400, "invalid_text"),
        (b"text", "text/plain", 415, "unsupported_media_type"),
        (b"{}", "application/json; charset=big5", 415, "unsupported_media_type"),
        (b"{}", "", 415, "unsupported_media_type"),
        (b" " * (2 * 1024 * 1024 + 1), "application/json", 413, "payload_too_large"),
        (b"[" + b"1," * 100_001 + b"1]", "application/json", 413, "too_many_values"),
    ],
)
async def test_a_body_that_is_none_is_refused(
    owner: Owner, body: bytes, content_type: str, status: int, code: str
) -> None:
    headers = signed(body, content_type=content_type)
    response = await send(await hooked(owner), headers, body)
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_what_is_not_signed_is_not_even_parsed(owner: Owner) -> None:
    response = await send(await hooked(owner), signed(), b"{")
    assert response.status_code == 401


async def test_the_url_is_shown_wherever_the_workflow_is_and_stays_the_same(
    owner: Owner,
) -> None:
    url = await hooked(owner)
    plain = f"{owner.workflow}-plain"
    await owner.client.post(
        "/webhooks/named", json={"name": plain, "description": "without", "graph": ECHO}
    )
    listed = (await owner.client.get("/webhooks/named?limit=200")).json()["workflows"]
    got = (await owner.client.get(f"/webhooks/named/{owner.workflow}/definition")).json()

    urls = {entry["name"]: entry.get("hook_url") for entry in listed}
    assert (urls[owner.workflow], urls[plain]) == (url, None)
    assert got["hook_url"] == url
    assert got["graph"]["webhook"] == {"secret": owner.credential}
    assert await hooked(owner) == url
    assert owner.workflow not in url.rpartition("/")[2]


async def test_what_does_not_take_webhooks_any_more_is_not_there(owner: Owner) -> None:
    url = await hooked(owner)
    await owner.client.post(
        "/webhooks/named", json={"name": owner.workflow, "description": "without", "graph": ECHO}
    )
    without = await send(url, signed())
    await hooked(owner)
    again = await send(url, signed())
    await owner.client.delete(f"/webhooks/named/{owner.workflow}")
    deleted = await send(url, signed())

    assert (without.status_code, without.json()["code"]) == (404, "hook_not_found")
    assert again.status_code == 202
    assert (deleted.status_code, deleted.json()["code"]) == (404, "hook_not_found")


async def test_an_id_can_not_be_made_up(owner: Owner) -> None:
    url = await hooked(owner)
    head, _, hook_id = url.rpartition("/")
    swapped = "A" if hook_id[-1] != "A" else "B"
    for changed in ("x", hook_id[:-1] + swapped, hook_id + "=", hook_id + "A", "A" * len(hook_id)):
        response = await send(f"{head}/{changed}", signed())
        assert (response.status_code, response.json()["code"]) == (404, "hook_not_found")


@pytest.mark.parametrize(
    ("webhook", "path"),
    [
        ("SHOP", "graph.webhook"),
        (None, "graph.webhook"),
        ({}, "graph.webhook.secret"),
        ({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw+/="}, "graph.webhook.secret"),
        ({"secret": "catalog"}, "graph.webhook.secret"),
        ({"secret": "SHOP", "header": []}, "graph.webhook.header"),
        ({"secret": "SHOP", "headers": "X"}, "graph.webhook.headers"),
        ({"secret": "SHOP", "headers": ["X"] * 21}, "graph.webhook.headers"),
        ({"secret": "SHOP", "headers": ["X Y"]}, "graph.webhook.headers[0]"),
        ({"secret": "SHOP", "headers": ["X", 5]}, "graph.webhook.headers[1]"),
        ({"secret": "SHOP", "headers": ["X", "x"]}, "graph.webhook.headers[1]"),
        ({"secret": "SHOP", "headers": ["Authorization"]}, "graph.webhook.headers[0]"),
        ({"secret": "SHOP", "headers": ["cookie"]}, "graph.webhook.headers[0]"),
        ({"secret": "SHOP", "headers": ["Transfer-Encoding"]}, "graph.webhook.headers[0]"),
    ],
)
async def test_what_is_wrong_with_a_webhook_is_found_at_push(
    owner: Owner, webhook: Any, path: str
) -> None:
    response = await owner.client.post(
        "/webhooks/named",
        json={"name": "w", "description": "d", "graph": ECHO | {"webhook": webhook}},
    )
    assert response.status_code == 400
    assert response.json()["code"] == "invalid_graph"
    assert path in [detail.get("path") for detail in response.json()["details"]]
    assert "whsec_" not in response.text


async def test_an_account_without_a_valid_key_takes_none(
    serve: Callable[..., Any], command: Callable[..., Any], tmp_path: Path
) -> None:
    key = command("keys", "create", "--data", tmp_path).stdout.strip()
    ready = await asyncio.to_thread(serve("--json", "--data", tmp_path).ready)
    headers = {"X-Arcrun-API-Key": key}
    async with httpx.AsyncClient(base_url=ready["url"], headers=headers, timeout=30) as client:
        owner = Owner(client, "shop", "SHOP")
        url = await hooked(owner)
        taken = await send(url, signed())
        await ended(client, taken.json()["run_id"])
    listed = command("keys", "list", "--data", tmp_path).stdout
    command("keys", "revoke", listed.split()[0], "--data", tmp_path)
    refused = await send(url, signed(webhook_id="msg_2"))

    assert taken.status_code == 202
    assert (refused.status_code, refused.json()["code"]) == (404, "hook_not_found")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("a=%00", 400, "invalid_text"),
        ("a=%ff", 400, "invalid_text"),
        ("a=%ED%A0%80", 400, "invalid_text"),
        ("&".join(["a=1"] * 1001), 413, "too_many_values"),
    ],
    ids=["NUL", "no UTF-8", "half of a surrogate pair", "many"],
)
async def test_a_query_is_as_strict_as_a_body(
    owner: Owner, query: str, status: int, code: str
) -> None:
    url = await hooked(owner)
    refused = await send(f"{url}?{query}", signed())

    assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_a_form_has_so_many_fields_at_most(owner: Owner) -> None:
    url = await hooked(owner)
    form = "application/x-www-form-urlencoded"
    body = "&".join(f"a{number}=1" for number in range(1001)).encode()
    refused = await send(url, signed(body, content_type=form), body)

    assert (refused.status_code, refused.json()["code"]) == (413, "too_many_values")


async def test_a_header_is_utf_8(owner: Owner) -> None:
    url = await hooked(owner, headers=["X-Shop"])
    named = signed() | {"x-shop": "台北"}
    taken = await send(url, [(name, value.encode()) for name, value in named.items()])
    latin = [(name, value.encode("iso-8859-1")) for name, value in signed().items()]
    refused = await send(url, [*latin, ("x-shop", "Zürich".encode("iso-8859-1"))])

    assert (await input_of(owner, taken))["headers"] == {"x-shop": "台北"}
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_text")
    assert "x-shop" in refused.json()["error"]


@pytest.mark.parametrize(
    "name", ["X-API-Key", "api-key", "Set-Cookie", "X-Hub-Signature-256", "X-Gitlab-Token"]
)
async def test_no_header_that_proves_who_sends_is_input(owner: Owner, name: str) -> None:
    graph = ECHO | {"webhook": {"secret": "SHOP", "headers": [name]}}
    refused = await owner.client.post(
        "/webhooks/named", json={"name": "w", "description": "a test's", "graph": graph}
    )

    assert refused.status_code == 400
    assert refused.json()["details"][0]["path"].endswith("webhook.headers[0]")
