"""The index that finds blocks by their words, in each database's own way.

Both are fed by `kbdb/search.py`. SQLite's FTS5 knows where a word stands, so it finds phrases itself. PostgreSQL's full
text search keeps at most 256 positions of a word, and none behind 16,383: in a text of a few thousand Chinese
characters it loses phrases. There the index finds the blocks that have all the words, and the phrases are looked for
in their texts.

The account is a word of each block, so a search walks the entries of its own account only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from arcrun_server.kbdb.search import spaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Dialect

# PostgreSQL keeps the words of a block in less than 1 MiB: of more different ones, the last are not found.
_MOST_LEXEMES = 1_000_000
_SQLITE_ADD = text(
    "INSERT INTO block_index (rowid, account, page_name, content) VALUES (:number, :account, :page_name, :content)"
)
_SQLITE_REMOVE = text("DELETE FROM block_index WHERE rowid = :number")
_SQLITE_FIND = text(
    "SELECT rowid FROM block_index WHERE block_index MATCH :query AND rowid < :before "
    "ORDER BY rowid DESC LIMIT :count"
)
_POSTGRESQL_ADD = text(
    "INSERT INTO block_index (number, words, lexemes) "
    "VALUES (:number, :words, array_to_tsvector(CAST(:lexemes AS text[])))"
)
_POSTGRESQL_REMOVE = text("DELETE FROM block_index WHERE number = :number")
# In two steps: the planner would rather walk all blocks of all accounts from the newest on than use the index.
_POSTGRESQL_FIND = """
    WITH found AS MATERIALIZED (
        SELECT number FROM block_index WHERE lexemes @@ CAST(:query AS tsquery) AND number < :before
    )
    SELECT number FROM found JOIN block_index USING (number) {where}
    ORDER BY number DESC LIMIT :count
"""
LAST_NUMBER = 2**63 - 1


class IndexedWords:
    """The words of a block, computed once, for either database.

    Args:
        page_name: The name of its page.
        content: Its content.
    """

    def __init__(self, page_name: str, content: str) -> None:
        self.page_name = spaced(page_name)
        self.content = spaced(content)

    def add(self, connection: Connection, account: str, number: int) -> None:
        """Let a block be found by these words."""
        if _is_sqlite(connection.dialect):
            row: dict[str, Any] = {"account": account, **vars(self)}
            connection.execute(_SQLITE_ADD, {"number": number, **row})
            return
        # Of the page's name and the content, none goes on in the other: the line break is no word.
        words = f" {self.page_name} \n {self.content} "
        lexemes = [_of_account(account), *_fitting(words.split())]
        connection.execute(_POSTGRESQL_ADD, {"number": number, "words": words, "lexemes": lexemes})


def remove(connection: Connection, number: int) -> None:
    """Let a block be found no more."""
    statement = _SQLITE_REMOVE if _is_sqlite(connection.dialect) else _POSTGRESQL_REMOVE
    connection.execute(statement, {"number": number})


def find(
    connection: Connection, account: str, phrases: Sequence[str], before: int, count: int
) -> list[int]:
    """Return the numbers of the account's newest blocks that have all these phrases.

    Args:
        connection: A connection for reading.
        account: Whose blocks.
        phrases: As `phrases_of` makes them, at least one.
        before: Only of blocks below this number.
        count: At most so many.
    """
    parameters: dict[str, Any] = {"before": before, "count": count}
    if _is_sqlite(connection.dialect):
        # No word has a quotation mark, so nothing in it is an operator.
        wanted = " ".join(f'"{phrase}"' for phrase in phrases)
        query = f'account : "{account}" AND {{page_name content}} : ({wanted})'
        found = connection.execute(_SQLITE_FIND, {**parameters, "query": query})
        return list(found.scalars())
    longer = {f"phrase{n}": f" {phrase} " for n, phrase in enumerate(phrases) if " " in phrase}
    where = " AND ".join(f"position(CAST(:{name} AS text) IN words) > 0" for name in longer)
    words = dict.fromkeys(word for phrase in phrases for word in phrase.split())
    # Nor has one an apostrophe or a backslash.
    query = " & ".join(f"'{word}'" for word in (_of_account(account), *words))
    statement = text(_POSTGRESQL_FIND.format(where=f"WHERE {where}" if where else ""))
    found = connection.execute(statement, {**parameters, **longer, "query": query})
    return list(found.scalars())


def _fitting(words: list[str]) -> list[str]:
    fitting, left = [], _MOST_LEXEMES
    for word in dict.fromkeys(words):
        left -= len(word.encode())
        if left < 0:
            break
        fitting.append(word)
    return fitting


def _of_account(account: str) -> str:
    return f"@{account}"  # punctuation is in no word


def _is_sqlite(dialect: Dialect) -> bool:
    return dialect.name == "sqlite"
