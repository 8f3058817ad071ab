"""An auth recipe filled with an account's secrets: what goes into which place of a request (CONTRACT.md §4)."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from arcrun_server.engine import CallFailure, ComponentError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from arcrun_server.calls.tokens import Tokens

    Secrets = Callable[[str], Awaitable[str | None]]

_PLACE = re.compile(r"\{\{\s*(secret|runtime)\.([A-Za-z0-9_]+)\s*\}\}")
_HOST_PART = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
_BASIC = re.compile(r"basic (.*:.*)", re.IGNORECASE | re.DOTALL)
TOKEN_PRIMITIVES = frozenset({"service_account", "oauth2"})


@dataclass(frozen=True, repr=False)
class Injected:
    """What a recipe adds to a request.

    Args:
        base_url: The service's URL.
        headers: Headers to set.
        query: Parameters to add.
        path: Values for the `{name}` places of the URL, percent-encoded.
        body: Fields to add to the body.
        secrets: Everything in it that must not be shown.
    """

    base_url: str
    headers: dict[str, str]
    query: dict[str, str]
    path: dict[str, str]
    body: dict[str, str]
    secrets: tuple[str, ...]


async def inject(
    recipe: dict[str, Any], secret: Secrets, tokens: Tokens, *, fresh: bool = False
) -> Injected:
    """Fill an auth recipe.

    Args:
        recipe: The auth recipe.
        secret: Gives the account's credentials in plain text.
        tokens: Fetches access tokens, for the primitives that have some.
        fresh: Take a new access token even if there is one that should still be good.

    Raises:
        ComponentError: A secret is missing or can't stand where the recipe puts it, or no token could be had.
    """
    values = await _secrets_of(recipe, secret)
    if recipe["primitive"] in TOKEN_PRIMITIVES:
        values["runtime.access_token"] = await tokens.token(recipe, values, fresh=fresh)

    def fill(template: str) -> str:
        return _PLACE.sub(lambda place: _value(recipe, values, place), template)

    places: dict[str, dict[str, str]] = recipe.get("inject", {})
    return Injected(
        base_url=_base_url(recipe, values),
        headers={name: _header(name, fill(text)) for name, text in _place(places, "header")},
        query={name: fill(text) for name, text in _place(places, "query")},
        path={name: _segment(name, fill(text)) for name, text in _place(places, "path")},
        body={name: fill(text) for name, text in _place(places, "body")},
        secrets=tuple(values.values()),
    )


def render(template: str, values: dict[str, str]) -> str:
    """Fill `{{secret.KEY}}` in a template; what is not there becomes empty."""
    return _PLACE.sub(lambda place: values.get(f"{place[1]}.{place[2]}", ""), template)


async def _secrets_of(recipe: dict[str, Any], secret: Secrets) -> dict[str, str]:
    values, missing = {}, []
    for entry in recipe["required_secrets"]:
        try:
            value = await secret(entry["key"])
        except CallFailure as problem:  # it is there, but can't be given
            raise ComponentError(str(problem)) from None
        if value is not None:
            values[f"secret.{entry['key']}"] = value
        elif not entry.get("optional"):
            missing.append(entry["key"])
    if missing:
        names = ", ".join(missing)
        raise ComponentError(
            f"the service {recipe['service']!r} needs the credentials {names}; push them under these names first"
        )
    return values


def _place(places: dict[str, dict[str, str]], name: str) -> list[tuple[str, str]]:
    return list(places.get(name, {}).items())


def _value(recipe: dict[str, Any], values: dict[str, str], place: re.Match[str]) -> str:
    name = f"{place[1]}.{place[2]}"
    if name not in values:
        raise ComponentError(f"the recipe of {recipe['service']!r} has no value for {{{{{name}}}}}")
    return values[name]


def _base_url(recipe: dict[str, Any], values: dict[str, str]) -> str:
    """Fill the base URL; a value in it must not be able to move the request to another host."""

    def part(place: re.Match[str]) -> str:
        value = _value(recipe, values, place)
        if not _HOST_PART.fullmatch(value):
            raise ComponentError(
                f"the credential {place[2]!r} is part of the service's address, so it may hold letters, "
                "digits and hyphens only"
            )
        return value

    return _PLACE.sub(part, recipe["base_url"]).rstrip("/")


def _header(name: str, value: str) -> str:
    basic = _BASIC.fullmatch(value)
    if basic:  # RFC 7617 wants user and password in base64, which has no colon
        return "Basic " + base64.b64encode(basic[1].encode()).decode()
    if not _HEADER_VALUE.fullmatch(value):
        raise ComponentError(
            f"the secret for the header {name} has a line break or another character that no header can carry; "
            "push it again without"
        )
    return value


def _segment(name: str, value: str) -> str:
    if value in {"", ".", ".."}:
        raise ComponentError(f"the secret for {{{name}}} in the path is empty or only dots")
    return quote(value, safe="")
