"""What pushed recipes must look like: in shape, and in what no schema can say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, TypeAdapter
from typing_extensions import NotRequired, TypedDict

from arcrun_server.errors import ApiError, Detail, nearest
from arcrun_server.routes.shapes import CredentialName, ServiceName, closed, matching

if TYPE_CHECKING:
    from collections.abc import Iterator

_URL = re.compile(r"(?s)https?://[A-Za-z0-9].*")
_BASE_URL = re.compile(r"(?s)https?://[A-Za-z0-9{].*")
_ENDPOINT = re.compile(r"(?s)(?:https?://|\{\{).*")
# Of templates, only the path may follow the host at once.
_FIXED_HOST = re.compile(r"https?://[^/{}?#]+(?:[/?#]|\{\{\s*_path\s*\}\}|\Z)")
_PLACE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_API_PLACE = re.compile(r"auth\.[A-Za-z0-9_]+|[\w.-]+")
RESERVED_ID = re.compile(r"rec_[0-9a-f]{8}")
RECIPE_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,127}")
RECIPE_ID_RULE = (
    "a letter, then up to 127 letters, digits, underscores and hyphens (A-Z a-z 0-9 _ -)"
)

_Short = Annotated[str, Field(max_length=1024)]
_Text = Annotated[str, Field(max_length=4096)]
_Name = Annotated[str, Field(min_length=1, max_length=256)]
_Url = Annotated[
    str,
    Field(max_length=2048),
    matching(_URL, "a URL that begins with https:// or http:// and a host"),
]
_BaseUrl = Annotated[
    str,
    Field(max_length=2048),
    matching(_BASE_URL, "a URL that begins with https:// or http:// and a host"),
]
_Endpoint = Annotated[
    str, Field(max_length=2048), matching(_ENDPOINT, "a URL that begins with https:// or http://")
]
_Scopes = Annotated[list[_Short], Field(max_length=64)]
_Templates = dict[str, str]
_Version = Annotated[
    int,
    Field(ge=1),
    # 1.0 is a whole number in JSON Schema too.
    BeforeValidator(
        lambda value: int(value) if isinstance(value, float) and value.is_integer() else value
    ),
]


@closed
class RequiredSecret(TypedDict):
    """A secret that a service needs."""

    key: CredentialName
    label: _Name
    help: NotRequired[_Text]
    help_url: _Url
    optional: NotRequired[bool]


@closed
class Inject(TypedDict):
    """Templates by place."""

    header: NotRequired[_Templates]
    query: NotRequired[_Templates]
    path: NotRequired[_Templates]
    body: NotRequired[_Templates]


@closed
class TokenExchange(TypedDict):
    """Where a service account's token comes from."""

    endpoint: _Url
    scopes: _Scopes


@closed
class OAuth2(TypedDict):
    """Where an OAuth 2 token comes from."""

    token_endpoint: _Url
    client_id: _Short
    client_secret: NotRequired[_Text]
    scopes: NotRequired[_Scopes]


@closed
class AuthRecipePush(TypedDict):
    """`POST /auth-recipes`."""

    kind: NotRequired[Literal["auth_recipe"]]
    service: ServiceName
    version: NotRequired[_Version]
    primitive: Literal["static_key", "service_account", "oauth2", "mtls"]
    base_url: _BaseUrl
    display_name: NotRequired[_Name]
    description: NotRequired[_Text]
    category: NotRequired[Annotated[str, Field(max_length=64)]]
    required_secrets: Annotated[list[RequiredSecret], Field(max_length=32)]
    inject: Inject
    token_exchange: NotRequired[TokenExchange]
    service_account_kind: NotRequired[Literal["google_jwt"]]
    oauth2: NotRequired[OAuth2]


@closed
class ResponseMap(TypedDict):
    """Where the text of an answer is."""

    text_path: Annotated[str, Field(min_length=1, max_length=1024)]
    answer_marker: NotRequired[_Short]
    strip_prefixes: NotRequired[Annotated[list[_Short], Field(max_length=32)]]


@closed
class ApiRecipePush(TypedDict):
    """`POST /recipes`."""

    canonical_id: Annotated[str, matching(RECIPE_ID, RECIPE_ID_RULE)]
    display_name: _Name
    description: NotRequired[_Text]
    endpoint: _Endpoint
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    headers: NotRequired[_Templates]
    body: NotRequired[dict[str, Any]]
    body_template: NotRequired[Annotated[str, Field(max_length=65536)]]
    response_map: NotRequired[ResponseMap]
    auth_service: NotRequired[ServiceName]


AUTH_RECIPE_PUSH = TypeAdapter(AuthRecipePush)
API_RECIPE_PUSH = TypeAdapter(ApiRecipePush)


