"""PostgreSQL databases of earlier versions: upgraded with everything in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from migrated import (
    failing_half_way,
    knowledge_base_works,
    prompt_recipes_are_in,
    recipes_are_version_1,
)
from sqlalchemy import text

from arcrun_server.errors import StartupError
from arcrun_server.store import Store, migrations, open_database

if TYPE_CHECKING:
    from pathlib import Path

    from postgresql_server import PostgreSQLServer
    from sqlalchemy import Connection


def test_postgresql_is_upgraded_from_version_1(
    postgresql: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = postgresql.schema()
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        database = open_database(tmp_path, url)
        database.write_now(
            lambda connection: connection.execute(
                text("INSERT INTO facts VALUES ('a', CAST('x' AS bytea))")
            ).close()
        )
        patch.setattr(migrations, "MIGRATIONS", (None, failing_half_way))
        with pytest.raises(StartupError, match="cannot upgrade"):
            open_database(tmp_path, url)
        database.close()
    database = open_database(tmp_path, url)
    found = database.read_now(lambda c: c.execute(text("SELECT name FROM properties")).scalar())
    assert found == "a"
    database.close()


async def test_postgresql_is_upgraded_from_version_2(
    postgresql: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = postgresql.schema()
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:2])
        database = open_database(tmp_path, url)
        database.write_now(
            lambda connection: connection.execute(
                text("INSERT INTO accounts VALUES ('acc_alice', 7)")
            ).close()
        )
        patch.setattr(migrations, "MIGRATIONS", (None, None, failing_half_way))
        with pytest.raises(StartupError, match="cannot upgrade"):
            open_database(tmp_path, url)
        database.close()
    store = Store(tmp_path, url)
    await knowledge_base_works(store, "acc_alice")
    store.close()


OF_VERSION_3 = """
INSERT INTO accounts VALUES ('acc_alice', 7);
INSERT INTO recipes VALUES ('acc_alice', 'auth', 'my_service', NULL,
    '{"service": "my_service", "base_url": "https://api.example"}', 1767225600);
INSERT INTO recipes VALUES ('acc_alice', 'api', 'telegram_send', 'rec_3366235b',
    '{"canonical_id": "telegram_send", "endpoint": "https://api.example/send"}', 1767225600);
INSERT INTO prompt_recipes VALUES ('acc_alice', 'greet', 2, '第二');
INSERT INTO prompt_recipe_versions VALUES ('acc_alice', 'greet', 1, 'name: greet', '{"name": "greet"}',
    '{"tone": [{"block_id": "b", "version": 3}]}', E'why \\\\\\\\ 為何', 1);
INSERT INTO prompt_recipe_versions VALUES ('acc_alice', 'greet', 2, NULL,
    '{"name": "greet", "description": "第二"}', '{}', NULL, 2);
INSERT INTO prompt_recipe_labels VALUES ('acc_alice', 'greet', 'production', 1, true);
"""


async def test_postgresql_is_upgraded_from_version_3(
    postgresql: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = postgresql.schema()

    def fill(connection: Connection) -> None:
        for statement in OF_VERSION_3.split(";\n")[:-1]:
            connection.exec_driver_sql(statement)

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:3])
        database = open_database(tmp_path, url)
        database.write_now(fill)
        patch.setattr(migrations, "MIGRATIONS", (None, None, None, failing_half_way))
        with pytest.raises(StartupError, match="cannot upgrade"):
            open_database(tmp_path, url)
        database.close()
    store = Store(tmp_path, url)
    await recipes_are_version_1(store, "acc_alice")
    await prompt_recipes_are_in(store, "acc_alice")
    store.close()
