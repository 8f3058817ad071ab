"""Log-ins, and what keys have besides their account: when they were used, and whether only development mode takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Boolean, Column, ForeignKey, Index, MetaData, String, Table, update

from arcrun_server.store.types import Bytes, Characters, Whole

if TYPE_CHECKING:
    from sqlalchemy import Connection

_metadata = MetaData()
# As version 1 wrote it.
Table(
    "accounts",
    _metadata,
    Column("id", Characters().with_variant(String(), "sqlite"), primary_key=True),
    Column("created_at", Whole, nullable=False),
)
_api_keys = Table(
    "api_keys",
    MetaData(),
    Column("label", Characters),
    Column("last_used_at", Whole),
    Column("development", Characters),
)
# Which key was one of the development mode was told by its label.
_LABELS = {"dev": "first", "dev-further": "further"}
_identities = Table(
    "identities",
    _metadata,
    Column("provider", Characters, primary_key=True),
    Column("subject", Characters, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("email", Characters),
    Column("email_verified", Boolean, nullable=False),
    Column("created_at", Whole, nullable=False),
    Index("identities_by_account", "account"),
    Index("identities_by_email", "email"),
)
_sessions = Table(
    "sessions",
    _metadata,
    Column("id", Bytes, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("provider", Characters, nullable=False),
    Column("logged_in_at", Whole, nullable=False),
    Column("expires_at", Whole, nullable=False),
    Index("sessions_by_account", "account"),
    Index("sessions_by_end", "expires_at"),
)
_pending_logins = Table(
    "pending_logins",
    _metadata,
    Column("state", Bytes, primary_key=True),
    Column("browser", Bytes, nullable=False),
    Column("provider", Characters, nullable=False),
    Column("redirect", Characters, nullable=False),
    Column("expires_at", Whole, nullable=False),
    Index("pending_logins_by_end", "expires_at"),
)
_device_logins = Table(
    "device_logins",
    _metadata,
    Column("device_code", Bytes, primary_key=True),
    Column("user_code", Bytes, nullable=False, unique=True),
    Column("client_name", Characters, nullable=False),
    Column("address", Characters, nullable=False),
    # `pending`, `approved` or `denied`.
    Column("status", Characters, nullable=False),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE")),
    Column("provider", Characters),
    Column("interval", Whole, nullable=False),
    Column("polled_at_ms", Whole),
    Column("created_at", Whole, nullable=False),
    Column("expires_at", Whole, nullable=False),
    Index("device_logins_by_end", "expires_at"),
)


def upgrade(connection: Connection) -> None:
    """Create the tables and the columns."""
    for column in (_api_keys.c.last_used_at, _api_keys.c.development):
        kind = column.type.compile(connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE api_keys ADD COLUMN {column.name} {kind}")
    for label, development in _LABELS.items():
        connection.execute(
            update(_api_keys).where(_api_keys.c.label == label).values(development=development)
        )
    _metadata.create_all(
        connection, tables=[_identities, _sessions, _pending_logins, _device_logins]
    )
