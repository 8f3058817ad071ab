from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.engine.condition_parser import parse_condition
from arcrun_server.engine.conditions import same
from arcrun_server.engine.templates import MISSING, find


def holds(condition: str, **values: Any) -> bool:
    def look_up(path: str) -> tuple[bool, Any]:
        value = find(values, tuple(path.split(".")))
        return (False, None) if value is MISSING else (True, value)

    return parse_condition(condition).holds(look_up)


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("n > 3", {"n": 4}, True),
        ("n > 3", {"n": 3}, False),
        ("n >= 3", {"n": 3.0}, True),
        ("n < 3", {"n": -1}, True),
        ("n <= 3", {"n": 3.5}, False),
        ("n ＞ 3", {"n": 4}, True),
        ("n ≥ 3", {"n": 3}, True),
        ("n ≤ 3", {"n": 4}, False),
        ("n ＜ 3", {"n": 2}, True),
        ("狀態 == 完成", {"狀態": "完成"}, True),
        ("狀態 ＝＝ 完成", {"狀態": "完成"}, True),
        ('狀態 == "完成"', {"狀態": "完成"}, True),
        ("狀態 == '完 成'", {"狀態": "完 成"}, True),
        ("狀態 != 完成", {"狀態": "草稿"}, True),
        ("狀態 ≠ 完成", {"狀態": "完成"}, False),
        ("a.b.0 == 5", {"a": {"b": [5]}}, True),
        ("{{ a.b }} == 5", {"a": {"b": 5}}, True),
        ("{{ 空 白 }} == 5", {"空 白": 5}, True),
        ("ok == true", {"ok": True}, True),
        ("ok == null", {"ok": None}, True),
        ("日 > 2026-01-01", {"日": "2026-11-22"}, True),
        ("a==b", {"a": "b"}, True),
        ("text == 'a > b'", {"text": "a > b"}, True),
        ("5 > 3", {}, True),
        ("'甲' == '乙'", {}, False),
    ],
)
def test_conditions_of_every_form(condition: str, values: dict[str, Any], expected: bool) -> None:
    assert holds(condition, **values) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, True), ("字", True), ([0], True), (0, False), ("", False), (None, False), ([], False)],
)
def test_a_key_alone_holds_if_its_value_is_something(value: Any, expected: bool) -> None:
    assert holds("k", k=value) is expected


