"""How the value of an input becomes text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.recipes.prompt.transforms import (
    TRANSFORMS,
    EmptyListError,
    InvalidTextError,
    TransformError,
    parse_transform,
)

_BLOCKS = [
    {"page_name": "Mira", "content": "第一\n第二"},
    {"page_name": "河道", "content": "{{schema}}"},
]


@pytest.mark.parametrize(
    ("transform", "value", "text"),
    [
        ("json_array", [{"甲": 1}, "乙", None], '[{"甲":1},"乙",null]'),
        ("json_array", [], "[]"),
        ("to_string", "已是文字", "已是文字"),
        ("to_string", {"a": [1, True]}, '{"a":[1,true]}'),
        ("to_string", None, "null"),
        ("to_string", 1.5, "1.5"),
        ("join", ["a", 2, ["b"]], 'a\n2\n["b"]'),
        ("join:, ", ["a", "b"], "a, b"),
        ("join:", ["a", "b"], "ab"),
        ("join: : ", ["a", "b"], "a : b"),
        ("join", [], ""),
        ("markdown_list", ["甲", "two\nlines", 3], "- 甲\n- two\n  lines\n- 3"),
        ("markdown_list", [], ""),
        ("extract_field:page_name", _BLOCKS, "Mira\n河道"),
        ("extract_field: page_name ", _BLOCKS, "Mira\n河道"),
        ("extract_field:a.0", [{"a": [1]}, {"a": ["x"]}], "1\nx"),
        ("extract_field:a", [{"a": None}], "null"),
        ("extract_field:a", [], ""),
        ("first", ["甲", "乙"], "甲"),
        ("first", [{"a": 1}], '{"a":1}'),
        ("pluck_content", _BLOCKS, "第一\n第二\n\n---\n\n{{schema}}"),
    ],
)
def test_a_transform_makes_text_of_a_value(transform: str, value: Any, text: str) -> None:
    assert parse_transform(transform).apply(value) == text


@pytest.mark.parametrize(
    "transform",
    ["json_array", "join", "markdown_list", "extract_field:a", "first", "pluck_content"],
)
@pytest.mark.parametrize(
    ("value", "kind"),
    [("文字", "text"), ({}, "an object"), (None, "null"), (1, "a number"), (True, "true or false")],
)
def test_a_list_is_needed_where_a_list_is_due(transform: str, value: Any, kind: str) -> None:
    with pytest.raises(TransformError, match=f"needs a list, but the value is {kind}$"):
        parse_transform(transform).apply(value)


def test_an_element_without_the_field_is_named() -> None:
    transform = parse_transform("extract_field:page_name")
    with pytest.raises(
        TransformError, match="element 1 has no field 'page_name'; it has: id, name"
    ):
        transform.apply([{"page_name": "a"}, {"id": 1, "name": "b"}])
    with pytest.raises(TransformError, match="element 0 has no field 'content'; it is text"):
        parse_transform("pluck_content").apply(["a"])


def test_the_first_of_nothing_is_an_error_of_its_own() -> None:
    with pytest.raises(EmptyListError, match="the list is empty"):
        parse_transform("first").apply([])


def test_a_number_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(TransformError, match="a number that JSON can't represent"):
        parse_transform("json_array").apply([float("nan")])


def test_a_value_nested_too_deeply_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    try:
        with pytest.raises(TransformError, match="nested too deeply"):
            parse_transform("json_array").apply(value)
    finally:
        while value:  # level by level: freeing it at once needs as deep a stack
            value = value[0]


@pytest.mark.parametrize(
    ("written", "message", "suggestion"),
    [
        ("json_aray", "there is no transform 'json_aray'", "json_array"),
        ("extractfield:x", "there is no transform 'extractfield'", "extract_field:x"),
        ("xyzzy", "the transforms are: " + ", ".join(TRANSFORMS), None),
        ("extract_field", "needs the field's name", None),
        ("extract_field:", "needs the field's name", None),
        ("extract_field:a..b", "needs the field's name", None),
        ("first:2", "first takes no argument", "first"),
        ("__class__", "there is no transform", None),
    ],
)
def test_a_transform_that_is_none_is_refused(
    written: str, message: str, suggestion: str | None
) -> None:
    with pytest.raises(TransformError) as caught:
        parse_transform(written)
    assert message in str(caught.value)
    assert caught.value.suggestion == suggestion


def test_the_list_is_closed() -> None:
    assert set(TRANSFORMS) == {
        "json_array",
        "to_string",
        "join",
        "markdown_list",
        "extract_field",
        "first",
        "pluck_content",
    }


@given(st.lists(st.text()))
def test_whatever_texts_say_they_go_in_unchanged(texts: list[str]) -> None:
    assert parse_transform("join:\x1f").apply(texts) == "\x1f".join(texts)
    if any("\0" in text for text in texts):
        with pytest.raises(InvalidTextError):
            parse_transform("json_array").apply(texts)
    else:
        assert json.loads(parse_transform("json_array").apply(texts)) == texts
    items = [{"content": text} for text in texts]
    assert parse_transform("pluck_content").apply(items) == "\n\n---\n\n".join(texts)
