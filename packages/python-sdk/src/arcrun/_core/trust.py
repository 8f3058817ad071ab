"""Who may receive a secret. Every decision about sending the API key or a secret is made here.

- The API key goes to the engine only: `api_key_for` decides for each request, and the SDK follows no
  redirect with it.
- A service's secrets go to one origin, which `check_origins` returns when a client is bound;
  `may_receive_secrets` compares each outgoing request with it. Which origins are right is the SDK's
  own knowledge, not what the engine says: on the deployed engine anyone can rewrite a recipe, and
  with it where the secrets go (docs/contract.md#pinned-origins).
- The recipe of a shipped service must have the shape that the SDK knows, which `check_recipe`
  compares: with the right origin alone, the path could still be that of another's account.
- A recipe gets only secrets that `may_use` lets it have: those of its own service.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .advice import advised
from .config import Settings
from .errors import (
    ConfigurationError,
    InsecureTransportError,
    RecipeChangedError,
    RecipeOriginError,
)
from .memory import Memory
from .origins import is_secure, origin_of
from .request import KeyUse
from .secret import Secret
from .shapes import is_text

ENGINE_URL = "{{engine.url}}"  # in known recipes: the client's base URL
if TYPE_CHECKING:
    from .known_recipes import KnownRecipe
    from .recipe import Recipe

_ORIGIN = r"(?ai)https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?/?"


def api_key_for(use: KeyUse, settings: Settings, *, allow_insecure_http: bool) -> Secret | None:
    """Return the API key if a request may carry it.

    Args:
        use: `required`: the request needs the key; `optional`: it is sent where there is one and no
            one else can read it; `none`: it is never sent.
        settings: the client's settings.
        allow_insecure_http: whether the user accepts that others on the network can read the key.

    Raises:
        ConfigurationError: the key is required, and there is none.
        InsecureTransportError: the key is required, and would go over plain http to another machine.
    """
    if use == "required":
        return require_api_key(settings, allow_insecure_http=allow_insecure_http)
    if use == "optional" and (allow_insecure_http or is_secure(settings.origin)):
        return settings.api_key
    return None


def require_api_key(settings: Settings, *, allow_insecure_http: bool) -> Secret:
    """Return the API key, if there is one and it may be sent to the engine.

    Raises:
        ConfigurationError: there is no key.
        InsecureTransportError: it would go over plain http to another machine.
    """
    if settings.api_key is None:
        problem = "this call needs an API key"
        error = ConfigurationError(
            f"{problem}: pass Arcrun(api_key=…), set ARCRUN_API_KEY, or write "
            "`api_key: ak_…` to ~/.arcrun/config.yaml; keys come from https://arcrun.dev"
        )
        raise advised(error, problem, "api_key")
    if not (allow_insecure_http or is_secure(settings.origin)):
        problem = (
            f"{settings.base_url} is plain http: anyone on the network could read your API key, which "
            "opens every credential. Use https"
        )
        refused = InsecureTransportError(f"{problem}, or pass allow_insecure_http=True")
        raise advised(refused, problem, "allow_insecure_http")
    return settings.api_key


def check_trust_origin(trust_origin: str | None) -> str | None:
    """Return the origin that the user named, in the form that `origin_of` returns.

    Raises:
        RecipeOriginError: it is not an origin, or is plain http to a host other than loopback.
    """
    if trust_origin is None:
        return None
    fits = is_text(trust_origin) and re.fullmatch(_ORIGIN, trust_origin)
    origin = origin_of(trust_origin) if fits else None
    if origin is None:
        raise RecipeOriginError(
            f"trust_origin={trust_origin!r} is not an origin: write scheme, host and port only, "
            'such as "https://api.example.com"'
        )
    if not is_secure(origin):
        raise RecipeOriginError(
            f"trust_origin={trust_origin!r} is not https: secrets are sent over plain http to "
            "loopback only"
        )
    return origin


def known_recipes() -> dict[str, KnownRecipe]:
    """Return what the SDK knows of the shipped services; loaded when it is first needed."""
    from .known_recipes import KNOWN

    return KNOWN


def known_origins(service: str, settings: Settings, memory: Memory) -> tuple[str, ...]:
    """Return the origins that are known to be the service's own: for requests, then for tokens."""
    known = known_recipes().get(service)
    if known is None:
        return memory.pinned.get(service, ())
    urls = (known.base_url.replace(ENGINE_URL, settings.base_url), known.token_endpoint)
    return tuple(origin for url in urls if url and (origin := origin_of(url)))


def pin_origins(recipe: Recipe, memory: Memory) -> None:
    """Remember the origins of a service that the SDK does not know, as seen at setup."""
    if recipe.service not in known_recipes():
        urls = (recipe.base_url.text, recipe.token_endpoint)
        found = [origin_of(url) for url in urls if url]
        https = [origin for origin in found if origin and origin.startswith("https:")]
        memory.pinned[recipe.service] = tuple(https)


