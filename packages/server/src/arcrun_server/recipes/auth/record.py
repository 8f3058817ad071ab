"""What a pushed auth recipe must be: its fields, and what no schema can say (docs/contract.md#auth-recipes)."""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from typing_extensions import NotRequired, TypedDict

from arcrun_server.engine.model import MAX_PROBLEMS
from arcrun_server.engine.nearest import Suggestions
from arcrun_server.engine.placeholders import fill_text, scan
from arcrun_server.recipes.fields import (
    DisplayName,
    LongText,
    ShortText,
    Templates,
    Url,
    host_of,
    recipe_problem,
)
from arcrun_server.validation import (
    CredentialName,
    ExpectedVersion,
    ServiceName,
    VersionMessage,
    closed,
    matching,
    whole_numbers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arcrun_server.engine import Problem

TOKEN_PRIMITIVES = frozenset({"service_account", "oauth2"})
"""The primitives that fetch an access token, which templates take as `{{runtime.access_token}}`."""

_BASE_URL = re.compile(r"(?s)https?://[A-Za-z0-9{].*")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_BaseUrl = Annotated[
    str,
    Field(max_length=2048),
    matching(_BASE_URL, "a URL that begins with https:// or http:// and a host"),
]
_Scopes = Annotated[list[ShortText], Field(max_length=64)]
_Version = Annotated[int, Field(ge=1), whole_numbers]


@closed
class RequiredSecret(TypedDict):
    """A secret that a service needs."""

    key: CredentialName
    label: DisplayName
    help: NotRequired[LongText]
    help_url: Url
    optional: NotRequired[bool]


@closed
class Inject(TypedDict):
    """Templates, by the part of the request that they go into."""

    header: NotRequired[Templates]
    query: NotRequired[Templates]
    path: NotRequired[Templates]
    body: NotRequired[Templates]


@closed
class TokenExchange(TypedDict):
    """Where a service account's token comes from."""

    endpoint: Url
    scopes: _Scopes


@closed
class OAuth2(TypedDict):
    """Where an OAuth 2 token comes from."""

    token_endpoint: Url
    client_id: ShortText
    client_secret: NotRequired[LongText]
    scopes: NotRequired[_Scopes]


@closed
class AuthRecipe(TypedDict):
    """The body of `POST /auth-recipes`: a recipe, and how its version is stored."""

    kind: NotRequired[Literal["auth_recipe"]]
    service: ServiceName
    version: NotRequired[_Version]
    primitive: Literal["static_key", "service_account", "oauth2", "mtls"]
    base_url: _BaseUrl
    display_name: NotRequired[DisplayName]
    description: NotRequired[LongText]
    category: NotRequired[Annotated[str, Field(max_length=64)]]
    required_secrets: Annotated[list[RequiredSecret], Field(max_length=32)]
    inject: Inject
    token_exchange: NotRequired[TokenExchange]
    service_account_kind: NotRequired[Literal["google_jwt"]]
    oauth2: NotRequired[OAuth2]
    message: NotRequired[VersionMessage]
    expected_version: NotRequired[ExpectedVersion]


AUTH_RECIPE = TypeAdapter(AuthRecipe)


def check_auth_recipe(recipe: dict[str, Any]) -> list[Problem]:
    """Return why a recipe that has the right fields could not work, or not safely.

    Args:
        recipe: A recipe that `AUTH_RECIPE` accepts.
    """
    problems = chain(
        _secret_problems(recipe),
        _url_problems(recipe),
        _primitive_problems(recipe),
        _template_problems(recipe),
    )
    return list(islice(problems, MAX_PROBLEMS))


def stored_auth_recipe(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return a pushed recipe as it is stored: with the fields that may be left out."""
    return {"kind": "auth_recipe", "version": 1, "display_name": recipe["service"], **recipe}


def _secret_problems(recipe: dict[str, Any]) -> Iterator[Problem]:
    keys: set[str] = set()
    for number, secret in enumerate(recipe["required_secrets"]):
        if secret["key"] in keys:
            yield recipe_problem("this key is listed twice", f"required_secrets[{number}].key")
        keys.add(secret["key"])
        if not host_of(secret["help_url"]):
            yield recipe_problem("this URL has no host", f"required_secrets[{number}].help_url")


def _url_problems(recipe: dict[str, Any]) -> Iterator[Problem]:
    urls = {"base_url": recipe["base_url"]}
    if "token_exchange" in recipe:
        urls["token_exchange.endpoint"] = recipe["token_exchange"]["endpoint"]
    if "oauth2" in recipe:
        urls["oauth2.token_endpoint"] = recipe["oauth2"]["token_endpoint"]
    for path, url in urls.items():
        host = host_of(fill_text(url, lambda _: "x", lambda _: "x"))
        if not host:
            yield recipe_problem("this URL has no host", path)
        elif url.startswith("http://") and host not in _LOOPBACK:
            yield recipe_problem("secrets are sent over https only", path)
        if path != "base_url" and any(scan(url)):
            yield recipe_problem("a token endpoint can't be a template", path)


def _primitive_problems(recipe: dict[str, Any]) -> Iterator[Problem]:
    if recipe["primitive"] == "service_account":
        for name in ("token_exchange", "service_account_kind"):
            if name not in recipe:
                yield recipe_problem("a service_account needs this", name)
        if not recipe["required_secrets"]:
            yield recipe_problem(
                "a service_account needs its key file as a secret", "required_secrets"
            )
    if recipe["primitive"] == "oauth2":
        if "oauth2" not in recipe:
            yield recipe_problem("the primitive oauth2 needs this", "oauth2")
        if not any(s["key"].endswith("refresh_token") for s in recipe["required_secrets"]):
            yield recipe_problem(
                "oauth2 needs a secret whose key ends in refresh_token", "required_secrets"
            )


def _template_problems(recipe: dict[str, Any]) -> Iterator[Problem]:
    known = {f"secret.{secret['key']}" for secret in recipe["required_secrets"]}
    with_token = set(known)
    if recipe["primitive"] in TOKEN_PRIMITIVES:
        with_token.add("runtime.access_token")
    texts = [("base_url", recipe["base_url"], known)]
    for part, templates in recipe["inject"].items():
        texts += [(f"inject.{part}.{name}", text, with_token) for name, text in templates.items()]
    for name in ("client_id", "client_secret"):
        texts.append((f"oauth2.{name}", recipe.get("oauth2", {}).get(name, ""), known))
    suggestions = Suggestions()
    for path, text, names in texts:
        for placeholder in scan(text):
            if placeholder.name not in names:
                yield recipe_problem(
                    f"{{{{{placeholder.name}}}}} has no value here",
                    path,
                    suggestions.nearest(placeholder.name, sorted(names)),
                )
