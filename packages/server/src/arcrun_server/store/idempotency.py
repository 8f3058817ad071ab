"""Responses to requests with an `Idempotency-Key`, kept for 24 hours.

A key is claimed on disk before its run starts, so that a repetition never runs a second time: not after the process
was killed in between, and not in another process on the same database. The key of a run that is accepted is claimed
with its response, in the transaction that stores the run: a repetition gets this response as long as the key is kept,
also if the run is removed before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select, update

from arcrun_server import clock
from arcrun_server.store.database import Query
from arcrun_server.store.runs import Acceptance, insert_queued, lock_workflow
from arcrun_server.store.schema import idempotent_responses
from arcrun_server.store.upserts import Upsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from arcrun_server.sealing.server_key import ServerKey
    from arcrun_server.store.database import Database
    from arcrun_server.store.runs import StoredRun

KEPT_SECONDS = 24 * 60 * 60

_table = idempotent_responses.c
_ONE = select(_table.request, _table.status, _table.body).where(
    _table.account == bindparam("account"), _table.key == bindparam("key")
)
_NOT_EXPIRED = Query(
    select(_table.request, _table.status, _table.body).where(
        _table.account == bindparam("account"),
        _table.key == bindparam("key"),
        _table.created_at > bindparam("expired_at"),
    )
)
_EXPIRED = delete(idempotent_responses).where(_table.created_at <= bindparam("expired_at"))
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
        fingerprint = self._server_key.fingerprint(request)
        claim = self._claim(account, key, fingerprint)

        def change(connection: Connection) -> StoredResponse | None:
            return self._earlier(connection, claim)

        return await self._database.write(change)

    async def find(self, account: str, key: str, request: bytes) -> StoredResponse | None:
        """Return what is stored of an earlier request under a key, or None; the key is not claimed."""
        expired_at = int(clock.now()) - KEPT_SECONDS
        rows = await self._database.rows(
            _NOT_EXPIRED, account=account, key=key, expired_at=expired_at
        )
        if not rows:
            return None
        fingerprint = self._server_key.fingerprint(request)
        return self._stored(account, key, fingerprint, rows[0])

    async def accept(
        self, key: str, request: bytes, response: tuple[int, bytes], run: StoredRun, *, refuse: bool
    ) -> Acceptance | StoredResponse:
        """Claim a key for a run and store the run, both or neither.

        Args:
            key: The key, of the run's account.
            request: What is requested; the same bytes mean the same request.
            response: Status and body of the response, also to repetitions.
            run: The run.
            refuse: As in `Runs.accept`.

        Returns:
            What became of the run; or what is stored of the earlier request, if the key is not new.

        Raises:
            WorkflowFullError: The run is refused; the key is not claimed.
        """
        status, body = response
        claim = self._claim(run.account, key, self._server_key.fingerprint(request)) | {
            "status": status,
            "body": self._server_key.seal(body, _location(run.account, key)),
        }

        def change(connection: Connection) -> Acceptance | StoredResponse:
            lock_workflow(connection, run)  # first in the transaction, as everywhere
            earlier = self._earlier(connection, claim)
            if earlier is not None:
                return earlier
            return Acceptance(is_new=True, waits=insert_queued(connection, run, refuse=refuse))

        return await self._database.write(change)

    def _claim(self, account: str, key: str, fingerprint: bytes) -> dict[str, Any]:
        now = int(clock.now())
        return {"account": account, "key": key, "request": fingerprint, "created_at": now}

    def _earlier(self, connection: Connection, claim: dict[str, Any]) -> StoredResponse | None:
        """Insert a claim; return what is stored of the earlier request if its key is not new."""
        connection.execute(_EXPIRED, {"expired_at": claim["created_at"] - KEPT_SECONDS})
        if connection.execute(_CLAIM.on(connection), claim).first() is not None:
            return None
        account, key = claim["account"], claim["key"]
        row = connection.execute(_ONE, {"account": account, "key": key}).one()
        return self._stored(account, key, claim["request"], row)

    def _stored(
        self, account: str, key: str, fingerprint: bytes, row: Sequence[Any]
    ) -> StoredResponse:
        """Return a row of request, status and body as what it says of a request with this fingerprint."""
        request, status, body = row
        opened = b"" if body is None else self._server_key.open(body, _location(account, key))
        return StoredResponse(request == fingerprint, status, opened)

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
