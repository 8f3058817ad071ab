"""Log-ins that have begun and not ended: what `state` leads back to, once, in the browser that began it."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, insert

from arcrun_server import clock
from arcrun_server.store.schema import pending_logins

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from arcrun_server.sealing.server_key import ServerKey
    from arcrun_server.store.database import Database

PENDING_SECONDS = 10 * 60
_table = pending_logins.c


class PendingLogin(NamedTuple):
    """A log-in on its way.

    Attributes:
        provider: The identity provider that was asked.
        redirect: Where the browser goes afterwards.
    """

    provider: str
    redirect: str


class Started(NamedTuple):
    """What a log-in that begins is known by.

    Attributes:
        state: Goes to the provider and comes back.
        browser: Stays in a cookie.
    """

    state: str
    browser: str


class PendingLogins:
    """The pending log-ins of one database.

    Args:
        database: Where they are; it knows hashes only.
        server_key: Makes what only this engine may know of a log-in.
    """

    def __init__(self, database: Database, server_key: ServerKey) -> None:
        self._database = database
        self._server_key = server_key

    async def begin(self, provider: str, redirect: str) -> Started:
        """Begin a log-in, and forget the ones that were never ended."""
        now = int(clock.now())
        started = Started(secrets.token_urlsafe(32), secrets.token_urlsafe(32))
        row = {
            "state": _hash(started.state),
            "browser": _hash(started.browser),
            "provider": provider,
            "redirect": redirect,
            "expires_at": now + PENDING_SECONDS,
        }

        def change(connection: Connection) -> None:
            connection.execute(delete(pending_logins).where(_table.expires_at <= now))
            connection.execute(insert(pending_logins).values(row))

        await self._database.write(change)
        return started

    async def take(self, state: str, browser: str) -> PendingLogin | None:
        """Return the log-in of a state that this browser began; None if it is another's, was taken, or is too old."""
        statement = (
            delete(pending_logins)
            .where(
                _table.state == _hash(state),
                _table.browser == _hash(browser),
                _table.expires_at > int(clock.now()),
            )
            .returning(_table.provider, _table.redirect)
        )
        row = await self._database.write(lambda connection: connection.execute(statement).first())
        return None if row is None else PendingLogin(*row)

    def code_verifier(self, state: str) -> str:
        """Return the PKCE code verifier of a log-in (RFC 7636): its 43 characters are known to nobody else."""
        secret = self._server_key.fingerprint(f"code verifier:{state}".encode())
        return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()

    def nonce(self, state: str) -> str:
        """Return what an id token must repeat, so that it is for this log-in."""
        return self._server_key.fingerprint(f"nonce:{state}".encode()).hex()


def _hash(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "replace")).digest()
