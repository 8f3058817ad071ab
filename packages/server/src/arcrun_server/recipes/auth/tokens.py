"""Access tokens of services, fetched with a service account's key or a refresh token."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from arcrun_server import clock
from arcrun_server.engine import ComponentError
from arcrun_server.engine.placeholders import as_empty
from arcrun_server.engine.policy import kind_of_status
from arcrun_server.outbound import Unreachable
from arcrun_server.outbound.retry_after import retry_after
from arcrun_server.recipes.auth.injection import fill_secrets

if TYPE_CHECKING:
    from arcrun_server.outbound import Outbound

# Seconds before a token expires in which a new one is fetched (docs/contract.md#auth-recipes).
REFRESH_BEFORE = 60.0
# Seconds: the longest that Google takes for an assertion.
LIFETIME = 3600
KEPT = 1024
# The reasons of RFC 6749, sections 4.1.2.1 and 5.2.
_REASONS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "access_denied",
        "server_error",
        "temporarily_unavailable",
    }
)
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True, repr=False)
class _AccessToken:
    text: str
    use_until: float


class AccessTokens:
    """Fetches access tokens, and keeps them in memory until shortly before they expire.

    Args:
        outbound: The guarded HTTP client.
    """

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        # By a digest of all that decides which token it is: no account gets another one's.
        self._kept: OrderedDict[bytes, _AccessToken] = OrderedDict()
        self._fetching: dict[bytes, asyncio.Task[_AccessToken]] = {}

    async def get(self, recipe: dict[str, Any], values: dict[str, str], *, fresh: bool) -> str:
        """Return an access token.

        Args:
            recipe: An auth recipe of a primitive that has tokens.
            values: The secrets, by the names of their placeholders (`secret.KEY`).
            fresh: Fetch a new one in any case.

        Raises:
            ComponentError: No token could be fetched; the text says why.
        """
        identity = json.dumps([recipe, sorted(values.items())], sort_keys=True).encode()
        key = hashlib.sha256(identity).digest()
        kept = self._kept.get(key)
        if kept is not None and not fresh and clock.monotonic() < kept.use_until:
            return kept.text
        # Several runs that need the same token wait for one request; `shield` keeps it going when one
        # of them is cancelled.
        task = self._fetching.get(key)
        if task is None:
            task = asyncio.create_task(self._fetch(recipe, values))
            self._fetching[key] = task
            task.add_done_callback(lambda _: self._fetching.pop(key, None))
        token = await asyncio.shield(task)
        self._kept[key] = token
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return token.text

    async def _fetch(self, recipe: dict[str, Any], values: dict[str, str]) -> _AccessToken:
        if recipe["primitive"] == "service_account":
            endpoint, form = _service_account_form(recipe, values)
        else:
            endpoint, form = _refresh_form(recipe, values)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        try:
            response = await self._outbound.send(
                "POST", endpoint, headers=headers, content=urlencode(form).encode()
            )
        except Unreachable as problem:
            message = f"no access token for {recipe['service']!r}: {problem}"
            raise ComponentError(message, kind=problem.kind) from None
        _, value = response.json(of_any_type=True)
        fields = value if isinstance(value, dict) else {}
        text, seconds = fields.get("access_token"), fields.get("expires_in")
        if not response.ok or not isinstance(text, str) or not text:
            # Nothing else of the response is shown: an endpoint may echo what it was sent.
            reason = fields.get("error")
            detail = f": {reason}" if isinstance(reason, str) and reason in _REASONS else ""
            message = f"no access token for {recipe['service']!r}: its token endpoint returned {response.status}{detail}"
            raise ComponentError(
                message,
                kind=kind_of_status(response.status),
                retry_after=retry_after(response.headers),
            )
        lifetime = seconds if isinstance(seconds, (int, float)) else LIFETIME
        return _AccessToken(text, clock.monotonic() + max(0.0, lifetime - REFRESH_BEFORE))


def _service_account_form(
    recipe: dict[str, Any], values: dict[str, str]
) -> tuple[str, dict[str, str]]:
    exchange = recipe.get("token_exchange", {})
    endpoint = exchange.get("endpoint", "")
    key = recipe["required_secrets"][0]["key"]
    account = _key_file(values.get(f"secret.{key}", ""), key)
    form = {
        "grant_type": _GRANT,
        "assertion": _assertion(account, endpoint, exchange["scopes"], key),
    }
    return endpoint, form


def _refresh_form(recipe: dict[str, Any], values: dict[str, str]) -> tuple[str, dict[str, str]]:
    oauth2 = recipe.get("oauth2", {})
    keys = [entry["key"] for entry in recipe["required_secrets"]]
    refresh = next((key for key in keys if key.endswith("refresh_token")), None)
    if refresh is None:
        raise ComponentError(
            f"the recipe of {recipe['service']!r} asks for no secret whose key ends in refresh_token"
        )
    form = {
        "grant_type": "refresh_token",
        "refresh_token": values.get(f"secret.{refresh}", ""),
        "client_id": fill_secrets(oauth2.get("client_id", ""), values, as_empty),
    }
    if oauth2.get("client_secret"):
        form["client_secret"] = fill_secrets(oauth2["client_secret"], values, as_empty)
    if oauth2.get("scopes"):
        form["scope"] = " ".join(oauth2["scopes"])
    return oauth2.get("token_endpoint", ""), form


def _key_file(text: str, key: str) -> dict[str, str]:
    try:
        account = json.loads(text)
    except ValueError:
        account = None
    if isinstance(account, dict) and all(
        isinstance(account.get(field), str) for field in ("client_email", "private_key")
    ):
        return account
    raise ComponentError(
        f"the credential {key!r} must be the text of a service account's JSON key file, "
        "with client_email and private_key"
    )


def _assertion(account: dict[str, str], audience: str, scopes: list[str], key: str) -> str:
    now = int(clock.now())
    claims = {
        "iss": account["client_email"],
        "scope": " ".join(scopes),
        "aud": audience,
        "iat": now,
        "exp": now + LIFETIME,
    }
    header = {"alg": "RS256", "typ": "JWT"}
    signed = f"{_part(json.dumps(header).encode())}.{_part(json.dumps(claims).encode())}"
    try:
        private_key = load_pem_private_key(account["private_key"].encode(), password=None)
    except (ValueError, TypeError):
        private_key = None
    if not isinstance(private_key, RSAPrivateKey):
        raise ComponentError(
            f"the private_key in the credential {key!r} is not an RSA key in PEM format"
        )
    return f"{signed}.{_part(private_key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
