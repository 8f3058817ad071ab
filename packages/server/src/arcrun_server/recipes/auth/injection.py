"""What an auth recipe adds to a request, filled with an account's secrets (docs/contract.md#auth-recipes)."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from arcrun_server.engine import ComponentError
from arcrun_server.engine.placeholders import fill_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arcrun_server.engine.placeholders import Placeholder

ACCESS_TOKEN = "runtime.access_token"  # noqa: S105 - the name of a placeholder
_NAME = re.compile(r"(secret|runtime)\.[A-Za-z0-9_]+")
_HOST_PART = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
_BASIC_SCHEME = "Basic "
_BASIC = re.compile(r"basic (.*:.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, repr=False)
class Injection:
    """What a recipe adds to a request.

    Args:
        base_url: The service's URL.
        headers: Headers to set.
        query: Parameters to add.
        path: Values for the `{name}` parts of the URL, percent-encoded.
        body: Fields to add to the body.
        secrets: Everything in it that must not be shown, in the forms that encoding gives it.
    """

    base_url: str
    headers: dict[str, str]
    query: dict[str, str]
    path: dict[str, str]
    body: dict[str, str]
    secrets: tuple[str, ...]


def fill_injection(recipe: dict[str, Any], values: dict[str, str]) -> Injection:
    """Fill the templates of an auth recipe.

    Args:
        recipe: The auth recipe.
        values: The values, by the names of their placeholders: `secret.KEY`, `runtime.access_token`.

    Raises:
        ComponentError: A value is missing, or can't stand where the recipe puts it.
    """

    def missing(placeholder: Placeholder) -> str:
        raise ComponentError(
            f"the recipe of {recipe['service']!r} has no value for {{{{{placeholder.name}}}}}"
        )

    def filled(part: str) -> dict[str, str]:
        templates: dict[str, str] = recipe.get("inject", {}).get(part, {})
        return {name: fill_secrets(text, values, missing) for name, text in templates.items()}

    headers = {name: _header(name, value) for name, value in filled("header").items()}
    encoded = [value[len(_BASIC_SCHEME) :] for value in headers.values() if _is_basic(value)]
    return Injection(
        base_url=_base_url(recipe["base_url"], values, missing),
        headers=headers,
        query=filled("query"),
        path={name: _segment(name, value) for name, value in filled("path").items()},
        body=filled("body"),
        secrets=(*values.values(), *encoded),
    )


def fill_secrets(
    template: str, values: Mapping[str, str], missing: Callable[[Placeholder], str]
) -> str:
    """Fill `{{secret.KEY}}` and `{{runtime.NAME}}` in a template; all else stays as it is written.

    Args:
        template: The template.
        values: The values, by the names of their placeholders.
        missing: Returns what stands for a missing value.
    """

    def look_up(placeholder: Placeholder) -> str | None:
        if not _NAME.fullmatch(placeholder.name):
            return placeholder.source
        return values.get(placeholder.name)

    return fill_text(template, look_up, missing)


def _base_url(template: str, values: dict[str, str], missing: Callable[[Placeholder], str]) -> str:
    """Fill the base URL; a value in it must not be able to move the request to another host."""

    def look_up(placeholder: Placeholder) -> str | None:
        if not _NAME.fullmatch(placeholder.name):
            return placeholder.source
        value = values.get(placeholder.name)
        if value is not None and not _HOST_PART.fullmatch(value):
            raise ComponentError(
                f"the credential {placeholder.path[1]!r} is part of the service's address, so it may hold "
                "letters, digits and hyphens only"
            )
        return value

    return fill_text(template, look_up, missing).rstrip("/")


def _header(name: str, value: str) -> str:
    basic = _BASIC.fullmatch(value)
    if basic:  # RFC 7617 wants user and password in base64, which has no colon
        return _BASIC_SCHEME + base64.b64encode(basic[1].encode()).decode()
    if not _HEADER_VALUE.fullmatch(value):
        raise ComponentError(
            f"the secret for the header {name} has a line break or another character that no header can carry; "
            "push it again without"
        )
    return value


def _is_basic(header: str) -> bool:
    return header.lower().startswith(_BASIC_SCHEME.lower())


def _segment(name: str, value: str) -> str:
    if value in {"", ".", ".."}:
        raise ComponentError(f"the secret for {{{name}}} in the path is empty or only dots")
    return quote(value, safe="")
