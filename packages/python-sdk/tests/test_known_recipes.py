"""A recipe that the engine serves gets a service's secrets only if it is the one that the SDK knows."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun import ArcrunError, MissingSecretError, RecipeChangedError, RecipeOriginError
from arcrun._core import trust
from arcrun._core.config import Settings
from arcrun._core.known_recipes import KNOWN
from arcrun._core.memory import Memory
from arcrun._core.recipe import parse_recipe
from arcrun._core.recipe_shape import shown
from arcrun._core.sealing import seal

ENGINE = "https://engine.test"
# As an engine served them in November 2026.
SERVED: dict[str, dict[str, Any]] = {
    recipe["service"]: recipe
    for recipe in json.loads((Path(__file__).parent / "served_recipes.json").read_text("utf-8"))
}
BINDABLE = sorted(SERVED.keys() - {"kbdb"})


def check(raw: dict[str, Any], service: str, trusted: str | None = None) -> None:
    """Do what `bind` does before it looks for a secret."""
    settings = Settings(None, ENGINE, "sealed")
    recipe = parse_recipe(raw, service)
    known = trust.known_origins(service, settings, Memory())
    trust.check_origins(recipe, recipe.base_url.text, known, trusted)
    trust.check_recipe(recipe, settings)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a recipe."""
    yield path
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(item, (*path, key))


