"""Responses to requests with an `Idempotency-Key`, kept for 24 hours.

A key is claimed on disk before its run starts, so that a repetition never runs a second time: not after the process
was killed in between, and not in another process on the same database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select, update

from arcrun_server import clock
from arcrun_server.store.schema import idempotent_responses
from arcrun_server.store.upserts import Upsert

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from arcrun_server.sealing.server_key import ServerKey
    from arcrun_server.store.database import Database

KEPT_SECONDS = 24 * 60 * 60

_table = idempotent_responses.c
_ONE = select(_table.request, _table.status, _table.body).where(
    _table.account == bindparam("account"), _table.key == bindparam("key")
)
# Returns nothing if the key is there: of two claims at once, in any two processes, one gets a row.
_CLAIM = Upsert(idempotent_responses, returning=["key"])


@dataclass(frozen=True)
class StoredResponse:
    """What is stored of an earlier request with the same key.

    Args:
        same_request: Whether that request was the same.
        status: HTTP status of its response; None while it runs, or if it never came to an end.
        body: Body of its response.
    """

    same_request: bool
    status: int | None
    body: bytes


class IdempotencyKeys:
    """The claimed keys of all accounts of one database; every method takes the account.

    Args:
        database: Where they are.
        server_key: Seals the responses, which may hold any of a run's data.
    """

    def __init__(self, database: Database, server_key: ServerKey) -> None:
        self._database = database
        self._server_key = server_key

    async def claim(self, account: str, key: str, request: bytes) -> StoredResponse | None:
        """Claim a key for a request that is about to run.

        Args:
            account: Whose key it is.
            key: The client's `Idempotency-Key`.
            request: What is requested; the same bytes mean the same request.

        Returns:
            None if the key is new, and now claimed; else what is stored of the earlier request.
        """
        now = int(clock.now())
        fingerprint = self._server_key.fingerprint(request)
        claim = {"account": account, "key": key, "request": fingerprint, "created_at": now}
        expired = delete(idempotent_responses).where(_table.created_at <= now - KEPT_SECONDS)

        def change(connection: Connection) -> StoredResponse | None:
            connection.execute(expired)
            if connection.execute(_CLAIM.on(connection), claim).first() is not None:
                return None
            row = connection.execute(_ONE, {"account": account, "key": key}).one()
            body = b""
            if row.status is not None:
                body = self._server_key.open(row.body, _location(account, key))
            return StoredResponse(row.request == fingerprint, row.status, body)

        return await self._database.write(change)

    async def keep(self, account: str, key: str, status: int, body: bytes) -> None:
        """Store the response to the request for which the key was claimed."""
        sealed = self._server_key.seal(body, _location(account, key))
        statement = (
            update(idempotent_responses)
            .where(_table.account == account, _table.key == key)
            .values(status=status, body=sealed)
        )
        await self._database.write(lambda connection: connection.execute(statement).close())

    async def release(self, account: str, key: str) -> None:
        """Give up a key under which nothing was run."""
        statement = delete(idempotent_responses).where(
            _table.account == account, _table.key == key, _table.status.is_(None)
        )
        await self._database.write(lambda connection: connection.execute(statement).close())


def _location(account: str, key: str) -> str:
    # The first word is of version 1; another one would not open what is stored.
    return f"answer:{account}:{key}"
