"""Services: setting them up, binding them, and where their secrets are found."""

from __future__ import annotations

import base64

import httpx
import pytest

import arcrun
from arcrun import (
    ArcrunError,
    ArcrunWarning,
    ConfigurationError,
    InvalidArgumentError,
    MissingSecretError,
    UnexpectedResponseError,
    UnknownServiceError,
)
from arcrun._core.sealing import seal

BEARER = {"header": {"Authorization": "Bearer {{secret.tok}}"}}


@pytest.fixture
def stand_in(other_server):
    other_server.on("GET", "*", {"ok": True})
    return other_server


@pytest.fixture
def own_service(serve_recipe, stand_in):
    """A service of the user's own, with a header, whose API is `stand_in`."""
    return serve_recipe("own", f"{stand_in.url}/v1", ["tok"], inject=BEARER)


def bound_header(kind, client, stand_in, service="own", **options) -> str:
    bound = kind.bind(client, service, trust_origin=stand_in.url, **options)
    assert kind.run(bound.get("/pages")).json() == {"ok": True}
    return stand_in.requests[-1].headers["authorization"]


def test_setup_then_bind_signs_requests_in(kind, server, stand_in, own_service) -> None:
    client = kind.client(server.url)
    result = kind.run(client.auth.setup("own", tok="tok-1"))
    assert result == {"service": "own", "account": None, "stored": ["tok"]}
    (push,) = server.to("/credentials")
    assert (push.json["name"], push.json["service"]) == ("tok", "own")
    assert "tok-1" not in push.body.decode()
    assert bound_header(kind, client, stand_in) == "Bearer tok-1"
    request = stand_in.requests[0]
    assert request.target == "/v1/pages"
    assert request.headers["user-agent"] == f"arcrun-python/{arcrun.__version__}"
    assert "x-arcrun-api-key" not in request.headers
    assert len(server.to("/auth-recipes/own")) == 1


def test_list_services(kind, server, recipe) -> None:
    recipes = [recipe("notion", "https://api.notion.com/v1", ["notion_token"])]
    server.on("GET", "/auth-recipes", {"success": True, "recipes": recipes, "count": 1})
    assert kind.run(kind.client(server.url, None).auth.list_services()) == recipes


def test_headers_without_secret_can_be_overridden(kind, server, stand_in, serve_recipe) -> None:
    inject = {"header": {**BEARER["header"], "Accept": "application/x", "X-Version": "1"}}
    serve_recipe("own", stand_in.url, ["tok"], inject=inject)
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", tok="tok-1"))
    bound = kind.bind(client, "own", trust_origin=stand_in.url)
    kind.run(bound.get("/a"))
    kind.run(bound.get("/b", headers={"X-Version": "2", "Authorization": "mine"}))
    first, second = (request.headers for request in stand_in.requests)
    assert (first["accept"], first["x-version"]) == ("application/x", "1")
    assert (second["x-version"], second["authorization"]) == ("2", "Bearer tok-1")


def test_a_templated_base_url(kind, server, serve_recipe) -> None:
    written = "https://{{secret.jira_domain}}.atlassian.net/rest/api/3"
    inject = {"header": {"Authorization": "Basic {{secret.jira_email}}:{{secret.jira_api_token}}"}}
    serve_recipe("jira", written, ["jira_api_token", "jira_email", "jira_domain"], inject=inject)
    client = kind.client(server.url)
    secrets = {"jira_api_token": "t0k", "jira_email": "a@b.test", "jira_domain": "acme"}
    kind.run(client.auth.setup("jira", **secrets))
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    bound = kind.bind(client, "jira", transport=httpx.MockTransport(respond))
    kind.run(bound.get("/myself"))
    assert str(seen[0].url) == "https://acme.atlassian.net/rest/api/3/myself"
    encoded = base64.b64encode(b"a@b.test:t0k").decode()
    assert seen[0].headers["authorization"] == f"Basic {encoded}"


