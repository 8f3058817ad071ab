"""Options of a client and of its copies, and requests that have no method of their own."""

from __future__ import annotations

import logging

import pytest

import arcrun
from arcrun import ConfigurationError, InvalidArgumentError

OTHER_KEY = "ak_" + "f" * 48


def test_default_headers_are_sent_with_each_request(kind, server) -> None:
    server.on("GET", "/health", {"ok": True})
    client = kind.client(server.url, default_headers={"X-Team": "books"})
    kind.run(client.health())
    kind.run(client.with_options(default_headers={"X-Trace": "1"}).health())
    first, second = (request.headers for request in server.requests)
    assert (first["x-team"], first.get("x-trace")) == ("books", None)
    assert (second["x-team"], second["x-trace"]) == ("books", "1")
    assert second["user-agent"].startswith("arcrun-python/")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Arcrun-API-Key": "k"},
        {"Host": "a"},
        {"X Y": "a"},
        {"X": "a\nb"},
        {"X": "a "},
        {"X": 1},
        5,
    ],
)
def test_headers_that_cannot_be_set_are_refused(headers, kind) -> None:
    with pytest.raises(ConfigurationError, match="default_headers"):
        kind.client_class(default_headers=headers)


def test_a_copy_for_another_account_shares_no_memory(kind, server, serve_recipe, key) -> None:
    serve_recipe("own", "https://api.own.test", ["tok"], inject={"query": {"k": "{{secret.tok}}"}})
    server.on("GET", "/credentials", {"credentials": []})
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", tok="1"))
    same = client.with_options(api_key=key, base_url=f"{server.url}/")
    assert kind.run(same.auth.get_token("own")) == "1"
    other = client.with_options(api_key=OTHER_KEY)
    with pytest.raises(arcrun.MissingSecretError):
        kind.run(other.auth.get_token("own"))
    kind.run(other.creds.list())
    assert server.requests[-1].headers["x-arcrun-api-key"] == OTHER_KEY
    kind.run(client.creds.list())
    assert server.requests[-1].headers["x-arcrun-api-key"] == key


def test_a_copy_for_another_engine(kind, server, other_server) -> None:
    other_server.on("GET", "/health", {"ok": True})
    copy = kind.client(server.url).with_options(base_url=other_server.url)
    assert kind.run(copy.health()) == {"ok": True}
    assert server.requests == []
    with pytest.raises(ConfigurationError, match="the argument base_url"):
        copy.with_options(base_url="nonsense")
    with pytest.raises(ConfigurationError, match="the argument api_key"):
        copy.with_options(api_key="a b")


def test_a_request_without_a_method_of_its_own(kind, server, key) -> None:
    server.on("POST", "/workflows/resume", {"success": True})
    client = kind.client(server.url)
    answer = kind.run(client.request("POST", "/workflows/resume?x=1", body={"task_id": "t"}))
    assert answer == {"success": True}
    (request,) = server.requests
    assert request.json == {"task_id": "t"}
    assert request.target == "/workflows/resume?x=1"
    assert request.headers["x-arcrun-api-key"] == key


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("TRACE", "/x", None),
        ("GET", "x", None),
        ("GET", "//evil.test/x", None),
        ("GET", "@evil.test", None),
        ("GET", "/a b", None),
        ("GET", 5, None),
        ("POST", "/x", [1]),
    ],
)
def test_a_malformed_request_is_refused(method, path, body, kind, server) -> None:
    with pytest.raises(InvalidArgumentError):
        kind.run(kind.client(server.url).request(method, path, body=body))
    assert server.requests == []


def test_a_variable_shows_the_log(kind, server, monkeypatch, capsys, key) -> None:
    logger = logging.getLogger("arcrun")
    level = logger.level
    monkeypatch.setenv("ARCRUN_LOG", "debug")
    server.on("GET", "/credentials", {"credentials": []})
    try:
        kind.run(kind.client(server.url).creds.list())
        shown = capsys.readouterr().err
    finally:
        logger.handlers.clear()
        logger.setLevel(level)
    assert "GET /credentials: 200 in" in shown
    assert key not in shown


@pytest.mark.parametrize("value", ["false", "true", 1, 0, None])
def test_a_switch_is_on_or_off(value, kind) -> None:
    with pytest.raises(ConfigurationError, match="allow_insecure_http"):
        kind.client_class(allow_insecure_http=value)
