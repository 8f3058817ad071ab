"""SQLite's file: whose it is, where it may be, and what happens when it can't be used."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select, text

from arcrun_server.app import create_app
from arcrun_server.errors import StartupError, StorageUnavailableError
from arcrun_server.settings import Settings
from arcrun_server.store import Store
from arcrun_server.store import sqlite as sqlite_module
from arcrun_server.store.schema import properties
from arcrun_server.store.sqlite import APPLICATION_ID, SQLiteDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SQLiteDatabase]:
    database = SQLiteDatabase(tmp_path / "arcrun.db")
    yield database
    database.close()


def add(name: str) -> Callable[[Connection], None]:
    row = {"name": name, "value": b"\x00"}
    return lambda connection: connection.execute(insert(properties), row).close()


def names(connection: Connection) -> list[str]:
    return list(connection.execute(select(properties.c.name)).scalars())


def pragma(path: Path, statement: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {statement}").fetchone()


async def test_commits_wait_for_the_disk(database: SQLiteDatabase) -> None:
    def level(connection: Connection) -> tuple[int, str]:
        synchronous = connection.execute(text("PRAGMA synchronous")).scalar_one()
        return synchronous, connection.execute(text("PRAGMA journal_mode")).scalar_one()

    assert await database.write(level) == (2, "wal")  # 2 is FULL


async def test_full_disk_is_reported_and_nothing_is_half_written(
    database: SQLiteDatabase,
) -> None:
    def shrink(connection: Connection) -> None:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))

    def fill(connection: Connection) -> None:
        add("small")(connection)
        connection.execute(text("INSERT INTO properties VALUES ('big', zeroblob(500000))"))

    await database.write(shrink)
    with pytest.raises(StorageUnavailableError, match="disk is full"):
        await database.write(fill)
    assert await database.read(names) == []
    await database.write(lambda c: c.execute(text("PRAGMA max_page_count = 100000")).scalar_one())
    await database.write(add("after"))
    assert await database.read(names) == ["after"]


async def test_lock_of_another_process_is_reported(tmp_path: Path) -> None:
    database = SQLiteDatabase(tmp_path / "arcrun.db", write_wait_ms=50)
    with closing(sqlite3.connect(tmp_path / "arcrun.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailableError, match="locked by another process"):
            await database.write(add("a"))
        assert await database.read(names) == []
        other.execute("ROLLBACK")
    await database.write(add("a"))
    assert await database.read(names) == ["a"]
    database.close()


def test_locked_database_can_not_be_opened(tmp_path: Path) -> None:
    SQLiteDatabase(tmp_path / "arcrun.db").close()
    with closing(sqlite3.connect(tmp_path / "arcrun.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StartupError, match="locked by another process"):
            SQLiteDatabase(tmp_path / "arcrun.db", write_wait_ms=50)


async def test_database_opens_while_another_process_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_module, "UPGRADE_WAIT_MS", 50)
    SQLiteDatabase(tmp_path / "arcrun.db").close()
    with closing(sqlite3.connect(tmp_path / "arcrun.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        database = SQLiteDatabase(tmp_path / "arcrun.db", write_wait_ms=50)
        assert await database.read(names) == []
        database.close()


def test_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "arcrun.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    before = path.read_bytes()
    with pytest.raises(StartupError, match="another program"):
        SQLiteDatabase(path)
    assert path.read_bytes() == before


def test_file_that_is_not_a_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "arcrun.db"
    path.write_bytes(b"this is a text, not a database. " * 100)
    with pytest.raises(StartupError, match="damaged or is not a SQLite database"):
        SQLiteDatabase(path)
    assert path.read_bytes().startswith(b"this is a text")


async def test_damage_that_shows_while_running_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "arcrun.db"
    database = SQLiteDatabase(path)
    await asyncio.gather(*(database.write(add(f"n{number}")) for number in range(200)))
    database.close()
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'properties'"
        )
        pages = [page for (page,) in found]
    content = bytearray(path.read_bytes())
    for page in pages:  # of the table and of its index
        content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    damaged = SQLiteDatabase(path)
    with pytest.raises(StorageUnavailableError, match="damaged"):
        await damaged.read(names)
    damaged.close()


def test_file_is_its_owners_only_and_marked_as_ours(tmp_path: Path) -> None:
    Store(tmp_path / "data").close()
    path = tmp_path / "data" / "arcrun.db"
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert pragma(path, "application_id") == (APPLICATION_ID,)


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX")
@pytest.mark.parametrize("mode", [0o020, 0o002, 0o022])
@pytest.mark.parametrize("name", ["", "arcrun.db", "arcrun.db-wal"])
def test_data_that_others_may_write_is_refused_with_the_cure(
    tmp_path: Path, name: str, mode: int
) -> None:
    data = tmp_path / "my data"
    Store(data).close()
    (data / "arcrun.db-wal").touch(0o600)
    path = data / name
    before = (data / "arcrun.db").read_bytes()
    path.chmod(path.stat().st_mode | mode)
    with pytest.raises(StartupError, match="others may write in") as refused:
        Store(data)
    assert (data / "arcrun.db").read_bytes() == before
    cure = str(refused.value).splitlines()[1].removeprefix("Run: ")
    subprocess.run(["/bin/sh", "-c", cure], check=True)
    Store(data).close()


def test_one_server_at_a_time_holds_a_data_folder(tmp_path: Path) -> None:
    first = Store(tmp_path, serving=True)
    with pytest.raises(StartupError, match="another server"):
        Store(tmp_path, serving=True)
    Store(tmp_path).close()  # commands run beside it
    with pytest.raises(StartupError, match="another server"):
        create_app(Settings(data_dir=tmp_path))
    first.close()
    Store(tmp_path, serving=True).close()


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX")
def test_lock_is_its_owners_only_and_names_the_process(tmp_path: Path) -> None:
    store = Store(tmp_path, serving=True)
    lock = tmp_path / "server.lock"
    assert stat.S_IMODE(lock.stat().st_mode) == 0o600
    assert lock.read_text() == f"{os.getpid()}\n"
    with pytest.raises(StartupError, match=rf"another server \(process {os.getpid()}\) is using"):
        Store(tmp_path, serving=True)
    store.close()


def test_server_that_could_not_open_its_data_does_not_hold_the_folder(tmp_path: Path) -> None:
    (tmp_path / "arcrun.db").mkdir()
    with pytest.raises(StartupError, match="cannot open the database"):
        Store(tmp_path, serving=True)
    (tmp_path / "arcrun.db").rmdir()
    Store(tmp_path, serving=True).close()


def test_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    data = tmp_path / "a" / "b" / "data"
    Store(data).close()
    assert (data / "arcrun.db").is_file()
    if sys.platform != "win32":
        assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_folder_that_can_not_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StartupError, match="cannot make the data folder"):
        Store(tmp_path / "file" / "data")
    with pytest.raises(StartupError, match="cannot make the data folder"):
        Store(tmp_path / "file")


@pytest.mark.parametrize(
    "name",
    [
        "with space",
        "what?mode=memory",
        "half#",
        "a%2Fb",
        "a%20b",
        "it's",
        'say "hi"',
        "資料夾",
        "100%",
        "two\nlines",
        "-data",
        ":memory:",
        "file:x",
    ],
)
def test_folder_may_have_any_name(name: str, tmp_path: Path) -> None:
    if sys.platform == "win32" and set(name) & set('?":'):
        pytest.skip("not a file name on Windows")
    store = Store(tmp_path / name)
    store.accounts.create("ak_" + "0" * 48, "laptop")
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert sorted(path.name for path in (tmp_path / name).iterdir()) == ["arcrun.db", "server.key"]
    again = Store(tmp_path / name, create=False)
    [entry] = again.accounts.keys()
    assert entry.label == "laptop"
    again.close()