def test_accounts_are_kept_apart(kind, server, stand_in, own_service) -> None:
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", tok="tok-1"))
    result = kind.run(client.auth.setup("own", account="work", tok="tok-2"))
    assert result == {"service": "own", "account": "work", "stored": ["tok__work"]}
    assert [push.json["name"] for push in server.to("/credentials")] == ["tok", "tok__work"]
    assert bound_header(kind, client, stand_in) == "Bearer tok-1"
    assert bound_header(kind, client, stand_in, account="work") == "Bearer tok-2"
    with pytest.raises(MissingSecretError, match="tok__home"):
        kind.bind(client, "own", account="home")


def test_an_unknown_service_suggests_the_nearest_one(kind, server, canned) -> None:
    server.on("GET", "/auth-recipes/notoin", canned(404, {"error": "no", "code": "x"}))
    client = kind.client(server.url)
    for call in (
        lambda: client.auth.setup("notoin", a="b"),
        lambda: client.auth.bind("notoin"),
        lambda: client.auth.get_token("notoin"),
    ):
        with pytest.raises(UnknownServiceError, match="did you mean 'notion'"):
            kind.run(call())
    assert server.to("/credentials") == []


@pytest.mark.parametrize("service", ["", "Notion", "a/b", "../x", "a b", "notion\n", None, 5])
def test_malformed_service_names_are_refused_before_any_request(service, kind, server) -> None:
    auth = kind.client(server.url).auth
    for call in (lambda: auth.setup(service, a="b"), lambda: auth.bind(service)):
        with pytest.raises(InvalidArgumentError, match="not a valid service name"):
            kind.run(call())
    assert server.requests == []


@pytest.mark.parametrize("account", ["", "a b", "é", "a-b", 5])
def test_malformed_account_names_are_refused_before_any_request(account, kind, server) -> None:
    auth = kind.client(server.url).auth
    for call in (
        lambda: auth.setup("own", account=account, tok="x"),
        lambda: auth.bind("own", account=account),
        lambda: auth.get_token("own", account=account),
    ):
        with pytest.raises(InvalidArgumentError, match="not a valid account name"):
            kind.run(call())
    assert server.requests == []


@pytest.mark.parametrize(
    ("secrets", "message"),
    [
        ({}, r"also needs: tok \(https://x\.test\), other"),
        ({"tok": "x"}, "also needs: other"),
        ({"tok": "x", "other": "y", "tokk": "z"}, "takes no secret 'tokk'; did you mean 'tok'"),
        ({"tok": "", "other": "y"}, "tok must be"),
        ({"tok": 5, "other": "y"}, "tok must be"),
        ({"tok": "s3cret\ud800", "other": "y"}, "tok must be"),
    ],
)
def test_secrets_that_do_not_fit_are_refused_and_nothing_is_stored(
    secrets, message, kind, server, stand_in, serve_recipe
) -> None:
    serve_recipe("own", stand_in.url, ["tok", "other"], inject=BEARER)
    with pytest.raises(InvalidArgumentError, match=message) as caught:
        kind.run(kind.client(server.url).auth.setup("own", **secrets))
    assert server.to("/credentials") == []
    assert "s3cret" not in str(caught.value)


def test_secrets_that_a_request_cannot_carry_are_not_stored(
    kind, server, serve_recipe, seen_by_tools
) -> None:
    serve_recipe("own", "https://{{secret.host}}.own.test", ["tok", "host"], inject=BEARER)
    auth = kind.client(server.url).auth
    with pytest.raises(InvalidArgumentError, match="host becomes part of the address") as caught:
        kind.run(auth.setup("own", tok="s3cret", host="s3cret.test/"))
    assert "s3cret" not in seen_by_tools(caught.value)
    with pytest.raises(InvalidArgumentError, match="line break") as caught:
        kind.run(auth.setup("own", tok="s3cret\n", host="acme"))
    assert "s3cret" not in seen_by_tools(caught.value)
    assert server.to("/credentials") == []


def test_an_optional_secret_may_be_left_out(kind, server, stand_in, serve_recipe) -> None:
    inject = {"header": {**BEARER["header"], "X-Org": "{{secret.org}}"}}
    made = serve_recipe("own", stand_in.url, ["tok", "org"], inject=inject)
    made["required_secrets"][1]["optional"] = True
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", tok="tok-1"))
    assert bound_header(kind, client, stand_in) == "Bearer tok-1"
    assert "x-org" not in stand_in.requests[-1].headers
    kind.run(client.auth.setup("own", tok="tok-1", org="org-1"))
    bound_header(kind, client, stand_in)
    assert stand_in.requests[-1].headers["x-org"] == "org-1"


