"""Wire checks: which requests they select, what they demand of each, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from arcrun_conformance.checks.wire import internal_errors, no_other_requests, wire_check
from arcrun_conformance.wire.journal import Exchange, Request, Response, ServerName


def exchange(number: int, target: str, server: ServerName = "engine", **request: Any) -> Exchange:
    sent = Request(request.get("method", "GET"), target, request.get("headers", []))
    started = request.get("started", float(number))
    return Exchange(number, server, "step", started, sent, Response(200), started + 0.1)


FAILED = Response.from_json({"error": "x", "code": "internal_error"}, 500)


def test_an_error_of_the_engine_itself_is_found_unless_a_fault_took_its_place() -> None:
    found = exchange(1, "/health")
    found.response = FAILED
    hidden = exchange(2, "/health")
    hidden.own_response, hidden.fault = FAILED, "close"
    planned = exchange(3, "/health")
    planned.response, planned.fault = FAILED, "status 500"
    of_a_service = exchange(4, "/v1/models", "standin")
    of_a_service.response = FAILED
    of_a_run = exchange(5, "/webhooks/named/a/trigger")
    of_a_run.response = Response.from_json({"error": "x", "code": "run_failed"}, 500)
    no_text = exchange(6, "/health")
    no_text.response = Response(500, [], b"\xff")
    unanswered = exchange(7, "/health")
    unanswered.response = None
    every = [found, hidden, planned, of_a_service, of_a_run, no_text, unanswered]
    assert internal_errors(every) == [found, hidden]


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
        ({"same": "method"}, ""),
        ({"same": "headers.x-none", "at": "standin", "where": {}}, ""),
        ({"distinct": "method"}, 'method should differ in each request, got ["POST", "POST"]'),
        ({"pause": {"$min": 1.8, "$max": 2}}, ""),
        ({"pause": {"$max": 1}}, "pause before request 3: expected at most 1, got 1.9"),
    ],
)
def test_what_must_hold_for_the_selected_requests(definition: dict[str, Any], message: str) -> None:
    assert wire_check({"id": "x", **PUSHES, **definition}, EXCHANGES).message == message


@pytest.mark.parametrize(
    ("pause", "message"),
    [(1.00004, ""), (1.0004, "pause before request 2: expected at most 1, got 1.0004")],
)
def test_a_pause_is_measured_to_a_tenth_of_a_millisecond(pause: float, message: str) -> None:
    exchanges = [exchange(1, "/a", started=0.0), exchange(2, "/a", started=0.1 + pause)]
    assert wire_check({"id": "x", "pause": {"$max": 1}}, exchanges).message == message


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


def listed(
    number: int,
    target: str,
    body: Any,
    server: ServerName = "engine",
    method: str = "GET",
    **more: Any,
) -> Exchange:
    found = exchange(number, target, server, method=method)
    found.response = Response.from_json(body)
    for name, value in more.items():
        setattr(found, name, value)
    return found


FIRST = listed(1, "/credentials", {"credentials": [], "next_cursor": "a+b"})
SECOND = listed(2, "/credentials?cursor=a%2Bb", {"credentials": []})
LISTED = {"id": "x", "where": {"path": "/credentials"}, "count": 1}


@pytest.mark.parametrize("body", [{"next_cursor": "a+b"}, {"data": {"next_cursor": "a+b"}}])
def test_a_further_page_of_a_list_is_expected_and_not_counted(body: Any) -> None:
    exchanges = [listed(1, "/credentials", body), SECOND]
    assert wire_check(LISTED, exchanges).message == ""
    assert no_other_requests([LISTED], exchanges).message == ""


def test_a_further_page_is_counted_where_the_check_is_about_cursors() -> None:
    pages = {**LISTED, "where": {"path": "/credentials", "query": {"cursor": {"$type": "string"}}}}
    assert wire_check(pages, [FIRST, SECOND]).exchanges == (2,)


@pytest.mark.parametrize(
    "other",
    [
        listed(2, "/credentials?cursor=another", {}),
        listed(2, "/webhooks/named?cursor=a%2Bb", {}),
        listed(2, "/credentials", {}),
        listed(2, "/credentials?cursor=a%2Bb", {}, step="another"),
    ],
)
def test_a_page_to_which_no_page_leads_is_not_expected(other: Exchange) -> None:
    counted = {**LISTED, "where": {"query": {"$equals": {}}, "path": "/credentials"}}
    assert no_other_requests([], [FIRST, other]).exchanges == (1, 2)
    assert wire_check({**LISTED, "where": {}}, [FIRST, other]).message.endswith("got 2")
    assert wire_check(counted, [FIRST]).passed


@pytest.mark.parametrize(
    ("server", "method"), [("engine", "POST"), ("standin", "GET"), ("standin", "POST")]
)
def test_only_a_list_of_the_engine_has_pages(server: ServerName, method: str) -> None:
    first = listed(1, "/credentials", {"next_cursor": "a+b"}, server, method)
    following = listed(2, "/credentials?cursor=a%2Bb", {}, server, method)
    assert no_other_requests([], [first, SECOND]).exchanges == (1, 2)
    assert no_other_requests([], [FIRST, following]).exchanges == (1, 2)


def test_what_is_sent_between_two_pages_does_not_part_them() -> None:
    between = exchange(3, "/credentials", method="POST")
    assert no_other_requests([], [between, FIRST, between, SECOND]).exchanges == (3, 1, 3)


def test_pages_of_an_injected_list_are_counted() -> None:
    injected = listed(1, "/credentials", {"next_cursor": "a+b"}, fault="status")
    assert wire_check(LISTED, [injected, SECOND]).message.endswith("expected 1, got 2")
