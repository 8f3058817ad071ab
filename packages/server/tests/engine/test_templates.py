from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.engine.placeholders import Placeholder
from arcrun_server.engine.sizes import ByteBudget, TooLargeError, rough_size
from arcrun_server.engine.templates import (
    MISSING,
    fill,
    find,
    parse_template,
    parse_value,
    placeholders,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.text(st.characters(whitelist_categories=["Ll", "Lo", "Nd"]), min_size=1, max_size=8)
# A backslash before a placeholder would make it plain text.
PLAIN = st.text().filter(
    lambda text: "{" not in text and "}" not in text and not text.endswith("\\")
)


def plenty() -> ByteBudget:
    return ByteBudget(10**9, "it")


def filled(value: Any, values: dict[str, Any]) -> Any:
    return fill(parse_value(value), lambda placeholder: find(values, placeholder.path), plenty())


def test_a_template_alone_gives_the_value_with_its_type() -> None:
    values = {"數": 3, "真": True, "無": None, "列": [1, "二"], "物": {"鍵": 1.5}}
    for name, value in values.items():
        assert filled("{{" + name + "}}", values) == value
        assert type(filled("{{" + name + "}}", values)) is type(value)


def test_white_space_around_a_lone_template_does_not_make_it_text() -> None:
    assert filled("  {{n}}\n", {"n": 5}) == 5


def test_inside_text_strings_stay_as_they_are_and_the_rest_becomes_json() -> None:
    values = {"名": "小明", "列": ["甲", {"乙": 1}], "真": True, "空": None}
    assert filled("{{名}}說 {{列}} {{真}} {{空}}", values) == '小明說 ["甲",{"乙":1}] true null'


def test_white_space_inside_the_braces_is_allowed() -> None:
    assert filled("{{ 讀.t }}/{{\t讀.t\n}}", {"讀": {"t": "文"}}) == "文/文"


def test_an_index_enters_a_list() -> None:
    values = {"xs": [{"名": "甲"}, {"名": "乙"}]}
    assert filled("{{xs.1.名}}", values) == "乙"
    assert filled("{{xs.2.名}}", values) == "{{xs.2.名}}"
    assert filled("{{xs.-1.名}}", values) == "{{xs.-1.名}}"
    assert filled("{{xs.99999999999999999999.名}}", values) == "{{xs.99999999999999999999.名}}"
    assert filled("{{xs.١.名}}", values) == "{{xs.١.名}}"


def test_an_index_is_a_key_of_an_object_too() -> None:
    assert filled("{{o.0}}", {"o": {"0": "零"}}) == "零"


@pytest.mark.parametrize("text", ["{{x}}", " {{ x.y }} ", "a {{x}} b", "{{ }}", "{{a..b}}", "{{"])
def test_what_is_not_found_stays_as_it_is_written(text: str) -> None:
    assert filled(text, {}) == text


def test_one_placeholder_may_be_found_beside_one_that_is_not() -> None:
    assert filled("{{a}}{{b}}", {"a": "{{b}}"}) == "{{b}}{{b}}"


def test_three_braces_are_a_brace_and_a_placeholder() -> None:
    assert filled("{{{n}}}", {"n": 1}) == "{1}"


def test_what_is_put_in_is_never_looked_at_again() -> None:
    values = {"輸入": "{{秘密}} {{credential.token}}", "秘密": "洩漏"}
    assert filled("{{輸入}}", values) == "{{秘密}} {{credential.token}}"
    assert filled("他說 {{輸入}}", values) == "他說 {{秘密}} {{credential.token}}"


def test_objects_and_lists_are_filled_inside_and_their_keys_are_not() -> None:
    value = {"{{n}}": [{"深": "{{n}}"}, 1, "字"], "定": {"a": 1}}
    assert filled(value, {"n": 7}) == {"{{n}}": [{"深": 7}, 1, "字"], "定": {"a": 1}}


def test_what_holds_no_template_is_not_copied() -> None:
    value = {"a": [1, {"b": "文"}]}
    assert parse_value(value) is value


def test_every_placeholder_of_a_value_is_found() -> None:
    parsed = parse_value({"a": "{{x}} {{ y.z }}", "b": ["{{credential.tok}}", "no"], "c": 1})
    assert [placeholder.path for placeholder in placeholders(parsed)] == [
        ("x",),
        ("y", "z"),
        ("credential", "tok"),
    ]
    assert [placeholder.credential for placeholder in placeholders(parsed)] == [None, None, "tok"]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("{{credential.tok}}", "tok"),
        ("{{ secret.A_1 }}", "A_1"),
        ("{{credential.a.b}}", None),
        ("{{credential.名}}", None),
        ("{{credential.tok\n}}", "tok"),
        ("{{credentials.tok}}", None),
        ("{{credential}}", None),
    ],
)
def test_a_credential_is_named_by_letters_digits_and_underscores(
    source: str, name: str | None
) -> None:
    template = parse_template(source)
    assert template is not None
    assert template.alone is not None
    assert template.alone.credential == name


