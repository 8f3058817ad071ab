"""Setting up a service: which secrets it takes, and the errors of what is missing."""

from __future__ import annotations

from collections.abc import Mapping

from .advice import advised
from .errors import ArcrunError, InvalidArgumentError, MissingSecretError
from .injection import Injection
from .names import can_be_credential, credential_name, nearest, variable
from .placeholders import render_base_url
from .recipe import AssertionGrant, Recipe
from .secret import Secret
from .shapes import is_mapping
from .tokens import read_account

Given = list[tuple[str, Secret | None]]


def wrapped(secrets: object, more: Mapping[str, object]) -> Given | None:
    """Wrap the secrets that `setup` was given: pairs of key and secret, None where it is no text.

    A key that can't be the name of a credential may be a secret in its place: it becomes empty.
    Never raises for what was given (None stands for secrets that are not a mapping), so that the
    caller can let go of the texts before any error: tools print the local variables of an error's
    frames, and the caller's frame is among them.
    """
    if secrets is not None and not is_mapping(secrets):
        return None
    return [
        (key if can_be_credential(key) else "", Secret.of(text))
        for texts in (secrets or {}, more)
        for key, text in texts.items()
    ]


def non_empty(service: str, given: Given | None) -> dict[str, Secret]:
    """Return the secrets that `setup` was given, by key.

    Raises:
        InvalidArgumentError: they are not a mapping, one was given twice, or is not non-empty text.
    """
    values: dict[str, Secret] = {}
    problem = "secrets must be a mapping from keys to texts" if given is None else ""
    for key, value in given or ():
        if not key:
            problem = "a key of secrets can't be the name of a credential; is it the secret itself?"
        elif key in values:
            problem = problem or f"{key!r} was given twice"
        elif value is None:
            problem = problem or f"{key} must be non-empty text"
        else:
            values[key] = value
    if problem:
        raise advised(
            InvalidArgumentError(f"auth.setup({service!r}): {problem}"), f"{service}: {problem}"
        )
    return values


def check_values(recipe: Recipe, values: Mapping[str, Secret]) -> None:
    """Check that a bound client could use the secrets that `setup` was given.

    Args:
        recipe: the service's recipe.
        values: the secrets, by key.

    Raises:
        InvalidArgumentError: one is missing or unknown, or has characters that its place in the
            request can't carry.
    """
    _check_keys(recipe, values)
    render_base_url(recipe.base_url, values)
    Injection(recipe.inject.with_values(values), values, token=Secret("token"))
    if isinstance(recipe.grant, AssertionGrant):
        read_account(values[recipe.grant.account_key])


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
    problem = f"{service!r} needs {', '.join(names)}, which are not stored"
    return advised(error, problem, "auth.setup", (service,))


def refused_secret(service: str, name: str, stored_for: str | None) -> MissingSecretError:
    """Return the error for a secret that is there, and that a service's recipe may not use."""
    where = f"stored for {stored_for!r}" if stored_for else "stored without a service"
    trust = "" if stored_for else f", or trust the recipe: bind({service!r}, trust_recipe=True)"
    error = MissingSecretError(
        f"the auth recipe of {service!r} asks for {name!r}, which is {where}: a secret serves its own "
        f"service only. If it is for {service!r}, store it for it: client.auth.setup({service!r}, …), or "
        f"client.creds.push({name!r}, …, service={service!r}){trust}"
    )
    error.missing = (name,)
    problem = f"the auth recipe of {service!r} asks for {name!r}, which is {where}: a secret serves its own service only"
    return advised(error, problem, "auth.setup", (service,))


def _check_keys(recipe: Recipe, given: Mapping[str, Secret]) -> None:
    """Compare the keys that `setup` was given with those that the recipe takes."""
    service, known = recipe.service, [*recipe.required_keys, *recipe.optional_keys]
    unknown = [key for key in given if key not in known]
    if unknown and any(value.reveal() in known for value in given.values()):
        raise InvalidArgumentError(
            f"auth.setup({service!r}): a key stands where its secret should be; write secrets={{KEY: "
            "SECRET}"
        )
    for key in unknown:
        problem = f"takes no secret {key!r}{nearest(key, known)}; it takes {', '.join(known)}"
        error = InvalidArgumentError(f"auth.setup({service!r}) {problem}")
        raise advised(error, f"{service!r} {problem}")
    missing = [key for key in recipe.required_keys if key not in given]
    if missing:
        help_urls = {secret["key"]: secret.get("help_url", "") for secret in recipe.secrets}
        listed = [f"{key} ({help_urls[key]})" if help_urls[key] else key for key in missing]
        problem = f"also needs: {', '.join(listed)}"
        error = InvalidArgumentError(f"auth.setup({service!r}) {problem}")
        raise advised(error, f"{service!r} {problem}")
