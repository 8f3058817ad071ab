"""Accounts and their API keys: looked up by an HMAC of the key; the key itself is sealed under the server key."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, select, update

from arcrun_server import clock
from arcrun_server.store.database import Query
from arcrun_server.store.schema import accounts, api_keys

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from arcrun_server.sealing.server_key import ServerKey
    from arcrun_server.store.database import Database

# The label of the development mode's own key, and of more such keys for tests.
DEVELOPMENT_LABEL = "dev"
FURTHER_DEVELOPMENT_LABEL = "dev-further"
_DEVELOPMENT_LABELS = {DEVELOPMENT_LABEL, FURTHER_DEVELOPMENT_LABEL}

_BY_LOOKUP = Query(
    select(api_keys.c.account, api_keys.c.label).where(
        api_keys.c.lookup == bindparam("lookup"), api_keys.c.revoked_at.is_(None)
    )
)

_VALID_KEY = Query(
    select(api_keys.c.id)
    .where(api_keys.c.account == bindparam("account"), api_keys.c.revoked_at.is_(None))
    .limit(1)
)


@dataclass(frozen=True)
class KeyEntry:
    """What may be shown of an API key.

    Args:
        id: Names the key to `keys revoke`.
        prefix: Its first characters.
        label: What it is for; `DEVELOPMENT_LABEL` for the development mode's own key, `FURTHER_DEVELOPMENT_LABEL` for others.
        created_at: Unix seconds.
        revoked_at: Unix seconds, or None while it is valid.
    """

    id: str
    prefix: str
    label: str
    created_at: int
    revoked_at: int | None

    @property
    def state(self) -> str:
        """Return what the key opens: nothing, the development mode, or everything of its account."""
        if self.revoked_at is not None:
            return "revoked"
        return "dev-only" if self.label in _DEVELOPMENT_LABELS else "valid"


class Accounts:
    """The accounts of one database.

    Args:
        database: Where they are.
        server_key: Looks up and seals their keys.
        development: Whether the key of the development mode is valid: it was printed on a terminal, and must not
            open anything when the same data is served otherwise.
    """

    def __init__(
        self, database: Database, server_key: ServerKey, *, development: bool = False
    ) -> None:
        self._database = database
        self._server_key = server_key
        self._development = development

    async def of_key(self, api_key: str) -> str | None:
        """Return the id of the account whose key this is, or None for an unknown or revoked one."""
        rows = await self._database.rows(_BY_LOOKUP, lookup=self._server_key.lookup(api_key))
        if not rows:
            return None
        account, label = rows[0]
        return account if self._development or label not in _DEVELOPMENT_LABELS else None

    def create(self, api_key: str, label: str = "") -> str:
        """Create an account with this key and return the key's id."""
        key_id = f"key_{secrets.token_hex(6)}"
        account = f"acc_{secrets.token_hex(8)}"
        now = int(clock.now())

        def change(connection: Connection) -> None:
            connection.execute(insert(accounts).values(id=account, created_at=now))
            connection.execute(
                insert(api_keys).values(
                    id=key_id,
                    account=account,
                    lookup=self._server_key.lookup(api_key),
                    sealed=self._server_key.seal(api_key.encode(), f"api-key:{account}:{key_id}"),
                    prefix=api_key[:9],
                    label=label,
                    created_at=now,
                )
            )

        self._database.write_now(change)
        return key_id

    def keys(self) -> list[KeyEntry]:
        """Return all keys, oldest first, revoked ones too."""
        columns = api_keys.c
        statement = select(
            columns.id, columns.prefix, columns.label, columns.created_at, columns.revoked_at
        ).order_by(columns.created_at, columns.id)
        return self._database.read_now(
            lambda connection: [KeyEntry(*row) for row in connection.execute(statement)]
        )

    def revoke(self, key_id: str) -> bool:
        """Revoke a key from now on; return False if there is no such key."""
        statement = (
            update(api_keys)
            .where(api_keys.c.id == key_id)
            .values(revoked_at=func.coalesce(api_keys.c.revoked_at, int(clock.now())))
        )
        return self._database.write_now(
            lambda connection: connection.execute(statement).rowcount == 1
        )

    def key_labelled(self, label: str) -> str | None:
        """Return the newest valid key with this label, in plain text, or None."""
        statement = (
            select(api_keys.c.id, api_keys.c.account, api_keys.c.sealed)
            .where(api_keys.c.label == label, api_keys.c.revoked_at.is_(None))
            .order_by(api_keys.c.created_at.desc())
        )
        row = self._database.read_now(lambda connection: connection.execute(statement).first())
        return None if row is None else self._open(row.id, row.account, row.sealed)

    async def has_key(self, account: str) -> bool:
        """Tell whether an account has a valid key; one without has been revoked."""
        return bool(await self._database.rows(_VALID_KEY, account=account))

    async def keys_of(self, account: str) -> list[str]:
        """Return the account's valid keys in plain text, newest first, to open what was sealed under them."""
        statement = (
            select(api_keys.c.id, api_keys.c.account, api_keys.c.sealed)
            .where(api_keys.c.account == account, api_keys.c.revoked_at.is_(None))
            .order_by(api_keys.c.created_at.desc())
        )
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return [self._open(row.id, row.account, row.sealed) for row in rows]

    def _open(self, key_id: str, account: str, sealed: bytes) -> str:
        return self._server_key.open(sealed, f"api-key:{account}:{key_id}").decode()
