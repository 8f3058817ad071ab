"""The knowledge base, and prompt recipes.

Of the knowledge base: blocks, their earlier versions, and the index that finds blocks by words.

SQLite's index is an FTS5 table. PostgreSQL's is a table with a GIN index over the words, without positions: its
full text search keeps at most 256 positions of a word, and none behind 16,383, so that in a long Chinese text
it no longer finds phrases (`store/block_index.py`).

Of prompt recipes: their versions, which never change, the labels that point to versions, and texts for fragments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    String,
    Table,
)

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
_blocks = Table(
    "blocks",
    _metadata,
    Column("number", Whole, primary_key=True),
    Column("account", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("id", Characters, nullable=False),
    Column("version", Whole, nullable=False),
    Column("page_name", Characters, nullable=False),
    Column("content", Characters, nullable=False),
    Column("type", Characters),
    Column("source", Characters),
    Column("metadata", Characters, nullable=False),
    Column("size", Whole, nullable=False),
    Column("created_at_ms", Whole, nullable=False),
    Column("updated_at_ms", Whole, nullable=False),
    Index("blocks_by_id", "account", "id", unique=True),
    Index("blocks_by_number", "account", "number"),
    Index("blocks_by_page", "account", "page_name", "number"),
    Index("blocks_by_type", "account", "type", "number"),
)
_versions = Table(
    "block_versions",
    _metadata,
    Column(
        "number", ForeignKey("blocks.number", ondelete="CASCADE"), primary_key=True, nullable=False
    ),
    Column("version", Whole, primary_key=True),
    Column("page_name", Characters, nullable=False),
    Column("content", Characters, nullable=False),
    Column("type", Characters),
    Column("source", Characters),
    Column("metadata", Characters, nullable=False),
    Column("updated_at_ms", Whole, nullable=False),
)
_RECIPE = (["account", "name"], ["prompt_recipes.account", "prompt_recipes.name"])
_prompts = Table(
    "prompt_recipes",
    _metadata,
    Column(
        "account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, nullable=False
    ),
    Column("name", Characters, primary_key=True),
    Column("newest", Whole, nullable=False),
    Column("description", Characters, nullable=False),
)
_prompt_versions = Table(
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
_prompt_labels = Table(
    "prompt_recipe_labels",
    _metadata,
    Column("account", Characters, primary_key=True),
    Column("name", Characters, primary_key=True),
    Column("label", Characters, primary_key=True),
    Column("version", Whole, nullable=False),
    Column("requires_tests", Boolean, nullable=False),
    ForeignKeyConstraint(*_RECIPE, ondelete="CASCADE"),
)
_prompt_texts = Table(
    "prompt_texts",
    _metadata,
    Column(
        "account", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, nullable=False
    ),
    Column("key", Characters, primary_key=True),
    Column("text", Characters, nullable=False),
    Column("updated_at_ms", Whole, nullable=False),
)

# Words come separated by spaces (`kbdb/search.py`), so everything else is part of a word.
_FTS5 = """
CREATE VIRTUAL TABLE block_index USING fts5(
    account, page_name, content,
    tokenize = "unicode61 remove_diacritics 0 categories 'L* N* M* P* S* C*'"
)
"""
# Also when a block is deleted with its account.
_FTS5_FOLLOWS = """
CREATE TRIGGER block_index_follows AFTER DELETE ON blocks BEGIN
    DELETE FROM block_index WHERE rowid = old.number;
END
"""
_WORDS = """
CREATE TABLE block_index (
    number bigint PRIMARY KEY REFERENCES blocks (number) ON DELETE CASCADE,
    words text COLLATE "C" NOT NULL,
    lexemes tsvector NOT NULL
)
"""
_WORDS_BY_LEXEME = "CREATE INDEX block_index_by_lexeme ON block_index USING gin (lexemes)"
_INDEX = {"sqlite": (_FTS5, _FTS5_FOLLOWS), "postgresql": (_WORDS, _WORDS_BY_LEXEME)}


def upgrade(connection: Connection) -> None:
    """Create the tables and the index."""
    knowledge_base = [_blocks, _versions]
    prompts = [_prompts, _prompt_versions, _prompt_labels, _prompt_texts]
    _metadata.create_all(connection, tables=[*knowledge_base, *prompts])
    for statement in _INDEX[connection.dialect.name]:
        connection.exec_driver_sql(statement)
