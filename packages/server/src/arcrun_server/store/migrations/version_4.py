"""What a run used of language models, in the history of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, Table

from arcrun_server.store.types import Characters

if TYPE_CHECKING:
    from sqlalchemy import Connection

_executions = Table("executions", MetaData(), Column("usage", Characters))


def upgrade(connection: Connection) -> None:
    """Add the column; earlier runs have nothing in it."""
    column_type = _executions.c.usage.type.compile(connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE executions ADD COLUMN usage {column_type}")
