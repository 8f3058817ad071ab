"""A new key for an account: what was sealed under the old one is sealed under the new one, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from arcrun_server import clock
from arcrun_server.sealing.envelope import EnvelopeError, open_envelope, seal_envelope
from arcrun_server.store.accounts import key_row, lock_account, open_key
from arcrun_server.store.schema import api_keys, credentials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from arcrun_server.sealing.server_key import ServerKey
    from arcrun_server.store.database import Database

_keys, _credentials = api_keys.c, credentials.c
# Under so many of its newest keys a credential may be sealed: under a revoked one, if no other came at once.
_TRIED = 8
_OF_ACCOUNT = (
    select(_keys.id, _keys.account, _keys.sealed, _keys.lookup, _keys.label, _keys.development)
    .add_columns(_keys.revoked_at)
    .where(_keys.account == bindparam("account"))
    .order_by(_keys.revoked_at.is_not(None), _keys.created_at.desc(), _keys.id)
    .limit(_TRIED)
)
_REVOKE = (
    update(api_keys)
    .where(_keys.account == bindparam("whose"), _keys.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
_KNOWN = select(_keys.id).where(_keys.lookup == bindparam("wanted"))
_SEALED = select(_credentials.name, _credentials.encrypted, _credentials.iv).where(
    _credentials.account == bindparam("account"), _credentials.encrypted.is_not(None)
)
_RESEAL = (
    update(credentials)
    .where(_credentials.account == bindparam("whose"), _credentials.name == bindparam("which"))
    .values(encrypted=bindparam("encrypted"), iv=bindparam("iv"))
)


class KeyInUseError(Exception):
    """The new key of an account is, or once was, a key of this or another account."""


@dataclass(frozen=True)
class NewKey:
    """The key that an account has now.

    Args:
        api_key: The key in plain text.
        created: Whether it is new.
        resealed: How many credentials were sealed again under it.
        unopened: Names of the credentials that open under no key of the account, and stay as they are.
    """

    api_key: str = field(repr=False)
    created: bool = True
    resealed: int = 0
    unopened: Sequence[str] = ()


class KeyRotation:
    """Replaces the keys of the accounts of one database.

    Args:
        database: Where they are.
        server_key: Looks up and seals keys.
    """

    def __init__(self, database: Database, server_key: ServerKey) -> None:
        self._database = database
        self._server_key = server_key

    async def rotate(
        self, account: str, new_key: str, *, presented: str | None = None
    ) -> NewKey | None:
        """Give an account a new key, and revoke the ones that it had.

        Args:
            account: Whose key it is.
            new_key: The new one.
            presented: The key with which the account asks for it, which must be valid still; None for a session.

        Returns:
            The new key; None if the presented one was revoked in the meantime, or a session's account has none.

        Raises:
            KeyInUseError: The new key is or was another one's.
        """

        def change(connection: Connection) -> NewKey | None:
            lock_account(connection, account)
            keys = connection.execute(_OF_ACCOUNT, {"account": account}).all()
            valid = [row for row in keys if row.revoked_at is None]
            if presented is not None:
                lookup = self._server_key.lookup(presented)
                valid = valid if any(row.lookup == lookup for row in valid) else []
            if not valid:
                return None
            if connection.execute(_KNOWN, {"wanted": self._server_key.lookup(new_key)}).first():
                raise KeyInUseError
            return self._replace(connection, account, keys, new_key, valid[0].development)

        return await self._database.write(change)

    async def provide(self, account: str, new_key: str, *, development: str | None) -> NewKey:
        """Return the key of an account; give it a new one if it has none.

        Args:
            account: Whose key it is.
            new_key: The one that it gets if it has none.
            development: What such a key is, as in `KeyEntry`.
        """

        def change(connection: Connection) -> NewKey:
            lock_account(connection, account)
            keys = connection.execute(_OF_ACCOUNT, {"account": account}).all()
            if keys and keys[0].revoked_at is None:
                return NewKey(open_key(self._server_key, keys[0]), created=False)
            return self._replace(connection, account, keys, new_key, development)

        return await self._database.write(change)

    def _replace(
        self,
        connection: Connection,
        account: str,
        keys: Sequence[Any],
        new_key: str,
        development: str | None,
    ) -> NewKey:
        label = keys[0].label if keys else ""
        row = key_row(self._server_key, account, new_key, label, development)
        connection.execute(_REVOKE, {"whose": account, "now": int(clock.now())})
        connection.execute(insert(api_keys).values(row))
        opening = [open_key(self._server_key, key) for key in keys]
        resealed, unopened = [], []
        for name, encrypted, iv in connection.execute(_SEALED, {"account": account}).all():
            value = _opened(opening, name, encrypted, iv)
            if value is None:
                unopened.append(name)
                continue
            sealed, new_iv = seal_envelope(new_key, name, value)
            resealed.append({"whose": account, "which": name, "encrypted": sealed, "iv": new_iv})
        if resealed:
            connection.execute(_RESEAL, resealed)
        return NewKey(new_key, resealed=len(resealed), unopened=sorted(unopened))


def _opened(keys: Sequence[str], name: str, encrypted: str, iv: str) -> str | None:
    for key in keys:
        try:
            return open_envelope(key, name, encrypted, iv)
        except EnvelopeError:
            continue
    return None
