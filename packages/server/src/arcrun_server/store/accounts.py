"""Accounts and their API keys: looked up by an HMAC of the key; the key itself is sealed under the server key."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, or_, select, update

from arcrun_server import clock
from arcrun_server.store.database import Query
from arcrun_server.store.schema import accounts, api_keys

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from arcrun_server.sealing.server_key import ServerKey
    from arcrun_server.store.database import Database

# Keys that only development mode takes: the one that it prints, and all others.
FIRST = "first"
FURTHER = "further"
# How exactly the last use of a key is known, in seconds: it is not written with each request.
USE_SECONDS = 60
# So many keys are remembered as used lately.
_REMEMBERED = 10_000

_columns = api_keys.c
_BY_LOOKUP = Query(
    select(_columns.account, _columns.id, _columns.development).where(
        _columns.lookup == bindparam("lookup"), _columns.revoked_at.is_(None)
    )
)
_VALID_KEY = Query(
    select(_columns.id)
    .where(_columns.account == bindparam("account"), _columns.revoked_at.is_(None))
    .limit(1)
)
_USED = (
    update(api_keys)
    .where(
        _columns.id == bindparam("used"),
        or_(_columns.last_used_at.is_(None), _columns.last_used_at < bindparam("now")),
    )
    .values(last_used_at=bindparam("now"))
)
_ENTRIES = select(
    _columns.id,
    _columns.account,
    _columns.sealed,
    _columns.prefix,
    _columns.label,
    _columns.created_at,
    _columns.revoked_at,
    _columns.last_used_at,
    _columns.development,
)


@dataclass(frozen=True)
class KeyEntry:
    """What may be shown of an API key.

    Args:
        id: Names the key to `keys revoke`.
        account: Whose key it is.
        prefix: Its first characters.
        last_four: Its last ones.
        label: What its owner calls it.
        created_at: Unix seconds.
        revoked_at: Unix seconds, or None while it is valid.
        last_used_at: Unix seconds, at most `USE_SECONDS` too early; None if it was never used.
        development: `FIRST` or `FURTHER` for a key that only development mode takes.
    """

    id: str
    account: str
    prefix: str
    last_four: str
    label: str
    created_at: int
    revoked_at: int | None
    last_used_at: int | None
    development: str | None

    @property
    def state(self) -> str:
        """Return what the key opens: nothing, the development mode, or everything of its account."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if self.development is None else "dev-only"


