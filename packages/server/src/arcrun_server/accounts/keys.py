"""API keys: what they look like, and whose a request's key is."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from arcrun_server.errors import ApiError

if TYPE_CHECKING:
    from starlette.requests import Request

    from arcrun_server.store.accounts import Accounts
    from arcrun_server.store.sessions import Session, Sessions

HEADER = "X-Arcrun-API-Key"
_HEADER_NAME = HEADER.lower()
SESSION_COOKIE = "arcrun_session"
# RFC 9110 wants a 401 to name a scheme; ours is a header of its own.
_CHALLENGE = {"WWW-Authenticate": f'ApiKey header="{HEADER}"'}
API_KEY = re.compile(r"ak_[0-9a-f]{48}")


def new_key() -> str:
    """Make an API key: `ak_` and 48 hex digits, 192 random bits (docs/contract.md#transport)."""
    return f"ak_{secrets.token_hex(24)}"


_BEARER = re.compile(r"(?i:bearer) +(ak_[0-9a-f]{48})")


def bearer_key(authorization: str) -> str:
    """Return the API key of a header `Authorization: Bearer ak_…`, or an empty text.

    Example:
        >>> bearer_key("Basic YTpi")
        ''
    """
    found = _BEARER.fullmatch(authorization)
    return found[1] if found else ""


def bearer_token(authorization: str) -> str:
    """Return the token of a header `Authorization: Bearer …`, whatever it is, or an empty text.

    Example:
        >>> bearer_token("Bearer of-the-operator")
        'of-the-operator'
    """
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True)
class Caller:
    """Who sends a request about an account itself: the holder of its key, or a person who has logged in.

    Args:
        account: The account.
        api_key: The key; None for a person.
        session: The person's session; None for a key.
    """

    account: str
    api_key: str | None = field(default=None, repr=False)
    session: Session | None = None


async def caller_of(request: Request, accounts: Accounts, sessions: Sessions) -> Caller:
    """Return who sends a request: by the key in either header, else by the cookie of a session.

    Raises:
        ApiError: 401, none of them is there, or the one that is there is unknown, revoked or ended.
    """
    account = await optional_account_of(request, accounts, bearer=True)
    if account is not None:
        return Caller(account, api_key=presented_key(request))
    session = await session_of(request, sessions)
    if session is None:
        raise ApiError(
            401,
            "missing_api_key",
            f"this route needs an API key or a session: send the key in the header {HEADER}, or log in",
            requires=HEADER,
            next_actions=["make a key with: arcrun-server keys create", "or log in: acr login"],
            headers=_CHALLENGE,
        )
    return Caller(session.account, session=session)


async def session_of(request: Request, sessions: Sessions) -> Session | None:
    """Return the session of the request's cookie, or None if there is none or it has ended."""
    token = request.cookies.get(SESSION_COOKIE)
    return await sessions.of_token(token) if token else None


def presented_key(request: Request) -> str | None:
    """Return the key that a request carries, in either header."""
    given = request.headers.get(_HEADER_NAME)
    return given or bearer_key(request.headers.get("authorization", "")) or None


async def account_of(request: Request, accounts: Accounts, *, bearer: bool = False) -> str:
    """Return the account that this request acts for.

    Args:
        request: The request.
        accounts: All accounts.
        bearer: Whether the key may also be in the header `Authorization`, as clients of the service kbdb send it.

    Raises:
        ApiError: 401, the key is missing, unknown or revoked.
    """
    account = await optional_account_of(request, accounts, bearer=bearer)
    if account is None:
        raise ApiError(
            401,
            "missing_api_key",
            f"this route needs an API key: send it in the header {HEADER}",
            requires=HEADER,
            next_actions=["make a key with: arcrun-server keys create"],
            headers=_CHALLENGE,
        )
    return account


async def optional_account_of(
    request: Request, accounts: Accounts, *, bearer: bool = False
) -> str | None:
    """Return the account that this request acts for, or None if it names no key.

    Raises:
        ApiError: 401, the key is unknown or revoked.
    """
    api_key = presented_key(request) if bearer else request.headers.get(_HEADER_NAME)
    if not api_key:
        return None
    account = await accounts.of_key(api_key) if API_KEY.fullmatch(api_key) else None
    if account is None:
        raise unknown_key()
    return account


def unknown_key() -> ApiError:
    """Return the error response for a key that opens nothing."""
    return ApiError(
        401,
        "unknown_api_key",
        "this API key is unknown or was revoked; check that it belongs to this server",
        requires=HEADER,
        next_actions=["make a key with: arcrun-server keys create"],
        headers=_CHALLENGE,
    )
