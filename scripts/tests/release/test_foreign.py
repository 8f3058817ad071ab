"""Whatever somebody else has written, reading it ends with a value or a sentence, and printing it steers nothing."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_conformance import cleaning
from scripts.release import foreign
from scripts.release.foreign import NotReadable

# What breaks readers of JSON, and what is said of it.
DAMAGE = {
    "nothing": (b"", "is not valid JSON: Expecting value"),
    "half of it": (b"{", "is not valid JSON: Expecting property name"),
    "other bytes": (b'{"a": "\xff"}', "is not UTF-8: see its byte 7"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "is not UTF-8: see its byte 0"),
    "deep": (b"[" * 200_000, "is not valid JSON: it is nested more than 100 levels deep"),
    "deep objects": (b'{"a":' * 200_000, "it is nested more than 100 levels deep"),
    "deep and whole": (b"[" * 102 + b"]" * 102, "it is nested more than 100 levels deep"),
    "half a character": (b'{"a": "\\ud800"}', "is not valid JSON: it has half a character"),
    "no number": (b'{"a": NaN}', "the number NaN is not representable in JSON"),
    "a large number": (b'{"a": 1e999}', "the number 1e999 is not representable in JSON"),
    "a long number": (b"1" * 5000, "is not valid JSON: Exceeds the limit"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_no_json_is_a_sentence_that_names_the_file(damage: str, tmp_path: Path) -> None:
    content, says = DAMAGE[damage]
    path = tmp_path / "部分.json"
    path.write_bytes(content)
    with pytest.raises(NotReadable, match=f"^{re.escape(str(path))} .*{re.escape(says)}"):
        foreign.read_json(path)


def test_what_can_not_be_read_is_a_sentence_that_names_the_file(tmp_path: Path) -> None:
    missing, loop = tmp_path / "missing", tmp_path / "loop"
    loop.symlink_to(loop)
    for path, why in {
        missing: "No such file or directory",
        tmp_path: "Is a directory",
        loop: "Too many levels of symbolic links",
        tmp_path / ("n" * 300): "File name too long",
    }.items():
        with pytest.raises(NotReadable, match=f"^{re.escape(str(path))} can't be read: {why}$"):
            foreign.read_json(path)


def test_json_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "part.json"
    deepest = "[" * 101 + "]" * 101
    path.write_text(rf'{{"河": ["\ud83c\udf0a", 1.5, null], "deep": {deepest[1:-1]}}}', "utf-8")
    assert foreign.read_json(path)["河"] == ["🌊", 1.5, None]


HOSTILE = st.text(st.sampled_from("a:#[ \t\r\n\x00\x1b\x7f\x9b\u202e\u2066\ud800\udfff河🌊"))


@given(HOSTILE)
def test_texts_are_cleaned_as_the_suite_cleans_those_of_adapters(text: str) -> None:
    assert foreign.visible(text) == cleaning.visible(text)


@given(HOSTILE)
def test_a_text_in_a_line_has_nothing_that_a_terminal_or_a_ci_system_obeys(text: str) -> None:
    shown = foreign.in_a_line(text)
    assert len(shown.splitlines()) <= 1
    assert not re.search(
        r"^\s*::|##\[|[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown
    )
    shown.encode()
