"""The schema that migrations lead to is the one that the program uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Inspector, create_engine, inspect, text

from arcrun_server.store import open_database
from arcrun_server.store.database_url import read_database_url
from arcrun_server.store.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

# The index that finds blocks, and its parts: each database has tables of its own kind for it.
OF_THE_INDEX = "block_index"


def described(inspector: Inspector) -> dict[str, Any]:
    """What a database says of its tables, in an order that does not depend on how they came to be."""
    return {
        table: {
            "columns": sorted(
                (
                    column["name"],
                    # 0.1.0 declared some texts as VARCHAR, which SQLite treats as TEXT.
                    str(column["type"]).replace("VARCHAR", "TEXT"),
                    column["nullable"],
                )
                for column in inspector.get_columns(table)
            ),
            "key": inspector.get_pk_constraint(table)["constrained_columns"],
            "references": [
                (key["constrained_columns"], key["referred_table"], key["options"])
                for key in inspector.get_foreign_keys(table)
            ],
            "indexes": sorted(
                (index["name"], index["column_names"], index["unique"])
                for index in inspector.get_indexes(table)
                if "duplicates_constraint" not in index
            ),
            "unique": [
                unique["column_names"] for unique in inspector.get_unique_constraints(table)
            ],
        }
        for table in inspector.get_table_names()
        if not table.startswith(OF_THE_INDEX)
    }


@pytest.fixture
def connected(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str | None], Any]:
    """Run a function with a connection of its own to a database."""

    def run(database_url: str | None, use: Callable[[Connection], Any]) -> Any:
        if database_url is None:
            engine = create_engine(f"sqlite:///{tmp_path / 'arcrun.db'}")
        else:
            import psycopg

            parameters = read_database_url(database_url).parameters
            engine = create_engine(
                "postgresql+psycopg://", creator=lambda: psycopg.connect(**parameters)
            )
        with engine.begin() as connection:
            found = use(connection)
        engine.dispose()
        return found

    return run


def test_migrations_end_at_the_schema_that_the_program_uses(
    tmp_path: Path,
    database_kind: str,
    database_url: str | None,
    connected: Any,
) -> None:
    open_database(tmp_path, database_url).close()
    migrated = connected(database_url, lambda connection: described(inspect(connection)))
    for table in ("schema_version", "last_commits"):
        migrated.pop(table, None)

    def recreated(connection: Connection) -> Any:
        connection.execute(text(f"DROP TABLE {OF_THE_INDEX}"))
        metadata.drop_all(connection)
        metadata.create_all(connection)
        return described(inspect(connection))

    created = connected(database_url, recreated)
    for table in ("schema_version", "last_commits"):
        created.pop(table, None)
    assert set(created) == set(metadata.tables)
    assert migrated == created
