"""Setting up a service: which secrets it takes, and the errors of what is missing."""

from __future__ import annotations

from collections.abc import Mapping

from .config import Settings
from .errors import ArcrunError, InvalidArgumentError, MissingSecretError
from .injection import Injection
from .memory import Memory
from .names import credential_name, nearest, variable
from .origins import OWN, SHIPPED, check_origins, origin_of
from .placeholders import render_base_url
from .recipe import AssertionGrant, Recipe
from .secret import Secret
from .tokens import read_account


def checked_values(recipe: Recipe, given: Mapping[str, Secret | None]) -> dict[str, Secret]:
    """Return the secrets if a bound client could use them.

    Args:
        recipe: the service's recipe.
        given: the arguments of `setup`; None where one is not non-empty text.

    Raises:
        InvalidArgumentError: one is missing, unknown or empty, or has characters that its place in
            the request can't carry.
    """
    _check_keys(recipe, given)
    values = {key: value for key, value in given.items() if value is not None}
    render_base_url(recipe.base_url, values)
    Injection(recipe.inject.with_values(values), values, token=Secret("token"))
    if isinstance(recipe.grant, AssertionGrant):
        read_account(values[recipe.grant.account_key])
    return values


def add_stored(error: ArcrunError, service: str, stored: list[str]) -> None:
    """Add to an error of `setup` which credentials were stored before it."""
    error.stored = tuple(stored)
    names = ", ".join(stored) or "nothing"
    error.args = (
        f"{error}; stored before: {names}. Call auth.setup({service!r}) again to complete it",
    )


def missing_secrets(service: str, account: str | None, keys: list[str]) -> MissingSecretError:
    """Return the error that names the secrets that were not found, and how to give them."""
    names = [credential_name(key, account) for key in keys]
    arguments = ", ".join(f"{key}=…" for key in keys)
    of_account = f", account={account!r}" if account else ""
    error = MissingSecretError(
        f"{service!r} needs {', '.join(names)}: call client.auth.setup({service!r}{of_account}, "
        f"{arguments}), or set {', '.join(variable(name) for name in names)}"
    )
    error.missing = tuple(names)
    return error


def pin(recipe: Recipe, memory: Memory) -> None:
    """Remember where a service of the user's own sends its secrets, as seen at set-up."""
    service = recipe.service
    if service not in SHIPPED and service not in OWN:
        found = [origin_of(url) for url in (recipe.base_url.text, recipe.token_endpoint) if url]
        pins = [origin for origin in found if origin and origin.startswith("https:")]
        memory.pinned[service] = tuple(pins)


def pinned_origins(recipe: Recipe, settings: Settings, memory: Memory) -> tuple[str, ...]:
    """Return the origins that a service's secrets may go to."""
    service = recipe.service
    if service in OWN:
        return (settings.origin,)
    return SHIPPED.get(service) or memory.pinned.get(service, ())


def check_before_secrets(recipe: Recipe, pinned: tuple[str, ...], trusted: str | None) -> None:
    """Refuse a recipe that leads elsewhere before any secret is looked for.

    Only where an origin is pinned: for other services a missing secret is the first thing to say.

    Raises:
        RecipeOriginError: an origin is neither pinned nor trusted.
    """
    if pinned and recipe.base_url.is_constant:
        check_origin(recipe, recipe.base_url.text, pinned, trusted)


def check_origin(
    recipe: Recipe, base_url: str, pinned: tuple[str, ...], trusted: str | None
) -> str:
    """Return the origin of a recipe's requests, if the service's secrets may go there.

    Raises:
        RecipeOriginError: it, or the token endpoint's, is neither pinned nor trusted.
    """
    service, endpoint = recipe.service, recipe.token_endpoint
    if endpoint is not None:
        check_origins(service, endpoint, endpoint, pinned=pinned, trusted=trusted)
    return check_origins(service, recipe.base_url.text, base_url, pinned=pinned, trusted=trusted)


def _check_keys(recipe: Recipe, given: Mapping[str, Secret | None]) -> None:
    """Compare the keys that `setup` was given with those that the recipe takes."""
    service, known = recipe.service, [*recipe.required_keys, *recipe.optional_keys]
    missing = [key for key in recipe.required_keys if key not in given]
    if missing:
        help_urls = {secret["key"]: secret.get("help_url", "") for secret in recipe.secrets}
        listed = [f"{key} ({help_urls[key]})" if help_urls[key] else key for key in missing]
        raise InvalidArgumentError(f"auth.setup({service!r}) also needs: {', '.join(listed)}")
    for key, value in given.items():
        if key not in known:
            raise InvalidArgumentError(
                f"auth.setup({service!r}) takes no secret {key!r}{nearest(key, known)}; it takes "
                f"{', '.join(known)}"
            )
        if value is None:
            raise InvalidArgumentError(f"auth.setup({service!r}): {key} must be non-empty text")
