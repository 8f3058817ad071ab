"""Access tokens: the request that fetches one, and the answer read (CONTRACT.md §4)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from . import placeholders
from .errors import InvalidArgumentError, TokenExchangeError, UnexpectedResponseError
from .recipe import refresh_key, required_keys
from .secret import Secret, blank_out
from .shapes import is_number, is_text, json_object, text
from .types import AuthRecipe

REFRESH_BEFORE = 60.0  # seconds before a token expires in which a new one is fetched
LIFETIME = 3600  # seconds: the longest that Google takes for an assertion
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Token:
    """An access token, and until when it may be used (on the clock of `time.monotonic`)."""

    __slots__ = ("access", "refresh", "use_until")

    def __init__(self, access: Secret, use_until: float, refresh: Secret | None) -> None:
        self.access = access
        self.use_until = use_until
        self.refresh = refresh


def endpoint_of(recipe: AuthRecipe) -> str | None:
    """Return the token endpoint that the recipe names, if its primitive has one."""
    if recipe["primitive"] == "service_account":
        endpoint = (recipe.get("token_exchange") or {}).get("endpoint")
    elif recipe["primitive"] == "oauth2":
        endpoint = (recipe.get("oauth2") or {}).get("token_endpoint")
    else:
        return None
    if not isinstance(endpoint, str):
        raise UnexpectedResponseError(
            f"the recipe of {recipe['service']!r} names no token endpoint"
        )
    return endpoint


def token_form(
    recipe: AuthRecipe, endpoint: str, values: Mapping[str, Secret], now: float
) -> Secret:
    """Write the form that the token endpoint takes.

    Args:
        recipe: the service's recipe.
        endpoint: the token endpoint.
        values: the plaintexts, by key.
        now: Unix seconds.

    Raises:
        InvalidArgumentError: the service account's key file is none.
        UnexpectedResponseError: the recipe lacks something.
    """
    if recipe["primitive"] == "service_account":
        account = read_account(values[required_keys(recipe)[0]])
        scopes = (recipe.get("token_exchange") or {}).get("scopes") or []
        form = {"grant_type": _GRANT, "assertion": assertion(account, endpoint, scopes, now)}
    else:
        form = _refresh_form(recipe, values)
    return Secret(urlencode(form))


def read_account(text: Secret) -> dict[str, str]:
    """Read a service account's key file.

    Raises:
        InvalidArgumentError: it is not the JSON of one.
    """
    try:
        content: Any = json.loads(text.reveal())
    except ValueError:
        content = None
    account = json_object(content) or {}
    if all(is_text(account.get(key)) for key in ("client_email", "private_key")):
        return account
    raise InvalidArgumentError(
        "the service account must be the text of its JSON key file, with client_email and "
        "private_key (Google Cloud console → IAM → Service accounts → Keys)"
    )


def assertion(account: Mapping[str, str], audience: str, scopes: list[str], now: float) -> str:
    """Sign the JWT (RS256) that a service account proves itself with.

    Raises:
        InvalidArgumentError: the private key is no RSA key in PEM.
    """
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    header = {"alg": "RS256", "typ": "JWT"}
    if account.get("private_key_id"):
        header["kid"] = account["private_key_id"]
    claims = {
        "iss": account["client_email"],
        "scope": " ".join(scopes),
        "aud": audience,
        "iat": int(now),
        "exp": int(now) + LIFETIME,
    }
    signed = f"{_part(json.dumps(header).encode())}.{_part(json.dumps(claims).encode())}"
    try:
        key = load_pem_private_key(account["private_key"].encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise InvalidArgumentError("the service account's private_key is no RSA key in PEM")
    return f"{signed}.{_part(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def read_token(
    service: str, status: int, content: bytes, *, now: float, sent: tuple[Secret, ...]
) -> Token:
    """Read the token endpoint's answer.

    Args:
        service: for the error's text.
        status: the answer's HTTP status.
        content: its body.
        now: the time on the clock of `time.monotonic`.
        sent: what is blanked out of the error's text.

    Raises:
        TokenExchangeError: there is no access token in it.
    """
    try:
        body: Any = json.loads(content)
    except ValueError:
        body = {}
    fields = json_object(body) or {}
    access = fields.get("access_token")
    if status != 200 or not is_text(access):
        said = ": ".join(
            str(fields[key]) for key in ("error", "error_description") if fields.get(key)
        )
        reason = blank_out(said, sent)[:300] or "no access_token in the answer"
        raise TokenExchangeError(
            f"{service!r}: the token endpoint answered HTTP {status}: {reason}; check the secrets "
            f"that auth.setup({service!r}) stored"
        )
    seconds = fields.get("expires_in")
    lifetime = seconds if is_number(seconds) else LIFETIME
    refresh = text(fields.get("refresh_token"))
    return Token(
        Secret(access),
        now + max(0.0, lifetime - REFRESH_BEFORE),
        Secret(refresh) if refresh else None,
    )


def _refresh_form(recipe: AuthRecipe, values: Mapping[str, Secret]) -> dict[str, str]:
    oauth2, key = recipe.get("oauth2") or {}, refresh_key(recipe)
    if key is None or "client_id" not in oauth2:
        raise UnexpectedResponseError(
            f"the recipe of {recipe['service']!r} lacks client_id or a required secret whose key "
            "ends in refresh_token"
        )
    form = {
        "grant_type": "refresh_token",
        "refresh_token": values[key].reveal(),
        "client_id": placeholders.render(oauth2["client_id"], values),
    }
    client_secret, scopes = oauth2.get("client_secret"), oauth2.get("scopes")
    if client_secret:
        form["client_secret"] = placeholders.render(client_secret, values)
    if scopes:
        form["scope"] = " ".join(scopes)
    return form


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
