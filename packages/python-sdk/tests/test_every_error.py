"""Whatever is wrong, the error derives from `ArcrunError`, and says where to mend it."""

from __future__ import annotations

import json
import pickle
import traceback

import httpx
import pytest

from arcrun import ArcrunError, ConfigurationError, InvalidArgumentError, NotFoundError
from arcrun._core.tokens import read_token


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


@pytest.mark.parametrize("text", ["api_key: 2026-13-45", "[" * 100_000, "a: !!int x", "a: *x"])
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
        token = read_token("own", 200, body.encode(), now=0.0, sent=())
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
