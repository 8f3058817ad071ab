"""Errors of what is refused before it is sent: tools that print the locals of frames show no secret."""

from __future__ import annotations

import json

import httpx
import pytest

from arcrun import (
    ArcrunError,
    ConfigurationError,
    InvalidArgumentError,
    TokenExchangeError,
    UnexpectedResponseError,
)
from arcrun._core.secret import Secret
from arcrun._core.tokens import read_token

SECRET = "s3cret-value"
OAUTH2 = {
    "token_endpoint": "https://own.test/token",
    "client_id": "app",
    "client_secret": "{{nothing.of_that_kind}}",
}


@pytest.mark.parametrize(
    "secrets",
    [
        {"one": SECRET, "two": ""},
        {"one": SECRET, "two": 5},
        {"one": SECRET + "\ud800", "two": "x"},
    ],
)
def test_setup_refuses_one_secret_and_shows_no_other(
    secrets, kind, server, serve_recipe, seen_by_tools
) -> None:
    serve_recipe("own", "https://own.test", ["one", "two"])
    client = kind.client(server.url)
    for call in (
        lambda: client.auth.setup("own", **secrets),
        lambda: client.auth.setup("own", secrets=secrets),
    ):
        with pytest.raises(InvalidArgumentError, match="must be non-empty text") as caught:
            kind.run(call())
        assert SECRET not in seen_by_tools(caught.value)


def test_setup_shows_no_secret_that_was_given_twice(kind, server, seen_by_tools) -> None:
    client = kind.client(server.url)
    with pytest.raises(InvalidArgumentError, match="twice") as caught:
        kind.run(client.auth.setup("own", secrets={"one": SECRET}, one=SECRET))
    assert SECRET not in seen_by_tools(caught.value)


@pytest.mark.parametrize(
    "file",
    [
        {"private_key": SECRET},
        {"client_email": "", "private_key": SECRET},
        {"client_email": "a@b.test", "private_key": [SECRET]},
    ],
)
def test_a_key_file_that_is_refused_is_in_no_frame(
    file, kind, server, serve_recipe, seen_by_tools
) -> None:
    exchange = {"token_exchange": {"endpoint": "https://own.test/token", "scopes": []}}
    serve_recipe("own", "https://own.test", ["key"], primitive="service_account", **exchange)
    client = kind.client(server.url)
    with pytest.raises(InvalidArgumentError, match="JSON key file") as caught:
        kind.run(client.auth.setup("own", key=json.dumps(file)))
    assert SECRET not in seen_by_tools(caught.value)


def no_token(request: httpx.Request) -> httpx.Response:
    raise AssertionError("nothing may be sent")


@pytest.mark.parametrize(
    ("primitive", "more", "key", "value", "error"),
    [
        (
            "service_account",
            {"token_exchange": {"endpoint": "https://own.test/token", "scopes": []}},
            "key",
            json.dumps({"client_email": "a@b.test", "private_key": SECRET}),
            InvalidArgumentError,
        ),
        ("oauth2", {"oauth2": OAUTH2}, "own_refresh_token", SECRET, UnexpectedResponseError),
    ],
)
def test_a_form_that_cannot_be_made_leaves_no_secret_in_frames(
    primitive, more, key, value, error, kind, server, serve_recipe, seen_by_tools
) -> None:
    serve_recipe("own", "https://own.test", [key], primitive=primitive, **more)
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", secrets={key: value}))
    transport = httpx.MockTransport(no_token)
    bound = kind.bind(client, "own", trust_origin="https://own.test", transport=transport)
    with pytest.raises(error) as caught:
        kind.run(bound.get("/x"))
    assert SECRET not in seen_by_tools(caught.value)


@pytest.mark.parametrize("section", ["header", "query", "path", "body"])
def test_a_variable_that_is_not_utf_8_is_named_and_not_shown(
    section, kind, server, serve_recipe, monkeypatch, seen_by_tools
) -> None:
    # So Python reads the byte FF in the environment.
    monkeypatch.setenv("ARCRUN_SECRET_OWN_TOKEN", SECRET + "\udcff")
    serve_recipe(
        "own", "https://own.test", ["own_token"], inject={section: {"x": "{{secret.own_token}}"}}
    )
    client = kind.client(server.url)
    with pytest.raises(ConfigurationError, match="ARCRUN_SECRET_OWN_TOKEN is not UTF-8") as caught:
        kind.bind(client, "own", trust_origin="https://own.test", trust_recipe=True)
    assert SECRET not in seen_by_tools(caught.value)


def test_an_access_token_that_no_request_can_carry_is_none(seen_by_tools) -> None:
    content = Secret(json.dumps({"access_token": SECRET + "\ud800"}))
    with pytest.raises(TokenExchangeError, match="no access_token") as caught:
        read_token("own", 200, content, now=0.0, sent=())
    assert isinstance(caught.value, ArcrunError)
    assert SECRET not in seen_by_tools(caught.value)


def escaped(text: str) -> str:
    """Write each character as JSON may write it, but need not."""
    return "".join(f"\\u{unit:04x}" for unit in map(ord, text))


@pytest.mark.parametrize("part", ['"error": "bad %s"', '"error": "bad", "%s": 1', '"x": ["%s"]'])
def test_a_value_that_an_engine_repeats_escaped_is_not_shown(part, kind, server, canned) -> None:
    body = ("{" + part % escaped(SECRET) + "}").encode()
    server.on("POST", "/credentials", canned(400, body))
    client = kind.client(server.url, credential_format="plain")
    with pytest.raises(ArcrunError) as caught:
        kind.run(client.creds.push("tok", SECRET))
    assert SECRET not in str(caught.value)
    assert SECRET not in json.dumps(json.loads(caught.value.body))


SWAPPED = ["s3cret-value", "s3cret/密", "s3cret\n", "s3cret_" + "x" * 122]


@pytest.mark.parametrize("secret", SWAPPED)
def test_a_value_in_the_place_of_the_name_is_not_shown(secret, kind, server, seen_by_tools) -> None:
    creds = kind.client(server.url).creds
    with pytest.raises(InvalidArgumentError, match=f"a text of {len(secret)} characters is not"):
        kind.run(creds.delete(secret))
    with pytest.raises(InvalidArgumentError, match="the name comes first") as caught:
        kind.run(creds.push(secret, "github_token"))
    assert "s3cret" not in seen_by_tools(caught.value)
    assert server.requests == []


@pytest.mark.parametrize(
    ("secret", "value"),
    [("s3cret_of_letters", "one"), *((s, v) for s in SWAPPED for v in ("one", "", 5))],
)
def test_a_secret_in_the_place_of_its_key_is_not_shown(
    secret, value, kind, server, serve_recipe
) -> None:
    serve_recipe("own", "https://own.test", ["one"])
    auth = kind.client(server.url).auth
    with pytest.raises(InvalidArgumentError) as caught:
        kind.run(auth.setup("own", secrets={secret: value}))
    assert "s3cret" not in str(caught.value)
    assert server.to("/credentials") == []


def test_a_secret_in_the_place_of_an_account_is_not_shown(kind, server) -> None:
    auth = kind.client(server.url).auth
    for call in (auth.bind, auth.get_token, auth.setup):
        with pytest.raises(InvalidArgumentError, match="12 characters") as caught:
            kind.run(call("own", account="s3cret-value"))
        assert "s3cret" not in str(caught.value)
    assert server.requests == []
