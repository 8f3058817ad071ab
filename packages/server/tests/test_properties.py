"""What holds for any input."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.errors import ApiError
from arcrun_server.json_text import encode
from arcrun_server.recipes.api.component import assemble_request
from arcrun_server.routes import json_pieces
from arcrun_server.sealing.server_key import ServerKey
from arcrun_server.web.body import parse_json

text = st.text(st.characters(exclude_categories=["Cs"]))
# What a body may hold.
stored = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | stored,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(stored, inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_json_is_read_as_it_was_meant(value: Any) -> None:
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(encode(value)) == value


@given(st.recursive(json_values, lambda inner: st.lists(inner) | st.dictionaries(text, inner)))
@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_what_is_written_in_pieces_is_the_same(at_once: int, value: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_pieces, "AT_ONCE", at_once)
        assert json_pieces.encode_in_pieces(value) == encode(value)


@given(st.binary() | text.map(str.encode) | st.builds(lambda t: f'{{"a": "\\{t}"}}'.encode(), text))
def test_any_bytes_are_read_or_refused_with_a_reason(content: bytes) -> None:
    refusal, value = None, None
    try:
        value = parse_json(content)
    except ApiError as error:
        refusal = error
    if refusal is None:
        assert json.loads(encode(value)) == value
    else:
        assert refusal.status == 400
        assert refusal.code in {"invalid_json", "invalid_text"}


@given(text, text)
def test_value_stays_in_its_part_of_an_endpoint(first: str, second: str) -> None:
    endpoint = "https://own.example/a/{{one}}/b?q={{two}}&z=1"
    recipe = {"method": "GET", "endpoint": endpoint}
    url = assemble_request(recipe, {"one": first, "two": second}).url
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "own.example", "")
    _, a, one, b = parts.path.split("/")
    assert (a, unquote(one), b) == ("a", first, "b")
    q, z = parts.query.split("&")
    assert (unquote(q), z) == (f"q={second}", "z=1")


@given(text)
def test_no_path_leads_to_another_host(path: str) -> None:
    from arcrun_server.engine import ComponentError

    try:
        recipe = {"method": "GET", "endpoint": "https://own.example{{_path}}"}
        url = assemble_request(recipe, {"_path": path}).url
    except ComponentError:
        return
    assert urlsplit(url).netloc == "own.example"


@given(text, json_values)
def test_body_template_is_json_with_the_very_values(written: str, value: Any) -> None:
    recipe = {
        "canonical_id": "r",
        "method": "POST",
        "endpoint": "https://own.example",
        "body_template": '{"t": "{{t}}", "v": {{v}}}',
    }
    if value is None or isinstance(value, str):
        value = [value]  # alone, a text has no quotes of its own, and what is missing is empty
    assert assemble_request(recipe, {"t": written, "v": value}).body == {"t": written, "v": value}


@given(st.binary(), text, text)
def test_what_is_sealed_opens_under_its_own_name_only(
    content: bytes, name: str, other: str
) -> None:
    key = ServerKey(b"\x07" * 32)
    sealed = key.seal(content, name)
    assert key.open(sealed, name) == content
    if other != name:
        with pytest.raises(ValueError, match="does not open"):
            key.open(sealed, other)