def test_a_setup_that_fails_halfway_reports_what_was_stored(
    kind, server, stand_in, serve_recipe, canned, seen_by_tools
) -> None:
    serve_recipe("own", stand_in.url, ["tok", "other"], inject=BEARER)
    stored = {"success": True, "name": "tok"}
    server.on("POST", "/credentials", canned(200, stored), canned(400, {"error": "full"}))
    client = kind.client(server.url)
    with pytest.raises(arcrun.BadRequestError, match="stored before: tok") as caught:
        kind.run(client.auth.setup("own", tok="s3cret-1", other="s3cret-2"))
    assert caught.value.stored == ("tok",)
    assert client._connection.memory.secrets == {}
    assert "s3cret" not in seen_by_tools(caught.value)
    server.on("POST", "/credentials", stored)
    assert kind.run(client.auth.setup("own", tok="a", other="b"))["stored"] == ["tok", "other"]


def test_a_secret_is_read_back_sealed_and_remembered(
    kind, server, stand_in, own_service, key
) -> None:
    sealed = {"name": "tok", "service": "own", **seal(key, "tok", "tok-9")}
    server.on("GET", "/credentials/tok", sealed)
    client = kind.client(server.url)
    assert bound_header(kind, client, stand_in) == "Bearer tok-9"
    assert bound_header(kind, client, stand_in) == "Bearer tok-9"
    assert len(server.to("/credentials/tok")) == 1


def test_a_credential_sealed_under_another_key_is_an_error(kind, server, own_service) -> None:
    server.on("GET", "/credentials/tok", {"name": "tok", **seal("ak_other", "tok", "tok-9")})
    with pytest.raises(UnexpectedResponseError, match="cannot be opened with this API key"):
        kind.bind(kind.client(server.url), "own")


@pytest.mark.parametrize(
    "response",
    [
        (404, {"error": "no"}),
        (405, {"error": "no"}),
        (200, {"success": True, "credentials": []}),
        (200, {"name": "other", "encrypted": "AA==", "iv": "AA=="}),
    ],
)
def test_without_a_sealed_read_the_environment_is_used(
    response, kind, server, stand_in, own_service, canned, monkeypatch
) -> None:
    monkeypatch.setenv("ARCRUN_SECRET_TOK", "tok-env")
    server.on("GET", "/credentials/tok", canned(*response))
    client = kind.client(server.url)
    assert bound_header(kind, client, stand_in, trust_recipe=True) == "Bearer tok-env"


def test_without_an_api_key_the_environment_is_used(
    kind, server, stand_in, own_service, monkeypatch
) -> None:
    monkeypatch.setenv("ARCRUN_SECRET_TOK__WORK", "tok-env")
    client = kind.client(server.url, None)
    options = {"account": "work", "trust_recipe": True}
    assert bound_header(kind, client, stand_in, **options) == "Bearer tok-env"
    assert server.to("/credentials/tok__work") == []


def test_a_missing_secret_is_named_with_the_ways_to_provide_it(kind, server, own_service) -> None:
    with pytest.raises(MissingSecretError) as caught:
        kind.bind(kind.client(server.url), "own")
    assert caught.value.missing == ("tok",)
    assert "client.auth.setup('own', tok=…)" in str(caught.value)
    assert "ARCRUN_SECRET_TOK" in str(caught.value)


def test_a_failed_sealed_read_is_not_reported_as_a_missing_secret(
    kind, server, own_service, canned
) -> None:
    server.on("GET", "/credentials/tok", canned(401, {"error": "unknown key"}))
    with pytest.raises(arcrun.AuthenticationError):
        kind.bind(kind.client(server.url), "own")


def test_a_pushed_or_deleted_secret_is_no_longer_remembered(
    kind, server, stand_in, own_service, key
) -> None:
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", tok="old"))
    kind.run(client.creds.push("tok", "new", service="own"))
    stored = {"name": "tok", "service": "own", **seal(key, "tok", "new")}
    server.on("GET", "/credentials/tok", stored)
    assert bound_header(kind, client, stand_in) == "Bearer new"
    server.on("DELETE", "/credentials/tok", {"success": True, "name": "tok"})
    kind.run(client.creds.delete("tok"))
    server.responses.pop(("GET", "/credentials/tok"))
    with pytest.raises(MissingSecretError):
        kind.bind(client, "own")


