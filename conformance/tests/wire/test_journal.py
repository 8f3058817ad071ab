"""The journal: how scenarios see requests, headers and bodies."""

from __future__ import annotations

from typing import Any

import pytest

from arcrun_conformance.wire.journal import Journal, Request, Response, body_value, headers_value


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"", None),
        (b"null", None),
        (b'{"a": 1}', {"a": 1}),
        ("值".encode(), "值"),
        (b"\xffa", "\N{REPLACEMENT CHARACTER}a"),
    ],
)
def test_a_body_is_json_or_else_text(body: bytes, value: Any) -> None:
    assert body_value(body) == value


def test_headers_of_one_name_are_joined_whatever_their_case() -> None:
    headers = [("X-A", "1"), ("x-b", "2"), ("x-a", "3"), ("X-a", "4")]
    assert headers_value(headers) == {"x-a": "1, 3, 4", "x-b": "2"}
    assert Request("GET", "/", headers).header("x-a") == "1, 3, 4"
    assert Request("GET", "/", headers).header("x-c") is None


def test_a_parameter_that_is_repeated_is_a_list() -> None:
    request = Request("GET", "/a%20b/%E5%80%BC?a=1&b=&a=2&c=%E5%80%BC&a=3", [])
    assert request.path == "/a b/值"
    assert request.query == {"a": ["1", "2", "3"], "b": "", "c": "值"}


def test_a_field_of_a_form_that_is_repeated_is_a_list() -> None:
    headers = [("Content-Type", "application/x-www-form-urlencoded")]
    request = Request("POST", "/t", headers, b"a=1&b=&a=2&c=%E5%80%BC&a=")
    assert request.value()["body"] == {"a": ["1", "2", ""], "b": "", "c": "值"}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", {"a": "1 2", "b": ""}),
        ("application/x-www-form-urlencoded; charset=utf-8", {"a": "1 2", "b": ""}),
        ("Application/X-WWW-Form-URLEncoded", {"a": "1 2", "b": ""}),
        ("text/plain", "a=1+2&b="),
        (None, "a=1+2&b="),
    ],
)
def test_only_a_form_is_read_as_a_form(content_type: str | None, body: Any) -> None:
    headers = [("Content-Type", content_type)] if content_type else []
    assert Request("POST", "/t?x=1", headers, b"a=1+2&b=").value() == {
        "method": "POST",
        "path": "/t",
        "query": {"x": "1"},
        "target": "/t?x=1",
        "headers": {"content-type": content_type} if content_type else {},
        "body": body,
    }


def test_a_json_response_is_200_and_keeps_its_characters() -> None:
    response = Response.from_json({"值": 1})
    assert response.body == '{"值": 1}'.encode()
    assert response.value() == {
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": {"值": 1},
    }


async def test_exchanges_are_numbered_from_one_over_all_servers_and_have_their_times() -> None:
    journal = Journal()
    await journal.begin("first")
    one = journal.open("engine", Request("GET", "/", []))
    await journal.begin("second")
    two = journal.open("standin", Request("GET", "/", []))
    assert [(e.number, e.server, e.step) for e in journal.exchanges] == [
        (1, "engine", "first"),
        (2, "standin", "second"),
    ]
    assert (two.finished, two.response) == (None, None)
    journal.close(one, None)
    journal.close(two, Response(204))
    assert (one.response, two.response) == (None, Response(204))
    assert one.finished is not None
    assert two.finished is not None
    # It began when the journal was made, not with the clock.
    assert 0 <= one.started <= two.started <= one.finished <= two.finished < 60
