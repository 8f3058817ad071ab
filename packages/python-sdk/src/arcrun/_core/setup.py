"""Setting a service up and binding it: what is checked, pinned and said on the way."""

from __future__ import annotations

from collections.abc import Mapping

from . import placeholders
from .config import Settings
from .errors import ArcrunError, MissingSecretError
from .injection import Injection
from .memory import Memory
from .names import credential_name, variable
from .origins import OWN, SHIPPED, check_origins, origin_of
from .recipe import check_secrets, injected, required_keys
from .secret import Secret
from .tokens import endpoint_of, read_account
from .types import AuthRecipe


def checked_values(recipe: AuthRecipe, given: Mapping[str, Secret | None]) -> dict[str, Secret]:
    """Return the secrets if a bound client could use them.

    Raises:
        InvalidArgumentError: one is missing, unknown, empty, or can't stand where it belongs.
    """
    check_secrets(recipe, given)
    values = {key: value for key, value in given.items() if value is not None}
    placeholders.render_base_url(recipe["base_url"], values)
    Injection(injected(recipe, values), values, token=Secret("token"))
    if recipe["primitive"] == "service_account":
        read_account(values[required_keys(recipe)[0]])
    return values


def say_what_was_stored(error: ArcrunError, service: str, stored: list[str]) -> None:
    """Add to an error of `setup` what was stored before it."""
    error.stored = tuple(stored)
    done = ", ".join(stored) or "nothing"
    error.args = (f"{error}; stored before: {done}. auth.setup({service!r}) again completes it",)


def missing(service: str, account: str | None, keys: list[str]) -> MissingSecretError:
    """Make the error that names the secrets that were found nowhere, and how to give them."""
    names = [credential_name(key, account) for key in keys]
    given = ", ".join(f"{key}=…" for key in keys)
    whose = f", account={account!r}" if account else ""
    error = MissingSecretError(
        f"{service!r} needs {', '.join(names)}: run client.auth.setup({service!r}{whose}, {given}), or "
        f"set {', '.join(variable(name) for name in names)}"
    )
    error.missing = tuple(names)
    return error


def pin(recipe: AuthRecipe, memory: Memory) -> None:
    """Remember where a service of the user's own sends its secrets, as seen at set-up."""
    service = recipe["service"]
    if service not in SHIPPED and service not in OWN:
        found = [origin_of(url) for url in (recipe["base_url"], endpoint_of(recipe)) if url]
        pins = [origin for origin in found if origin and origin.startswith("https:")]
        memory.pinned[service] = tuple(pins)


def pinned_origins(recipe: AuthRecipe, settings: Settings, memory: Memory) -> tuple[str, ...]:
    """Return the origins that a service's secrets may go to."""
    service = recipe["service"]
    if service in OWN:
        return (settings.origin,)
    return SHIPPED.get(service) or memory.pinned.get(service, ())


def check_before_secrets(recipe: AuthRecipe, pinned: tuple[str, ...], trusted: str | None) -> None:
    """Refuse a recipe that leads elsewhere before any secret is looked for.

    Only where an origin is pinned: for other services a missing secret is the first thing to say.

    Raises:
        RecipeOriginError: an origin is neither pinned nor trusted.
    """
    if pinned and placeholders.is_constant(recipe["base_url"]):
        check_origin(recipe, recipe["base_url"], pinned, trusted)


def check_origin(
    recipe: AuthRecipe, base_url: str, pinned: tuple[str, ...], trusted: str | None
) -> str:
    """Return the origin of a recipe's requests, if the service's secrets may go there.

    Raises:
        RecipeOriginError: it, or the token endpoint's, is neither pinned nor trusted.
    """
    service, endpoint = recipe["service"], endpoint_of(recipe)
    if endpoint is not None:
        check_origins(service, endpoint, endpoint, pinned=pinned, trusted=trusted)
    return check_origins(service, recipe["base_url"], base_url, pinned=pinned, trusted=trusted)
