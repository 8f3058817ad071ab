"""How the recipe of a shipped service differs from the one that the SDK knows.

On some engines anyone can rewrite a recipe. The right origin alone is not enough: in the path could be
another's account, and in the query another service's secret (docs/contract.md#known-recipes).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .origins import origin_of
from .placeholders import Template, uniform
from .recipe import Recipe

if TYPE_CHECKING:
    from .known_recipes import KnownRecipe

_LONGEST = 160  # characters of a recipe that an error message repeats

# Who asks, by which way, and for what: no known recipe sets these without a secret.
_FORBIDDEN = frozenset({
    *("authorization", "cookie", "host", "forwarded", "via", "x-real-ip"),
    *("x-http-method", "x-http-method-override", "x-method-override"),
})  # fmt: skip
_FORBIDDEN_PREFIXES = ("proxy-", "x-forwarded-")


def difference(recipe: Recipe, known: KnownRecipe) -> str | None:
    """Return how a recipe uses secrets differently than the known one; None if it does not.

    Its URLs are not compared here. Headers without a secret may differ: they are versions and the like.
    """
    inject = recipe.inject
    signed = {name: item for name, item in inject.header.items() if not item.is_constant}
    for name in inject.header:
        if name not in signed and _is_forbidden(name, known):
            return f"inject.header sets {shown(name)}"
    sections: dict[str, Mapping[str, object]] = {
        "header": signed,
        "query": inject.query,
        "path": inject.path,
        "body": {**inject.body, **inject.body_constants},
    }
    for section, found in sections.items():
        expected = known.inject.get(section, {})
        if _comparable(section, found) != _comparable(section, expected):
            if not found:
                return f"inject.{section} has nothing"
            names = ", ".join(found)
            return f"inject.{section} has {shown(names)}, or templates that are not the known ones"
    primitive = "service_account" if known.token_endpoint else "static_key"
    if recipe.primitive != primitive:
        return f"the primitive is {shown(recipe.primitive)}, not {primitive!r}"
    keys = [secret["key"] for secret in recipe.secrets]
    if sorted(keys) != sorted(known.keys):
        return (
            f"required_secrets has the keys {shown(', '.join(keys))}, not {', '.join(known.keys)}"
        )
    return None


def is_same_url(found: str, expected: str) -> bool:
    """Tell whether two URLs of recipes are the same, whatever the form of the origin."""
    return (origin_of(found), _path(found)) == (origin_of(expected), _path(expected))


def shown(text: str) -> str:
    """Return a part of a recipe as an error message shows it."""
    return repr(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def _path(url: str) -> str:
    """Return what follows the origin, without a slash at its end."""
    return re.sub(r"\A[^/?#]*//[^/?#]*", "", uniform(url)).rstrip("/")


def _is_forbidden(name: str, known: KnownRecipe) -> bool:
    lower = name.lower()
    own = {each.lower() for each in known.inject.get("header", {})}
    return lower in _FORBIDDEN | own or lower.startswith(_FORBIDDEN_PREFIXES)


def _comparable(section: str, entries: Mapping[str, object]) -> list[tuple[str, object]]:
    """Return names and templates in one form; as a list, since names may differ in case only."""

    def text(item: object) -> object:
        written = item.text if isinstance(item, Template) else item
        return uniform(written) if isinstance(written, str) else written

    is_header = section == "header"
    found = [(name.lower() if is_header else name, text(item)) for name, item in entries.items()]
    return sorted(found, key=repr)
