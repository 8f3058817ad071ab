"""Access tokens: the form that requests one, and the response (docs/contract.md#auth-recipes)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from .errors import InvalidArgumentError, TokenExchangeError
from .recipe import AssertionGrant, RefreshGrant
from .secret import Secret, blank_out
from .shapes import is_number, is_text, json_object
from .shapes import text as text_of

REFRESH_BEFORE = 60.0  # seconds before a token expires in which a new one is fetched
LONGEST = 1_000_000_000  # seconds that a token may last; a number without end would overflow
LIFETIME = 3600  # seconds: the longest that Google accepts for an assertion
_VISIBLE = r"[ -~]+"  # what an access token consists of (RFC 6749, A.12)
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class AccessToken:
    """An access token, and until when it may be used, on the clock of `time.monotonic`."""

    __slots__ = ("access", "refresh", "use_until")

    def __init__(self, access: Secret, use_until: float, refresh: Secret | None) -> None:
        self.access = access
        self.use_until = use_until
        self.refresh = refresh


class ServiceAccount(NamedTuple):
    """What signs in a service account; wrapped, since tools print the locals of frames that raise."""

    email: str
    key_id: str | None
    private_key: Secret


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
        return Secret(urlencode({"grant_type": _JWT_BEARER, "assertion": signed}))
    form = _refresh_form(grant, values)
    return Secret(urlencode({name: value.reveal() for name, value in form.items()}))


def read_account(text: Secret) -> ServiceAccount:
    """Read a service account's key file.

    Raises:
        InvalidArgumentError: the text is not such a file.
    """
    fields = _fields(text)
    email, private_key = fields.get("client_email"), Secret.of(fields.get("private_key"))
    key_id = text_of(fields.get("private_key_id"))
    del fields
    if is_text(email) and private_key is not None:
        return ServiceAccount(email, key_id, private_key)
    raise InvalidArgumentError(
        "the service account must be the text of its JSON key file, with client_email and "
        "private_key (Google Cloud console → IAM → Service accounts → Keys)"
    )


def assertion(account: ServiceAccount, audience: str, scopes: Iterable[str], now: float) -> str:
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
    if account.key_id:
        header["kid"] = account.key_id
    claims = {
        "iss": account.email,
        "scope": " ".join(scopes),
        "aud": audience,
        "iat": int(now),
        "exp": int(now) + LIFETIME,
    }
    signed = f"{_part(json.dumps(header).encode())}.{_part(json.dumps(claims).encode())}"
    try:
        key = load_pem_private_key(account.private_key.reveal().encode(), password=None)
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
    access = _access_token(fields.get("access_token"))
    if status != 200 or access is None:
        reason = _reason(fields, sent)
        del fields
        raise TokenExchangeError(
            f"{service!r}: the token endpoint returned HTTP {status}: {reason}; check the secrets "
            f"that auth.setup({service!r}) stored"
        )
    seconds = fields.get("expires_in")
    lifetime = min(seconds, LONGEST) if is_number(seconds) else LIFETIME
    refresh = Secret.of(fields.get("refresh_token"))
    return AccessToken(access, now + max(0.0, lifetime - REFRESH_BEFORE), refresh)


def token_text(status: int, content: bytes) -> Secret:
    """Return the token endpoint's response as text: no token is read from what is not UTF-8."""
    try:
        return Secret(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Secret("" if status == 200 else content.decode("utf-8-sig", "replace"))


def _access_token(value: object) -> Secret | None:
    """Return an access token; None for what no header can carry, so that it is not kept."""
    token = Secret.of(value)
    return token if token and re.fullmatch(_VISIBLE, token.reveal()) else None


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


def _refresh_form(grant: RefreshGrant, values: Mapping[str, Secret]) -> dict[str, Secret]:
    form = {
        "grant_type": Secret("refresh_token"),
        "refresh_token": values[grant.refresh_key],
        "client_id": Secret(grant.client_id.render(values)),
    }
    # Left out if it holds an optional secret that was not given: a public client has none.
    if grant.client_secret is not None and values.keys() >= {*grant.client_secret.secret_keys}:
        form["client_secret"] = Secret(grant.client_secret.render(values))
    if grant.scopes:
        form["scope"] = Secret(" ".join(grant.scopes))
    return form


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