def check_auth_recipe(recipe: dict[str, Any]) -> None:
    """Refuse a recipe that fits its shape and yet could not work, or not safely.

    Raises:
        ApiError: 400, with all that is wrong.
    """
    problems = [
        *_secret_problems(recipe),
        *_url_problems(recipe),
        *_primitive_problems(recipe),
        *_template_problems(recipe),
    ]
    _refuse(problems)


def check_api_recipe(recipe: dict[str, Any]) -> None:
    """Refuse an API recipe that fits its shape and yet could not work, or not safely.

    Raises:
        ApiError: 400, with all that is wrong.
    """
    problems = []
    if RESERVED_ID.fullmatch(recipe["canonical_id"].lower()):
        problems.append(
            Detail("names like rec_0123abcd are given by the engine", path="canonical_id")
        )
    if not _FIXED_HOST.match(recipe["endpoint"]) or not _host(
        recipe["endpoint"].partition("{{")[0]
    ):
        message = "it must begin with https:// or http:// and a host that is no template"
        problems.append(Detail(message, path="endpoint"))
    if "body" in recipe and "body_template" in recipe:
        problems.append(Detail("give body or body_template, not both", path="body_template"))
    templates = {"endpoint": recipe["endpoint"], "body_template": recipe.get("body_template", "")}
    templates |= {f"headers.{name}": text for name, text in recipe.get("headers", {}).items()}
    for path, text in templates.items():
        for place in _PLACE.findall(text):
            if place.startswith(("secret.", "credential.")):
                message = "secrets come in by auth_service only"
            elif place.startswith("auth.") and not recipe.get("auth_service"):
                message = f"{{{{{place}}}}} needs an auth_service"
            elif not _API_PLACE.fullmatch(place):
                message = f"{{{{{place}}}}} is no template; write a name, as {{{{chat_id}}}}"
            else:
                continue
            problems.append(Detail(message, path=path))
    _refuse(problems)


def _secret_problems(recipe: dict[str, Any]) -> Iterator[Detail]:
    keys: set[str] = set()
    for number, secret in enumerate(recipe["required_secrets"]):
        if secret["key"] in keys:
            yield Detail("this key stands twice", path=f"required_secrets[{number}].key")
        keys.add(secret["key"])
        if not _host(secret["help_url"]):
            yield Detail("this URL has no host", path=f"required_secrets[{number}].help_url")


def _url_problems(recipe: dict[str, Any]) -> Iterator[Detail]:
    urls = {"base_url": recipe["base_url"]}
    if "token_exchange" in recipe:
        urls["token_exchange.endpoint"] = recipe["token_exchange"]["endpoint"]
    if "oauth2" in recipe:
        urls["oauth2.token_endpoint"] = recipe["oauth2"]["token_endpoint"]
    for path, url in urls.items():
        host = _host(_PLACE.sub("x", url))
        if not host:
            yield Detail("this URL has no host", path=path)
        elif url.startswith("http://") and host not in {"localhost", "127.0.0.1", "::1"}:
            yield Detail("secrets go over https only", path=path)
        if path != "base_url" and _PLACE.search(url):
            yield Detail("a token endpoint can't be a template", path=path)


def _primitive_problems(recipe: dict[str, Any]) -> Iterator[Detail]:
    if recipe["primitive"] == "service_account":
        for name in ("token_exchange", "service_account_kind"):
            if name not in recipe:
                yield Detail("a service_account needs this", path=name)
        if not recipe["required_secrets"]:
            yield Detail(
                "a service_account needs its key file as a secret", path="required_secrets"
            )
    if recipe["primitive"] == "oauth2":
        if "oauth2" not in recipe:
            yield Detail("the primitive oauth2 needs this", path="oauth2")
        if not any(s["key"].endswith("refresh_token") for s in recipe["required_secrets"]):
            message = "oauth2 needs a secret whose key ends in refresh_token"
            yield Detail(message, path="required_secrets")


def _template_problems(recipe: dict[str, Any]) -> Iterator[Detail]:
    known = {f"secret.{secret['key']}" for secret in recipe["required_secrets"]}
    with_token = set(known)
    if recipe["primitive"] in {"service_account", "oauth2"}:
        with_token.add("runtime.access_token")
    texts = [("base_url", recipe["base_url"], known)]
    for place, templates in recipe["inject"].items():
        texts += [(f"inject.{place}.{name}", text, with_token) for name, text in templates.items()]
    for name in ("client_id", "client_secret"):
        texts.append((f"oauth2.{name}", recipe.get("oauth2", {}).get(name, ""), known))
    for path, text, names in texts:
        for place in _PLACE.findall(text):
            if place not in names:
                yield Detail(
                    f"there is nothing for {{{{{place}}}}} here",
                    path=path,
                    suggestion=nearest(place, names),
                )


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _refuse(problems: list[Detail]) -> None:
    if problems:
        first = problems[0]
        text = f"{first.path}: {first.message}"
        if first.suggestion:
            text += f"; did you mean {first.suggestion!r}?"
        raise ApiError(400, "invalid_recipe", text, details=problems)
