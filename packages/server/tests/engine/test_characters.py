"""What is no character, in a text and in JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.engine.characters import json_holds_nul, no_character


@pytest.mark.parametrize("text", ["", "a", "中文", "😀", "\x01\x7f", "\uffff"])
def test_other_characters_are_fine(text: str) -> None:
    assert no_character(text) is None


@pytest.mark.parametrize(
    ("text", "place"), [("\0", 0), ("中\ud800", 1), ("a\udfff\0", 1), ("ab\0", 2)]
)
def test_the_first_of_them_is_found(text: str, place: int) -> None:
    found = no_character(text)
    assert found is not None
    assert found.start() == place


@given(st.text(st.sampled_from('\\u0a\0"')))
def test_nul_is_found_in_json_and_nothing_that_looks_like_it(text: str) -> None:
    assert json_holds_nul(json.dumps(text)) == ("\0" in text)
