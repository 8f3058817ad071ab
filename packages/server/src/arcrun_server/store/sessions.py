"""The sessions of people who have logged in with a browser; the database knows the hash of a cookie only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select

from arcrun_server import clock
from arcrun_server.store.database import Query
from arcrun_server.store.identities import DEVELOPMENT_PROVIDER
from arcrun_server.store.schema import sessions

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from arcrun_server.sealing.server_key import ServerKey
    from arcrun_server.store.database import Database

SESSION_SECONDS = 7 * 24 * 60 * 60
# For so long after a log-in, a session may be shown the account's key.
FRESH_SECONDS = 10 * 60

_table = sessions.c
_BY_ID = Query(
    select(_table.account, _table.provider, _table.logged_in_at, _table.expires_at).where(
        _table.id == bindparam("id"), _table.expires_at > bindparam("now")
    )
)


@dataclass(frozen=True)
class Session:
    """A browser that is logged in.

    Args:
        token: The value of its cookie.
        account: The account.
        provider: The identity provider of the log-in.
        logged_in_at: Unix seconds.
        expires_at: Unix seconds.
    """

    token: str = field(repr=False)
    account: str
    provider: str
    logged_in_at: int
    expires_at: int

    @property
    def is_fresh(self) -> bool:
        """Whether the person has just logged in, so that a cookie that was taken earlier is not enough."""
        return 0 <= clock.now() - self.logged_in_at < FRESH_SECONDS


class Sessions:
    """The sessions of one database.

    Args:
        database: Where they are.
        server_key: Makes the tokens of their forms.
        development: Whether those of the development provider are valid.
    """

    def __init__(
        self, database: Database, server_key: ServerKey, *, development: bool = False
    ) -> None:
        self._database = database
        self._server_key = server_key
        self._development = development

    async def create(self, account: str, provider: str, replaced: str | None = None) -> Session:
        """Begin a session, with a new token always.

        Args:
            account: Who has logged in.
            provider: The identity provider.
            replaced: The token of the session that the browser had before, which ends.
        """
        now = int(clock.now())
        session = Session(
            token=secrets.token_urlsafe(32),
            account=account,
            provider=provider,
            logged_in_at=now,
            expires_at=now + SESSION_SECONDS,
        )
        row = {
            "id": _id(session.token),
            "account": account,
            "provider": provider,
            "logged_in_at": now,
            "expires_at": session.expires_at,
        }

        def change(connection: Connection) -> None:
            connection.execute(delete(sessions).where(_table.expires_at <= now))
            if replaced is not None:
                connection.execute(delete(sessions).where(_table.id == _id(replaced)))
            connection.execute(insert(sessions).values(row))

        await self._database.write(change)
        return session

    async def of_token(self, token: str) -> Session | None:
        """Return the session of a cookie, or None if it has ended."""
        rows = await self._database.rows(_BY_ID, id=_id(token), now=int(clock.now()))
        if not rows:
            return None
        session = Session(token, *rows[0])
        is_development = session.provider == DEVELOPMENT_PROVIDER
        return session if self._development or not is_development else None

    async def end(self, token: str) -> None:
        """End a session from now on."""
        statement = delete(sessions).where(_table.id == _id(token))
        await self._database.write(lambda connection: connection.execute(statement).close())

    def form_token(self, session: Session) -> str:
        """Return what a form of this session carries, so that no other page can send it."""
        return self._server_key.fingerprint(f"form:{session.token}".encode()).hex()

    def is_form_token(self, session: Session, given: str) -> bool:
        """Tell whether a form was made for this session."""
        return hmac.compare_digest(self.form_token(session).encode(), given.encode())


def _id(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
