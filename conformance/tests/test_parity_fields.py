"""Wire parity, field by field: JWTs wherever they stand, and headers that a runtime or an SDK decides."""

from __future__ import annotations

import base64
import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from parity_report import FORM, JSON, cell, exchange, report, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable


def jwt(**claims: Any) -> str:
    header = {"alg": "RS256", "typ": "JWT"}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in (header, claims)
    ]
    return ".".join([*parts, "c2lnbmF0dXJl"])


def token_request(assertion: str) -> list[dict[str, Any]]:
    return [exchange("POST", "/token", FORM, body=f"assertion={assertion}", place="standin")]


CLAIMS = {"iss": "我", "aud": "http://127.0.0.1:5/token", "iat": 100, "exp": 3700, "scope": "read"}
ASSERTION = "push, b: request 1, POST /token (standin), body.assertion"


def test_when_a_jwt_was_issued_is_no_difference() -> None:
    later = {**CLAIMS, "iat": 300, "exp": 3900, "aud": "http://127.0.0.1:6/token"}
    one, other = (cell(sdk, token_request(jwt(**c))) for sdk, c in (("a", CLAIMS), ("b", later)))
    assert texts_of(report(one, other)) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"scope": "read write"}, f'{ASSERTION}.claims.scope: "read write" instead of "read"'),
        ({"exp": 7300}, f"{ASSERTION}.claims.exp: 7200 instead of 3600"),
    ],
)
def test_a_claim_of_a_jwt_that_differs_is_found(change: dict[str, Any], expected: str) -> None:
    one = cell("a", token_request(jwt(**CLAIMS)))
    other = cell("b", token_request(jwt(**{**CLAIMS, **change})))
    assert texts_of(report(one, other)) == [f"{expected} (against a)"]


def token_in_header(token: str) -> dict[str, Any]:
    return exchange("GET", "/x", ["Authorization", f"Bearer {token}"], place="standin")


def token_in_query(token: str) -> dict[str, Any]:
    return exchange("GET", f"/x?token={token}", place="standin")


def token_in_json(token: str) -> dict[str, Any]:
    return exchange("POST", "/x", JSON, body={"tokens": [{"token": token}]}, place="standin")


@pytest.mark.parametrize(
    ("sent", "at"),
    [
        (token_in_header, "GET /x (standin), header.authorization.Bearer"),
        (token_in_query, "GET /x (standin), query.token"),
        (token_in_json, "POST /x (standin), body.tokens[0].token"),
    ],
)
def test_a_jwt_is_compared_by_its_claims_wherever_it_stands(
    sent: Callable[[str], dict[str, Any]], at: str
) -> None:
    one = cell("a", [sent(jwt(**CLAIMS))])
    later = {**CLAIMS, "iat": 300, "exp": 3900}
    assert texts_of(report(one, cell("b", [sent(jwt(**later))]))) == []
    wider = jwt(**{**later, "scope": "read write"})
    assert texts_of(report(one, cell("b", [sent(wider)]))) == [
        f'push, b: request 1, {at}.claims.scope: "read write" instead of "read" (against a)'
    ]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["Cache-Control", "no-cache"], []),
        (["Pragma", "no-cache"], []),
        (["Cache-Control", "max-stale"], ['header.cache-control: "max-stale" instead of nothing']),
        (["X-Request-Id", "1"], ['header.x-request-id: "1" instead of nothing']),
        (["Sec-CH-UA", "x"], ['header.sec-ch-ua: "x" instead of nothing']),
        (["Accept", "*/*"], ['header.accept: "*/*" instead of nothing']),
    ],
)
def test_of_headers_only_what_a_runtime_decides_is_left_out(
    header: list[str], expected: list[str]
) -> None:
    cells = [cell("a", [exchange("GET", "/x")]), cell("b", [exchange("GET", "/x", header)])]
    found = [text.split("(engine), ")[1] for text in texts_of(report(*cells))]
    assert found == [f"{text} (against a)" for text in expected]


@pytest.mark.parametrize("assertion", ["eyJ.eyJ.x", "eyJhIjo.W10.x", "eyJhIjoxfQ.MTI.x"])
def test_what_only_looks_like_a_jwt_is_compared_as_it_is(assertion: str) -> None:
    one, other = cell("a", token_request(assertion)), cell("b", token_request(jwt(**CLAIMS)))
    assert texts_of(report(one, deepcopy(one) | {"sdk": "b"})) == []
    assert texts_of(report(one, other)) != []
