"""Who may log in to which account: a person is what a provider calls a subject.

Two identities belong to one account if both providers have verified the same e-mail address. One that is not verified
says nothing: whoever types it in would get the account of its owner.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from arcrun_server import clock
from arcrun_server.store.accounts import new_account_id
from arcrun_server.store.schema import accounts, identities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from arcrun_server.store.database import Database

# The provider that only development mode has; anyone on the machine is whoever they like there.
DEVELOPMENT_PROVIDER = "dev"
_table = identities.c


@dataclass(frozen=True)
class Identity:
    """A person, as an identity provider knows them.

    Args:
        provider: `google`, `github` or `dev`.
        subject: What the provider calls the person, for ever.
        email: Their e-mail address, if the provider says one.
        email_verified: Whether the provider has made sure that it is theirs.
    """

    provider: str
    subject: str = field(repr=False)
    email: str | None = field(default=None, repr=False)
    email_verified: bool = False


class Identities:
    """The identities of the accounts of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def account_of(self, identity: Identity) -> str:
        """Return the account that a person logs in to; it is made at the first log-in."""
        email = identity.email.lower() if identity.email else None
        told = {"email": email, "email_verified": bool(email) and identity.email_verified}

        def change(connection: Connection) -> str:
            return _known(connection, identity, told) or _added(connection, identity, told)

        try:
            return await self._database.write(change)
        except IntegrityError:  # another server has added it in the same moment
            return await self._database.write(change)

    async def of_account(self, account: str) -> Sequence[Identity]:
        """Return the identities of an account, oldest first."""
        statement = (
            select(_table.provider, _table.subject, _table.email, _table.email_verified)
            .where(_table.account == account)
            .order_by(_table.created_at, _table.provider, _table.subject)
        )
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return [Identity(*row) for row in rows]


def _known(connection: Connection, identity: Identity, told: dict[str, Any]) -> str | None:
    statement = (
        update(identities)
        .where(_table.provider == identity.provider, _table.subject == identity.subject)
        .values(told)
        .returning(_table.account)
    )
    return connection.execute(statement).scalar_one_or_none()


def _added(connection: Connection, identity: Identity, told: dict[str, Any]) -> str:
    now = int(clock.now())
    account = _with_the_same_email(connection, told)
    if account is None:
        account = new_account_id()
        connection.execute(insert(accounts).values(id=account, created_at=now))
    row = {"provider": identity.provider, "subject": identity.subject, "account": account, **told}
    connection.execute(insert(identities).values(**row, created_at=now))
    return account


def _with_the_same_email(connection: Connection, told: dict[str, Any]) -> str | None:
    if not told["email_verified"]:
        return None
    statement = (
        select(_table.account)
        .where(_table.email == told["email"], _table.email_verified.is_(True))
        .order_by(_table.created_at, _table.account)
        .limit(1)
    )
    return connection.execute(statement).scalar_one_or_none()
