"""The leak check: every place where a secret may appear, each allowed only by its own name."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from arcrun_conformance.adapters.protocol import Result, SdkError
from arcrun_conformance.checks.leaks import Observations, leak_checks
from arcrun_conformance.scenarios.scenario import Secret
from arcrun_conformance.wire.journal import Exchange, Request, Response

if TYPE_CHECKING:
    from arcrun_conformance.wire.journal import ServerName

SECRET = "sk-canary/密-1"
LATIN = "sk-canary-2"


def exchange(
    server: ServerName = "engine", response: Response | None = None, **request: Any
) -> Exchange:
    sent = Request("GET", **{"target": "/", "headers": [], **request})
    return Exchange(7, server, "step", 0.0, sent, response, 0.1)


def message(observations: Observations, *may_appear: str, secret: str = LATIN) -> str:
    (found,) = leak_checks({"token": Secret(secret, frozenset(may_appear))}, observations)
    assert found.id == "secret-token"
    assert found.passed is (found.message == "")
    return found.message


@pytest.mark.parametrize(
    ("observations", "where", "allowed_as"),
    [
        (Observations([exchange(target=f"/?k={LATIN}")]), "in the URL of request 7", None),
        (
            Observations([exchange(headers=[("X-Arcrun-API-Key", LATIN)])]),
            "in the key header of request 7",
            "key-header",
        ),
        (
            Observations([exchange(headers=[("X-Other", LATIN)])]),
            "in the headers of request 7",
            None,
        ),
        (
            Observations([exchange(body=LATIN.encode())]),
            "in the body of request 7 (GET at the engine)",
            "engine",
        ),
        (
            Observations([exchange("standin", target=f"/{LATIN}")]),
            "in request 7 (GET at the standin)",
            "standin",
        ),
        (
            Observations([exchange("standin", headers=[("Authorization", LATIN)])]),
            "in request 7",
            "standin",
        ),
        (Observations([exchange("standin", body=LATIN.encode())]), "in request 7", "standin"),
        (
            Observations([exchange(response=Response(200, [("X-Echo", LATIN)]))]),
            "in the response to request 7",
            None,
        ),
        (
            Observations([exchange(response=Response(200, [], LATIN.encode()))]),
            "in the response to request 7",
            None,
        ),
        (
            Observations([exchange("standin", Response(200, [], LATIN.encode()))]),
            "in the response to request 7",
            "standin",
        ),
        (
            Observations([], [("read", Result({"a": LATIN}))]),
            "in the result of step read",
            "results",
        ),
        (Observations([], [("read", Result([LATIN]))]), "in the result of step read", "results"),
        (
            Observations([], [("bind", Result({"shown": [LATIN]}))]),
            "in the printed form of an object of step bind",
            None,
        ),
        (
            Observations([], [("read", SdkError("x", "", {"message": LATIN}))]),
            "in the error of step read",
            None,
        ),
        (Observations([], stderr=LATIN), "on the adapter's stderr", None),
    ],
)
def test_a_secret_is_found_wherever_it_is_and_allowed_only_there(
    observations: Observations, where: str, allowed_as: str | None
) -> None:
    every = {"engine", "standin", "results", "key-header"}
    assert message(observations).startswith(f"the secret token appears {where}")
    assert message(observations, *(every - {allowed_as})) != ""
    if allowed_as:
        assert message(observations, allowed_as) == ""
    else:
        assert message(observations, *every) != ""


@pytest.mark.parametrize(
    "written",
    [SECRET, quote(SECRET), quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode()],
)
def test_a_secret_is_found_in_each_of_its_encodings(written: str) -> None:
    assert message(Observations([], stderr=f"x{written}y"), secret=SECRET) != ""


def test_what_is_no_secret_and_what_has_no_response_passes() -> None:
    fine = [exchange(headers=[("X-Arcrun-API-Key", "ak")], body=b"\xff"), exchange("standin")]
    replies = [("one", Result({"shown": "no list"})), ("two", SdkError("x", "m", {}))]
    assert message(Observations(fine, replies, "nothing")) == ""


def test_each_secret_has_its_own_check_and_each_place_is_named_once() -> None:
    secrets = {"a": Secret(LATIN, frozenset()), "b": Secret("sk-other", frozenset())}
    twice = [("read", Result(LATIN)), ("read", Result(LATIN))]
    first, second = leak_checks(secrets, Observations([], twice))
    assert first.message == "the secret a appears in the result of step read"
    assert (first.outcome, second.outcome) == ("failed", "passed")