def may_use(service: str, key: str, stored_for: str | None, *, trust_recipe: bool) -> bool:
    """Tell whether a service's recipe may use a secret.

    A secret serves the service that it was stored for, and the shipped services that are known to
    sign in with its key. One that was stored without a service, under another key, serves a service
    only if the user trusts its recipe.

    Args:
        service: whose recipe asks for the secret.
        key: the key by which the recipe names it.
        stored_for: the service that it was stored for, if one was said.
        trust_recipe: whether the user said that the recipe is right.
    """
    recipes = known_recipes()
    if stored_for == service or (service in recipes and key in recipes[service].keys):
        return True
    # In the form of variables: one of them holds `a_token` and `A_Token`; `a_token__x` is an account's.
    own = key.lower().partition("__")[0]
    belongs_elsewhere = stored_for or any(own in known.keys for known in recipes.values())
    return trust_recipe and not belongs_elsewhere


def check_recipe(recipe: Recipe, settings: Settings) -> None:
    """Check that a shipped service's recipe is the one that the SDK knows.

    Origins are compared by `check_origins`: at an origin that only the user knows, the path may be
    another one too, but no other secret stands in it.

    Raises:
        RecipeChangedError: it is not.
    """
    from .placeholders import Template
    from .recipe_shape import difference, is_same_url, shown

    known = known_recipes().get(recipe.service)
    if known is None:
        return
    base_url, written = known.base_url.replace(ENGINE_URL, settings.base_url), recipe.base_url
    found = difference(recipe, known)
    if not set(written.secret_keys) <= set(Template(base_url).secret_keys):
        found = f"base_url holds another secret: {shown(written.text)}"
    urls = [(written.text, base_url)]
    if recipe.token_endpoint and known.token_endpoint:
        urls.append((recipe.token_endpoint, known.token_endpoint))
    known_origins = {origin_of(expected) for _, expected in urls}
    for url, expected in urls:
        if origin_of(url) in known_origins and not is_same_url(url, expected):
            found = f"it has the URL {shown(url)}, not {expected!r}"
    if found:
        raise RecipeChangedError(
            f"the auth recipe of {recipe.service!r} is not the one that the SDK knows: {found}. Secrets "
            "could go to someone else with it, so none was used. If you know that it is right, say so: "
            f"bind({recipe.service!r}, trust_recipe=True)"
        )


def check_before_secrets(recipe: Recipe, known: tuple[str, ...], trusted: str | None) -> None:
    """Refuse a recipe that leads elsewhere before any secret is looked for.

    Only where origins are known: for other services a missing secret is reported first.

    Raises:
        RecipeOriginError: an origin is neither known nor trusted.
    """
    if known and recipe.base_url.is_constant:
        check_origins(recipe, recipe.base_url.text, known, trusted)


def check_origins(
    recipe: Recipe, base_url: str, known: tuple[str, ...], trusted: str | None
) -> str:
    """Return the origin of a recipe's requests, if the service's secrets may be sent there.

    Args:
        recipe: the service's recipe.
        base_url: its base URL with the placeholders filled in.
        known: the origins known to be the service's own, as recipes write them.
        trusted: the origin that the user named, as `check_trust_origin` returned it.

    Raises:
        RecipeOriginError: it, or the token endpoint's, is neither known nor trusted.
    """
    if recipe.token_endpoint is not None:
        _check_origin(recipe.service, recipe.token_endpoint, recipe.token_endpoint, known, trusted)
    return _check_origin(recipe.service, recipe.base_url.text, base_url, known, trusted)


def may_receive_secrets(origin: str, allowed: str) -> bool:
    """Tell whether a request of a bound client may carry the service's secrets.

    This is asked for every request that leaves: the user may pass an absolute URL, and httpx follows
    redirects by sending another request.

    Args:
        origin: where the request goes.
        allowed: the origin that `check_origins` returned.
    """
    return origin == allowed


def _check_origin(
    service: str, written: str, rendered: str, known: tuple[str, ...], trusted: str | None
) -> str:
    """Return the origin of a URL of a recipe, given with and without placeholders, if it is right."""
    origin = origin_of(rendered)
    if origin is None or re.search("[?#]", written):
        raise RecipeOriginError(
            f"the auth recipe of {service!r} has a URL that the SDK sends no secrets to: {written!r}"
        )
    # Compared as written: `evil.atlassian.net` is not `{{secret.jira_domain}}.atlassian.net`.
    if origin == trusted or origin_of(written) in known:
        return origin
    expected = (
        f"expected {', '.join(known)}" if known else "the SDK knows no origin of this service"
    )
    raise RecipeOriginError(
        f"the auth recipe of {service!r} would send its secrets to {origin} ({expected}). If that "
        f"origin is correct, name it: bind({service!r}, trust_origin={origin!r}); for a service of "
        "your own, auth.setup() in the same client remembers it"
    )
