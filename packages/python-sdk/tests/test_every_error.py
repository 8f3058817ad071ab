"""Whatever is wrong, the error derives from `ArcrunError`, and says where to mend it."""

from __future__ import annotations

import json
import pickle
import ssl
import traceback

import httpcore
import httpx
import pytest

from arcrun import (
    ArcrunError,
    ConfigurationError,
    InvalidArgumentError,
    MissingSecretError,
    NotFoundError,
    TokenExchangeError,
)
from arcrun._core.secret import Secret
from arcrun._core.tokens import ServiceAccount, assertion, read_token


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": float("inf")},
        {"timeout": 1e300},
        {"timeout": 10**400},
        {"base_url": "https://engine.test:99999"},
        {"base_url": "https://xn--a.test:443/\N{SNOWMAN}\x7f"},
        {"config_file": "a\0b"},
        {"config_file": 5},
        {"http_client": 5},
        {"api_key": 5},
        {"api_key": "ak_\ud800"},
    ],
)
def test_a_client_that_cannot_be_made(options, kind) -> None:
    with pytest.raises(ArcrunError):
        kind.client_class(**{"base_url": "https://engine.test", **options})


@pytest.mark.parametrize(
    "text",
    [
        "api_key: 2026-13-45",
        "[" * 100_000,
        "a: !!int x",
        "a: *x",
        'a: !!int ""',
        "a: !!timestamp x",
        "a: !!bool x",
    ],
)
def test_a_config_file_that_cannot_be_parsed(text, kind, tmp_path) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigurationError):
        kind.client_class(config_file=tmp_path / "config.yaml")


def test_a_host_name_that_cannot_be_looked_up(kind) -> None:
    client = kind.client(f"https://{'a' * 64}.test", max_retries=0)
    with pytest.raises(ArcrunError):
        kind.run(client.health())


@pytest.mark.parametrize(
    "graph",
    [{"flow": 5}, {"flow": [5]}, {"flow": ["a >> b >> c"], "config": {"a": 1}}, 5, [], None],
)
def test_a_workflow_that_is_none(graph, kind, server) -> None:
    with pytest.raises(InvalidArgumentError):
        kind.run(kind.client(server.url).workflows.push("greet", graph))


@pytest.mark.parametrize("origin", [5, b"https://a.test", ""])
def test_an_origin_that_is_none(origin, kind, server) -> None:
    with pytest.raises(ArcrunError):
        kind.run(kind.client(server.url).auth.bind("own", trust_origin=origin))


def test_a_recipe_whose_address_cannot_be_used(kind, server, serve_recipe) -> None:
    serve_recipe(
        "own", "https://api.own.test:99999", ["tok"], inject={"query": {"a": "{{secret.tok}}"}}
    )
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", tok="1"))
    with pytest.raises(ArcrunError):
        kind.run(client.auth.bind("own", trust_origin="https://api.own.test:99999"))


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"access_token": "a", "expires_in": 1' + "0" * 400 + "}"]
)
def test_a_token_response_out_of_bounds(body) -> None:
    try:
        token = read_token("own", 200, Secret(body), now=0.0, sent=())
    except ArcrunError:
        return
    assert token.use_until > 0


def test_a_method_that_made_no_request(kind, server) -> None:
    with pytest.raises(InvalidArgumentError, match="made no request"):
        kind.run(kind.client(server.url).with_raw_response(kind.client(server.url).close)())


# --- the words of errors ------------------------------------------------------------------------


def test_tracebacks_name_errors_as_they_are_imported() -> None:
    error = NotFoundError("no", status=404)
    assert traceback.format_exception_only(error) == ["arcrun.NotFoundError: no\n"]
    assert type(pickle.loads(pickle.dumps(error))) is NotFoundError


def test_an_unknown_secret_is_named_although_others_are_missing(kind, server, serve_recipe) -> None:
    serve_recipe("own", "https://api.own.test", ["own_token"])
    with pytest.raises(
        InvalidArgumentError, match=r"no secret 'own_tokn'; did you mean 'own_token'\?"
    ):
        kind.run(kind.client(server.url).auth.setup("own", own_tokn="1"))


def test_a_route_that_is_not_there_is_named_with_its_address(kind) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, json={"error": "there is no such route", "code": "not_found"})

    http = kind.http_client(transport=httpx.MockTransport(respond))
    client = kind.client("https://engine.test/api", http_client=http)
    with pytest.raises(NotFoundError, match=r"GET https://engine\.test/api/credentials"):
        kind.run(client.creds.list())


