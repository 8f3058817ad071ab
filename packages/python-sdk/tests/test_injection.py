"""What a bound client adds to a request: headers, query, path and body."""

from __future__ import annotations

import base64
import json
import pickle
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun import InvalidArgumentError, UnexpectedResponseError
from arcrun._core.injection import Injection, split_constants
from arcrun._core.recipe import parse_inject
from arcrun._core.secret import Secret

anything = st.text(min_size=1, max_size=60)
printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=60)


def make_injection(inject: dict, **values: str) -> Injection:
    secrets = {key: Secret(value) for key, value in values.items()}
    return Injection(parse_inject(inject), secrets)


@given(anything)
def test_a_path_value_stays_in_its_segment(value: str) -> None:
    if value in {".", ".."}:
        return
    injection = make_injection({"path": {"tok": "{{secret.t}}"}}, t=value)
    target = injection.target(b"/v1/bot%7Btok%7D/send?x=%7Btok%7D").decode()
    parts = urlsplit(target)
    assert parts.query == "x=%7Btok%7D"
    assert unquote(parts.path.removeprefix("/v1/bot").removesuffix("/send")) == value
    assert target.count("/") == 3


@pytest.mark.parametrize("placeholder", [b"{tok}", b"%7Btok%7D", b"%7btok%7d"])
def test_all_spellings_of_a_path_placeholder_are_filled_in(placeholder: bytes) -> None:
    injection = make_injection({"path": {"tok": "{{secret.t}}"}}, t="1:a")
    assert injection.target(b"/bot" + placeholder + b"/x") == b"/bot1%3Aa/x"


def test_a_path_without_the_placeholder_that_signs_in_is_refused() -> None:
    injection = make_injection({"path": {"tok": "{{secret.t}}"}}, t="1:a")
    with pytest.raises(InvalidArgumentError, match=r"'/getMe' has no \{tok\}.*not be signed in"):
        injection.target(b"/getMe")
    also = {"path": {"tok": "{{secret.t}}"}, "header": {"X-Key": "{{secret.t}}"}}
    assert make_injection(also, t="a").target(b"/getMe") == b"/getMe"


def test_a_path_value_that_looks_like_a_placeholder_stays() -> None:
    inject = {"path": {"a": "{{secret.a}}", "b": "{{secret.b}}"}}
    injection = make_injection(inject, a="{b}", b="{a}")
    assert injection.target(b"/%7Ba%7D/%7Bb%7D/%7Bc%7D") == b"/%7Bb%7D/%7Ba%7D/%7Bc%7D"


@pytest.mark.parametrize("value", [".", ".."])
def test_a_path_value_of_dots_is_refused(value: str) -> None:
    with pytest.raises(InvalidArgumentError, match="only dots"):
        make_injection({"path": {"tok": "{{secret.t}}"}}, t=value)


@given(anything, st.dictionaries(anything, anything, max_size=3))
def test_a_query_value_arrives_unchanged(value: str, own: dict[str, str]) -> None:
    own.pop("key", None)
    injection = make_injection({"query": {"key": "{{secret.t}}"}}, t=value)
    target = injection.target(f"/x?{urlencode(own)}".encode()).decode()
    found = parse_qs(urlsplit(target).query, keep_blank_values=True)
    assert found == {**{name: [text] for name, text in own.items()}, "key": [value]}


def test_the_rest_of_a_query_stays_as_written() -> None:
    injection = make_injection({"query": {"key": "{{secret.t}}"}}, t="s")
    assert injection.target(b"/x?a=1+2%2c&key=mine&b") == b"/x?a=1+2%2c&b&key=s"


@given(printable, printable)
def test_basic_is_encoded_as_rfc_7617_requires(user: str, password: str) -> None:
    inject = {"header": {"Authorization": "Basic {{secret.u}}:{{secret.p}}"}}
    value = make_injection(inject, u=user, p=password).headers["Authorization"]
    assert base64.b64decode(value.removeprefix("Basic ")).decode() == f"{user}:{password}"


def test_basic_that_is_already_encoded_stays() -> None:
    encoded = base64.b64encode(b"user:password").decode()
    inject = {"header": {"Authorization": "Basic {{secret.t}}"}}
    assert make_injection(inject, t=encoded).headers == {"Authorization": f"Basic {encoded}"}


@pytest.mark.parametrize(
    "value", ["tok\n", "tok ", "tok\t", "a\r\nX-Evil: 1", "nul\0", "密", "\x7f"]
)
def test_a_value_that_a_header_cannot_carry_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(InvalidArgumentError, match="line break") as caught:
        make_injection({"header": {"X-Key": "{{secret.t}}"}}, t=value)
    assert value not in str(caught.value)


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "X Y", "X\nY", ""])
def test_a_recipe_may_not_set_headers_that_frame_the_request(name: str) -> None:
    with pytest.raises(UnexpectedResponseError, match="may not"):
        make_injection({"header": {name: "{{secret.t}}"}}, t="x")
    with pytest.raises(UnexpectedResponseError, match="may not"):
        split_constants(parse_inject({"header": {name: "constant"}}))


def body_injection(value: str = "s") -> Injection:
    return make_injection({"body": {"token": "{{secret.t}}", "version": 2}}, t=value)


@given(anything)
def test_fields_are_added_to_a_json_body(value: str) -> None:
    kind, content = body_injection(value).content(
        "POST", "application/json", b'{"a":"\xe4\xbd\xa0"}'
    )
    assert kind == "application/json"
    assert json.loads(content) == {"a": "你", "token": value, "version": 2}


@given(anything)
def test_fields_are_added_to_a_form(value: str) -> None:
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    same, content = body_injection(value).content("POST", kind, b"a=1&token=mine&a=2&e=")
    pairs = parse_qsl(content.decode(), keep_blank_values=True)
    assert same == kind
    assert pairs == [("a", "1"), ("a", "2"), ("e", ""), ("token", value), ("version", "2")]


def test_an_empty_body_becomes_json() -> None:
    kind, content = body_injection().content("POST", "", b"")
    assert (kind, json.loads(content)) == ("application/json", {"token": "s", "version": 2})


def test_a_get_without_a_body_gets_none() -> None:
    assert body_injection().content("GET", "", b"") == ("", b"")


@pytest.mark.parametrize(
    ("kind", "content"),
    [("application/json", b"[1]"), ("application/json", b"{"), ("text/plain", b"x"), ("", b"x")],
)
def test_a_body_that_cannot_take_fields_is_refused(kind: str, content: bytes) -> None:
    with pytest.raises(InvalidArgumentError, match="JSON object or"):
        body_injection().content("POST", kind, content)


def test_headers_without_secret_become_default_headers() -> None:
    inject = {"header": {"Notion-Version": "2022-06-28", "Authorization": "Bearer {{secret.t}}"}}
    constants, rest = split_constants(parse_inject(inject))
    assert constants == {"Notion-Version": "2022-06-28"}
    assert {name: item.text for name, item in rest.header.items()} == {
        "Authorization": "Bearer {{secret.t}}"
    }


def test_an_injection_shows_no_secret_and_is_not_pickled() -> None:
    injection = make_injection({"query": {"key": "{{secret.t}}"}}, t="s3cret")
    assert repr(injection) == "<Injection>"
    with pytest.raises(TypeError, match="bind again"):
        pickle.dumps(injection)
