"""The prompts that runs have assembled from stored recipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, ForeignKey, Index, MetaData, String, Table

from arcrun_server.store.types import Characters, Whole

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
_recorded_prompts = Table(
    "recorded_prompts",
    _metadata,
    # Stands for an invocation of a run.
    Column("id", Characters, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("recipe", Characters, nullable=False),
    # 0 for a recipe that is shipped.
    Column("version", Whole, nullable=False),
    # The run may stand in no table: one that is waited for is not kept.
    Column("run", Characters, nullable=False),
    Column("node", Characters, nullable=False),
    # As JSON text; NULL if it was too large.
    Column("inputs", Characters),
    Column("answer", Characters),
    Column("created_at_ms", Whole, nullable=False),
    Index("recorded_prompts_by_recipe", "account", "recipe", "created_at_ms", "id"),
    Index("recorded_prompts_by_age", "created_at_ms"),
)


def create_table(connection: Connection) -> None:
    """Create the table."""
    _metadata.create_all(connection, tables=[_recorded_prompts])