def test_get_token(kind, server, own_service) -> None:
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", tok="tok-1"))
    assert kind.run(client.auth.get_token("own")) == "tok-1"


def test_a_service_with_several_secrets_has_no_single_token(kind, server, serve_recipe) -> None:
    inject = {"query": {"key": "{{secret.trello_api_key}}", "token": "{{secret.trello_token}}"}}
    keys = ["trello_api_key", "trello_token"]
    serve_recipe("trello", "https://api.trello.com/1", keys, inject=inject)
    client = kind.client(server.url)
    kind.run(client.auth.setup("trello", trello_api_key="1", trello_token="2"))
    with pytest.raises(InvalidArgumentError, match="2 secrets"):
        kind.run(client.auth.get_token("trello"))


@pytest.mark.parametrize(
    "change",
    [
        {"service": "other"},
        {"base_url": None},
        {"base_url": ""},
        {"required_secrets": None},
        {"required_secrets": ["tok"]},
        {"required_secrets": [{"label": "x"}]},
        {"inject": ["x"]},
        {"inject": {"header": "x"}},
    ],
)
def test_a_malformed_recipe_is_unexpected(change, kind, server, recipe) -> None:
    made = {**recipe("own", "https://own.test", ["tok"], inject=BEARER), **change}
    server.on("GET", "/auth-recipes/own", {"success": True, "recipe": made})
    with pytest.raises(UnexpectedResponseError, match="recipe for 'own'"):
        kind.bind(kind.client(server.url), "own")


def test_a_recipe_whose_key_is_not_a_valid_name_is_refused(kind, server, recipe) -> None:
    made = recipe("own", "https://own.test", ["../health"], inject=BEARER)
    server.on("GET", "/auth-recipes/own", {"success": True, "recipe": made})
    with pytest.raises(InvalidArgumentError, match="not a valid credential name"):
        kind.bind(kind.client(server.url), "own")
    assert server.to("/health") == []


def test_an_unsupported_primitive_is_an_error(kind, server, serve_recipe) -> None:
    serve_recipe("bank", "https://bank.test", ["cert"], primitive="mtls")
    with pytest.raises(ConfigurationError, match="'mtls'"):
        kind.bind(kind.client(server.url), "bank")


def test_a_bound_client_uses_the_environments_proxy(
    kind, server, other_server, serve_recipe, monkeypatch
) -> None:
    """The proxy is asked for a tunnel, and sees no secret."""
    monkeypatch.setenv("https_proxy", other_server.url)
    serve_recipe("own", "https://api.own.test", ["tok"], inject=BEARER)
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", tok="tok-1"))
    with pytest.raises(httpx.ProxyError):
        kind.run(kind.bind(client, "own").get("/x"))
    (request,) = other_server.requests
    assert (request.method, request.target) == ("CONNECT", "api.own.test:443")
    assert "tok-1" not in str(request.headers)


def test_names_that_differ_only_in_case_cause_a_warning(
    kind, server, stand_in, own_service
) -> None:
    client = kind.client(server.url)
    kind.run(client.creds.push("tok", "x"))
    with pytest.warns(ArcrunWarning, match="'Tok' and 'tok' differ only in case"):
        kind.run(client.creds.push("Tok", "y"))


def test_names_seen_in_a_list_count_for_the_warning(kind, server, own_service) -> None:
    server.on("GET", "/credentials", {"credentials": [{"name": "TOK"}, {"name": 5}, {}]})
    client = kind.client(server.url)
    kind.run(client.creds.list())
    with pytest.warns(ArcrunWarning, match="'tok' and 'TOK'"):
        kind.run(client.creds.push("tok", "x"))