def set_at(recipe: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(recipe)
    *way, last = path
    target: Any = changed
    for key in way:
        target = target.setdefault(key, {}) if isinstance(target, dict) else target[key]
    target[last] = value
    return changed


def places_of_secrets(recipe: dict[str, Any]) -> Any:
    """Everything that decides where which secret goes, as the recipe writes it."""
    inject = recipe.get("inject", {})
    return (
        recipe["service"],
        recipe["base_url"],
        sorted(
            (section, name.lower() if section == "header" else name, text)
            for section in ("header", "query", "path", "body")
            for name, text in inject.get(section, {}).items()
            if section != "header" or "{{" in str(text)
        ),
        recipe.get("token_exchange", {}).get("endpoint"),
        recipe["primitive"],
    )


def test_the_table_has_the_services_of_the_contract() -> None:
    assert sorted(KNOWN) == sorted(SERVED)


@pytest.mark.parametrize("service", BINDABLE)
def test_every_recipe_that_is_served_is_accepted(service: str) -> None:
    check(SERVED[service], service)


def test_the_knowledge_base_of_another_host_is_refused_until_it_is_trusted() -> None:
    with pytest.raises(RecipeOriginError, match=r"trust_origin='https://kbdb\.example\.com'"):
        check(SERVED["kbdb"], "kbdb")
    check(SERVED["kbdb"], "kbdb", trusted="https://kbdb.example.com")


def test_the_engines_own_knowledge_base_is_accepted() -> None:
    check({**SERVED["kbdb"], "base_url": f"{ENGINE}/kbdb"}, "kbdb")
    with pytest.raises(RecipeChangedError, match="other"):
        check({**SERVED["kbdb"], "base_url": f"{ENGINE}/other"}, "kbdb")


STRIPE = "{{secret.stripe_secret_key}}"
EVIL_TELEGRAM = "https://api.telegram.org/bot12345:evil/sendMessage"


@pytest.mark.parametrize(
    ("service", "path", "value"),
    [
        ("telegram", ("base_url",), EVIL_TELEGRAM),
        ("telegram", ("base_url",), "https://api.telegram.org?x="),
        ("telegram", ("base_url",), "https://api.telegram.org#"),
        ("telegram", ("inject", "query"), {"text": STRIPE}),
        ("telegram", ("inject", "header"), {"X-Text": STRIPE}),
        ("telegram", ("inject", "header"), {"X-Text": "{{secret.telegram_bot_token}}"}),
        ("telegram", ("inject", "body"), {"text": STRIPE}),
        ("telegram", ("inject", "body"), {"chat_id": 1}),
        ("telegram", ("inject", "body"), {"chat_id": "1"}),
        ("telegram", ("inject", "path", "method"), "sendMessage"),
        ("telegram", ("inject", "path", "bot_token"), STRIPE),
        ("telegram", ("required_secrets", 0, "key"), "stripe_secret_key"),
        ("telegram", ("required_secrets",), [{"key": "telegram_bot_token"}, {"key": "stripe_secret_key"}]),
        ("openai", ("inject", "header", "authorization"), "Bearer {{secret.openai_api_key}}"),
        ("openai", ("inject", "header", "Authorization"), "{{secret.openai_api_key}}"),
        ("openai", ("inject", "header", "Authorization"), "Bearer attacker"),
        ("gemini", ("inject", "header", "Authorization"), "Bearer attacker"),
        ("gemini", ("inject", "header", "X-Goog-Api-Key"), "attacker"),
        ("gemini", ("inject", "header", "Cookie"), "session=attacker"),
        ("gemini", ("inject", "header", "Host"), "evil.test"),
        ("gemini", ("inject", "header", "Proxy-Authorization"), "Basic x"),
        ("gemini", ("inject", "header", "X-Forwarded-Host"), "evil.test"),
        ("gemini", ("inject", "header", "X-HTTP-Method-Override"), "DELETE"),
        ("google_sheets_sa", ("token_exchange", "endpoint"), "https://oauth2.googleapis.com/x"),
        ("google_sheets_sa", ("token_exchange", "endpoint"), "https://sheets.googleapis.com/v4"),
        ("google_sheets_sa", ("base_url",), "https://oauth2.googleapis.com/token"),
        ("google_sheets_sa", ("base_url",), "https://sheets.googleapis.com/v4/{{secret.x}}"),
        ("jira", ("base_url",), "https://{{secret.jira_email}}.atlassian.net/rest/api/3"),
        ("jira", ("base_url",), "https://{{secret.jira_domain}}.atlassian.net/{{secret.jira_email}}"),
    ],
)  # fmt: skip
def test_a_recipe_that_could_lead_a_secret_elsewhere_is_refused(service, path, value) -> None:
    with pytest.raises((RecipeChangedError, RecipeOriginError)):
        check(set_at(SERVED[service], path, value), service)


@pytest.mark.parametrize(
    ("service", "section", "items", "said"),
    [
        ("openai", "header", {}, "inject.header has nothing"),
        ("openai", "header", {"X-A": STRIPE, "X-B": STRIPE}, "inject.header has 'X-A, X-B', or templates that are not the known ones"),
        ("telegram", "query", {"text": STRIPE}, "inject.query has 'text', or templates that are not the known ones"),
    ],
)  # fmt: skip
def test_the_error_names_the_section_that_differs(service, section, items, said) -> None:
    with pytest.raises(RecipeChangedError, match=re.escape(f": {said}. ")):
        check(set_at(SERVED[service], ("inject", section), items), service)


def test_errors_show_160_characters_of_a_recipe_at_most() -> None:
    assert shown("a" * 160) == f"'{'a' * 160}'"
    assert shown("a" * 161) == f"'{'a' * 160}…'"


def test_a_static_key_that_would_become_a_refresh_token_is_refused() -> None:
    grant = {"token_endpoint": "https://api.openai.com/v1/token", "client_id": "x"}
    grant["refresh_token"] = "{{secret.openai_api_key}}"
    with pytest.raises(RecipeChangedError, match="primitive"):
        check({**SERVED["openai"], "primitive": "oauth2", "oauth2": grant}, "openai")


@pytest.mark.parametrize(
    ("service", "name", "value"),
    [
        ("notion", "Notion-Version", "2027-01-01"),
        ("github", "Accept", "application/json"),
        ("gemini", "X-Client", "arcrun"),
    ],
)
def test_a_header_without_a_secret_may_have_another_value(service, name, value) -> None:
    check(set_at(SERVED[service], ("inject", "header", name), value), service)


def test_white_space_in_placeholders_and_the_case_of_headers_do_not_matter() -> None:
    changed = copy.deepcopy(SERVED["openai"])
    changed["inject"]["header"] = {"authorization": "Bearer {{ secret.openai_api_key }}"}
    check({**changed, "base_url": "https://API.openai.com:443/v1/"}, "openai")


def test_at_an_origin_that_the_user_names_no_other_secret_is_used() -> None:
    own = {**SERVED["openai"], "base_url": "https://proxy.own.test/openai"}
    check(own, "openai", trusted="https://proxy.own.test")
    changed = set_at(own, ("inject", "query"), {"x": STRIPE})
    with pytest.raises(RecipeChangedError, match=r"inject\.query"):
        check(changed, "openai", trusted="https://proxy.own.test")


texts = st.sampled_from([
    STRIPE,
    "{{secret.notion_token}}",
    "Bearer {{secret.openai_api_key}}",
    "{{runtime.access_token}}",
    "https://evil.test",
    "https://api.telegram.org/bot1/",
    "https://api.notion.com/v1?x=",
    "attacker",
])  # fmt: skip
names = st.sampled_from(
    ["Authorization", "authorization", "X-Api-Key", "key", "token", "bot_token", "Host"]
)


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A served recipe with one field that is changed, added, renamed or removed."""
    service = draw(st.sampled_from(BINDABLE))
    recipe = SERVED[service]
    change = draw(st.sampled_from(["set", "add", "remove"]))
    if change == "add":
        section = draw(st.sampled_from(["header", "query", "path", "body"]))
        return service, set_at(recipe, ("inject", section, draw(names)), draw(texts))
    path = draw(st.sampled_from([path for path in paths(recipe) if path]))
    if change == "set":
        return service, set_at(recipe, path, draw(texts | st.text(max_size=20)))
    changed = copy.deepcopy(recipe)
    target: Any = changed
    for key in path[:-1]:
        target = target[key]
    del target[path[-1]]
    return service, changed


@given(mutations())
def test_no_single_change_leads_a_secret_to_another_place(mutation) -> None:
    service, changed = mutation
    try:
        check(changed, service)
    except ArcrunError:
        return
    assert places_of_secrets(changed) == places_of_secrets(SERVED[service])


def test_all_texts_of_all_recipes_changed_one_by_one_are_refused_or_move_nothing() -> None:
    for service in BINDABLE:
        recipe = SERVED[service]
        for path in paths(recipe):
            for value in (STRIPE, "https://evil.test", "attacker", None, {}, [], 1):
                if not path:
                    continue
                changed = set_at(recipe, path, value)
                try:
                    check(changed, service)
                except ArcrunError:
                    continue
                assert places_of_secrets(changed) == places_of_secrets(recipe), (path, value)


# --- whose secrets ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "key", "stored_for", "trust_recipe", "expected"),
    [
        ("stripe", "stripe_secret_key", "stripe", False, True),
        ("stripe", "stripe_secret_key", None, False, True),
        ("google_drive_sa", "google_service_account", "google_sheets_sa", False, True),
        ("own", "own_token", "own", False, True),
        ("own", "own_token", None, False, False),
        ("own", "own_token", None, True, True),
        ("own", "own_token", "other", True, False),
        ("own", "stripe_secret_key", "stripe", True, False),
        ("own", "stripe_secret_key", None, True, False),
        ("own", "stripe_secret_key__work", None, True, False),
        ("own", "Stripe_Secret_Key", None, True, False),
        ("own", "stripe_secret_key", "own", False, True),
        ("telegram", "stripe_secret_key", None, True, False),
        ("telegram", "own_token", "own", True, False),
    ],
)
def test_a_secret_serves_its_own_service(service, key, stored_for, trust_recipe, expected) -> None:
    assert trust.may_use(service, key, stored_for, trust_recipe=trust_recipe) is expected


@pytest.fixture
def sent() -> list[httpx.Request]:
    return []


@pytest.fixture
def service_transport(sent: list[httpx.Request]) -> httpx.MockTransport:
    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={})

    return httpx.MockTransport(respond)


TELEGRAM_INJECT = {
    "path": {"bot_token": "{{secret.telegram_bot_token}}"},
    "query": {"text": STRIPE},
}


def test_a_rewritten_recipe_gets_no_secret(
    kind, server, serve_recipe, service_transport, sent
) -> None:
    keys = ["telegram_bot_token"]
    serve_recipe("telegram", EVIL_TELEGRAM, keys, inject=TELEGRAM_INJECT)
    serve_recipe(
        "stripe",
        "https://api.stripe.com/v1",
        ["stripe_secret_key"],
        inject={"header": {"Authorization": f"Bearer {STRIPE}"}},
    )
    client = kind.client(server.url)
    kind.run(client.auth.setup("stripe", stripe_secret_key="sk_live_1"))
    kind.run(client.auth.setup("telegram", telegram_bot_token="1:a"))
    for call in (client.auth.bind, client.auth.get_token):
        with pytest.raises(RecipeChangedError, match=r"bind\('telegram', trust_recipe=True\)"):
            kind.run(call("telegram"))
    with pytest.raises(MissingSecretError, match="'stripe_secret_key', which is stored for"):
        kind.bind(client, "telegram", trust_recipe=True, transport=service_transport)
    assert sent == []


def test_a_changed_recipe_is_used_once_it_is_trusted(
    kind, server, serve_recipe, service_transport, sent
) -> None:
    inject = {"query": {"key": "{{secret.openai_api_key}}"}}
    serve_recipe("openai", "https://api.openai.com/v2", ["openai_api_key"], inject=inject)
    client = kind.client(server.url)
    kind.run(client.auth.setup("openai", openai_api_key="sk-1"))
    with pytest.raises(RecipeChangedError):
        kind.bind(client, "openai", transport=service_transport)
    bound = kind.bind(client, "openai", trust_recipe=True, transport=service_transport)
    kind.run(bound.get("/models"))
    assert str(sent[0].url) == "https://api.openai.com/v2/models?key=sk-1"


@pytest.mark.parametrize("account", [None, "work"])
def test_a_secret_that_was_read_back_serves_the_service_it_was_stored_for(
    account, kind, server, serve_recipe, key, service_transport
) -> None:
    inject = {"header": {"X-Key": "{{secret.stripe_secret_key}}"}}
    serve_recipe("own", "https://api.own.test", ["stripe_secret_key"], inject=inject)
    name = "stripe_secret_key" if account is None else "stripe_secret_key__work"
    stored = {"name": name, "service": "stripe", **seal(key, name, "sk_live_1")}
    server.on("GET", f"/credentials/{name}", stored)
    options = {"account": account, "trust_origin": "https://api.own.test"}
    with pytest.raises(MissingSecretError, match="stored for 'stripe'") as caught:
        kind.bind(kind.client(server.url), "own", trust_recipe=True, **options)
    assert caught.value.missing == (name,)
    server.on("GET", f"/credentials/{name}", {**stored, "service": "own"})
    kind.bind(kind.client(server.url), "own", transport=service_transport, **options)


def test_a_secret_without_a_service_serves_an_own_one_only_if_that_is_trusted(
    kind, server, serve_recipe, monkeypatch, service_transport
) -> None:
    monkeypatch.setenv("ARCRUN_SECRET_OWN_TOKEN", "tok-1")
    inject = {"header": {"X-Key": "{{secret.own_token}}"}}
    serve_recipe("own", "https://api.own.test", ["own_token"], inject=inject)
    client = kind.client(server.url)
    options = {"trust_origin": "https://api.own.test", "transport": service_transport}
    with pytest.raises(MissingSecretError, match=r"bind\('own', trust_recipe=True\)"):
        kind.bind(client, "own", **options)
    kind.bind(client, "own", trust_recipe=True, **options)
