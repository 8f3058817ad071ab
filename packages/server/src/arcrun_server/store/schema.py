"""The tables. Times are whole Unix seconds, or milliseconds where the name says so."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

# "arcr": tells our files from other SQLite databases.
APPLICATION_ID = 0x61726372
SCHEMA_VERSION = 1

metadata = MetaData()

facts = Table(
    "facts",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", String, primary_key=True),
    Column("created_at", Integer, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("lookup", LargeBinary, nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("prefix", String, nullable=False),
    Column("label", String, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("revoked_at", Integer),
    Index("api_keys_by_account", "account"),
)


def _account() -> Column[str]:
    return Column(
        "account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, nullable=False
    )


credentials = Table(
    "credentials",
    metadata,
    _account(),
    Column("name", String, primary_key=True),
    # Either the client's envelope, base64 as it was given …
    Column("encrypted", Text),
    Column("iv", String),
    # … or a plain value, sealed by us under the server key.
    Column("at_rest", LargeBinary),
    Column("service", String),
    Column("sensitivity", String, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("last_used_at", Integer),
)

workflows = Table(
    "workflows",
    metadata,
    _account(),
    Column("name", String, primary_key=True),
    Column("description", Text, nullable=False),
    # As JSON text: the engine remembers what it made of a text.
    Column("graph", Text, nullable=False),
    Column("config", JSON(none_as_null=True)),
    Column("created_at_ms", Integer, nullable=False),
)

recipes = Table(
    "recipes",
    metadata,
    _account(),
    Column("kind", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("hash_id", String),
    Column("recipe", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
)

executions = Table(
    "executions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("workflow", String, nullable=False),
    Column("started_at_ms", Integer, nullable=False),
    Column("verdict", String, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Index("executions_by_workflow", "account", "workflow", "id"),
)

answers = Table(
    "idempotent_answers",
    metadata,
    _account(),
    Column("key", String, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("status", Integer),
    Column("body", LargeBinary),
    Column("created_at", Integer, nullable=False),
    Index("idempotent_answers_by_age", "created_at"),
)
