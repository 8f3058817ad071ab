"""Patterns: which values match, and the messages about those that do not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_conformance.resources import data_directory
from arcrun_conformance.scenarios.patterns import OPERATORS, differences

SEALED = json.loads((data_directory() / "vectors/sealing-v1.json").read_text("utf-8"))[1]
ENVELOPE = {"name": SEALED["credential_name"], **{k: SEALED[k] for k in ("encrypted", "iv")}}
MOVED = {**ENVELOPE, "name": "another_name"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text().filter(lambda key: not key.startswith("$")), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(json_values)
def test_every_value_matches_itself(value: Any) -> None:
    assert differences(value, value) == []


@given(json_values, json_values)
def test_equals_holds_only_between_equal_values(one: Any, other: Any) -> None:
    if not differences({"$equals": one}, other):
        assert one == other


NOON_OR_ONE = {"$between": ["2026-01-01T12:00:00+00:00", "2026-01-01T13:00:00+00:00"]}


@pytest.mark.parametrize(
    ("pattern", "matching", "differing"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, {"a": 2}),
        ({"a": {"b": [1]}}, {"a": {"b": [1], "c": 0}}, {"a": {"b": [1, 2]}}),
        (1, 1.0, True),
        (True, True, 1),
        ("1", "1", 1),
        (None, None, 0),
        ([1, 2], [1, 2], [2, 1]),
        ({"a": None}, {"a": None}, {}),
        ({"a": {"$absent": True}}, {}, {"a": None}),
        ({"a": {"$present": True}}, {"a": None}, {}),
        ({"$type": "number"}, 1.5, True),
        ({"$type": "array"}, [], {}),
        ({"$regex": "^値"}, "値x", "x値"),
        ({"$length": 2}, "密鑰", "a"),
        ({"$length": {"$min": 1}}, [0], []),
        ({"$contains": {"n": 1}}, [{"n": 2}, {"n": 1, "m": 0}], [{"n": 2}]),
        ({"$contains": "大寫"}, "轉成大寫了", "小寫"),
        ({"$lacks": {"n": 1}}, [{"n": 2}], [{"n": 1}]),
        ({"$lacks": "x"}, "abc", "axc"),
        ({"$lacks": "x"}, [], None),
        ({"$each": {"$type": "string"}}, ["a"], ["a", 1]),
        ({"$equals": {"a": 1}}, {"a": 1}, {"a": 1, "b": 2}),
        ({"$equals": True}, True, 1),
        ({"$equals": {"a": [True]}}, {"a": [True]}, {"a": [1]}),
        ({"$not": {"$type": "null"}}, 0, None),
        ({"$any": [1, {"$type": "null"}]}, None, 2),
        ({"$base64": 3}, "AAAA", "AAA"),
        ({"$base64": {"$min": 3}}, "AAAA", "AA=="),
        ({"$base64": 3}, "+/+/", "-_-_"),
        ({"$opens": {"key": SEALED["api_key"], "value": SEALED["value"]}}, ENVELOPE, MOVED),
        ({"$type": "object", "a": 1}, {"a": 1}, {"a": 2}),
        ({"$min": 1, "$max": 3}, 2, 4),
        ({"$min": 0}, 0, True),
        ({"$sorted": {"by": "n"}}, [{"n": 1}, {"n": 1}, {"n": 2}], [{"n": 2}, {"n": 1}]),
        ({"$sorted": {"order": "descending"}}, [3, 2, 2], [3, 2, 4]),
        ({"$sorted": {"by": "n"}}, [], [{"m": 1}]),
        ({"$sorted": {}}, ["a", "b"], ["a", 1]),
        ({"$unique": "n"}, [{"n": 1}, {"n": 2}], [{"n": 1}, {"n": 1}]),
        ({"$unique": ""}, [[1], [2]], [[1], [1]]),
        ({"$unique": "n"}, [], [{}]),
        (NOON_OR_ONE, "2026-01-01T12:30:00.5Z", "2026-01-01T13:00:01Z"),
        (NOON_OR_ONE, "2026-01-01T20:30:00+08:00", "2026-01-01T12:30:00+08:00"),
        (NOON_OR_ONE, "2026-01-01T12:00:00Z", "noon"),
        (NOON_OR_ONE, "2026-01-01T13:00:00Z", 1767272400),
    ],
)
def test_patterns(pattern: Any, matching: Any, differing: Any) -> None:
    assert differences(pattern, matching) == []
    assert differences(pattern, differing) != []


@pytest.mark.parametrize(
    ("pattern", "value", "message"),
    [
        ({"a": 1}, {}, "a: expected 1, but it is missing"),
        ({"a": 1}, [], "expected an object, got []"),
        ({"ok": True}, {"ok": False}, "ok: expected true, got false"),
        ({"a": {"$absent": True}}, {"a": 1}, "a: expected no value, got 1"),
        ({"a": {"$present": True}}, {}, "a: expected a value, but it is missing"),
        ({"$type": "array"}, {}, "expected a value of type array, got {}"),
        ({"$regex": "^a"}, "b", 'expected a string that matches ^a, got "b"'),
        (
            {"$contains": {"ok": True}},
            [{"ok": None}],
            'expected a list with an item that matches {"ok": true}, got [{"ok": null}]',
        ),
        ({"$contains": "a"}, "b", 'expected a string that contains "a", got "b"'),
        (
            {"a": {"$contains": "b"}},
            {},
            'a: expected a string that contains "b", but it is missing',
        ),
        ({"$lacks": "b"}, "abc", 'expected a string or a list without "b", got "abc"'),
        ({"$not": None}, None, "expected a value that does not match null, got null"),
        ({"$any": [1, 2]}, 3, "expected a match for one of [1, 2], got 3"),
        ({"$min": 2}, 1, "expected at least 2, got 1"),
        ([1], [], "expected 1 items, got 0: []"),
    ],
)
def test_messages_show_values_as_json(pattern: Any, value: Any, message: str) -> None:
    assert differences(pattern, value) == [message]


def test_every_operator_is_tested_above() -> None:
    tested = {
        key
        for mark in test_patterns.pytestmark
        for case in mark.args[1]
        for key in _operators(case[0])
    }
    assert tested | {"$jwt"} == set(OPERATORS), "$jwt has its own tests"


def _operators(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {key for key in value if key.startswith("$")}
        return own.union(*map(_operators, value.values()))
    if isinstance(value, list):
        return set().union(*map(_operators, value))
    return set()


def test_a_difference_has_the_path_and_both_values() -> None:
    found = differences({"a": [{"b": 1}]}, {"a": [{"b": "1"}]}, "request")
    assert found == ['request.a[0].b: expected 1, got "1"']


def test_long_values_are_cut() -> None:
    (found,) = differences("a", "b" * 1000)
    assert len(found) < 400


def test_the_message_about_an_envelope_with_another_value_shows_neither_value() -> None:
    pattern = {"$opens": {"key": SEALED["api_key"], "value": "another"}}
    assert differences(pattern, ENVELOPE, "body") == ["body: the envelope contains another value"]
    assert differences(pattern, {}, "body") == [
        "body: expected an object with name, encrypted and iv"
    ]
