"""What a failed check found, in parts: whatever operator has found it."""

from __future__ import annotations

from typing import Any

import pytest

from arcrun_conformance.report.findings import comparable, findings
from arcrun_conformance.scenarios.patterns import differences


@pytest.mark.parametrize(
    ("pattern", "value", "expected", "got"),
    [
        (1, 2, "1", "2"),
        ("a, got 1", "b, got 2", '"a, got 1"', '"b, got 2"'),
        (
            {"$regex": "^a: expected b, got c$"},
            "x",
            "a string that matches ^a: expected b, got c$",
            '"x"',
        ),
        ({"$absent": True}, None, "no value", "null"),
        ({"$present": True}, "…", "", ""),
        ({"$type": "object"}, "密鑰", "a value of type object", '"密鑰"'),
        ({"$contains": {"a": True}}, [], 'a list with an item that matches {"a": true}', "[]"),
        ({"$lacks": "a"}, "ab", 'a string or a list without "a"', '"ab"'),
        ({"$min": 2}, 1, "at least 2", "1"),
        ({"$any": [1, True]}, "a\nb", "a match for one of [1, true]", '"a\\nb"'),
        ([1, 2], [1], "2 items", "1: [1]"),
        (1, "x" * 400, "1", f'"{"x" * 299}…'),
    ],
)
def test_what_was_expected_and_what_was_found_are_apart(
    pattern: Any, value: Any, expected: str, got: str
) -> None:
    found = differences(pattern, value, "result.a b")
    assert findings("\n".join(found)) == (
        [{"where": "result.a b", "expected": expected, "got": got}] if got else []
    )


def test_what_is_missing_was_not_found() -> None:
    (finding,) = findings("\n".join(differences({"a": {"b": 1}}, {"a": {}}, "result")))
    assert finding == {"where": "result.a.b", "expected": "1", "got": "it is missing"}


def test_a_finding_may_have_no_place_and_may_be_in_other_words() -> None:
    message = "expected within 1 s, took 2.50 s\n\nthe secret token appears on the adapter's stderr"
    assert findings(message) == [
        {"where": "", "expected": "within 1 s", "got": "2.50 s"},
        {"text": "the secret token appears on the adapter's stderr"},
    ]


@pytest.mark.parametrize(
    ("line", "expected", "got", "note"),
    [
        ("waited[0]: expected 7, got 0.7", "7 s", "0.7 s", "what the SDK asked to wait for"),
        ("waited: expected 2 items, got 0: []", "2 items", "0: []", "what the SDK asked"),
        (
            "pause before request 2: expected at least 0.95, got 0.1",
            "at least 0.95 s",
            "0.1 s",
            "from the end of the request before",
        ),
        (
            'request 4 (GET /x).query: expected {"a": "b"}, got {"a": "%62"}',
            '{"a": "b"}',
            '{"a": "%62"}',
            "after decoding the query once",
        ),
    ],
)
def test_times_have_a_unit_and_places_a_note(line: str, expected: str, got: str, note: str) -> None:
    (finding,) = findings(line)
    assert (finding["expected"], finding["got"]) == (expected, got)
    assert finding["note"].startswith(note)


def test_what_is_not_decoded_has_no_note() -> None:
    (finding,) = findings('request 4 (GET /x.query).target: expected "a", got "b"')
    assert "note" not in finding


def test_an_error_instead_of_a_result_is_what_was_found() -> None:
    assert findings("expected a result, got the SDK error not_found: no x") == [
        {"where": "", "expected": "a result", "got": "the SDK error not_found: no x"}
    ]


@pytest.mark.parametrize(("detail", "count"), [("a: it is too long", 1), ("a: other", 2)])
def test_a_detail_that_repeats_the_message_is_left_out(detail: str, count: int) -> None:
    said = (
        f"expected a result, got the SDK error bad_request: it is too long (HTTP 400)\n  {detail}"
    )
    assert len(findings(said)) == count


def test_what_differs_between_two_runs_is_comparable() -> None:
    first = "request 3 (GET http://127.0.0.1:4000/arcconf_01234567_0001_x) took 1.25 s"
    second = "request 12 (GET http://127.0.0.1:5000/arcconf_89abcdef_0420_x) took 3.5 s"
    assert comparable(first) == comparable(second)
    assert comparable("request 1: got 2") != comparable("request 1: got 3")
