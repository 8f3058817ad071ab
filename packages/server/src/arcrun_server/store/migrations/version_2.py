"""Plain names for two tables, and a type for a workflow's `config` that means the same on every database.

`facts` becomes `properties`, `idempotent_answers` becomes `idempotent_responses`, and `workflows.config` becomes text:
for SQLite, a column declared JSON is one of numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, Table, Text, cast, update
from sqlalchemy.schema import CreateIndex, Index

from arcrun_server.store.types import Characters, Whole

if TYPE_CHECKING:
    from sqlalchemy import Connection

# What of the tables this migration works on; `config_text` is the new column under its name of the meantime.
_metadata = MetaData()
_workflows = Table(
    "workflows", _metadata, Column("config", Text), Column("config_text", Characters)
)
_responses = Table("idempotent_responses", _metadata, Column("created_at", Whole))
_BY_AGE = Index("idempotent_responses_by_age", _responses.c.created_at)


def upgrade(connection: Connection) -> None:
    """Rename the tables and convert the column."""
    connection.exec_driver_sql("ALTER TABLE facts RENAME TO properties")
    connection.exec_driver_sql("ALTER TABLE idempotent_answers RENAME TO idempotent_responses")
    connection.exec_driver_sql("DROP INDEX idempotent_answers_by_age")
    connection.execute(CreateIndex(_BY_AGE))
    _config_as_text(connection)


def _config_as_text(connection: Connection) -> None:
    column_type = _workflows.c.config_text.type.compile(connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE workflows ADD COLUMN config_text {column_type}")
    connection.execute(update(_workflows).values(config_text=cast(_workflows.c.config, Text)))
    connection.exec_driver_sql("ALTER TABLE workflows DROP COLUMN config")
    connection.exec_driver_sql("ALTER TABLE workflows RENAME COLUMN config_text TO config")
