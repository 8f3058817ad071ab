"""Wire checks: which requests they select, what they demand of each, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from arcrun_conformance.checks.wire import no_other_requests, wire_check
from arcrun_conformance.wire.journal import Exchange, Request, Response, ServerName


def exchange(number: int, target: str, server: ServerName = "engine", **request: Any) -> Exchange:
    sent = Request(request.get("method", "GET"), target, request.get("headers", []))
    started = request.get("started", float(number))
    return Exchange(number, server, "step", started, sent, Response(200), started + 0.1)


PUSH = exchange(1, "/credentials", method="POST", headers=[("X-Id", "a")])
MODELS = exchange(2, "/v1/models", "standin")
PUSH_AGAIN = exchange(3, "/credentials", method="POST", headers=[("X-Id", "b")])
EXCHANGES = [PUSH, MODELS, PUSH_AGAIN]
PUSHES = {"where": {"path": "/credentials"}}


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({}, ""),
        ({"count": 2, "request": {"method": "POST"}, "response": {"status": 200}}, ""),
        ({"count": 1}, "number of requests: expected 1, got 2"),
        ({"step": "another"}, "number of requests: expected at least 1, got 0"),
        ({"at": "standin"}, "number of requests: expected at least 1, got 0"),
        ({"distinct": "headers.x-id"}, ""),
        (
            {"same": "headers.x-id"},
            'headers.x-id should be the same in each request, got ["a", "b"]',
        ),
        ({"distinct": "method"}, 'method should differ in each request, got ["POST", "POST"]'),
        ({"pause": {"$min": 1.8, "$max": 2}}, ""),
        ({"pause": {"$max": 1}}, "pause before request 3: expected at most 1, got 1.9"),
    ],
)
def test_what_must_hold_for_the_selected_requests(definition: dict[str, Any], message: str) -> None:
    assert wire_check({"id": "x", **PUSHES, **definition}, EXCHANGES).message == message


def test_a_difference_names_the_request_and_its_response() -> None:
    definition = {"id": "x", "where": {"path": "/v1/models"}, "at": "standin"}
    found = wire_check(
        {**definition, "request": {"method": "PUT"}, "response": {"status": 201}}, EXCHANGES
    )
    assert found.message.splitlines() == [
        'request 2 (GET /v1/models).method: expected "PUT", got "GET"',
        "response to request 2 (GET /v1/models).status: expected 201, got 200",
    ]


@pytest.mark.parametrize(
    ("sequence", "holds"),
    [
        ([{"path": "/credentials"}, {"path": "/credentials"}], True),
        ([{"path": "/credentials"}, {"path": "/v1/models"}], False),
        ([{"path": "/credentials"}, {"at": "standin", "path": "/v1/models"}], True),
        ([{"at": "standin", "path": "/v1/models"}, {"method": "POST"}], True),
        ([{"at": "standin", "path": "/v1/models"}, {"at": "standin"}], False),
        ([{"path": "/credentials"}] * 3, False),
    ],
)
def test_a_sequence_may_span_engine_and_standin(
    sequence: list[dict[str, Any]], holds: bool
) -> None:
    assert wire_check({"id": "x", "order": sequence}, EXCHANGES).passed is holds


def test_the_message_about_a_sequence_names_the_first_position_that_is_missing() -> None:
    found = wire_check({"id": "x", "order": [{"method": "POST"}, {"path": "/a"}]}, EXCHANGES)
    assert found.message == (
        'no request at the engine matches position 2 of the sequence: {"path": "/a"}'
    )


def test_a_sequence_does_not_make_its_requests_expected() -> None:
    sequence = {"id": "x", "order": [{"at": "standin", "path": "/v1/models"}]}
    found = no_other_requests([{"id": "y", **PUSHES}, sequence], EXCHANGES)
    assert found.message == (
        "request 2 in step step is not expected by the scenario: GET /v1/models at the standin"
    )


def test_any_sdk_may_ask_for_the_health_of_the_engine() -> None:
    assert no_other_requests([], [exchange(1, "/health")]).passed
    assert not no_other_requests([], [exchange(1, "/health", "standin")]).passed
