"""Credentials of an account: the client's sealed envelope as it was sent, or a plain value sealed by the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select, update

from arcrun_server import clock
from arcrun_server.store.accounts import lock_account
from arcrun_server.store.database import Query
from arcrun_server.store.pages import PagedQuery
from arcrun_server.store.schema import api_keys, credentials
from arcrun_server.store.upserts import Upsert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from arcrun_server.sealing.server_key import ServerKey
    from arcrun_server.store.database import Database
    from arcrun_server.store.pages import Page, PageRequest

_table = credentials.c
_LIST = PagedQuery(
    [_table.name, _table.service, _table.sensitivity, _table.created_at, _table.last_used_at],
    position=_table.name,
    where=[_table.account == bindparam("account")],
)
_ONE = Query(
    select(
        _table.name, _table.encrypted, _table.iv, _table.at_rest, _table.service, _table.sensitivity
    ).where(_table.account == bindparam("account"), _table.name == bindparam("name"))
)
_USED = (
    update(credentials)
    .where(_table.account == bindparam("whose"), _table.name == bindparam("used"))
    .values(last_used_at=bindparam("now"))
)
_IS_VALID = select(api_keys.c.id).where(
    api_keys.c.account == bindparam("account"),
    api_keys.c.lookup == bindparam("lookup"),
    api_keys.c.revoked_at.is_(None),
)
_PUSH = Upsert(
    credentials,
    replaced=["encrypted", "iv", "at_rest", "service", "sensitivity", "last_used_at"],
)


class RevokedKeyError(Exception):
    """The key under which a credential is sealed was revoked while it was being pushed."""


@dataclass(frozen=True)
class StoredCredential:
    """A credential as it is stored: with its envelope, or with a plain value that is opened on demand.

    Args:
        name: Its name.
        encrypted: The client's ciphertext, base64; None if it was pushed in plain form.
        iv: The client's nonce, base64; None if it was pushed in plain form.
        at_rest: The plain value, sealed under the server key; None if the client sealed it.
        service: Service that it belongs to.
        sensitivity: `standard` or `high`.
    """

    name: str
    encrypted: str | None
    iv: str | None
    at_rest: bytes | None
    service: str | None
    sensitivity: str

    def __repr__(self) -> str:
        return f"StoredCredential({self.name!r})"


class Credentials:
    """The credentials of all accounts of one database; every method takes the account.

    Args:
        database: Where they are.
        server_key: Seals plain values at rest.
    """

    def __init__(self, database: Database, server_key: ServerKey) -> None:
        self._database = database
        self._server_key = server_key

    async def list(self, account: str, request: PageRequest) -> Page:
        """Return a page of them without anything secret, sorted by name; waits for uses that are being recorded."""
        await self._database.settle()
        return await _LIST.page(self._database, request, account=account)

    async def get(self, account: str, name: str) -> StoredCredential | None:
        """Return one as it is stored, or None."""
        rows = await self._database.rows(_ONE, account=account, name=name)
        return StoredCredential(*rows[0]) if rows else None

    async def of_service(self, account: str, service: str, most: int) -> Sequence[str]:
        """Return the names of those that belong to a service, at most so many."""
        statement = (
            select(_table.name)
            .where(_table.account == account, _table.service == service)
            .order_by(_table.name)
            .limit(most)
        )
        return await self._database.read(
            lambda connection: connection.execute(statement).scalars().all()
        )

    async def push(
        self, account: str, name: str, pushed: Mapping[str, str], api_key: str | None = None
    ) -> dict[str, Any]:
        """Store or replace one, and return what may be shown of it.

        Args:
            account: Whose it is.
            name: Its name.
            pushed: `encrypted` and `iv`, or `value`; `service` and `sensitivity` if they were sent.
            api_key: The key of the request. It must be valid until the credential is stored: what is sealed under
                a key that has been replaced would never open.

        Raises:
            RevokedKeyError: It was revoked in the meantime; nothing was stored.
        """
        value = pushed.get("value")
        row = {
            "account": account,
            "name": name,
            "encrypted": pushed.get("encrypted"),
            "iv": pushed.get("iv"),
            "at_rest": None
            if value is None
            else self._server_key.seal(value.encode(), location(account, name)),
            "service": pushed.get("service"),
            "sensitivity": pushed.get("sensitivity", "standard"),
            "created_at": int(clock.now()),
            "last_used_at": None,
        }
        lookup = None if api_key is None else self._server_key.lookup(api_key)

        def change(connection: Connection) -> None:
            if lookup is not None:
                lock_account(connection, account, shared=True)
                key = {"account": account, "lookup": lookup}
                if connection.execute(_IS_VALID, key).first() is None:
                    raise RevokedKeyError
            connection.execute(_PUSH.on(connection), row).close()

        await self._database.write(change)
        return {"name": name, "service": row["service"], "sensitivity": row["sensitivity"]}

    async def delete(self, account: str, name: str) -> bool:
        """Remove one; return False if it was not there."""
        statement = delete(credentials).where(_table.account == account, _table.name == name)

        def change(connection: Connection) -> bool:
            return connection.execute(statement).rowcount == 1

        return await self._database.write(change)

    def mark_used(self, account: str, names: set[str]) -> None:
        """Record that a run has just used these."""
        now = int(clock.now())
        for name in names:
            self._database.write_behind(_USED, {"whose": account, "used": name, "now": now})

    def plain_value(self, account: str, credential: StoredCredential) -> str:
        """Open a value that was pushed in plain form.

        Raises:
            ValueError: It does not open under this server key, or it is a client's envelope.
        """
        if credential.at_rest is None:
            raise ValueError("this credential is sealed by the client")
        return self._server_key.open(
            credential.at_rest, location(account, credential.name)
        ).decode()


def location(account: str, name: str) -> str:
    """Return where a plain value is stored, for the server key that seals it."""
    return f"credential:{account}:{name}"
