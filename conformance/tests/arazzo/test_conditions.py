"""Patterns of scenarios as conditions of JSONPath, and what these can't say."""

from __future__ import annotations

from typing import Any

import pytest

from arcrun_conformance.arazzo.conditions import LIST_OR_OBJECT, condition
from arcrun_conformance.arazzo.criteria import criteria
from arcrun_conformance.arazzo.inexpressible import Inexpressible
from arcrun_conformance.arazzo.regexes import i_regexp


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("it's\n", r"@ == 'it\'s\u000a'"),
        (True, "@ == true"),
        (None, "@ == null"),
        (1.5, "@ == 1.5"),
        ({"名": "a"}, "@['名'] == 'a'"),
        ([1, {"a": 2}], "length(@) == 2 && @[0] == 1 && @[1].a == 2"),
        ({"a": {"b": {"$absent": True}}}, "@.a && !@.a.b"),
        ({"a": {"b": {"$absent": True}, "c": 1}}, "!@.a.b && @.a.c == 1"),
        ({"a": {"$present": True}}, "@.a"),
        ({"$type": "string"}, "search(@, '')"),
        ({"$type": "number"}, "(@ >= 0 || @ < 0)"),
        ({"$length": {"$min": 1, "$max": 2}}, "length(@) >= 1 && length(@) <= 2"),
        ({"$contains": {"a": 1}}, "@[?@.a == 1]"),
        ({"$contains": "a.b"}, r"(search(@, 'a\\.b') || @[?@ == 'a.b'])"),
        ({"$lacks": {"a": 1}}, "length(@) >= 0 && !@[?@.a == 1]"),
        ({"$each": {"a": 1}}, "length(@) >= 0 && !search(@, '') && !@[?!(@.a == 1)]"),
        ({"$equals": {"a": [1]}}, "length(@) == 1 && length(@.a) == 1 && @.a[0] == 1"),
        ({"$not": "a"}, "!(@ == 'a')"),
        ({"$any": ["a", {"$min": 2}]}, "((@ == 'a') || (@ >= 2))"),
        ({"$regex": "^a+$"}, "match(@, 'a+')"),
    ],
)
def test_a_pattern_is_a_condition(pattern: Any, expected: str) -> None:
    assert condition(pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ({}, LIST_OR_OBJECT),
        ([], LIST_OR_OBJECT),
        ({"$equals": {"a": []}}, LIST_OR_OBJECT),
        ({"$type": "array"}, LIST_OR_OBJECT),
        ({"$unique": "id"}, r"it uses \$unique"),
        ({"$now": "iso"}, r"it uses \$now"),
        ({"$regex": "(?i)a"}, "regular expression"),
    ],
)
def test_what_jsonpath_does_not_have_is_a_reason(pattern: Any, reason: str) -> None:
    with pytest.raises(Inexpressible, match=reason):
        condition(pattern)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^application/json", ("match", "application/json(.|\\n|\\r)*")),
        ("yaml$", ("match", "(.|\\n|\\r)*yaml")),
        (r"^\d{2}\w[\d.]$", ("match", "[0-9]{2}[0-9A-Za-z_][0-9.]")),
        (r"a\/b(?:c|d)\$", ("search", "a/b(c|d)[$]")),
        (r"\.\(x\)", ("search", r"\.\(x\)")),
        ("^[^a^]+$", ("match", "[^a^]+")),
    ],
)
def test_a_regular_expression_is_written_without_what_only_python_knows(
    pattern: str, expected: tuple[str, str]
) -> None:
    assert i_regexp(pattern) == expected


@pytest.mark.parametrize(
    "pattern", ["^a|b$", r"\bx", "a^b", "x$y", "a+?", "(?=a)", r"\D", r"(a)\1"]
)
def test_a_regular_expression_that_i_regexp_lacks_is_refused(pattern: str) -> None:
    with pytest.raises(Inexpressible, match="regular expression"):
        i_regexp(pattern)


def test_each_item_of_a_list_is_a_context_of_its_own() -> None:
    found = criteria({"status": 200, "body": {"a": {"list": [{"x": 1}, "y"]}}})
    assert [(each.get("context"), each["condition"]) for each in found] == [
        (None, "$statusCode == 200"),
        ("$response.body", "$[?length(@.a.list) == 2]"),
        ("$response.body#/a/list/0", "$[?@.x == 1]"),
        ("$response.body#/a/list/1", "$[?@ == 'y']"),
    ]


def test_a_value_of_an_earlier_response_is_compared_by_its_pointer() -> None:
    found = criteria({"body": {"a/b": {"id": "{$steps.first.outputs.id}", "ok": True}}})
    assert [each["condition"] for each in found] == [
        "$[?@['a/b'].ok == true]",
        "$response.body#/a~1b/id == $steps.first.outputs.id",
    ]


@pytest.mark.parametrize(
    ("expect", "condition_of_status"),
    [
        ({"status": {"$any": [200, 409]}}, "$statusCode == 200 || $statusCode == 409"),
        ({"status": {"$min": 400, "$max": 499}}, "$statusCode >= 400 && $statusCode <= 499"),
        ({"headers": {"etag": {"$absent": True}}}, "$response.header.etag == null"),
    ],
)
def test_status_and_missing_headers_are_simple_conditions(
    expect: dict[str, Any], condition_of_status: str
) -> None:
    assert criteria(expect) == [{"condition": condition_of_status}]


@pytest.mark.parametrize(
    ("expect", "reason"),
    [
        ({"seconds": {"$max": 1}}, "measures the time"),
        ({"closed": True}, "connection is closed"),
        ({"status": {"$not": 200}}, "another status"),
        ({"body": None}, "without a body"),
        ({"body": {"a": {"$contains": "{$inputs.api_key}"}}}, "inside of a list or a text"),
        ({"headers": {"vary": {"$not": "*"}}}, "only what it is not"),
    ],
)
def test_what_a_criterion_can_not_say_is_a_reason(expect: dict[str, Any], reason: str) -> None:
    with pytest.raises(Inexpressible, match=reason):
        criteria(expect)
