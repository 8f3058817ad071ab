"""The first answers to requests that may be repeated under an `Idempotency-Key`, kept for 24 hours.

A key is claimed on disk before its run starts, so that a repetition never runs a second time, not even
after the process was killed in between.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select, update

from arcrun_server.store.schema import answers

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from arcrun_server.sealing.server_key import ServerKey
    from arcrun_server.store.database import Database

KEPT_SECONDS = 24 * 60 * 60

_table = answers.c
_ONE = select(_table.request, _table.status, _table.body).where(
    _table.account == bindparam("account"), _table.key == bindparam("key")
)


@dataclass(frozen=True)
class Earlier:
    """What is known of an earlier request with the same key.

    Args:
        same_request: Whether it asked for the same.
        status: Status of its answer; None while it runs, or if it never came to an end.
        body: Body of its answer.
    """

    same_request: bool
    status: int | None
    body: bytes


class Answers:
    """The kept answers of all accounts of one database; every call names the account.

    Args:
        database: Where they are.
        server_key: Seals them: an answer may hold anything that a run made.
    """

    def __init__(self, database: Database, server_key: ServerKey) -> None:
        self._database = database
        self._server_key = server_key

    async def claim(self, account: str, key: str, request: bytes) -> Earlier | None:
        """Claim a key for a request that is about to run.

        Args:
            account: Whose key it is.
            key: The client's `Idempotency-Key`.
            request: What is asked for; the same bytes mean the same request.

        Returns:
            None if the key is new, and now claimed; else what is known of the earlier request.
        """
        now = int(time.time())
        fingerprint = self._server_key.fingerprint(request)

        def change(connection: Connection) -> Earlier | None:
            connection.execute(delete(answers).where(_table.created_at <= now - KEPT_SECONDS))
            row = connection.execute(_ONE, {"account": account, "key": key}).first()
            if row is None:
                connection.execute(
                    insert(answers).values(
                        account=account, key=key, request=fingerprint, created_at=now
                    )
                )
                return None
            body = b""
            if row.status is not None:
                body = self._server_key.open(row.body, _place(account, key))
            return Earlier(row.request == fingerprint, row.status, body)

        return await self._database.write(change)

    async def keep(self, account: str, key: str, status: int, body: bytes) -> None:
        """Keep the answer to the request for which the key was claimed."""
        sealed = self._server_key.seal(body, _place(account, key))
        statement = (
            update(answers)
            .where(_table.account == account, _table.key == key)
            .values(status=status, body=sealed)
        )
        await self._database.write(lambda connection: connection.execute(statement).rowcount)


def _place(account: str, key: str) -> str:
    return f"answer:{account}:{key}"
