"""Prompt recipes: their versions, which never change, the labels that point to versions, and texts for fragments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Boolean, Column, ForeignKey, ForeignKeyConstraint, MetaData, String, Table

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
_RECIPE = (["account", "name"], ["prompt_recipes.account", "prompt_recipes.name"])
_recipes = Table(
    "prompt_recipes",
    _metadata,
    Column(
        "account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, nullable=False
    ),
    Column("name", Characters, primary_key=True),
    Column("newest", Whole, nullable=False),
    Column("description", Characters, nullable=False),
)
_versions = Table(
    "prompt_recipe_versions",
    _metadata,
    Column("account", Characters, primary_key=True),
    Column("name", Characters, primary_key=True),
    Column("version", Whole, primary_key=True),
    Column("source", Characters),
    Column("recipe", Characters, nullable=False),
    Column("pins", Characters, nullable=False),
    Column("message", Characters),
    Column("created_at_ms", Whole, nullable=False),
    ForeignKeyConstraint(*_RECIPE, ondelete="CASCADE"),
)
_labels = Table(
    "prompt_recipe_labels",
    _metadata,
    Column("account", Characters, primary_key=True),
    Column("name", Characters, primary_key=True),
    Column("label", Characters, primary_key=True),
    Column("version", Whole, nullable=False),
    Column("requires_tests", Boolean, nullable=False),
    ForeignKeyConstraint(*_RECIPE, ondelete="CASCADE"),
)
_texts = Table(
    "prompt_texts",
    _metadata,
    Column(
        "account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, nullable=False
    ),
    Column("key", Characters, primary_key=True),
    Column("text", Characters, nullable=False),
    Column("updated_at_ms", Whole, nullable=False),
)


def upgrade(connection: Connection) -> None:
    """Create the tables."""
    _metadata.create_all(connection, tables=[_recipes, _versions, _labels, _texts])
