"""Insert a row or change the one that is there: the only statement that each database spells in its own dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Executable, Table


class Upsert:
    """An INSERT with a rule for a row that has the same primary key.

    Args:
        table: Where to insert.
        replaced: Columns of the row that is there which take the new values; with none, it stays as it is.
        returning: Columns to return of the row that was inserted or changed.

    Example:
        >>> from arcrun_server.store.schema import properties
        >>> upsert = Upsert(properties, replaced=["value"])
        >>> connection.execute(upsert.on(connection), {"name": "a", "value": b""})  # doctest: +SKIP
    """

    def __init__(
        self, table: Table, *, replaced: Sequence[str] = (), returning: Sequence[str] = ()
    ) -> None:
        self._statements: dict[str, Executable] = {
            dialect.__name__.rpartition(".")[2]: _statement(
                dialect.insert(table), replaced, returning
            )
            for dialect in (sqlite, postgresql)
        }

    def on(self, connection: Connection) -> Executable:
        """Return the statement in the dialect of this connection."""
        return self._statements[connection.dialect.name]


def _statement(
    insert: sqlite.Insert | postgresql.Insert, replaced: Sequence[str], returning: Sequence[str]
) -> Any:
    key = [column.name for column in insert.table.primary_key]
    if replaced:
        changed = {name: insert.excluded[name] for name in replaced}
        statement: Any = insert.on_conflict_do_update(index_elements=key, set_=changed)
    else:
        statement = insert.on_conflict_do_nothing(index_elements=key)
    return (
        statement.returning(*(insert.table.c[name] for name in returning))
        if returning
        else statement
    )
