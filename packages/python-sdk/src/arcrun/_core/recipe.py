"""Auth recipes: which secrets they need, and whether those given fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from . import placeholders
from .errors import ConfigurationError, InvalidArgumentError, UnexpectedResponseError
from .names import check_credential, nearest
from .secret import Secret
from .shapes import is_mapping, is_text, json_list, json_object, objects
from .types import AuthRecipe

_PRIMITIVES = frozenset({"static_key", "service_account", "oauth2"})


def check_recipe(recipe: Mapping[str, Any], service: str) -> AuthRecipe:
    """Return an engine's recipe if it has the shape that the contract promises."""
    secrets, inject = recipe.get("required_secrets"), json_object(recipe.get("inject") or {})
    sound = (
        recipe.get("service") == service
        and is_text(recipe.get("base_url"))
        and secrets == json_list(secrets) == objects(secrets)
        and all(is_text(secret.get("key")) for secret in objects(secrets))
        and inject is not None
        and all(is_mapping(names) for names in inject.values())
    )
    if not sound:
        raise UnexpectedResponseError(
            f"the engine's recipe for {service!r} lacks service, base_url, required_secrets or inject "
            "in the form of CONTRACT.md §4"
        )
    found = cast("AuthRecipe", recipe)
    for key in required_keys(found) + optional_keys(found):
        check_credential(key)
    return found


def check_primitive(recipe: AuthRecipe) -> None:
    """Refuse recipes that this SDK cannot bind."""
    if recipe["primitive"] not in _PRIMITIVES:
        raise ConfigurationError(
            f"{recipe['service']!r} signs in by {recipe['primitive']!r}, which this SDK cannot do"
        )


def required_keys(recipe: AuthRecipe) -> list[str]:
    """List the keys of the secrets that must be given."""
    return [s["key"] for s in recipe["required_secrets"] if not s.get("optional")]


def optional_keys(recipe: AuthRecipe) -> list[str]:
    """List the keys of the secrets that may be given."""
    return [s["key"] for s in recipe["required_secrets"] if s.get("optional")]


def keys_used(recipe: AuthRecipe) -> list[str]:
    """List the keys of the secrets that a bound client uses, without repetition."""
    keys = [key for template in _templates(recipe) for key in placeholders.secret_keys(template)]
    if recipe["primitive"] == "service_account":
        keys += required_keys(recipe)[:1]
    elif recipe["primitive"] == "oauth2" and refresh_key(recipe):
        keys += [str(refresh_key(recipe))]
    return list(dict.fromkeys(keys))


def refresh_key(recipe: AuthRecipe) -> str | None:
    """Name the secret that is an oauth2 recipe's refresh token."""
    named = placeholders.secret_keys((recipe.get("oauth2") or {}).get("refresh_token", ""))
    ending = [key for key in required_keys(recipe) if key.endswith("refresh_token")]
    return next(iter(named + ending), None)


def injected(recipe: AuthRecipe, values: Mapping[str, Secret]) -> dict[str, dict[str, Any]]:
    """Return the recipe's `inject`, without what (optional) secrets would fill that are not given."""
    return {
        section: {
            name: template
            for name, template in names.items()
            if all(key in values for key in placeholders.secret_keys(str(template)))
        }
        for section, names in (recipe.get("inject") or {}).items()
    }


def check_secrets(recipe: AuthRecipe, secrets: Mapping[str, Secret | None]) -> None:
    """Compare what `setup` was given with what the recipe needs.

    Raises:
        InvalidArgumentError: secrets are missing, unknown, empty or no text.
    """
    service, known = recipe["service"], required_keys(recipe) + optional_keys(recipe)
    missing = [key for key in required_keys(recipe) if key not in secrets]
    if missing:
        helps = {s["key"]: s.get("help_url", "") for s in recipe["required_secrets"]}
        needed = ", ".join(f"{key} ({helps[key]})" if helps[key] else key for key in missing)
        raise InvalidArgumentError(f"auth.setup({service!r}) needs also: {needed}")
    for key in secrets:
        if key not in known:
            raise InvalidArgumentError(
                f"auth.setup({service!r}) knows no secret {key!r}{nearest(key, known)}; "
                f"it takes {', '.join(known)}"
            )
        if secrets[key] is None:
            raise InvalidArgumentError(f"auth.setup({service!r}): {key} must be non-empty text")


def _templates(recipe: AuthRecipe) -> Iterator[str]:
    yield recipe["base_url"]
    for names in (recipe.get("inject") or {}, {"oauth2": recipe.get("oauth2") or {}}):
        for values in names.values():
            yield from (value for value in values.values() if is_text(value))


def token_key(recipe: AuthRecipe) -> str:
    """Name the one secret that a static_key recipe injects.

    Raises:
        InvalidArgumentError: there are several, so there is no one token.
    """
    found = [
        key
        for names in (recipe.get("inject") or {}).values()
        for template in names.values()
        for key in placeholders.secret_keys(str(template))
    ]
    keys = list(dict.fromkeys(found))
    if len(keys) != 1:
        raise InvalidArgumentError(
            f"{recipe['service']!r} signs in with {len(keys)} secrets ({', '.join(keys)}), so it has no "
            f"one token: use client.auth.bind({recipe['service']!r})"
        )
    return keys[0]
