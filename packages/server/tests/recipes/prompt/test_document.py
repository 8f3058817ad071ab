"""The text of a recipe is read as JSON's values, and everything has a place."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.recipes.prompt.document import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_VALUES,
    Document,
    DocumentError,
    Place,
    document_of,
    read_document,
)

_NUMBERS = st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False)
# What JSON writes and YAML reads: no characters that YAML wants escaped.
_TEXTS = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs", "Cc", "Co", "Cn"]))


def values(texts: st.SearchStrategy[str]) -> st.SearchStrategy[object]:
    """Return a strategy for JSON values with these texts."""
    return st.recursive(
        st.none() | st.booleans() | _NUMBERS | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=12,
    )


@given(values(_TEXTS))
def test_json_is_read_as_it_is(value: object) -> None:
    recipe = {"a": value}
    assert read_document(json.dumps(recipe)).value == recipe
    assert read_document(json.dumps(recipe, indent=2)).value == recipe


# PyYAML leaves 1e5 without quotes, which is a text in YAML 1.1 and a number in 1.2.
@given(values(_TEXTS.filter(lambda text: not re.match(r"[-+]?\d+[eE]", text))))
def test_what_pyyaml_writes_is_read_as_it_was(value: object) -> None:
    assert read_document(yaml.safe_dump(value, allow_unicode=True)).value == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("2026-11-30", "2026-11-30"),
        ("12:30:45", "12:30:45"),
        ("0x1F", "0x1F"),
        ("012", 12),
        ("1_000", "1_000"),
        ("v1", "v1"),
        ("~", None),
        ("''", ""),
        ("'12'", "12"),
        ("True", True),
        ("-1.5e3", -1500.0),
        (".5", 0.5),
    ],
)
def test_plain_texts_follow_the_core_schema(written: str, value: object) -> None:
    read = read_document(f"a: {written}").value["a"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: 1\na: 2", (2, 1), "the key 'a' stands here twice"),
        ("a: &x 1", (1, 4), "anchors"),
        ("a: 1\nb: *x", (2, 4), "aliases"),
        ("a: !!python/object:os.system x", (1, 4), "tags"),
        ("a: !x {}", (1, 4), "tags"),
        ("? [a]\n: b", (1, 3), "a key must be a text"),
        ("1: b", (1, 1), "a key must be a text"),
        ("a: .inf", (1, 4), "JSON has no number .inf"),
        ("a: -.inf", (1, 4), "JSON has no number -.inf"),
        ("a: .nan", (1, 4), "JSON has no number .nan"),
        ("a: 1e999", (1, 4), "too large"),
        ("a: " + "9" * 5000, (1, 4), "too large"),
        ("a: 1\n---\nb: 2", (2, 1), "a second document begins here"),
        ("%TAG !e! x\n---\na: 1", (1, 1), "leave out `%TAG`"),
        ("a: 1\n...\n%TAG !e! x\n---\nb: 2", (3, 1), "leave out `%TAG`"),
        ("\ufeff%TAG !e! x\n---\na: 1", (1, 2), "leave out `%TAG`"),
        ("# one\x85%TAG !e! x\n---\na: 1", (1, 7), "leave out `%TAG`"),
        ("".join(f"%TAG !{n:x}! b\n" for n in range(20_000))[:200_000], (1, 1), "leave out"),
        ("a: [1", (2, 1), "not valid YAML"),
        ("a: b: c", (1, 5), "not valid YAML"),
        ("甲: x\n\t- x", (2, 1), "not valid YAML"),
        ("甲: \x01", (1, 4), "control character"),
        ("[" * 100_000, (1, MAX_DEPTH + 1), "nested deeper"),
        ("- " * 50_000, (1, 2 * MAX_DEPTH + 1), "nested deeper"),
        ("[" + "1," * 20_000, (1, 2 * MAX_VALUES), "more than 10,000 values"),
        ("", None, "empty"),
        ("# nothing", None, "empty"),
        ("x" * (MAX_CHARACTERS + 1), None, "longer than"),
    ],
)
def test_what_is_wrong_has_its_place(
    text: str, place: tuple[int, int] | None, message: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        read_document(text)
    problem = caught.value.problem
    assert message in problem.message
    assert problem.code == "invalid_recipe"
    assert (problem.line, problem.column) == (place or (None, None))


@pytest.mark.parametrize("text", ['a: "\\0"', "a: \ud800", "a: '\x00'"])
def test_what_is_no_character_is_refused_as_such(text: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_document(text)
    problem = caught.value.problem
    assert (problem.code, problem.line, problem.column) == (
        "invalid_text",
        1,
        4 if "'" not in text else 5,
    )


def test_a_directive_in_a_text_is_a_text() -> None:
    text = "%YAML 1.2\n---\na: |\n  %TAG !e! x\nb: a%TAG\n"
    assert read_document(text).value == {"a": "%TAG !e! x\n", "b": "a%TAG"}


def test_places_count_characters_and_find_what_is_written_in_a_text() -> None:
    document = read_document("甲:\n  乙: '丙 {{x}} {{x}}'\n  丁: |\n    一\n    二 {{y}}\n")
    assert document.place(("甲", "乙")) == Place(2, 6)
    assert document.place(("甲", "乙"), at_key=True) == Place(2, 3)
    assert document.place(("甲", "乙"), written="{{x}}", number=1) == Place(2, 15)
    assert document.place(("甲", "丁"), written="{{y}}") == Place(5, 7)


def test_what_is_written_in_another_way_has_the_place_of_its_text() -> None:
    document = read_document('a: "\\u007b{x}}"')
    assert document.value == {"a": "{{x}}"}
    assert document.place(("a",), written="{{x}}") == Place(1, 4)


def test_only_a_literal_block_keeps_its_lines() -> None:
    document = read_document("a: |\n  1\n  2\nb: >\n  1\n  2\nc: 1\n")
    starts = [document.text_start((key,)) for key in "abc"]
    assert starts == [(2, True), (4, False), (7, False)]


@pytest.mark.parametrize("text", ['{"a": "\\ud83d\\ude00"}', '{"a": "\\ud83d\\ude00\x7f"}'])
def test_json_that_is_no_yaml_is_read_without_places(text: str) -> None:
    document = read_document(text)
    assert document.value["a"].startswith("😀")
    assert document.place(("a",)) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": "\\ud83d\\ude00", "b": 1, "b": 2}', "the key 'b' stands twice"),
        ('{"a": "\\ud83d\\ude00", "b": NaN}', "no number NaN"),
        ('{"a": "\\ud83d\\ude00", "b": "\\ud83d"}', "half of a surrogate pair"),
        ('{"a": "\\ud83d\\ude00", "b": ' + "[" * 33 + "]" * 33 + "}", "nested deeper"),
        ('["\\ud83d\\ude00"' + ",1" * 10_001 + "]", "more than 10,000 values"),
    ],
)
def test_json_that_is_no_yaml_is_checked_as_well(text: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        read_document(text)


def test_an_object_has_no_more_characters_than_a_text() -> None:
    most = ["x" * (MAX_CHARACTERS - 1), "x"]
    assert document_of(most).value == most
    with pytest.raises(DocumentError, match="longer than 262,144 characters"):
        document_of({"user": most})


def test_a_value_that_was_not_read_has_paths_and_no_places() -> None:
    problem = Document({"a": [1]}).problem("wrong", ("a", 0))
    assert (problem.path, problem.line, str(problem)) == ("a[0]", None, "a[0]: wrong")
