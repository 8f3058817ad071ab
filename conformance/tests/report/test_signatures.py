"""The way in which a value differs from what is expected, where that is of a known kind."""

from __future__ import annotations

import pytest

from arcrun_conformance.report.signatures import signature

REQUEST = "request 2 (GET /x)"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("waited[0]: expected 4, got 8", "waits are 2 times as long as expected"),
        (
            "pause before request 2: expected at most 5, got 10.1",
            "waits are 2 times as long as expected",
        ),
        (
            f'{REQUEST}.header.a: expected "‹t›", got "‹t, percent-encoded twice›"',
            "a secret in the header is percent-encoded twice more than expected",
        ),
        (
            f'{REQUEST}.target: expected "/?a=‹t, percent-encoded›", got "/?a=‹t›"',
            "a secret in the target is percent-encoded once less than expected",
        ),
        (
            f'{REQUEST}.query: expected exactly {{"a": "‹t›", "b": "‹u›"}}, got {{"b": "‹u›", "a": "‹t, hex›"}}',
            None,
        ),
        (
            f'{REQUEST}.query: expected exactly {{"a": "‹t›", "b": "‹u›"}}, got {{"a": "‹t, hex›", "b": "‹u›"}}',
            "a secret in the query is written in hex, and not as it is",
        ),
        ("number of requests: expected 2, got 6", "3 times as many requests as expected"),
        (f'{REQUEST}.headers.a: expected "x", got "y"', 'the header a is "y"'),
        (f'{REQUEST}.headers.a: expected "x", but it is missing', "the header a is missing"),
    ],
)
def test_a_known_kind_of_difference_is_named(message: str, text: str | None) -> None:
    found = signature(message)
    assert (found.text if found else None) == text


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("reply.body.next_cursor: expected no value, got null", "the field next_cursor is null"),
        ("the next_cursor of page 2 is null, and no text", "the field next_cursor is null"),
        ('reply 2.body.data[1].code: expected "a", got "b"', 'the field code is "b"'),
        ("reply.body.total: expected 5, got 4", "the field total is 1 less than expected"),
        ("reply.body.total: expected 5, got 7", "the field total is 2 more than expected"),
        (
            "reply.entries: expected 11 items, got 10: [{}]",
            "lists have fewer entries than expected",
        ),
        (
            "length of reply.entries: expected 500, got 498",
            "lists have fewer entries than expected",
        ),
        ("reply.pages: expected 2, got 3", "lists have more entries than expected"),
        ("the reply has no body.next_cursor", "the field next_cursor is missing"),
        ("reply.body.id: expected a string, but it is missing", "the field id is missing"),
        ("reply.status: expected 200, got 500", None),
        (f'reply.body.data: expected no value, got {{"a": "{"x" * 60}"}}', None),
    ],
)
def test_a_field_of_a_response_is_named_with_what_is_wrong(message: str, text: str | None) -> None:
    found = signature(message)
    assert (found.text if found else None) == text


def test_a_name_of_the_run_in_a_field_is_none_of_its_difference() -> None:
    message = 'reply.body.name: expected no value, got "arcconf_0a1b2c3d_{}_x"'
    assert signature(message.format(1)) == signature(message.format(2))


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("the date in Retry-After", "no wait for the date in Retry-After"),
        ("", "no wait where one is expected"),
    ],
)
def test_no_wait_is_not_called_a_multiple_of_one(asked: str, text: str) -> None:
    message = "waited[0]: expected 60, got 0.000449"
    found = signature(message, asked)
    assert found
    assert found.text == text
    assert found != signature(message, "the seconds in Retry-After")


@pytest.mark.parametrize(
    "message",
    [
        "",
        "the secret t appears on the adapter's stderr",
        "waited[0]: expected 0, got 1",
        "waited: expected 2 items, got 0: []",
        "number of requests: expected 2, got 3",
        "number of requests: expected 0, got 2",
        "number of requests: expected 2, got 1",
        "number of requests: expected at least 1, got 2",
        f'{REQUEST}.headers.a: expected "‹t›", got "‹u›"',
        f'response to {REQUEST}.headers.a: expected "x", got "y"',
        f'{REQUEST}.query: expected "‹t›", got "‹u, hex›"',
        f'{REQUEST}.query: expected "a ‹t›", got "b ‹t, hex›"',
        f'{REQUEST}.query: expected "a ‹t›", got "b ‹t›"',
        f'{REQUEST}.query: expected "‹t› ‹u›", got "‹t, hex› ‹u, base64›"',
        f'response to {REQUEST}.query: expected "‹t›", got "‹t, hex›"',
    ],
)
def test_other_differences_have_no_signature(message: str) -> None:
    assert signature(message) is None
