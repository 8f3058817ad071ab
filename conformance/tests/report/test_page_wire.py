"""The comparison of two SDKs' traffic on the page: aligned by content, run by Node.js."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from page_script import evaluated, node

from arcrun_conformance.parity import TRANSPORT_HEADERS

pytestmark = pytest.mark.skipif(node() is None, reason="Node.js is not installed")


def exchange(method: str, target: str, body: Any = None, **more: Any) -> dict[str, Any]:
    text = "" if body is None else json.dumps(body)
    request = {"method": method, "target": target, "headers": more.pop("headers", []), "body": text}
    answer = {"status": 200, "headers": [], "body": ""}
    return {"place": "engine", "step": "a", "request": request, "answer": answer, **more}


def compared(mine: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = evaluated(
        "page_wire.js", "compareTraffic(mine, theirs)", mine=mine, theirs=theirs
    )
    return found


def test_one_more_request_stands_alone_and_changes_nothing_after_it() -> None:
    push, listing = exchange("POST", "/credentials", {"name": "x"}), exchange("GET", "/credentials")
    extra = exchange("GET", "/auth-recipes")
    calls = compared([extra, push, listing], [push, listing])
    assert [call["same"] for call in calls] == [False, True, True]
    assert calls[0]["theirs"] is None
    assert {row["right"] for row in calls[0]["request"]} == {None}


def token(claims: str, head: str = '{"alg":"RS256","typ":"JWT"}', signature: str = "c2ln") -> str:
    parts = (
        base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") for text in (head, claims)
    )
    return ".".join([*parts, signature])


CLAIMS = '{"iss":"me","aud":"http://127.0.0.1:4000/token","scope":"讀 a","iat":100,"exp":3700}'


@pytest.mark.parametrize(
    ("theirs", "same"),
    [
        (
            token(
                '{"exp": 3800, "iat": 200, "scope": "讀 a", "iss": "me", "aud": "http://127.0.0.1:5000/token"}'
            ),
            True,
        ),
        (token(CLAIMS, '{"typ": "JWT", "alg": "RS256"}', "b3RoZXI"), True),
        (token(CLAIMS.replace("讀 a", "讀 b")), False),
        (token(CLAIMS.replace("3700", "7300")), False),
        (token(CLAIMS, '{"alg":"none"}'), False),
        ("eyJub3Q.eyJKU09O.c2ln", False),
    ],
    ids=["another time", "another signature", "scope", "lifetime", "algorithm", "no token"],
)
def test_tokens_are_compared_by_what_they_say(theirs: str, same: bool) -> None:
    exchanges = [exchange("POST", "/token") for _ in range(2)]
    for made, value in zip(exchanges, (token(CLAIMS), theirs), strict=True):
        made["request"]["body"] = f"grant_type=jwt&assertion={value}"
    (call,) = compared(exchanges[:1], exchanges[1:])
    assert call["same"] is same


def test_what_differs_in_every_run_is_the_same() -> None:
    mine = exchange(
        "PUT",
        "/credentials/arcconf_01234567_0001_x",
        {"at": "2026-01-01T12:00:00.5Z", "encrypted": "c2VhbGVk", "iv": "aXZp"},
        headers=[["Host", "127.0.0.1:4000"], ["Accept", "*/*"], ["x-request-id", "0a" * 16]],
    )
    theirs = exchange(
        "PUT",
        "/credentials/arcconf_89abcdef_0002_x",
        {"at": "2026-01-02T13:00:00Z", "encrypted": "b3RoZXJz", "iv": "b3Ro"},
        headers=[["accept", "*/*"], ["X-Request-Id", "1b" * 16], ["host", "127.0.0.1:5000"]],
    )
    (call,) = compared([mine], [theirs])
    assert call["same"] is True


def test_a_ciphertext_of_another_length_is_a_difference() -> None:
    mine, theirs = (exchange("POST", "/x", {"encrypted": text}) for text in ("c2Vh", "c2VhbGVk"))
    (call,) = compared([mine], [theirs])
    assert call["same"] is False


def test_a_changed_field_stands_beside_what_it_was_and_a_further_one_alone() -> None:
    (call,) = compared(
        [exchange("POST", "/x", {"a": 1, "b": 2, "c": 3})],
        [exchange("POST", "/x", {"a": 1, "b": 4})],
    )
    rows = [(row["left"], row["right"]) for row in call["request"] if not row["same"]]
    assert rows == [('  "b": 2,', '  "b": 4'), ('  "c": 3', None)]


def test_another_answer_to_the_same_request_is_a_difference() -> None:
    answered = {"status": 500, "headers": [], "body": ""}
    (call,) = compared([exchange("GET", "/x")], [exchange("GET", "/x", answer=answered)])
    assert all(row["same"] for row in call["request"])
    assert call["response"] == [{"left": "200", "right": "500", "same": False, "noise": False}]


def test_bodies_of_other_statuses_are_not_mixed() -> None:
    refused = {"status": 400, "headers": [], "body": '{"a":1,"b":2}'}
    answered = {"status": 200, "headers": [], "body": '{"a":1}'}
    (call,) = compared(
        [exchange("GET", "/x", answer=refused)], [exchange("GET", "/x", answer=answered)]
    )
    *_, body = call["response"]
    assert (body["left"], body["right"]) == ('{\n  "a": 1,\n  "b": 2\n}', '{\n  "a": 1\n}')
    assert (body["same"], body["apart"]) == (False, True)


def test_calls_of_the_same_step_are_paired_rather_than_others() -> None:
    first, second = exchange("GET", "/x", step="first"), exchange("GET", "/x", step="second")
    calls = compared([first, second], [second])
    pairs = [(call["mine"], call["theirs"]) for call in calls]
    assert pairs == [(first, None), (second, second)]


def test_long_texts_are_compared_line_by_line() -> None:
    script = (
        "diffLines(Array(3000).fill('a'), [...Array(2999).fill('a'), 'b']).filter((r) => !r.same)"
    )
    assert evaluated("page_wire.js", script) == [{"left": "a", "right": "b", "same": False}]


def test_what_a_runtime_decides_is_no_difference() -> None:
    mine = exchange("GET", "/x", headers=[["User-Agent", "arcrun-python/0.1.0"]])
    ours = [["User-Agent", "arcrun-js/0.1.0"], ["Sec-Fetch-Mode", "cors"], ["Pragma", "no-cache"]]
    theirs = exchange("GET", "/x", headers=ours)
    (call,) = compared([mine], [theirs])
    assert call["same"] is True
    noise = {row["right"] for row in call["request"] if row["noise"]}
    assert noise == {"sec-fetch-mode: cors", "pragma: no-cache"}


@pytest.mark.parametrize("header", [["Pragma", "public"], ["User-Agent", "python-httpx/1.0"]])
def test_what_an_sdk_decides_is_a_difference(header: list[str]) -> None:
    ours = [["Pragma", "no-cache"], ["User-Agent", "arcrun-js/0.1.0"]]
    (call,) = compared(
        [exchange("GET", "/x", headers=[header])], [exchange("GET", "/x", headers=ours)]
    )
    assert call["same"] is False


def test_a_line_of_a_body_is_no_header() -> None:
    mine, theirs = exchange("GET", "/x"), exchange("GET", "/x")
    theirs["request"]["body"] = "host: a"
    (call,) = compared([mine], [theirs])
    assert call["same"] is False


def test_the_page_and_parity_leave_out_the_same_headers() -> None:
    assert set(evaluated("page_wire.js", "TRANSPORT_HEADERS")) == TRANSPORT_HEADERS