def test_long_texts_are_filled_too() -> None:
    text = "字" * 5000 + "{{n}}"
    assert filled(text, {"n": 1}) == "字" * 5000 + "1"


def test_missing_says_what_it_is() -> None:
    assert repr(MISSING) == "MISSING"


@given(PLAIN)
def test_text_without_placeholders_is_not_a_template(text: str) -> None:
    assert parse_template(text) is None
    assert filled(text, {}) == text


@given(NAMES, JSON)
def test_any_value_comes_out_of_a_lone_template_unchanged(name: str, value: Any) -> None:
    result = filled("{{" + name + "}}", {name: value})
    assert result is value


@given(PLAIN, NAMES, JSON, PLAIN)
def test_any_value_inside_text_is_itself_or_its_json(
    before: str, name: str, value: Any, after: str
) -> None:
    text = before + "{{" + name + "}}" + after
    result = filled(text, {name: value})
    if not (before + after).strip():
        assert result is value
        return
    inserted = result[len(before) : len(result) - len(after)]
    assert result == before + inserted + after
    assert (inserted if isinstance(value, str) else json.loads(inserted)) == value


@given(st.lists(st.tuples(PLAIN, NAMES, st.text()), min_size=1, max_size=5))
def test_filling_is_one_pass_over_the_text(pieces: list[tuple[str, str, str]]) -> None:
    values = {name: value for _, name, value in pieces}
    text = "始" + "".join(plain + "{{" + name + "}}" for plain, name, _ in pieces)
    expected = "始" + "".join(plain + values[name] for plain, name, _ in pieces)
    assert filled(text, values) == expected


@given(st.text(alphabet="{} .a中\n"))
def test_no_text_is_lost_when_nothing_is_found(text: str) -> None:
    assert filled(text, {}) == text


@given(JSON)
def test_every_json_value_without_values_fills_to_itself(value: Any) -> None:
    assert fill(parse_value(value), lambda _: MISSING, plenty()) == value


@given(st.text(), st.lists(st.text(max_size=3), max_size=4))
def test_following_any_path_into_a_text_finds_nothing(value: str, path: list[str]) -> None:
    assert find(value, tuple(path)) is (MISSING if path else value)


def test_a_placeholder_keeps_its_source_for_messages() -> None:
    template = parse_template("a {{ b }}")
    assert template is not None
    placeholder = template.parts[1]
    assert isinstance(placeholder, Placeholder)
    assert placeholder.source == "{{ b }}"


def test_no_more_is_put_in_than_the_budget_allows() -> None:
    value = ["{{字}}", "前{{字}}", "{{列}}", "前{{列}}"]
    values = {"字": "十" * 100, "列": ["二" * 49] * 2}
    needed = 101 + 101 + 101 + 106  # each text a byte more than its characters, JSON as written

    def look_up(placeholder: Placeholder) -> Any:
        return find(values, placeholder.path)

    assert fill(parse_value(value), look_up, ByteBudget(needed, "it"))[0] == "十" * 100
    for less in (1, 10, 200, 350):
        with pytest.raises(TooLargeError, match="it is larger than"):
            fill(parse_value(value), look_up, ByteBudget(needed - less, "it"))


@given(JSON)
def test_a_rough_size_is_never_above_the_true_one(value: Any) -> None:
    true_size = len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    assert 1 <= rough_size(value, 10**9) <= true_size + 1


def test_measuring_stops_at_what_is_too_large() -> None:
    level: Any = "x"
    for _ in range(60):
        level = [level, level]
    assert 1000 < rough_size(level, 1000) < 2000
