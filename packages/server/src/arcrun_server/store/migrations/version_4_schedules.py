"""The schedules of workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, ForeignKeyConstraint, Index, MetaData, String, Table

from arcrun_server.store.types import Characters, Whole

if TYPE_CHECKING:
    from sqlalchemy import Connection

_metadata = MetaData()
# As version 1 wrote it, of which only the key is needed.
Table(
    "workflows",
    _metadata,
    Column("account", Characters().with_variant(String(), "sqlite"), primary_key=True),
    Column("name", Characters().with_variant(String(), "sqlite"), primary_key=True),
)
_schedules = Table(
    "schedules",
    _metadata,
    Column("account", Characters, primary_key=True),
    Column("workflow", Characters, primary_key=True),
    Column("expr", Characters, nullable=False),
    Column("timezone", Characters, nullable=False),
    # When it runs next by itself.
    Column("next_ms", Whole, nullable=False),
    ForeignKeyConstraint(
        ["account", "workflow"], ["workflows.account", "workflows.name"], ondelete="CASCADE"
    ),
    Index("schedules_by_time", "next_ms"),
)


def create_tables(connection: Connection) -> None:
    """Create the table."""
    _metadata.create_all(connection, tables=[_schedules])
