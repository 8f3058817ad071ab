"""Access tokens: the form that requests one, and the response (docs/contract.md#auth-recipes)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from .errors import InvalidArgumentError, TokenExchangeError
from .recipe import AssertionGrant, RefreshGrant
from .secret import Secret, blank_out
from .shapes import is_number, is_text, json_object, text

REFRESH_BEFORE = 60.0  # seconds before a token expires in which a new one is fetched
LONGEST = 1_000_000_000  # seconds that a token may last; a number without end would overflow
LIFETIME = 3600  # seconds: the longest that Google accepts for an assertion
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class AccessToken:
    """An access token, and until when it may be used, on the clock of `time.monotonic`."""

    __slots__ = ("access", "refresh", "use_until")

    def __init__(self, access: Secret, use_until: float, refresh: Secret | None) -> None:
        self.access = access
        self.use_until = use_until
        self.refresh = refresh


def token_form(
    grant: AssertionGrant | RefreshGrant, values: Mapping[str, Secret], now: float
) -> Secret:
    """Return the form to send to the token endpoint.

    Args:
        grant: how the recipe gets an access token.
        values: the secrets, by key.
        now: Unix seconds.

    Raises:
        InvalidArgumentError: the service account's key file is not valid.
    """
    if isinstance(grant, AssertionGrant):
        account = read_account(values[grant.account_key])
        signed = assertion(account, grant.endpoint, grant.scopes, now)
        form = {"grant_type": _JWT_BEARER, "assertion": signed}
    else:
        form = _refresh_form(grant, values)
    return Secret(urlencode(form))


def read_account(text: Secret) -> dict[str, str]:
    """Read a service account's key file.

    Raises:
        InvalidArgumentError: the text is not such a file.
    """
    try:
        content: Any = json.loads(text.reveal())
    except (ValueError, RecursionError):
        content = None
    account = json_object(content) or {}
    if all(is_text(account.get(key)) for key in ("client_email", "private_key")):
        return account
    raise InvalidArgumentError(
        "the service account must be the text of its JSON key file, with client_email and "
        "private_key (Google Cloud console → IAM → Service accounts → Keys)"
    )


def assertion(account: Mapping[str, str], audience: str, scopes: Iterable[str], now: float) -> str:
    """Return the JWT that a service account signs (RS256) to prove who it is.

    Raises:
        InvalidArgumentError: the private key is not an RSA key in PEM.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
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
        if isinstance(key, RSAPrivateKey):
            return f"{signed}.{_part(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
    ):  # ValueError also for a key that is too short
        pass  # raised below, without the frames
    raise InvalidArgumentError("the service account's private_key is not an RSA key in PEM")


def read_token(
    service: str, status: int, content: Secret, *, now: float, sent: tuple[Secret, ...]
) -> AccessToken:
    """Read the token endpoint's response.

    Args:
        service: the service, for the error message.
        status: the HTTP status.
        content: the body; wrapped, since tools print the locals of frames.
        now: the time on the clock of `time.monotonic`.
        sent: the secrets that were sent; they are blanked out of the error message.

    Raises:
        TokenExchangeError: there is no access token in it.
    """
    fields = _fields(content)
    access = fields.get("access_token")
    if status != 200 or not is_text(access):
        reason = _reason(fields, sent)
        del fields, access
        raise TokenExchangeError(
            f"{service!r}: the token endpoint returned HTTP {status}: {reason}; check the secrets "
            f"that auth.setup({service!r}) stored"
        )
    seconds = fields.get("expires_in")
    lifetime = min(seconds, LONGEST) if is_number(seconds) else LIFETIME
    refresh = text(fields.get("refresh_token"))
    return AccessToken(
        Secret(access),
        now + max(0.0, lifetime - REFRESH_BEFORE),
        Secret(refresh) if refresh else None,
    )


def text_of(status: int, content: bytes) -> Secret:
    """Return the token endpoint's response as text: no token is read from what is not UTF-8."""
    try:
        return Secret(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Secret("" if status == 200 else content.decode("utf-8-sig", "replace"))


def _fields(content: Secret) -> dict[str, Any]:
    """Return the fields of a JSON object; none if the text is something else."""
    try:
        body: Any = json.loads(content.reveal())
    except (ValueError, RecursionError):
        body = None
    return json_object(body) or {}


def _reason(fields: Mapping[str, Any], sent: tuple[Secret, ...]) -> str:
    """Return why a token endpoint refused, without the secrets that were sent."""
    message = ": ".join(
        str(fields[key]) for key in ("error", "error_description") if fields.get(key)
    )
    return blank_out(message, sent)[:300] or "no access_token in the response"


def _refresh_form(grant: RefreshGrant, values: Mapping[str, Secret]) -> dict[str, str]:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": values[grant.refresh_key].reveal(),
        "client_id": grant.client_id.render(values),
    }
    if grant.client_secret is not None:
        form["client_secret"] = grant.client_secret.render(values)
    if grant.scopes:
        form["scope"] = " ".join(grant.scopes)
    return form


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
