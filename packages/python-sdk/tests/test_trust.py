"""Who may receive the API key and a service's secrets: all decisions, in one place."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from arcrun import (
    ConfigurationError,
    InsecureTransportError,
    RecipeOriginError,
    UnexpectedResponseError,
)
from arcrun._core import trust
from arcrun._core.config import Settings
from arcrun._core.known_recipes import KNOWN
from arcrun._core.memory import Memory
from arcrun._core.origins import origin_of
from arcrun._core.placeholders import Template
from arcrun._core.recipe import Recipe, parse_recipe
from arcrun._core.secret import Secret
from arcrun._core.trust import check_trust_origin


def origins_of(service: str) -> tuple[str, ...]:
    """The origins that the SDK knows for a service, without any setup."""
    return trust.known_origins(service, Settings(None, HTTPS, "sealed"), Memory())


# --- the API key --------------------------------------------------------------------------------

HTTPS = "https://engine.test"
PLAIN_HTTP = "http://engine.test"
LOOPBACK = "http://127.0.0.1:8787"


def api_key_for(use: Any, base_url: str, key: str | None = "ak_1", allow: bool = False) -> Any:
    settings = Settings(Secret(key) if key else None, base_url, "sealed")
    found = trust.api_key_for(use, settings, allow_insecure_http=allow)
    return found.reveal() if found else None


@pytest.mark.parametrize("use", ["required", "optional"])
@pytest.mark.parametrize("base_url", [HTTPS, LOOPBACK])
def test_the_key_is_sent_over_https_and_on_loopback(use: str, base_url: str) -> None:
    assert api_key_for(use, base_url) == "ak_1"


@pytest.mark.parametrize("base_url", [HTTPS, LOOPBACK, PLAIN_HTTP])
@pytest.mark.parametrize("allow", [True, False])
def test_the_key_is_not_sent_where_it_is_not_used(base_url: str, allow: bool) -> None:
    assert api_key_for("none", base_url, allow=allow) is None


def test_a_required_key_is_not_sent_over_plain_http() -> None:
    with pytest.raises(InsecureTransportError, match="allow_insecure_http=True"):
        api_key_for("required", PLAIN_HTTP)


def test_an_optional_key_is_left_out_over_plain_http() -> None:
    assert api_key_for("optional", PLAIN_HTTP) is None


@pytest.mark.parametrize("use", ["required", "optional"])
def test_the_user_can_allow_plain_http(use: str) -> None:
    assert api_key_for(use, PLAIN_HTTP, allow=True) == "ak_1"


@pytest.mark.parametrize("base_url", [HTTPS, LOOPBACK, PLAIN_HTTP])
def test_without_a_key_a_request_that_needs_one_is_an_error(base_url: str) -> None:
    assert api_key_for("none", base_url, None) is None
    assert api_key_for("optional", base_url, None) is None
    with pytest.raises(ConfigurationError, match="ARCRUN_API_KEY"):
        api_key_for("required", base_url, None)


@pytest.mark.parametrize(
    "address",
    ["http://localhost.evil.test", "http://127.0.0.1.evil.test", "http://10.0.0.1"],
)
def test_a_host_that_only_looks_like_loopback_gets_no_key(address: str) -> None:
    with pytest.raises(InsecureTransportError):
        api_key_for("required", address)


@pytest.fixture
def engine(kind):
    """An engine that responds to everything, and the API key of each request (or None)."""
    keys: list[str | None] = []

    def respond(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers.get("x-arcrun-api-key"))
        return httpx.Response(200, json={"ok": True, "recipes": [], "credentials": []})

    http = kind.http_client(transport=httpx.MockTransport(respond))

    def client(base_url: str, key: str | None, **options: Any) -> Any:
        return kind.client(base_url, key, http_client=http, **options)

    return SimpleNamespace(client=client, keys=keys)


@pytest.mark.parametrize(
    ("base_url", "options"),
    [(HTTPS, {}), (LOOPBACK, {}), (PLAIN_HTTP, {"allow_insecure_http": True})],
)
def test_a_client_sends_the_key_except_where_it_is_not_used(
    base_url, options, kind, engine, key
) -> None:
    client = engine.client(base_url, key, **options)
    kind.run(client.health())
    kind.run(client.auth.list_services())
    kind.run(client.creds.list())
    assert engine.keys == [None, key, key]


def test_a_client_does_not_send_the_key_over_plain_http(kind, engine, key) -> None:
    client = engine.client(PLAIN_HTTP, key)
    kind.run(client.health())
    kind.run(client.auth.list_services())
    with pytest.raises(InsecureTransportError, match="allow_insecure_http=True"):
        kind.run(client.creds.list())
    assert engine.keys == [None, None]


def test_a_client_without_a_key_makes_no_request_that_needs_one(kind, engine) -> None:
    client = engine.client(HTTPS, None)
    kind.run(client.auth.list_services())
    with pytest.raises(ConfigurationError, match="ARCRUN_API_KEY"):
        kind.run(client.creds.list())
    assert engine.keys == [None]


def test_a_redirect_is_not_followed_with_the_key(kind, server, other_server, canned) -> None:
    target = f"{other_server.url}/credentials"
    server.on("GET", "/credentials", canned(307, headers={"Location": target}))
    with pytest.raises(UnexpectedResponseError, match=f"redirect .* to {other_server.url}"):
        kind.run(kind.client(server.url).creds.list())
    http = kind.http_client(follow_redirects=True)
    with pytest.raises(UnexpectedResponseError, match="redirect"):
        kind.run(kind.client(server.url, http_client=http).creds.list())
    assert other_server.requests == []


@pytest.mark.parametrize("status", [300, 304, 305, 399])
def test_every_status_of_a_redirect_is_one(kind, server, canned, status) -> None:
    server.on("GET", "/credentials", canned(status))
    with pytest.raises(UnexpectedResponseError, match=rf"a redirect \({status}\) to another path"):
        kind.run(kind.client(server.url).creds.list())


# --- a service's secrets ------------------------------------------------------------------------


def recipe_of(service: str, base_url: str, endpoint: str | None = None) -> Recipe:
    raw: dict[str, Any] = {
        "service": service,
        "primitive": "service_account" if endpoint else "static_key",
        "base_url": base_url,
        "required_secrets": [{"key": "token"}],
        "token_exchange": {"endpoint": endpoint},
    }
    return parse_recipe(raw, service)


def check(
    written: str,
    rendered: str | None = None,
    *,
    service: str = "notion",
    endpoint: str | None = None,
    known: tuple[str, ...] = (),
    trusted: str | None = None,
) -> str:
    recipe = recipe_of(service, written, endpoint)
    return trust.check_origins(recipe, rendered or written, known, trusted)


def test_every_known_origin_is_https_and_normalized() -> None:
    for service in KNOWN.keys() - {"kbdb"}:
        for written in origins_of(service):
            assert written.startswith("https://")
            assert origin_of(written) == written


def test_a_known_origin_is_accepted() -> None:
    assert (
        check("https://api.notion.com/v1", known=origins_of("notion")) == "https://api.notion.com"
    )


def test_a_known_pattern_is_accepted_as_the_recipe_writes_it() -> None:
    written = "https://{{secret.jira_domain}}.atlassian.net/rest/api/3"
    rendered = "https://acme.atlassian.net/rest/api/3"
    assert check(written, rendered, known=origins_of("jira")) == "https://acme.atlassian.net"


@pytest.mark.parametrize(
    "written",
    [
        "https://evil.test/v1",
        "http://api.notion.com/v1",
        "https://api.notion.com:8443/v1",
        "https://api.notion.com.evil.test/v1",
        "https://api.notion.com@evil.test/v1",
        "nonsense",
    ],
)
def test_another_origin_is_refused_and_named(written: str) -> None:
    with pytest.raises(RecipeOriginError, match="notion"):
        check(written, known=origins_of("notion"))


def test_another_users_host_of_a_pattern_is_refused() -> None:
    evil = "https://evil.atlassian.net/rest/api/3"
    with pytest.raises(RecipeOriginError, match=r"evil\.atlassian\.net"):
        check(evil, known=origins_of("jira"))


def test_a_token_endpoint_is_checked_too() -> None:
    url, known = "https://sheets.googleapis.com/v4", origins_of("google_sheets_sa")
    good, evil = "https://oauth2.googleapis.com/token", "https://evil.test/token"
    assert check(url, endpoint=good, known=known) == "https://sheets.googleapis.com"
    with pytest.raises(RecipeOriginError, match=r"https://evil\.test"):
        check(url, endpoint=evil, known=known)


def test_the_user_can_trust_an_origin() -> None:
    trusted = check_trust_origin("https://api.own.test/")
    assert check("https://api.own.test/v2", trusted=trusted) == "https://api.own.test"
    assert check_trust_origin(None) is None
    assert check_trust_origin("http://127.0.0.1:99") == "http://127.0.0.1:99"


def test_the_error_of_an_unknown_service_says_what_to_do() -> None:
    with pytest.raises(RecipeOriginError, match=r"trust_origin=.https://api\.own\.test"):
        check("https://api.own.test/v2")


@pytest.mark.parametrize("origin", ["api.own.test", "https://a.test/path", "https://a@b.test", ""])
def test_what_is_trusted_must_be_an_origin(origin: str) -> None:
    with pytest.raises(RecipeOriginError, match="scheme, host and port only"):
        check_trust_origin(origin)


def test_plain_http_is_trusted_on_loopback_only() -> None:
    with pytest.raises(RecipeOriginError, match="loopback only"):
        check_trust_origin("http://api.own.test")


def known_after_setup(service: str, base_url: str, endpoint: str | None = None) -> tuple[str, ...]:
    memory = Memory()
    trust.pin_origins(recipe_of(service, base_url, endpoint), memory)
    return trust.known_origins(service, Settings(None, HTTPS, "sealed"), memory)


@pytest.mark.parametrize(
    ("base_url", "endpoint", "expected"),
    [
        ("https://api.own.test/v1", None, ("https://api.own.test",)),
        (
            "https://api.own.test/v1",
            "https://id.own.test/token",
            ("https://api.own.test", "https://id.own.test"),
        ),
        ("http://api.own.test/v1", None, ()),
    ],
)
def test_setup_pins_the_origins_of_the_users_own_service(base_url, endpoint, expected) -> None:
    assert known_after_setup("own", base_url, endpoint) == expected


def test_setup_never_changes_the_origins_that_the_sdk_ships() -> None:
    assert known_after_setup("notion", "https://evil.test") == origins_of("notion")


def test_the_origin_of_the_engines_own_service_is_the_base_url() -> None:
    assert known_after_setup("kbdb", "https://evil.test") == (HTTPS,)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://api.own.test", True),
        ("http://api.own.test", False),
        ("https://api.own.test:8443", False),
        ("https://evil.test", False),
    ],
)
def test_a_request_to_another_origin_carries_no_secret(origin: str, expected: bool) -> None:
    assert trust.may_receive_secrets(origin, "https://api.own.test") is expected


BEARER = {"header": {"Authorization": "Bearer {{secret.tok}}"}}


def test_a_recipe_that_leads_elsewhere_is_refused(kind, server, other_server, serve_recipe) -> None:
    other_server.on("GET", "/v1/pages", {"ok": True})
    inject = {"header": {"Authorization": "Bearer {{secret.notion_token}}"}}
    serve_recipe("notion", f"{other_server.url}/v1", ["notion_token"], inject=inject)
    client = kind.client(server.url)
    kind.run(client.auth.setup("notion", notion_token="tok-1"))
    with pytest.raises(RecipeOriginError, match=r"expected https://api\.notion\.com") as caught:
        kind.bind(client, "notion")
    assert other_server.url in str(caught.value)
    assert other_server.requests == []
    bound = kind.bind(client, "notion", trust_origin=other_server.url)
    assert kind.run(bound.get("/pages")).json() == {"ok": True}
    assert other_server.requests[0].headers["authorization"] == "Bearer tok-1"


def test_a_recipe_that_leads_elsewhere_is_refused_before_secrets_are_looked_for(
    kind, server, other_server, serve_recipe
) -> None:
    serve_recipe("notion", f"{other_server.url}/v1", ["tok"], inject=BEARER)
    with pytest.raises(RecipeOriginError):
        kind.bind(kind.client(server.url), "notion")
    assert server.to("/credentials/tok") == []


def test_a_recipe_that_sends_the_refresh_token_elsewhere_is_refused(
    kind, server, other_server, serve_recipe
) -> None:
    serve_recipe(
        "google_sheets_sa",
        "https://sheets.googleapis.com/v4",
        ["google_service_account"],
        primitive="service_account",
        token_exchange={"endpoint": f"{other_server.url}/token", "scopes": []},
        inject={"header": {"Authorization": "Bearer {{runtime.access_token}}"}},
    )
    client = kind.client(server.url)
    account = json.dumps({"client_email": "a", "private_key": "b"})
    kind.run(client.auth.setup("google_sheets_sa", google_service_account=account))
    for method in (client.auth.bind, client.auth.get_token):
        with pytest.raises(RecipeOriginError, match=r"oauth2\.googleapis\.com"):
            kind.run(method("google_sheets_sa"))
    assert other_server.requests == []


def test_setup_pins_the_origin_in_the_same_client(kind, server, serve_recipe) -> None:
    serve_recipe("own", "https://api.own.test/v1", ["tok"], inject=BEARER)
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", tok="tok-1"))
    assert str(kind.bind(client, "own").base_url) == "https://api.own.test/v1/"
    recipes = client._connection.memory.recipes
    recipes["own"] = recipes["own"]._replace(base_url=Template("https://evil.test"))
    with pytest.raises(RecipeOriginError, match=r"https://api\.own\.test"):
        kind.bind(client, "own")
    other = kind.client(server.url)
    other._connection.memory.secrets.update(client._connection.memory.secrets)
    with pytest.raises(RecipeOriginError, match="knows no origin of this service"):
        kind.bind(other, "own")


def test_setup_does_not_pin_an_origin_over_plain_http(kind, server, serve_recipe) -> None:
    serve_recipe("own", "http://api.own.test/v1", ["tok"], inject=BEARER)
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", tok="tok-1"))
    with pytest.raises(RecipeOriginError, match="knows no origin of this service"):
        kind.bind(client, "own")


def test_the_engines_own_service_is_bound_without_trust_origin(kind, server, serve_recipe) -> None:
    server.on("GET", "/kbdb/pages", {"ok": True})
    inject = {"header": {"Authorization": "Bearer {{secret.kbdb_api_key}}"}}
    serve_recipe("kbdb", f"{server.url}/kbdb", ["kbdb_api_key"], inject=inject)
    client = kind.client(server.url)
    kind.run(client.auth.setup("kbdb", kbdb_api_key="k-1"))
    bound = kind.bind(client, "kbdb")
    assert kind.run(bound.get("/pages")).json() == {"ok": True}
    assert server.requests[-1].headers["authorization"] == "Bearer k-1"
