"""Patterns: which values match, and the messages about those that do not."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from arcrun_conformance.resources import data_directory
from arcrun_conformance.scenarios.envelope import open_envelope, seal
from arcrun_conformance.scenarios.patterns import OPERATORS, differences, show
from arcrun_conformance.scenarios.template import fill

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


A_MICROSECOND = {"$between": ["2026-01-01T12:00:00Z", "2026-01-01T12:00:00.000001Z"]}
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
        ({"$equals": {"a": 1}}, {"a": 1}, "a"),
        ({"$equals": [1]}, [1], 1),
        ({"$equals": 1}, 1, [1]),
        ({"$not": {"$type": "null"}}, 0, None),
        ({"$any": [1, {"$type": "null"}]}, None, 2),
        ({"$base64": 3}, "AAAA", "AAA"),
        ({"$base64": {"$min": 3}}, "AAAA", "AA=="),
        ({"$base64": 3}, "+/+/", "-_-_"),
        ({"$base64": 3}, "AAAA", "AA\nAA"),
        ({"$base64": 3}, "AAAA", "密鑰密鑰"),
        ({"$base64": 3}, "AAAA", 3),
        ({"$opens": {"key": SEALED["api_key"], "value": SEALED["value"]}}, ENVELOPE, MOVED),
        ({"$type": "object", "a": 1}, {"a": 1}, {"a": 2}),
        ({"$min": 1, "$max": 3}, 2, 4),
        ({"$min": 1, "$max": 3}, 1, 0),
        ({"$min": 1, "$max": 3}, 3, 3.5),
        ({"$min": 0}, 0, True),
        ({"$sorted": {"by": "n"}}, [{"n": 1}, {"n": 1}, {"n": 2}], [{"n": 2}, {"n": 1}]),
        ({"$sorted": {"order": "descending"}}, [3, 2, 2], [3, 2, 4]),
        ({"$sorted": {"by": "n"}}, [], [{"m": 1}]),
        ({"$sorted": {}}, ["a", "b"], ["a", 1]),
        ({"$unique": "n"}, [{"n": 1}, {"n": 2}], [{"n": 1}, {"n": 1}]),
        ({"$unique": ""}, [[1], [2]], [[1], [1]]),
        ({"$unique": "n"}, [], [{}]),
        ({"$unique": ""}, [{"a": 1, "b": 2}], [{"a": 1, "b": 2}, {"b": 2, "a": 1}]),
        (NOON_OR_ONE, "2026-01-01T12:30:00.5Z", "2026-01-01T13:00:01Z"),
        (NOON_OR_ONE, "2026-01-01T20:30:00+08:00", "2026-01-01T12:30:00+08:00"),
        (NOON_OR_ONE, "2026-01-01T12:00:00Z", "noon"),
        (NOON_OR_ONE, "2026-01-01T13:00:00Z", 1767272400),
        (NOON_OR_ONE, "2026-01-01T12:30:00Z", "2026-01-01T12:30:00"),
        (A_MICROSECOND, "2026-01-01T12:00:00.000001Z", "2026-01-01T12:00:00.000002Z"),
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
        ([1], [], "expected 1 item, got 0: []"),
        ({"$length": 2}, "一", "length of the value: expected 2, got 1"),
        ({"a": {"$length": 2}}, {"a": "一"}, "length of a: expected 2, got 1"),
        ({"$base64": 2}, "AAAA", "bytes in the value: expected 2, got 3"),
        ({"a": {"$base64": 2}}, {"a": "AAAA"}, "bytes in a: expected 2, got 3"),
        (
            {"$sorted": {"by": "n"}},
            [{"n": 2}, {"n": 1}],
            "expected a list sorted by n, ascending, got [2, 1]",
        ),
        (
            {"$sorted": {"order": "descending"}},
            [1, 2],
            "expected a list sorted by value, descending, got [1, 2]",
        ),
        (
            {"$sorted": {"by": "n"}},
            [{"m": 1}],
            'expected a list sorted by n, ascending, got [{"m": 1}]',
        ),
        ({"$unique": "n"}, [{}], "expected a list in which each n is unique, got [{}]"),
        ({"$unique": ""}, [1, 1], "expected a list in which each item is unique, got [1, 1]"),
        ("a", "値", 'expected "a", got "値"'),
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


def test_values_of_more_than_300_characters_are_cut() -> None:
    assert show("b" * 298) == f'"{"b" * 298}"'
    assert show("b" * 299) == f'"{"b" * 299}…'
    assert show("b" * 1000) == f'"{"b" * 299}…'


def test_the_message_about_an_envelope_with_another_value_shows_neither_value() -> None:
    pattern = {"$opens": {"key": SEALED["api_key"], "value": "another"}}
    assert differences(pattern, ENVELOPE, "body") == ["body: the envelope contains another value"]
    for value in ({}, {**ENVELOPE, "iv": None}, "text", None):
        assert differences(pattern, value, "body") == [
            "body: expected an object with name, encrypted and iv"
        ]


def test_the_iv_of_an_envelope_has_12_bytes() -> None:
    # AES-GCM takes an iv of any length, so this envelope opens.
    key = HKDF(SHA256(), 32, b"arcrun.credentials.v1", b"AES-256-GCM").derive(b"ak_1")
    sealed = AESGCM(key).encrypt(bytes(16), b"x", b"arcrun.credentials.v1:n")
    texts = {
        k: base64.b64encode(v).decode() for k, v in {"encrypted": sealed, "iv": bytes(16)}.items()
    }
    found = differences({"$opens": {"key": "ak_1", "value": "x"}}, {"name": "n", **texts}, "body")
    assert found == ["body: the iv has 16 bytes, not 12"]


@pytest.mark.parametrize("field", ["encrypted", "iv"])
def test_an_envelope_that_is_not_strict_base64_is_not_opened(field: str) -> None:
    changed = {**ENVELOPE, field: f"{ENVELOPE[field]}\n"}
    assert open_envelope(SEALED["api_key"], **ENVELOPE) == SEALED["value"]
    assert open_envelope(SEALED["api_key"], **changed) is None


def test_what_is_sealed_may_be_no_text() -> None:
    given = {"key": "ak_1", "name": "name", "service": "x"}
    sealed = fill(
        {"$sealed": {**given, "bytes": "YZCN"}}, {}
    )  # "a" and two bytes that begin nothing
    assert sealed.keys() == {"name", "encrypted", "iv", "service"}
    assert len(base64.b64decode(sealed["encrypted"])) == 3 + 16
    assert open_envelope("ak_1", "name", sealed["encrypted"], sealed["iv"]) is None
    text = fill({"$sealed": {**given, "bytes": "YWI="}}, {})
    assert open_envelope("ak_1", "name", text["encrypted"], text["iv"]) == "ab"


def test_an_envelope_has_twelve_fresh_bytes_as_its_iv() -> None:
    first, second = (seal("ak_1", "name", "value")["iv"] for _ in range(2))
    assert first != second
    assert differences({"$base64": 12}, first) == []
