"""Secrets in memory: shown by nothing but `reveal`, blanked out of error messages."""

from __future__ import annotations

import json
import pickle
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun._core.secret import Secret, blank_out

WAYS_TO_WRITE = (
    str,
    lambda value: json.dumps(value)[1:-1],
    lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    lambda value: quote(value, safe=""),
    lambda value: urlencode({"": value})[1:],
)


@given(st.text(st.characters(codec="utf-8", exclude_characters="«»"), min_size=4, max_size=30))
def test_a_secret_is_blanked_out_however_json_a_url_or_a_form_writes_it(value: str) -> None:
    for written in (write(value) for write in WAYS_TO_WRITE):
        clean = blank_out(f"«{written}»", (Secret(value),))
        assert clean == "«***»"


def test_a_secret_is_blanked_out_as_a_url_or_a_form_writes_it() -> None:
    secret = Secret("1//0a b+c=密")
    url = "refresh_token=1%2F%2F0a%20b%2Bc%3D%E5%AF%86&x=1"
    form = "refresh_token=1%2F%2F0a+b%2Bc%3D%E5%AF%86&x=1"
    assert blank_out(url, (secret,)) == "refresh_token=***&x=1"
    assert blank_out(form, (secret,)) == "refresh_token=***&x=1"


def test_a_secret_that_utf_8_cannot_write_is_blanked_out() -> None:
    assert blank_out("got 000\ud800.", (Secret("000\ud800"),)) == "got ***."


def test_only_reveal_shows_a_secret() -> None:
    secret = Secret("s3cret")
    assert secret.reveal() == "s3cret"
    assert "s3cret" not in f"{secret} {secret!r}"
    assert {secret} == {Secret("s3cret")}
    assert secret != Secret("other")
    assert secret != "s3cret"
    with pytest.raises(TypeError, match="bind again"):
        pickle.dumps(secret)
