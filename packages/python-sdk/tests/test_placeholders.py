"""Templates of recipes, and what they make of a request."""

from __future__ import annotations

import base64
import json
import pickle
import string
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun import InvalidArgumentError, UnexpectedResponseError
from arcrun._core.injection import Injection, split_constants
from arcrun._core.placeholders import render, render_base_url, secret_keys
from arcrun._core.secret import Secret, blank_out

anything = st.text(min_size=1, max_size=60)
printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=60)


def hidden(**values: str) -> dict[str, Secret]:
    return {key: Secret(value) for key, value in values.items()}


@given(anything, anything)
def test_values_stand_where_their_templates_stood(a: str, b: str) -> None:
    text = "{{secret.a}}/{{ secret.b }}!{{runtime.access_token}}"
    assert render(text, hidden(a=a, b=b), Secret("t")) == f"{a}/{b}!t"


@pytest.mark.parametrize("value", ["{{secret.b}}", "{{runtime.access_token}}", "\\1", "\\g<0>"])
def test_what_is_filled_in_is_never_scanned_again(value: str) -> None:
    assert render("x{{secret.a}}", hidden(a=value, b="no")) == f"x{value}"


@pytest.mark.parametrize(
    "template",
    ["{{secret.unknown}}", "{{ runtime.access_token }}", "{{env.HOME}}", "{{}}", "{{secret.a b}}"],
)
def test_a_template_that_points_nowhere_is_named(template: str) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        render(f"Bearer {template}", hidden(a="value"))
    assert template in str(caught.value)
    assert "value" not in str(caught.value).replace("{{secret", "")


def test_secrets_and_tokens_are_found() -> None:
    assert secret_keys("{{secret.a}}:{{ secret.b }}{{runtime.access_token}}") == ["a", "b"]


@given(st.from_regex(r"[A-Za-z0-9-]{1,30}", fullmatch=True))
def test_a_part_of_a_host_name_is_filled_in(value: str) -> None:
    url = render_base_url("https://{{secret.domain}}.atlassian.net/rest", hidden(domain=value))
    assert urlsplit(url).netloc == f"{value}.atlassian.net"


@given(st.text(min_size=1).filter(lambda text: not text.isascii() or not text.isalnum()))
def test_a_secret_never_moves_the_request_to_another_host(value: str) -> None:
    template = "https://{{secret.domain}}.atlassian.net/rest"
    try:
        url = render_base_url(template, hidden(domain=value))
    except InvalidArgumentError:
        return
    assert set(value) <= {*string.ascii_letters, *string.digits, "-"}
    assert urlsplit(url).netloc == f"{value}.atlassian.net"


@pytest.mark.parametrize(
    "value", ["evil.test/", "evil.test#", "evil.test@", "a\n", "..", "a.b", ""]
)
def test_host_parts_that_would_move_it(value: str) -> None:
    with pytest.raises(InvalidArgumentError, match="becomes part of the address"):
        render_base_url("https://{{secret.d}}.atlassian.net", hidden(d=value))


@given(anything)
def test_a_path_value_stays_in_its_segment(value: str) -> None:
    if value in {".", ".."}:
        return
    injection = Injection({"path": {"tok": "{{secret.t}}"}}, hidden(t=value))
    target = injection.target(b"/v1/bot%7Btok%7D/send?x=%7Btok%7D").decode()
    parts = urlsplit(target)
    assert parts.query == "x=%7Btok%7D"
    assert unquote(parts.path.removeprefix("/v1/bot").removesuffix("/send")) == value
    assert target.count("/") == 3


@pytest.mark.parametrize("place", [b"{tok}", b"%7Btok%7D", b"%7btok%7d"])
def test_all_spellings_of_a_place_are_filled(place: bytes) -> None:
    injection = Injection({"path": {"tok": "{{secret.t}}"}}, hidden(t="1:a"))
    assert injection.target(b"/bot" + place + b"/x") == b"/bot1%3Aa/x"


def test_a_path_value_that_looks_like_a_place_stays() -> None:
    inject = {"path": {"a": "{{secret.a}}", "b": "{{secret.b}}"}}
    injection = Injection(inject, hidden(a="{b}", b="{a}"))
    assert injection.target(b"/%7Ba%7D/%7Bb%7D/%7Bc%7D") == b"/%7Bb%7D/%7Ba%7D/%7Bc%7D"


@pytest.mark.parametrize("value", [".", ".."])
def test_a_path_value_of_dots_is_refused(value: str) -> None:
    with pytest.raises(InvalidArgumentError, match="only dots"):
        Injection({"path": {"tok": "{{secret.t}}"}}, hidden(t=value))


