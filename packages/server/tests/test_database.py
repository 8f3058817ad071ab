from __future__ import annotations

import asyncio
import sqlite3
import stat
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import bindparam, insert, select, text

from arcrun_server.errors import StartupError, StorageUnavailableError
from arcrun_server.store import Store
from arcrun_server.store import database as database_module
from arcrun_server.store.database import Database, Query
from arcrun_server.store.schema import APPLICATION_ID, SCHEMA_VERSION, facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "arcrun.db")
    yield database
    database.close()


def add(name: str):
    def change(connection: Connection) -> str:
        connection.execute(
            text("INSERT INTO facts (name, value) VALUES (:name, x'00')"), {"name": name}
        )
        return name

    return change


def names(connection: Connection) -> list[str]:
    return list(connection.execute(text("SELECT name FROM facts ORDER BY name")).scalars())


INSERT = insert(facts)


async def test_writes_behind_need_no_asking(database: Database) -> None:
    database.write_behind(INSERT, {"name": "a", "value": b""})
    await asyncio.wait_for(arrived(database), 10)
    assert await database.read(names) == ["a"]


async def arrived(database: Database) -> None:
    while not await database.read(names):  # noqa: ASYNC110 - nothing tells of it, on purpose
        await asyncio.sleep(0.005)


def pragma(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA {statement}")
    connection.commit()
    connection.close()


async def test_write_is_there_for_the_next_read(database: Database) -> None:
    assert await database.write(add("甲")) == "甲"
    assert await database.read(names) == ["甲"]


async def test_commits_wait_for_the_disk(database: Database) -> None:
    def level(connection: Connection) -> tuple[int, str]:
        synchronous = connection.execute(text("PRAGMA synchronous")).scalar_one()
        return synchronous, connection.execute(text("PRAGMA journal_mode")).scalar_one()

    assert await database.write(level) == (2, "wal")  # 2 is FULL


async def test_many_writes_at_once_are_all_there(database: Database) -> None:
    expected = [f"n{number:04}" for number in range(600)]
    await asyncio.gather(*(database.write(add(name)) for name in expected))
    assert await database.read(names) == expected


async def test_failing_write_undoes_its_own_part_only(database: Database) -> None:
    def half(connection: Connection) -> None:
        add("half")(connection)
        raise LookupError("changed its mind")

    results = await asyncio.gather(
        database.write(add("before")),
        database.write(half),
        database.write(add("before")),
        database.write(add("after")),
        return_exceptions=True,
    )
    assert results[0] == "before"
    assert isinstance(results[1], LookupError)
    assert type(results[2]).__name__ == "IntegrityError"
    assert results[3] == "after"
    assert await database.read(names) == ["after", "before"]


async def test_mistake_of_ours_is_not_taken_for_a_failing_disk(database: Database) -> None:
    query = Query(select(facts.c.name).where(facts.c.name == bindparam("name")))
    with pytest.raises(sqlite3.ProgrammingError):
        await database.rows(query)
    assert await database.rows(query, name="a") == []


async def test_settling_waits_for_writes_behind(database: Database) -> None:
    for number in range(50):
        database.write_behind(INSERT, {"name": f"n{number:02}", "value": b""})
    await database.settle()
    assert len(await database.read(names)) == 50


async def test_full_disk_is_said_and_nothing_is_half_written(database: Database) -> None:
    def shrink(connection: Connection) -> None:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))

    def fill(connection: Connection) -> None:
        add("small")(connection)
        connection.execute(text("INSERT INTO facts VALUES ('big', zeroblob(500000))"))

    await database.write(shrink)
    with pytest.raises(StorageUnavailableError, match="disk is full"):
        await database.write(fill)
    assert await database.read(names) == []
    await database.write(lambda c: c.execute(text("PRAGMA max_page_count = 100000")).scalar_one())
    await database.write(add("after"))
    assert await database.read(names) == ["after"]


async def test_lock_of_another_process_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "WRITE_WAIT_MS", 50)
    database = Database(tmp_path / "arcrun.db")
    other = sqlite3.connect(tmp_path / "arcrun.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailableError, match="locked by another process"):
        await database.write(add("a"))
    assert await database.read(names) == []
    other.execute("ROLLBACK")
    other.close()
    await database.write(add("a"))
    assert await database.read(names) == ["a"]
    database.close()


async def test_closing_finishes_what_was_handed_in(tmp_path: Path) -> None:
    database = Database(tmp_path / "arcrun.db")
    for number in range(20):
        database.write_behind(INSERT, {"name": f"n{number}", "value": b""})
    database.close()
    again = Database(tmp_path / "arcrun.db")
    assert len(again.read_now(names)) == 20
    again.close()
    assert "arcrun-writer" not in [thread.name for thread in threading.enumerate()]


def test_locked_database_can_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Database(tmp_path / "arcrun.db").close()
    monkeypatch.setattr(database_module, "WRITE_WAIT_MS", 50)
    other = sqlite3.connect(tmp_path / "arcrun.db", isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StartupError, match="locked by another process"):
        Database(tmp_path / "arcrun.db")
    other.close()


def test_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "arcrun.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StartupError, match="another program"):
        Database(path)
    assert path.read_bytes() == before


def test_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "arcrun.db"
    Database(path).close()
    pragma(path, f"user_version={SCHEMA_VERSION + 1}")
    with pytest.raises(StartupError, match=rf"newer.*schema {SCHEMA_VERSION + 1}"):
        Database(path)


def test_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "arcrun.db"
    path.write_bytes(b"this is a text, not a database. " * 100)
    with pytest.raises(StartupError, match="damaged or is no SQLite database"):
        Database(path)
    assert path.read_bytes().startswith(b"this is a text")


async def test_damage_that_shows_while_running_is_said(tmp_path: Path) -> None:
    path = tmp_path / "arcrun.db"
    database = Database(path)
    await asyncio.gather(*(database.write(add(f"n{number}")) for number in range(200)))
    database.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    damaged = Database(path)
    with pytest.raises(StorageUnavailableError, match="damaged"):
        await damaged.read(names)
    damaged.close()


def test_file_is_its_owners_only_and_marked_as_ours(tmp_path: Path) -> None:
    Store(tmp_path / "data").close()
    path = tmp_path / "data" / "arcrun.db"
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    connection.close()


def test_folder_that_can_not_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StartupError, match="cannot make the data folder"):
        Store(tmp_path / "file" / "data")
    with pytest.raises(StartupError, match="cannot make the data folder"):
        Store(tmp_path / "file")