@pytest.mark.parametrize("condition", ["x", "x == 1", "x != 1", "x > 1", "x.y == null"])
def test_a_missing_key_makes_every_condition_false(condition: str) -> None:
    assert holds(condition) is False


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("n == 3", "3"),
        ("n > 3", "4"),
        ("n == 1", True),
        ("n > 0", True),
        ("n < z", 3),
        ("n >= 1", [2]),
    ],
)
def test_values_of_other_types_neither_equal_nor_come_before(condition: str, value: Any) -> None:
    assert holds(condition, n=value) is False


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "  ",
        "a =",
        "== 3",
        "a === 3",
        "a == b == c",
        "a = 3",
        "a b",
        "a && b",
        "(a",
        "a)",
        "()",
        "a or",
        "and a",
        "not",
        "a == 'b",
        'a == "b',
        "a == 'b' c",
        "{{credential.tok}} == a",
        "a == x{{secret.tok}}",
        "(" * 21 + "a" + ")" * 21,
        "!a",
        "{{a}",
    ],
)
def test_what_is_no_condition_is_refused_with_how_to_write_one(condition: str) -> None:
    with pytest.raises(ValueError, match=r"Write `key`|sees no credentials"):
        parse_condition(condition)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("yes and one", True),
        ("yes and no", False),
        ("no or one", True),
        ("not no", True),
        ("not not no", False),
        ("not absent", True),
        ("not (absent == 1)", True),
        ("no and no or yes", True),
        ("no and (no or yes)", False),
        ("yes or no and no", True),
        ("not no and one == 1", True),
        ("NOT no AND one == 1", True),
        ("（one == 1） and （yes）", True),
        ("one == 1 and text == a b and yes", True),
        ("text == a b or no", True),
        ("text == 'a b' and(yes)", True),
        ("android and normal", True),
        ("paren == f(x) and yes", True),
        ("paren == f(y)", False),
        ("words == 'a and b'", True),
        ('words == "a and b"', True),
    ],
)
def test_conditions_are_joined(condition: str, expected: bool) -> None:
    values = {"yes": True, "no": False, "one": 1, "android": 1, "normal": 1}
    texts = {"text": "a b", "paren": "f(x)", "words": "a and b"}
    assert holds(condition, **values, **texts) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("a == {{b}}", True),
        ("a != {{b}}", False),
        ("{{a}} == {{b}}", True),
        ("a == {{c}}", False),
        ("a == b", False),
        ("c > {{a}}", True),
        ("'{{a}}' == '3'", True),
        ('"{{a}}" == 3', False),
        ("text == n{{a}}", True),
        ("a == {{absent}}", False),
        ("a != {{absent}}", False),
        ("text != n{{absent}}", False),
        ("{{ odd and (key }} == 5 and a", True),
    ],
)
def test_both_sides_may_be_looked_up(condition: str, expected: bool) -> None:
    values = {"a": 3, "b": 3.0, "c": 4, "text": "n3", "odd and (key": 5}
    assert holds(condition, **values) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (r"text == \{{a}}", True),
        (r"text == '\{{a}}'", True),
        (r'text == "\{{a}}"', True),
        (r'text == "\{{\u0061}}"', True),
        (r"'\{{a}}' == {{text}}", True),
        (r"text == \{{{{a}}}}", False),
        (r"text != \{{b}} and not text == {{a}}", True),
        (r"one == \\{{a}}", True),
        (r"one == '\\{{a}}'", True),
        (r'one == "\\{{a}}"', True),
        (r"open == x\{{y and a == 3", True),
        (r"{{a}} == \{{a}}", False),
    ],
)
def test_a_backslash_before_two_braces_makes_them_text(condition: str, expected: bool) -> None:
    values = {"a": 3, "text": "{{a}}", "one": "\\3", "open": "x{{y"}
    assert holds(condition, **values) is expected


@pytest.mark.parametrize("condition", [r"\{{a}} == 3", "k{{a}} == 3"])
def test_text_with_braces_on_the_left_must_stand_in_quotes(condition: str) -> None:
    with pytest.raises(ValueError, match="on the left, where text stands in quotes"):
        parse_condition(condition)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("a = 3", "has `=`, which is written `==` here"),
        ("a && b", "has `&`, which is written `and` here"),
        ("a || b", r"has `\|`, which is written `or` here"),
        ("a ＝ 3", "has `＝`, which is written `==` here"),
        ("!a", "has `!`, which is written `not` here"),
    ],
)
def test_signs_of_other_languages_are_said_in_ours(condition: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_condition(condition)


def test_a_text_that_json_does_not_know_is_said_to_be_wrong() -> None:
    with pytest.raises(ValueError, match=r'has "a.xb", which is no text as in JSON'):
        parse_condition(r'k == "a\xb"')


@given(st.text())
def test_no_value_is_read_as_a_part_of_the_condition(value: str) -> None:
    assert holds("a == {{b}}", a=value, b=value)
    assert not holds("a != {{b}} or c == 1", a=value, b=value, c=value)
    assert holds("{{a}}", a=value) is bool(value)


def test_a_condition_has_at_most_a_thousand_characters() -> None:
    with pytest.raises(ValueError, match="longer than 1000"):
        parse_condition("a == " + "b" * 1000)


def test_objects_and_lists_are_the_same_if_their_parts_are() -> None:
    assert same({"a": [1, {"b": True}]}, {"a": [1.0, {"b": True}]})
    assert not same({"a": [1]}, {"a": [True]})
    assert not same([1], [1, 1])
    assert not same({"a": 1}, {"b": 1})


@given(st.text())
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    try:
        condition = parse_condition(text)
    except ValueError:
        return
    assert condition.holds(lambda _path: (False, None)) in {True, False}


@given(st.integers() | st.floats(allow_nan=False), st.integers() | st.floats(allow_nan=False))
def test_numbers_are_compared_as_numbers(left: float, right: float) -> None:
    assert same(left, right) == (left == right)
