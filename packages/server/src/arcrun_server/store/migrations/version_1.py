"""The schema of arcrun-server 0.1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import JSON, Column, ForeignKey, Index, MetaData, String, Table

from arcrun_server.store.types import Bytes, Characters, Whole

if TYPE_CHECKING:
    from sqlalchemy import Connection

_metadata = MetaData()
# As 0.1.0 wrote it, so that a fresh database and an old one are alike to the letter.
_Name = Characters().with_variant(String(), "sqlite")


def _account() -> Column[str]:
    return Column(
        "account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, nullable=False
    )


Table(
    "facts",
    _metadata,
    Column("name", _Name, primary_key=True),
    Column("value", Bytes, nullable=False),
)
Table(
    "accounts",
    _metadata,
    Column("id", _Name, primary_key=True),
    Column("created_at", Whole, nullable=False),
)
Table(
    "api_keys",
    _metadata,
    Column("id", _Name, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("lookup", Bytes, nullable=False, unique=True),
    Column("sealed", Bytes, nullable=False),
    Column("prefix", _Name, nullable=False),
    Column("label", _Name, nullable=False),
    Column("created_at", Whole, nullable=False),
    Column("revoked_at", Whole),
    Index("api_keys_by_account", "account"),
)
Table(
    "credentials",
    _metadata,
    _account(),
    Column("name", _Name, primary_key=True),
    Column("encrypted", Characters),
    Column("iv", _Name),
    Column("at_rest", Bytes),
    Column("service", _Name),
    Column("sensitivity", _Name, nullable=False),
    Column("created_at", Whole, nullable=False),
    Column("last_used_at", Whole),
)
Table(
    "workflows",
    _metadata,
    _account(),
    Column("name", _Name, primary_key=True),
    Column("description", Characters, nullable=False),
    Column("graph", Characters, nullable=False),
    Column("config", JSON),
    Column("created_at_ms", Whole, nullable=False),
)
Table(
    "recipes",
    _metadata,
    _account(),
    Column("kind", _Name, primary_key=True),
    Column("name", _Name, primary_key=True),
    Column("hash_id", _Name),
    Column("recipe", Characters, nullable=False),
    Column("created_at", Whole, nullable=False),
)
Table(
    "executions",
    _metadata,
    Column("id", Whole, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("workflow", _Name, nullable=False),
    Column("started_at_ms", Whole, nullable=False),
    Column("verdict", _Name, nullable=False),
    Column("duration_ms", Whole, nullable=False),
    Column("message", Characters, nullable=False),
    Index("executions_by_workflow", "account", "workflow", "id"),
)
Table(
    "idempotent_answers",
    _metadata,
    _account(),
    Column("key", _Name, primary_key=True),
    Column("request", Bytes, nullable=False),
    Column("status", Whole),
    Column("body", Bytes),
    Column("created_at", Whole, nullable=False),
    Index("idempotent_answers_by_age", "created_at"),
)


def upgrade(connection: Connection) -> None:
    """Create all tables."""
    _metadata.create_all(connection)
