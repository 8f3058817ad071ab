"""Redaction by value: no encoding of a secret is left."""

from __future__ import annotations

import base64
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_conformance.secrets import Redactor, SecretSearch, encodings

SECRET = 'sk-密鑰/+"x y"-1'


TWICE = urllib.parse.quote(urllib.parse.quote(SECRET, safe=""), safe="")


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        (SECRET, "‹token›"),
        (json.dumps({"k": SECRET}), "‹token›"),
        (json.dumps({"k": SECRET}, ensure_ascii=False), "‹token›"),
        (repr(SECRET), "‹token›"),
        (urllib.parse.quote(SECRET), "‹token, percent-encoded›"),
        (urllib.parse.quote(SECRET, safe=""), "‹token, percent-encoded›"),
        (urllib.parse.urlencode({"k": SECRET}), "‹token, percent-encoded›"),
        (TWICE, "‹token, percent-encoded twice›"),
        (SECRET.encode().hex(), "‹token, hex›"),
        (base64.b64encode(SECRET.encode()).decode(), "‹token, base64›"),
        (base64.urlsafe_b64encode(SECRET.encode()).decode(), "‹token, base64›"),
    ],
)
def test_each_encoding_is_redacted_and_named(shown: str, name: str) -> None:
    redacted = Redactor({"token": SECRET}).text(f"before {shown} after")
    assert name in redacted
    assert not any(form in redacted for form in encodings(SECRET))


@given(
    st.text("abcdef", max_size=9),
    st.text("abcdefghij0123456789", min_size=12, max_size=40),
    st.text("xyz", max_size=5),
)
def test_basic_credentials_are_redacted_at_any_offset(user: str, secret: str, rest: str) -> None:
    encoded = base64.b64encode(f"{user}:{secret}{rest}".encode()).decode()
    redacted = Redactor({"token": secret}).text(f"Basic {encoded}")
    assert redacted == f"Basic ‹base64 of {user}:‹token›{rest}›"


def test_nothing_of_two_secrets_is_left_between_them_in_base64() -> None:
    redactor = Redactor({"user": "canary-one-1", "password": "canary-two-2"})
    joined = base64.b64encode(b"canary-one-1\n:canary-two-2").decode()
    assert redactor.text(f"Basic {joined}") == "Basic ‹user, base64›…‹password, base64›…"
    joined = base64.b64encode(b"canary-one-1:canary-two-2").decode()
    assert redactor.text(f'"Basic {joined}"') == '"Basic ‹base64 of ‹user›:‹password››"'


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("?key=canary-one…", "?key=‹token›…"),
        ("?key=canary%20of%20t… and", "?key=‹token, percent-encoded›… and"),
        ("?key=canary-one-1&a=canar…", "?key=‹token›&a=canar…"),
        ("a canary-two…", "a canary-two…"),
    ],
)
def test_a_secret_that_a_message_has_cut_is_redacted(text: str, redacted: str) -> None:
    value = "canary of two" if "%20" in text else "canary-one-1"
    assert Redactor({"token": value}).text(text) == redacted


def test_what_would_end_a_json_string_is_not_decoded() -> None:
    encoded = base64.b64encode(b'{"token": "canary-one-1"}').decode()
    redacted = Redactor({"token": "canary-one-1"}).text(json.dumps({"a": encoded}))
    assert "‹token, base64›" in json.loads(redacted)["a"]


def test_values_are_redacted_at_any_depth_and_in_keys() -> None:
    redacted = Redactor({"token": "sk-canary-1"}).value(
        {"sk-canary-1": [{"a": ("sk-canary-1", 3)}]}
    )
    assert redacted == {"‹token›": [{"a": ["‹token›", 3]}]}


def test_two_secrets_of_which_one_contains_the_other_are_both_redacted() -> None:
    redactor = Redactor({"short": "canary-1", "long": "canary-1-and-more"})
    assert redactor.text("canary-1-and-more canary-1") == "‹long› ‹short›"


def test_each_of_many_secrets_is_redacted_under_its_own_name() -> None:
    values = {f"token-{n}": f"canary-arcconf_0a1b2c3d_{n}-密鑰" for n in range(1000)}
    redactor = Redactor(values)
    for name, value in values.items():
        assert redactor.text(f"a {value} b {value.encode().hex()}") == f"a ‹{name}› b ‹{name}, hex›"


@pytest.mark.parametrize("text", ["abcdef", "abcdef after", "before abcdef"])
def test_six_characters_are_redacted_wherever_they_stand(text: str) -> None:
    assert Redactor({"x": "abcdef"}).text(text) == text.replace("abcdef", "‹x›")


@pytest.mark.parametrize("value", ["abc", "abcde"])
def test_shorter_values_are_not_redacted(value: str) -> None:
    assert Redactor({"x": value}).text(f"{value} {value}s") == f"{value} {value}s"


def test_each_encoding_is_complete_and_has_nothing_of_what_stands_beside_it() -> None:
    in_base64 = {"w6knIiAvej", "OpJyIgL3ox", "DqSciIC96M"}  # after 0, 1 and 2 other bytes
    assert encodings("é'\" /z1") == in_base64 | {
        "é'\" /z1",
        "\\u00e9'\\\" /z1",
        "é'\\\" /z1",
        "é\\'\" /z1",
        "%C3%A9%27%22%20%2Fz1",
        "%C3%A9%27%22%20/z1",
        "%C3%A9%27%22+%2Fz1",
        "%25C3%25A9%2527%2522%2520%252Fz1",
        "c3a92722202f7a31",
    }


@given(
    st.lists(st.text("ab", min_size=6, max_size=20), min_size=1, max_size=8),
    st.text("ab", max_size=60),
)
def test_a_search_finds_exactly_what_occurs_whatever_stands_before_it(
    forms: list[str], text: str
) -> None:
    within = f"{text}{forms[0]}{text}"
    assert SecretSearch(forms).found_in(within) == {form for form in forms if form in within}