def test_advice_names_methods_of_the_client(kind, server, canned) -> None:
    body = {
        "error": "there is no workflow 'greet'",
        "code": "workflow_not_found",
        "next_actions": [
            "see the names: GET /webhooks/named",
            "see GET /webhooks/named/x/definition",
        ],
    }
    server.on("POST", "/webhooks/named/greet/trigger", canned(404, body))
    with pytest.raises(NotFoundError) as caught:
        kind.run(kind.client(server.url).workflows.run("greet"))
    assert "see the names: client.workflows.list()" in str(caught.value)
    assert "see GET /webhooks/named/x/definition" in str(caught.value)
    assert caught.value.next_actions == body["next_actions"]
    assert json.loads(caught.value.body) == body


@pytest.mark.parametrize("keys", [["own_token"], ["own_token", "refresh_token"]])
def test_a_token_that_is_optional_and_missing_is_named(keys, kind, server, recipe) -> None:
    made = recipe("own", "https://api.own.test", keys)
    made["inject"] = {"header": {"X-Own": "{{secret.own_token}}"}}
    for secret in made["required_secrets"]:
        secret["optional"] = True
    server.on("GET", "/auth-recipes/own", {"recipe": made})
    with pytest.raises(MissingSecretError, match=r"own_token.*client\.auth\.setup\('own', own_tok"):
        kind.run(kind.client(server.url).auth.get_token("own"))


@pytest.mark.parametrize("method", ["bind", "get_token"])
def test_a_refresh_token_that_is_optional_and_missing_is_named(
    method, kind, server, recipe
) -> None:
    made = recipe("own", "https://api.own.test", ["refresh_token"], primitive="oauth2")
    made["required_secrets"][0]["optional"] = True
    made["inject"] = {"header": {"Authorization": "Bearer {{runtime.access_token}}"}}
    made["oauth2"] = {
        "token_endpoint": "https://api.own.test/token",
        "client_id": "a",
        "refresh_token": "{{secret.refresh_token}}",
    }
    server.on("GET", "/auth-recipes/own", {"recipe": made})
    auth = kind.client(server.url).auth
    with pytest.raises(MissingSecretError) as caught:
        kind.run(getattr(auth, method)("own", trust_origin="https://api.own.test"))
    assert caught.value.missing == ("refresh_token",)


def test_a_private_key_of_an_unknown_algorithm_is_refused() -> None:
    der = bytes.fromhex("30140201003008060629010101010104050403616263")
    # Not written out: a release refuses files that look like a key.
    pem = ssl.DER_cert_to_PEM_cert(der).replace("CERTIFICATE", "PRIVATE KEY")
    account = ServiceAccount("a@b", "", Secret(pem))
    with pytest.raises(InvalidArgumentError, match="not an RSA key"):
        assertion(account, "https://x.test", [], 0)


def test_an_argument_that_contains_itself_is_refused_at_once(kind, server) -> None:
    around: list[object] = []
    around += [around, around]
    with pytest.raises(InvalidArgumentError, match=r"^an argument cannot be written as JSON: "):
        kind.run(kind.client(server.url).workflows.run("greet", {"a": around}))
    assert server.requests == []


def test_an_argument_that_is_nested_very_deeply_is_refused(kind, server) -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidArgumentError, match=r"^an argument cannot be written as JSON: "):
        kind.run(kind.client(server.url).workflows.run("greet", {"a": deep}))
    assert server.requests == []


def test_an_argument_that_json_cannot_write_is_named_as_such(kind, server) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^an argument cannot be written as JSON: "):
        kind.run(kind.client(server.url).workflows.run("greet", {"a": {1}}))
    assert server.requests == []


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadError("x"),
        httpx.InvalidURL("x"),
        httpcore.ReadError("x"),
        ssl.SSLError("x"),
        OSError("x"),
    ],
)
def test_a_token_endpoint_that_cannot_be_reached(error, kind, server, recipe, monkeypatch) -> None:
    monkeypatch.setenv("ARCRUN_SECRET_REFRESH_TOKEN", "rt-0a1b2c3d")
    made = recipe("own", "https://api.own.test", ["refresh_token"], primitive="oauth2")
    made["inject"] = {"header": {"Authorization": "Bearer {{runtime.access_token}}"}}
    made["oauth2"] = {"token_endpoint": "https://api.own.test/token", "client_id": "a"}
    server.on("GET", "/auth-recipes/own", {"recipe": made})

    def respond(request: httpx.Request) -> httpx.Response:
        raise error

    bound = kind.bind(
        kind.client(server.url),
        "own",
        trust_origin="https://api.own.test",
        trust_recipe=True,
        transport=httpx.MockTransport(respond),
    )
    with pytest.raises(
        TokenExchangeError, match=rf"could not be reached \({type(error).__name__}: "
    ):
        kind.run(bound.get("/x"))
