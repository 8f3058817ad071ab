"""One set of tables for the recipes of all kinds.

The recipes of services and HTTP requests, which each push replaced, get versions: what is there becomes version 1.
Prompt recipes move to the same tables. The history of runs gets what a run used of language models.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    MetaData,
    String,
    Table,
    insert,
    literal,
    select,
)

from arcrun_server.store.migrations import (
    version_4_accounts,
    version_4_recorded_prompts,
    version_4_runs,
    version_4_schedules,
)
from arcrun_server.store.types import Characters, Whole

if TYPE_CHECKING:
    from sqlalchemy import Connection

_AT_ONCE = 500

_metadata = MetaData()
# As version 1 wrote it.
Table(
    "accounts",
    _metadata,
    Column("id", Characters().with_variant(String(), "sqlite"), primary_key=True),
    Column("created_at", Whole, nullable=False),
)


def _key() -> tuple[Column[str], Column[str], Column[str]]:
    return (
        Column("account", Characters, primary_key=True),
        Column("kind", Characters, primary_key=True),
        Column("name", Characters, primary_key=True),
    )


_RECIPE = (
    ["account", "kind", "name"],
    ["recipes.account", "recipes.kind", "recipes.name"],
)
_recipes = Table(
    "recipes",
    _metadata,
    Column(
        "account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, nullable=False
    ),
    Column("kind", Characters, primary_key=True),
    Column("name", Characters, primary_key=True),
    Column("hash_id", Characters),
    Column("newest", Whole, nullable=False),
    Column("description", Characters, nullable=False),
)
_versions = Table(
    "recipe_versions",
    _metadata,
    *_key(),
    Column("version", Whole, primary_key=True),
    Column("source", Characters),
    Column("recipe", Characters, nullable=False),
    Column("pins", Characters, nullable=False),
    Column("message", Characters),
    Column("created_at_ms", Whole, nullable=False),
    ForeignKeyConstraint(*_RECIPE, ondelete="CASCADE"),
)
_labels = Table(
    "recipe_labels",
    _metadata,
    *_key(),
    Column("label", Characters, primary_key=True),
    Column("version", Whole, nullable=False),
    Column("requires_tests", Boolean, nullable=False),
    ForeignKeyConstraint(*_RECIPE, ondelete="CASCADE"),
)

_deleted = Table(
    "deleted_recipes",
    _metadata,
    Column(
        "account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, nullable=False
    ),
    Column("kind", Characters, primary_key=True),
    Column("name", Characters, primary_key=True),
    Column("newest", Whole, nullable=False),
)

# What there was. `recipes` is copied first: the name of its key would be in the way of the new table's.
_COPY = "CREATE TABLE recipes_before AS SELECT * FROM recipes"
_before = MetaData()
_replaced = Table(
    "recipes_before",
    _before,
    *_key(),
    Column("hash_id", Characters),
    Column("recipe", Characters),
    Column("created_at", Whole),
)
_prompts = Table(
    "prompt_recipes",
    _before,
    Column("account", Characters),
    Column("name", Characters),
    Column("newest", Whole),
    Column("description", Characters),
)
_prompt_versions = Table(
    "prompt_recipe_versions",
    _before,
    Column("account", Characters),
    Column("name", Characters),
    Column("version", Whole),
    Column("source", Characters),
    Column("recipe", Characters),
    Column("pins", Characters),
    Column("message", Characters),
    Column("created_at_ms", Whole),
)
_prompt_labels = Table(
    "prompt_recipe_labels",
    _before,
    Column("account", Characters),
    Column("name", Characters),
    Column("label", Characters),
    Column("version", Whole),
    Column("requires_tests", Boolean),
)
_executions = Table("executions", MetaData(), Column("usage", Characters))


def upgrade(connection: Connection) -> None:
    """Create the tables, and those of the other modules of this version, and move all recipes into them.

    Earlier runs have no usage.
    """
    version_4_runs.create_tables(connection)
    version_4_schedules.create_tables(connection)
    version_4_recorded_prompts.create_table(connection)
    version_4_accounts.upgrade(connection)
    usage_type = _executions.c.usage.type.compile(connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE executions ADD COLUMN usage {usage_type}")
    connection.exec_driver_sql(_COPY)
    connection.exec_driver_sql("DROP TABLE recipes")
    _metadata.create_all(connection, tables=[_recipes, _versions, _labels, _deleted])
    _move_replaced(connection)
    _move_prompts(connection)
    for table in (_replaced, _prompt_labels, _prompt_versions, _prompts):
        connection.exec_driver_sql(f"DROP TABLE {table.name}")


def _move_replaced(connection: Connection) -> None:
    for rows in connection.execute(select(_replaced)).partitions(_AT_ONCE):
        keys = [{name: row._mapping[name] for name in ("account", "kind", "name")} for row in rows]  # noqa: SLF001
        recipes = [
            {
                **key,
                "hash_id": row.hash_id,
                "newest": 1,
                "description": json.loads(row.recipe).get("description") or "",
            }
            for key, row in zip(keys, rows, strict=True)
        ]
        versions = [
            {
                **key,
                "version": 1,
                "recipe": row.recipe,
                "pins": "{}",
                "created_at_ms": row.created_at * 1000,
            }
            for key, row in zip(keys, rows, strict=True)
        ]
        connection.execute(insert(_recipes), recipes)
        connection.execute(insert(_versions), versions)


def _move_prompts(connection: Connection) -> None:
    for old, new in (
        (_prompts, _recipes),
        (_prompt_versions, _versions),
        (_prompt_labels, _labels),
    ):
        names = [column.name for column in old.c]
        moved = select(literal("prompt"), *old.c)
        connection.execute(insert(new).from_select(["kind", *names], moved))
