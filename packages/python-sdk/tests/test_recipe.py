"""Auth recipes: parsed once, malformed ones refused."""

from __future__ import annotations

from typing import Any

import pytest

from arcrun import ConfigurationError, InvalidArgumentError, UnexpectedResponseError
from arcrun._core.recipe import AssertionGrant, RefreshGrant, parse_inject, parse_recipe

OAUTH2 = {
    "token_endpoint": "https://own.test/token",
    "client_id": "{{secret.client_id}}",
    "client_secret": "{{secret.client_secret}}",
    "scopes": ["read", "write"],
}


@pytest.fixture
def parse(recipe):
    """Parse a recipe of the service `own`, with fields changed."""

    def parse_changed(keys: list[str], **changes: Any) -> Any:
        made = recipe("own", "https://{{secret.host}}.own.test/v1", keys)
        return parse_recipe({**made, **changes}, "own")

    return parse_changed


def test_keys_of_required_and_optional_secrets(parse) -> None:
    secrets = [{"key": "a"}, {"key": "b", "optional": True}, {"key": "c", "optional": False}]
    recipe = parse([], required_secrets=secrets)
    assert (recipe.required_keys, recipe.optional_keys) == (("a", "c"), ("b",))


def test_keys_used_are_those_of_the_address_and_of_what_is_injected(parse) -> None:
    inject = {"header": {"A": "{{secret.a}}:{{secret.host}}"}, "body": {"b": "{{secret.b}}"}}
    recipe = parse(["host", "a", "b", "unused"], inject=inject)
    assert recipe.keys_used == ("host", "a", "b")


def test_a_static_key_needs_no_token(parse) -> None:
    recipe = parse(["tok"])
    assert (recipe.grant, recipe.token_endpoint) == (None, None)


def test_a_service_account_exchanges_its_first_required_secret(parse) -> None:
    recipe = parse(
        ["account", "host"],
        primitive="service_account",
        token_exchange={"endpoint": "https://own.test/token", "scopes": ["read"]},
    )
    assert recipe.grant == AssertionGrant("https://own.test/token", ("read",), "account")
    assert recipe.token_endpoint == "https://own.test/token"
    assert recipe.keys_used == ("host", "account")


@pytest.mark.parametrize(
    ("more", "refresh_key"),
    [
        ({}, "own_refresh_token"),
        ({"refresh_token": "{{secret.other}}"}, "other"),
    ],
)
def test_oauth2_refreshes_with_the_named_secret_or_the_one_whose_key_says_so(
    more, refresh_key, parse
) -> None:
    keys = ["host", "client_id", "client_secret", "own_refresh_token"]
    grant = parse(keys, primitive="oauth2", oauth2={**OAUTH2, **more}).grant
    assert isinstance(grant, RefreshGrant)
    assert (grant.endpoint, grant.scopes) == ("https://own.test/token", ("read", "write"))
    assert grant.client_id.secret_keys == ("client_id",)
    assert grant.client_secret.secret_keys == ("client_secret",)
    assert grant.refresh_key == refresh_key


def test_oauth2_uses_the_secrets_of_its_client(parse) -> None:
    keys = ["host", "client_id", "client_secret", "own_refresh_token"]
    assert list(parse(keys, primitive="oauth2", oauth2=OAUTH2).keys_used) == keys


def test_a_token_can_be_got_without_the_secret_of_the_client(parse) -> None:
    keys = ["host", "client_id", "client_secret", "own_refresh_token"]
    recipe = parse(keys, primitive="oauth2", oauth2=OAUTH2)
    assert recipe.grant_keys == ("client_id", "own_refresh_token")


def test_the_token_of_a_recipe_is_the_one_secret_that_it_injects(parse) -> None:
    header = {"A": "Bearer {{secret.tok}}", "B": "{{secret.tok}}", "C": "constant"}
    assert parse(["tok", "host"], inject={"header": header}).token_key == "tok"


@pytest.mark.parametrize(
    ("header", "message"),
    [({}, r"0 secrets \(\)"), ({"A": "{{secret.a}}:{{secret.b}}"}, r"2 secrets \(a, b\)")],
)
def test_a_recipe_with_several_secrets_or_none_has_no_single_token(header, message, parse) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        _ = parse(["a", "b"], inject={"header": header}).token_key


def test_entries_whose_secrets_are_not_set_drop_out() -> None:
    inject = parse_inject(
        {
            "header": {"A": "{{secret.a}}", "B": "{{secret.b}}", "C": "constant"},
            "query": {"ab": "{{secret.a}}{{secret.b}}"},
            "body": {"a": "{{secret.a}}", "version": 2},
        }
    ).with_values({"a": "set"})
    assert (list(inject.header), list(inject.query), list(inject.path)) == (["A", "C"], [], [])
    assert (list(inject.body), inject.body_constants) == (["a"], {"version": 2})


def test_numbers_are_text_except_in_a_body() -> None:
    inject = parse_inject({"header": {"X-Version": 2}, "body": {"version": 2, "text": "2"}})
    assert inject.header["X-Version"].text == "2"
    assert (inject.body["text"].text, inject.body_constants) == ("2", {"version": 2})


@pytest.mark.parametrize(
    "changes",
    [
        {"service": "other"},
        {"primitive": None},
        {"base_url": None},
        {"base_url": ""},
        {"required_secrets": None},
        {"required_secrets": {}},
        {"required_secrets": ["tok"]},
        {"required_secrets": [{"label": "x"}]},
        {"required_secrets": [{"key": 5}]},
        {"inject": ["x"]},
        {"inject": {"header": "x"}},
    ],
)
def test_a_malformed_recipe_is_unexpected(changes, parse) -> None:
    with pytest.raises(UnexpectedResponseError, match="recipe for 'own'"):
        parse(["tok"], **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"primitive": "service_account"}, "no token endpoint"),
        ({"primitive": "service_account", "token_exchange": {}}, "no token endpoint"),
        (
            {"primitive": "service_account", "token_exchange": {"endpoint": "https://own.test"}},
            "no required secret",
        ),
        ({"primitive": "oauth2"}, "no token endpoint"),
        ({"primitive": "oauth2", "oauth2": {"client_id": "id"}}, "no token endpoint"),
        ({"primitive": "oauth2", "oauth2": {**OAUTH2, "client_id": None}}, r"oauth2\.client_id"),
        ({"primitive": "oauth2", "oauth2": OAUTH2}, "refresh_token"),
    ],
)
def test_a_recipe_that_cannot_fetch_a_token_is_unexpected(changes, message, parse) -> None:
    with pytest.raises(UnexpectedResponseError, match=message):
        parse([], **changes)


def test_the_key_of_a_secret_must_be_a_name(parse) -> None:
    with pytest.raises(InvalidArgumentError, match="name"):
        parse(["../health"])


def test_an_unsupported_recipe_is_parsed_nevertheless(parse) -> None:
    """`setup` stores its secrets: the engine may support it."""
    recipe = parse(["certificate"], primitive="mtls")
    assert recipe.required_keys == ("certificate",)
    with pytest.raises(ConfigurationError, match="'mtls'"):
        recipe.check_supported()
