"""Words and items: what of a text is found, and what a page lists."""

from __future__ import annotations

import json
import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.kbdb.items import items_of
from arcrun_server.kbdb.search import (
    _MAYBE_MARKS,
    LONGEST_WORD,
    _comparable,
    phrases_of,
    spaced,
    words_of,
)

TEXTS = st.text(max_size=60)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("天氣很好", ["天", "氣", "很", "好"]),
        ("Mira's 河道, v2.0", ["mira", "s", "河", "道", "v2", "0"]),
        ("東京タワー ﾊﾝｶｸ 날씨", [*"東京タワーハンカク", *"날씨"]),
        ("ＡＢＣ　１２３", ["abc", "123"]),
        ("cafe\u0301 CAFÉ cafe", ["café", "café", "cafe"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("C++ a=b €5", ["c", "+", "+", "a", "=", "b", "€", "5"]),
        ("👩‍💻 👍🏽 ❤️", ["👩", "💻", "👍", "🏽", "❤"]),
        ("snake_case kebab-case", ["snake", "case", "kebab", "case"]),
        ("नमस्ते", ["नमस्ते"]),
        ("a\u200db \u0301x", ["ab", "\u0301x"]),
        ("\x00 \t\u2028 。,!", []),
        ("𰻞𰻞麵", ["𰻞", "𰻞", "麵"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert list(words_of(text)) == words


@pytest.mark.parametrize(
    ("query", "phrases"),
    [
        ("天氣 mira", ["天 氣", "mira"]),
        ('"天氣" OR *', ["天 氣", "or"]),
        ("a a A", ["a"]),
        (" , ", []),
    ],
)
def test_each_part_of_a_query_is_a_phrase(query: str, phrases: list[str]) -> None:
    assert phrases_of(query) == phrases


def test_long_word_is_cut_alike_in_blocks_and_queries() -> None:
    word = "x" * (2 * LONGEST_WORD + 1)
    assert [len(part) for part in words_of(word)] == [LONGEST_WORD, LONGEST_WORD, 1]
    assert f" {spaced(word)} " in f" {spaced(f'a {word}。b')} "


@given(TEXTS)
def test_words_hold_nothing_that_an_index_or_a_query_could_take_for_a_sign_of_its_own(
    text: str,
) -> None:
    for word in words_of(text):
        assert word
        assert len(word) <= LONGEST_WORD
        assert not set(word) & set("\"'\\@:*() ")
        assert not any(character.isspace() for character in word)


@given(TEXTS)
def test_form_and_case_make_no_difference(text: str) -> None:
    words = spaced(text)
    assert spaced(unicodedata.normalize("NFD", text)) == words
    assert spaced(unicodedata.normalize("NFC", text)) == words
    assert spaced(words) == words


MARKS = st.sampled_from("\u0300\u0315\u0327\u0334\u0344\u0345\u05b0\u0e38\u0f71\u0f73\u0f74\u3099")
LETTERS = st.sampled_from("aÅ가\u1100\u1161\u11a8かガ\uff76ﷺﬁ天1 \U0001d15e")


@given(st.lists(st.one_of(MARKS, MARKS, LETTERS), min_size=60, max_size=300).map("".join))
def test_many_marks_are_put_in_order_as_unicode_orders_them(text: str) -> None:
    folded = unicodedata.normalize("NFKC", text).casefold()
    assert _comparable(text) == unicodedata.normalize("NFKC", folded)


def test_no_character_is_taken_for_more_than_marks_that_is_nothing_else() -> None:
    only_marks = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if all(map(unicodedata.combining, unicodedata.normalize("NFKD", character)))
    ]
    assert len(only_marks) > 800
    assert all(_MAYBE_MARKS.search(character * 64) for character in only_marks)


@pytest.mark.parametrize("marks", [("\u0315", "\u0300"), ("\u0f73", ""), ("\u0f72", "\u0f71")])
def test_many_marks_take_time_that_grows_with_their_number(marks: tuple[str, str]) -> None:
    def seconds(count: int) -> float:
        began = time.process_time()
        spaced("a" + marks[0] * count + marks[1] * count)
        return time.process_time() - began

    # Eight times as many took sixty times as long.
    assert seconds(40_000) < 30 * seconds(5_000)


@given(TEXTS, TEXTS, TEXTS)
def test_text_between_spaces_is_found_in_what_holds_it(before: str, text: str, behind: str) -> None:
    whole = f" {spaced(f'{before} {text} {behind}')} "
    for phrase in phrases_of(text):
        assert f" {phrase} " in whole


@pytest.mark.parametrize(
    ("content", "items"),
    [
        ("- Mira\n- 河道\n- KBDB", ["Mira", "河道", "KBDB"]),
        ("", []),
        ("\n \n\t\n", []),
        ("one\r\ntwo\rthree\u2028still three", ["one", "two", "three\u2028still three"]),
        ("1. a\n2) b\n(3) c\n４．d\n5、e", ["a", "b", "c", "d", "e"]),
        ("* a\n+ b\n• c\n– d", ["a", "b", "c", "d"]),
        ("- [ ] open\n- [x] done\n* [X] done too", ["open", "done", "done too"]),
        ("-5 °C\n3.14\n2026年\n**bold**\n--", ["-5 °C", "3.14", "2026年", "**bold**", "--"]),
        ("-\n- \n1.", []),
        ("- - nested", ["- nested"]),
        ('["a", 1, null, {"b": []}]', ["a", 1, None, {"b": []}]),
        (' \n["a"]\n ', ["a"]),
        ("[]", []),
        ('{"a": 1}', ['{"a": 1}']),
        ("[1, 2", ["[1, 2"]),
        ("[NaN]", ["[NaN]"]),
        ('["\\ud800"]', ['["\\ud800"]']),
        ("[link](https://example.com)", ["[link](https://example.com)"]),
        ('"text"', ['"text"']),
    ],
)
def test_items(content: str, items: list[object]) -> None:
    assert items_of(content) == items


def test_deeply_nested_array_is_a_line() -> None:
    content = "[" * 100_000 + "]" * 100_000
    assert items_of(content) == [content]


@given(st.lists(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)))
def test_items_of_an_array_are_its_elements(elements: list[object]) -> None:
    try:
        content = json.dumps(elements, ensure_ascii=False)
        content.encode()
    except UnicodeEncodeError:
        content = "[]"
        elements = []
    assert items_of(content) == elements


@given(st.text())
def test_items_of_a_text_are_lines_of_it(content: str) -> None:
    if not content.lstrip().startswith("["):
        items = items_of(content)
        assert all(item and item == item.strip() and item in content for item in items)
