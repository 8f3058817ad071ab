"""The index that finds blocks by their words, in each database's own way.

Both are fed by `kbdb/search.py`. SQLite's FTS5 knows where a word stands, so it finds phrases itself. PostgreSQL's full
text search keeps at most 256 positions of a word, and none behind 16,383: in a text of a few thousand Chinese
characters it loses phrases. There the index finds the blocks that have all the words, and the phrases are looked for
in their texts.

A character of Chinese is in most texts, so both indexes also hold each two that stand side by side (`pairs_of`): a
phrase of characters that stand apart in many blocks is looked for in none of them.

The account is a word of each block, so a search walks the entries of its own account only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from arcrun_server.kbdb.search import is_run, pairs_of, spaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Dialect

# PostgreSQL keeps the words of a block in less than 1 MiB: of more different ones, the last are not found.
_MOST_LEXEMES = 1_000_000
# Stands between runs of pairs, so that they don't follow each other, and for pairs that were left out. It is in no word.
_NO_PAIR = "@"
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
        self._texts = (spaced(page_name), spaced(content))
        self._pairs = tuple(pairs_of(text) for text in self._texts)

    def add(self, connection: Connection, account: str, number: int) -> None:
        """Let a block be found by these words."""
        if _is_sqlite(connection.dialect):
            page_name, content = map(_with_pairs, self._texts, self._pairs)
            row = {"account": account, "page_name": page_name, "content": content}
            connection.execute(_SQLITE_ADD, {"number": number, **row})
            return
        # Of the page's name and the content, none goes on in the other: the line break is no word.
        words = " {} \n {} ".format(*self._texts)
        pairs = [pair for runs in self._pairs for run in runs for pair in run]
        lexemes = [_of_account(account), *_lexemes(words.split(), pairs)]
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
        wanted = " ".join(f'"{_in_pairs(phrase)}"' for phrase in phrases)
        query = f'account : "{account}" AND {{page_name content}} : ({wanted})'
        found = connection.execute(_SQLITE_FIND, {**parameters, "query": query})
        return list(found.scalars())
    longer = {f"phrase{n}": f" {phrase} " for n, phrase in enumerate(phrases) if " " in phrase}
    where = " AND ".join(f"position(CAST(:{name} AS text) IN words) > 0" for name in longer)
    words = dict.fromkeys(word for phrase in phrases for word in phrase.split())
    # Nor has one an apostrophe or a backslash.
    needed = [f"'{word}'" for word in (_of_account(account), *words)]
    pairs = {pair: None for phrase in phrases for run in pairs_of(phrase) for pair in run}
    if pairs:
        side_by_side = " & ".join(f"'{pair}'" for pair in pairs)
        needed.append(f"({side_by_side} | '{_NO_PAIR}')")
    query = " & ".join(needed)
    statement = text(_POSTGRESQL_FIND.format(where=f"WHERE {where}" if where else ""))
    found = connection.execute(statement, {**parameters, **longer, "query": query})
    return list(found.scalars())


def _with_pairs(words: str, pairs: list[list[str]]) -> str:
    """Return words with their pairs behind them, as FTS5 takes them."""
    return f" {_NO_PAIR} ".join([words, *map(" ".join, pairs)])


def _in_pairs(phrase: str) -> str:
    """Return the words that FTS5 looks for side by side: fewer blocks have the pairs of a phrase than its characters."""
    return " ".join(pairs_of(phrase)[0]) if is_run(phrase) else phrase


def _lexemes(words: list[str], pairs: list[str]) -> list[str]:
    """Return the words that PostgreSQL has room for, and the pairs if there is room for all of them."""
    fitting, left = _fitting(words, _MOST_LEXEMES)
    more, left = _fitting(pairs, left)
    return [*fitting, *more] if left >= 0 else [*fitting, _NO_PAIR]


def _fitting(words: list[str], left: int) -> tuple[list[str], int]:
    """Return each word once, as long as there is room, and how much is left: less than nothing if not all fit."""
    fitting = []
    for word in dict.fromkeys(words):
        left -= len(word.encode())
        if left < 0:
            break
        fitting.append(word)
    return fitting, left


def _of_account(account: str) -> str:
    return f"@{account}"  # punctuation is in no word


def _is_sqlite(dialect: Dialect) -> bool:
    return dialect.name == "sqlite"