class Accounts:
    """The accounts of one database.

    Args:
        database: Where they are.
        server_key: Looks up and seals their keys.
        development: Whether keys of the development mode are valid: one was printed on a terminal, and must not
            open anything when the same data is served otherwise.
    """

    def __init__(
        self, database: Database, server_key: ServerKey, *, development: bool = False
    ) -> None:
        self._database = database
        self._server_key = server_key
        self._development = development
        self._used_at: dict[str, float] = {}

    async def of_key(self, api_key: str) -> str | None:
        """Return the id of the account whose key this is, or None for an unknown or revoked one."""
        rows = await self._database.rows(_BY_LOOKUP, lookup=self._server_key.lookup(api_key))
        if not rows:
            return None
        account, key_id, development = rows[0]
        if development is not None and not self._development:
            return None
        self._note_use(key_id)
        return str(account)

    def create(self, api_key: str, label: str = "", *, development: str | None = None) -> str:
        """Create an account with this key and return the key's id."""
        account = new_account_id()
        row = key_row(self._server_key, account, api_key, label, development)

        def change(connection: Connection) -> None:
            connection.execute(insert(accounts).values(id=account, created_at=row["created_at"]))
            connection.execute(insert(api_keys).values(row))

        self._database.write_now(change)
        return str(row["id"])

    def keys(self) -> list[KeyEntry]:
        """Return all keys, oldest first, revoked ones too."""
        statement = _ENTRIES.order_by(_columns.created_at, _columns.id)
        return self._database.read_now(
            lambda connection: [self._entry(row) for row in connection.execute(statement)]
        )

    async def valid_key(self, account: str) -> KeyEntry | None:
        """Return what may be shown of an account's newest valid key; waits for uses that are being recorded."""
        await self._database.settle()
        statement = _ENTRIES.where(
            _columns.account == account, _columns.revoked_at.is_(None)
        ).order_by(_columns.created_at.desc(), _columns.id)
        row = await self._database.read(lambda connection: connection.execute(statement).first())
        return None if row is None else self._entry(row)

    async def label_key(self, key_id: str, label: str) -> None:
        """Change what a key is called."""
        statement = update(api_keys).where(_columns.id == key_id).values(label=label)
        await self._database.write(lambda connection: connection.execute(statement).close())

    def revoke(self, key_id: str) -> bool:
        """Revoke a key from now on; return False if there is no such key."""
        statement = (
            update(api_keys)
            .where(_columns.id == key_id)
            .values(revoked_at=func.coalesce(_columns.revoked_at, int(clock.now())))
        )
        return self._database.write_now(
            lambda connection: connection.execute(statement).rowcount == 1
        )

    async def revoke_all(self, account: str) -> bool:
        """Revoke every key of an account from now on; return False if it had no valid one."""
        statement = (
            update(api_keys)
            .where(_columns.account == account, _columns.revoked_at.is_(None))
            .values(revoked_at=int(clock.now()))
        )

        def change(connection: Connection) -> bool:
            lock_account(connection, account)
            return connection.execute(statement).rowcount > 0

        return await self._database.write(change)

    def development_key(self) -> str | None:
        """Return the key that development mode prints, in plain text, or None."""
        statement = (
            select(_columns.id, _columns.account, _columns.sealed)
            .where(_columns.development == FIRST, _columns.revoked_at.is_(None))
            .order_by(_columns.created_at.desc())
        )
        row = self._database.read_now(lambda connection: connection.execute(statement).first())
        return None if row is None else open_key(self._server_key, row)

    async def has_key(self, account: str) -> bool:
        """Tell whether an account has a valid key; one without has been revoked."""
        return bool(await self._database.rows(_VALID_KEY, account=account))

    async def keys_of(self, account: str) -> list[str]:
        """Return the account's valid keys in plain text, newest first, to open what was sealed under them."""
        statement = (
            select(_columns.id, _columns.account, _columns.sealed)
            .where(_columns.account == account, _columns.revoked_at.is_(None))
            .order_by(_columns.created_at.desc())
        )
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return [open_key(self._server_key, row) for row in rows]

    def _note_use(self, key_id: str) -> None:
        """Record that a key was used; a minute later at the earliest once more, so that most requests write nothing."""
        now = clock.now()
        if 0 <= now - self._used_at.get(key_id, -USE_SECONDS) < USE_SECONDS:
            return
        if len(self._used_at) >= _REMEMBERED:
            self._used_at.clear()
        self._used_at[key_id] = now
        self._database.write_behind(_USED, {"used": key_id, "now": int(now)})

    def _entry(self, row: Any) -> KeyEntry:
        return KeyEntry(
            id=row.id,
            account=row.account,
            prefix=row.prefix,
            last_four=open_key(self._server_key, row)[-4:],
            label=row.label,
            created_at=row.created_at,
            revoked_at=row.revoked_at,
            last_used_at=row.last_used_at,
            development=row.development,
        )


def new_account_id() -> str:
    """Return the id of a new account."""
    return f"acc_{secrets.token_hex(8)}"


def key_row(
    server_key: ServerKey, account: str, api_key: str, label: str, development: str | None
) -> dict[str, Any]:
    """Return the row of a new key."""
    key_id = f"key_{secrets.token_hex(6)}"
    return {
        "id": key_id,
        "account": account,
        "lookup": server_key.lookup(api_key),
        "sealed": server_key.seal(api_key.encode(), _location(account, key_id)),
        "prefix": api_key[:9],
        "label": label,
        "created_at": int(clock.now()),
        "development": development,
    }


def open_key(server_key: ServerKey, row: Any) -> str:
    """Return the key of a row in plain text."""
    return server_key.open(row.sealed, _location(row.account, row.id)).decode()


def lock_account(connection: Connection, account: str, *, shared: bool = False) -> None:
    """Wait until nobody else changes an account's keys; with `shared`, others may wait for the same at the same time.

    It lasts until the end of the transaction. On SQLite, one process writes at a time anyway.
    """
    statement = select(accounts.c.id).where(accounts.c.id == account)
    connection.execute(statement.with_for_update(read=shared, key_share=shared)).close()


def _location(account: str, key_id: str) -> str:
    return f"api-key:{account}:{key_id}"