@given(anything, st.dictionaries(anything, anything, max_size=3))
def test_a_query_value_arrives_as_it_was(value: str, own: dict[str, str]) -> None:
    from urllib.parse import urlencode

    own.pop("key", None)
    injection = Injection({"query": {"key": "{{secret.t}}"}}, hidden(t=value))
    target = injection.target(f"/x?{urlencode(own)}".encode()).decode()
    found = parse_qs(urlsplit(target).query, keep_blank_values=True)
    assert found == {**{name: [text] for name, text in own.items()}, "key": [value]}


def test_the_rest_of_a_query_stays_as_written() -> None:
    injection = Injection({"query": {"key": "{{secret.t}}"}}, hidden(t="s"))
    assert injection.target(b"/x?a=1+2%2c&key=mine&b") == b"/x?a=1+2%2c&b&key=s"


@given(printable, printable)
def test_basic_is_written_as_rfc_7617_wants_it(user: str, password: str) -> None:
    inject = {"header": {"Authorization": "Basic {{secret.u}}:{{secret.p}}"}}
    value = Injection(inject, hidden(u=user, p=password)).headers["Authorization"]
    assert base64.b64decode(value.removeprefix("Basic ")).decode() == f"{user}:{password}"


def test_basic_that_is_encoded_already_stays() -> None:
    encoded = base64.b64encode(b"user:password").decode()
    inject = {"header": {"Authorization": "Basic {{secret.t}}"}}
    assert Injection(inject, hidden(t=encoded)).headers == {"Authorization": f"Basic {encoded}"}


@pytest.mark.parametrize("value", ["tok\n", "a\r\nX-Evil: 1", "nul\0", "密", "\x7f"])
def test_what_no_header_can_carry_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(InvalidArgumentError, match="line break") as caught:
        Injection({"header": {"X-Key": "{{secret.t}}"}}, hidden(t=value))
    assert value not in str(caught.value)


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "X Y", "X\nY", ""])
def test_a_recipe_may_not_write_the_frame_of_a_request(name: str) -> None:
    with pytest.raises(UnexpectedResponseError, match="may not"):
        Injection({"header": {name: "{{secret.t}}"}}, hidden(t="x"))
    with pytest.raises(UnexpectedResponseError, match="may not"):
        split_constants({"header": {name: "constant"}})


def body_injection(value: str = "s") -> Injection:
    return Injection({"body": {"token": "{{secret.t}}", "version": 2}}, hidden(t=value))


@given(anything)
def test_a_json_body_gets_its_fields(value: str) -> None:
    kind, content = body_injection(value).content(
        "POST", "application/json", b'{"a":"\xe4\xbd\xa0"}'
    )
    assert kind == "application/json"
    assert json.loads(content) == {"a": "你", "token": value, "version": 2}


@given(anything)
def test_a_form_gets_its_fields(value: str) -> None:
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    same, content = body_injection(value).content("POST", kind, b"a=1&token=mine&a=2&e=")
    pairs = parse_qsl(content.decode(), keep_blank_values=True)
    assert same == kind
    assert pairs == [("a", "1"), ("a", "2"), ("e", ""), ("token", value), ("version", "2")]


def test_an_empty_body_becomes_json() -> None:
    kind, content = body_injection().content("POST", "", b"")
    assert (kind, json.loads(content)) == ("application/json", {"token": "s", "version": 2})


def test_a_get_without_body_stays_without() -> None:
    assert body_injection().content("GET", "", b"") == ("", b"")


@pytest.mark.parametrize(
    ("kind", "content"),
    [("application/json", b"[1]"), ("application/json", b"{"), ("text/plain", b"x"), ("", b"x")],
)
def test_another_body_is_refused(kind: str, content: bytes) -> None:
    with pytest.raises(InvalidArgumentError, match="JSON object or"):
        body_injection().content("POST", kind, content)


def test_headers_without_secret_are_the_clients_own() -> None:
    inject = {"header": {"Notion-Version": "2022-06-28", "Authorization": "Bearer {{secret.t}}"}}
    constants, rest = split_constants(inject)
    assert constants == {"Notion-Version": "2022-06-28"}
    assert rest == {"header": {"Authorization": "Bearer {{secret.t}}"}}


@given(st.text(st.characters(exclude_characters="«»"), min_size=4, max_size=30))
def test_errors_blank_out_secrets_however_json_writes_them(value: str) -> None:
    for written in (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        clean = blank_out(f"«{written}»", (Secret(value),))
        assert clean == "«***»"


def test_a_secret_shows_itself_to_reveal_only() -> None:
    secret = Secret("s3cret")
    assert secret.reveal() == "s3cret"
    assert "s3cret" not in f"{secret} {secret!r}"
    assert {secret} == {Secret("s3cret")}
    assert secret != Secret("other")
    assert secret != "s3cret"
    for hidden_thing in (secret, Injection({}, {"t": secret})):
        with pytest.raises(TypeError, match="bind again"):
            pickle.dumps(hidden_thing)
    assert repr(Injection({"query": {"key": "{{secret.t}}"}}, {"t": secret})) == "<Injection>"