BAD_NAMES = [
    "",
    "a b",
    "a-b",
    "a/b",
    "密",
    "a\n",
    "é",
    "catalog",
    "Catalog",
    None,
    5,
    "a" * 90 + "!",
    "a" * 129,
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_malformed_credential_names_are_refused_before_any_request(name, kind, server) -> None:
    creds = kind.client(server.url).creds
    for call in (lambda: creds.push(name, "s3cret"), lambda: creds.delete(name)):
        with pytest.raises(InvalidArgumentError) as caught:
            kind.run(call())
        assert "s3cret" not in str(caught.value)
    assert server.requests == []


@pytest.mark.parametrize("value", ["", None, 5, b"x", "\ud800"])
def test_malformed_values_are_refused_before_any_request(value, kind, server) -> None:
    with pytest.raises(InvalidArgumentError, match="the value of 'tok'"):
        kind.run(kind.client(server.url).creds.push("tok", value))
    assert server.requests == []


@pytest.mark.parametrize("options", [{"sensitivity": "top"}, {"service": "Notion"}])
def test_malformed_options_of_a_push_are_refused(options, kind, server, seen_by_tools) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        kind.run(kind.client(server.url).creds.push("tok", "s3cret-1", **options))
    assert server.requests == []
    assert "s3cret" not in seen_by_tools(caught.value)


@pytest.mark.parametrize("how", ["plain", "sealed"])
def test_no_local_variable_of_the_sdk_shows_a_pushed_value(
    how, kind, server, canned, key, seen_by_tools
) -> None:
    message = "not allowed" if how == "sealed" else "s3cret-1 is not allowed"
    server.on("POST", "/credentials", canned(400, {"error": message}))
    client = kind.client(server.url, credential_format=how)
    with pytest.raises(arcrun.BadRequestError) as caught:
        kind.run(client.creds.push("tok", "s3cret-1"))
    shown = seen_by_tools(caught.value)
    assert "Secret('***')" in shown
    assert key not in shown
    assert "s3cret" not in shown


def test_secrets_whose_keys_are_names_of_arguments_are_set_up(kind, server, serve_recipe) -> None:
    serve_recipe("own", "https://api.own.test", ["account", "timeout", "service"])
    auth = kind.client(server.url).auth
    secrets = {"account": "a", "timeout": "b", "service": "c"}
    assert kind.run(auth.setup("own", secrets=secrets))["stored"] == list(secrets)


def test_a_secret_that_is_given_twice_is_refused(kind, server) -> None:
    auth = kind.client(server.url).auth
    with pytest.raises(InvalidArgumentError, match="'tok' was given twice"):
        kind.run(auth.setup("own", secrets={"tok": "a"}, tok="b"))
    with pytest.raises(InvalidArgumentError, match="must be a mapping"):
        kind.run(auth.setup("own", secrets="s3cret"))
    assert server.requests == []


@pytest.mark.parametrize(
    ("service", "arguments"),
    [
        ("own", {"secrets": {"tok": "s3cret"}, "tok": "s3cret-2"}),
        ("own", {"secrets": "s3cret"}),
        ("own", {"sid": "s3cret", "tok": ""}),
        ("own", {"sid": "s3cret", "tok": None}),
        ("own", {"sid": "s3cret", "tok": b"s3cret"}),
        ("own", {"tok": "s3cret", "timeout": "soon"}),
        ("own", {"tok": "s3cret", "account": "a b"}),
        ("o/wn", {"tok": "s3cret"}),
    ],
)
def test_an_error_about_the_arguments_of_setup_holds_no_secret(
    kind, server, seen_by_tools, service, arguments
) -> None:
    auth = kind.client(server.url).auth
    with pytest.raises(InvalidArgumentError) as caught:
        kind.run(auth.setup(service, **arguments))
    assert "s3cret" not in seen_by_tools(caught.value)
    assert server.requests == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("to k", {}),
        ("tok", {"service": "o/wn"}),
        ("tok", {"timeout": "soon"}),
        ("tok", {"extra_headers": {"X-A": "b\n"}}),
    ],
)
def test_an_error_about_the_arguments_of_push_holds_no_secret(
    kind, server, seen_by_tools, name, arguments
) -> None:
    with pytest.raises(ArcrunError) as caught:
        kind.run(kind.client(server.url).creds.push(name, "s3cret", **arguments))
    assert "s3cret" not in seen_by_tools(caught.value)
    assert server.requests == []
