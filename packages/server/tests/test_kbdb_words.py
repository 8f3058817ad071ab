"""Words and items: what of a text is found, and what a page lists."""

from __future__ import annotations

import json
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.kbdb import search
from arcrun_server.kbdb.items import items_of
from arcrun_server.kbdb.search import LONGEST_WORD, phrases_of, spaced, words_of

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


@given(st.text(st.sampled_from("aAß天ﷺ\u0301\u0323e한\u11a8ﬁ \u0345İ"), max_size=60))
def test_words_of_a_text_in_pieces_are_those_of_the_whole(text: str) -> None:
    pieces = text.join(["x" * 4090, "天 " * 4096, "."])
    whole = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", pieces).casefold())
    assert search._comparable(pieces) == search._LEFT_OUT.sub("", whole)


def test_marks_without_end_take_no_time_without_end() -> None:
    """To sort them all at once would take minutes; 30 in a row are all that a language has."""
    marks = "\u0300\u0327" * 128 * 1024
    began = time.process_time()
    words = list(words_of(f"a{marks} b"))
    assert time.process_time() - began < 5
    assert words[-1] == "b"
    assert (
        sum(map(len, words)) == len(marks) + 1
    )  # \u00e0 is a and \u0300; so one is less, and b is one more


@pytest.mark.parametrize("count", [30, 31, 100])
def test_word_with_many_marks_is_found_however_they_are_ordered(count: int) -> None:
    marks = ["\u0323", "\u0301"] * count
    assert spaced("a" + "".join(sorted(marks[:30]))) == spaced("a" + "".join(marks[:30]))
    assert spaced(f"a{''.join(marks)}") in spaced(f"x a{''.join(marks)} y")


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
