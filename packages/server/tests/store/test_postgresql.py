"""PostgreSQL: connections that are lost, other servers on the same database, and refusals that say what to do."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import postgresql_server
import pytest
from sqlalchemy import insert, select, update

from arcrun_server.errors import StartupError, StorageUnavailableError
from arcrun_server.store.database_url import PostgreSQLURL, read_database_url
from arcrun_server.store.schema import properties

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postgresql_server import PostgreSQLServer
    from sqlalchemy import Connection

    from arcrun_server.store.postgresql import PostgreSQLDatabase

NAMES = select(properties.c.name).order_by(properties.c.name)


def open_database(url: str, **options: Any) -> PostgreSQLDatabase:
    from arcrun_server.store.postgresql import PostgreSQLDatabase

    return PostgreSQLDatabase(read_database_url(url), **options)


@contextmanager
def session(url: str) -> Iterator[Any]:
    """A connection of another program."""
    import psycopg

    with psycopg.connect(**read_database_url(url).parameters, autocommit=True) as connection:
        yield connection


@pytest.fixture
def url(postgresql: PostgreSQLServer) -> str:
    """The URL of an empty database."""
    return postgresql.schema()


@pytest.fixture
def database(url: str) -> Iterator[PostgreSQLDatabase]:
    database = open_database(url)
    yield database
    database.close()


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgreSQLServer]:
    """A server that a test may stop: no other test uses it."""
    postgresql_server.require()
    with postgresql_server.own_server() as server:
        yield server


def add(name: str) -> Callable[[Connection], None]:
    row = {"name": name, "value": b"\x00"}
    return lambda connection: connection.execute(insert(properties), row).close()


def names(connection: Connection) -> list[str]:
    return list(connection.execute(NAMES).scalars())


def touch(name: str) -> Any:
    return update(properties).where(properties.c.name == name).values(value=b"\x01")


async def test_commits_wait_for_the_disk_whatever_the_server_says(url: str) -> None:
    database = open_database(f"{url}%20-c%20synchronous_commit%3Doff")
    level = await database.write(
        lambda connection: connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()
    )
    assert level == "on"
    database.close()


@pytest.mark.parametrize("first", ["a write", "a read", "reads at once"])
async def test_ended_connections_are_replaced(own_server: PostgreSQLServer, first: str) -> None:
    """Whatever finds out first: it makes the pool forget the other connections too."""
    database = open_database(own_server.schema())
    await asyncio.gather(*(database.read(names) for _ in range(8)))
    await database.write(add("before"))
    with session(own_server.url()) as other:
        [ended] = other.execute(
            # It waits until they have ended: a write in one that is about to end may fail in its commit.
            "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 60000)) FROM pg_stat_activity"
            " WHERE application_name = 'arcrun-server'"
        ).fetchone()
    assert ended >= 2
    if first != "a write":
        reads = [database.read(names) for _ in range(1 if first == "a read" else 8)]
        assert await asyncio.gather(*reads) == [["before"]] * len(reads)
    await database.write(add("after"))
    found = await asyncio.gather(*(database.read(names) for _ in range(8)))
    assert found == [["after", "before"]] * 8
    database.close()


async def test_server_may_be_restarted(own_server: PostgreSQLServer) -> None:
    database = open_database(own_server.schema())
    await database.write(add("before"))
    own_server.restart()
    await database.write(add("after"))
    assert await database.read(names) == ["after", "before"]
    database.close()


async def test_server_that_is_gone_is_reported_until_it_is_back(
    own_server: PostgreSQLServer,
) -> None:
    database = open_database(own_server.schema())
    await database.write(add("before"))
    own_server.halt()
    try:
        with pytest.raises(StorageUnavailableError, match="database"):
            await database.read(names)
        with pytest.raises(StorageUnavailableError, match="database") as caught:
            await database.write(add("lost"))
        assert caught.value.outcome == "nothing was changed"
    finally:
        own_server.start_again()
    await database.write(add("after"))
    assert await database.read(names) == ["after", "before"]
    database.close()


@pytest.fixture
def lose_connection_at_commit(
    database: PostgreSQLDatabase, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Cut the connection during the next commit: `when` the server has committed, or has not."""

    def arrange(when: str) -> None:
        import psycopg

        dialect = database._engine.dialect
        commit = dialect.do_commit

        def lose(connection: Any) -> None:
            monkeypatch.setattr(dialect, "do_commit", commit)
            driver = connection.driver_connection
            if when == "committed":
                driver.commit()
            driver.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

        monkeypatch.setattr(dialect, "do_commit", lose)

    return arrange


@pytest.mark.parametrize("when", ["committed", "not committed"])
async def test_write_is_done_once_if_the_connection_is_lost_at_its_commit(
    when: str, database: PostgreSQLDatabase, lose_connection_at_commit: Callable[..., None]
) -> None:
    await database.write(add("before"))
    lose_connection_at_commit(when)
    await database.write(add("once"))  # a second insert of the same key would be an error
    assert await database.read(names) == ["before", "once"]


async def test_transaction_that_a_crash_has_lost_is_not_taken_for_another_servers(
    own_server: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a crash, PostgreSQL gives the id of a transaction that it has lost to the next one."""
    import psycopg

    database, other = (open_database(own_server.schema()) for _ in range(2))
    dialect = database._engine.dialect
    commit = dialect.do_commit

    def crash(connection: Any) -> None:
        monkeypatch.setattr(dialect, "do_commit", commit)
        own_server.restart()
        for name in ("a", "b", "c"):
            other.write_now(add(name))
        connection.driver_connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(dialect, "do_commit", crash)
    await database.write(add("kept"))
    assert await database.read(names) == ["kept"]
    database.close()
    other.close()


async def test_closed_database_leaves_no_row_of_its_process(url: str) -> None:
    database = open_database(url)
    await database.write(add("a"))
    with session(url) as other:
        count = "SELECT count(*) FROM last_commits"
        assert other.execute(count).fetchone() == (1,)
        database.close()
        assert other.execute(count).fetchone() == (0,)


async def test_rows_of_processes_that_were_killed_a_week_ago_are_removed(url: str) -> None:
    week = 7 * 24 * 3600
    database = open_database(url)
    # Each row begins with its time in seconds, and chance follows.
    rows = [
        (name, int(time.time() - age).to_bytes(8, "big") + bytes(32))
        for name, age in (("old", week + 3600), ("recent", week - 3600))
    ]
    with session(url) as other:
        for row in rows:
            other.execute("INSERT INTO last_commits VALUES (%s, %s)", row)
        database.close()
        assert other.execute("SELECT process FROM last_commits").fetchall() == [("recent",)]


@pytest.mark.parametrize(
    ("version", "too_old"),
    [(90_624, True), (120_022, True), (130_000, False), (180_006, False)],
    ids=["9.6.24", "12.22", "13.0", "18.6"],
)
def test_postgresql_before_13_is_too_old(version: int, too_old: bool) -> None:
    from arcrun_server.store.postgresql import is_too_old

    assert is_too_old(version) is too_old


async def test_unknown_outcome_is_reported_as_unknown(
    own_server: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    database = open_database(own_server.schema(), write_wait_ms=300)
    dialect = database._engine.dialect

    def lose(connection: Any) -> None:
        connection.driver_connection.close()
        own_server.halt()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    try:
        with monkeypatch.context() as patch:
            patch.setattr(dialect, "do_commit", lose)
            with pytest.raises(StorageUnavailableError) as caught:
                await database.write(add("a"))
    finally:
        own_server.start_again()
    assert caught.value.outcome == "the change may or may not have been made"
    database.close()


async def test_lock_of_another_program_is_reported(url: str) -> None:
    database = open_database(url, write_wait_ms=50)
    await database.write(add("a"))
    with session(url) as other, other.transaction():
        other.execute("SELECT * FROM properties FOR UPDATE")
        with pytest.raises(StorageUnavailableError, match="locked by another process"):
            await database.write(lambda connection: connection.execute(touch("a")).close())
    await database.write(lambda connection: connection.execute(touch("a")).close())
    database.close()


async def test_two_servers_that_wait_for_each_other_both_get_done(url: str) -> None:
    first, second = (open_database(url, write_wait_ms=60_000) for _ in range(2))
    for name in ("a", "b"):
        await first.write(add(name))
    both_hold_one = threading.Barrier(2)
    runs = {"ab": 0, "ba": 0}

    def locking(order: str) -> Callable[[Connection], None]:
        def change(connection: Connection) -> None:
            runs[order] += 1
            connection.execute(touch(order[0]))
            if runs[order] == 1:
                both_hold_one.wait(30)
            connection.execute(touch(order[1]))

        return change

    await asyncio.gather(first.write(locking("ab")), second.write(locking("ba")))
    assert max(runs.values()) > 1, "one was undone by PostgreSQL and run again"
    first.close()
    second.close()


def test_tables_of_another_program_are_left_alone(url: str) -> None:
    with session(url) as other:
        other.execute("CREATE TABLE accounts (id text)")
        with pytest.raises(StartupError, match="another program"):
            open_database(url)
        tables = other.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        ).fetchall()
    assert tables == [("accounts",)]


def test_database_that_can_not_be_written_to_is_reported(url: str) -> None:
    with pytest.raises(StartupError, match="can't be written to"):
        open_database(f"{url}%20-c%20default_transaction_read_only%3Don")


def test_database_in_another_encoding_is_refused(postgresql: PostgreSQLServer) -> None:
    with session(postgresql.url()) as other:
        other.execute(
            "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
    with pytest.raises(StartupError, match=r"not encoded in UTF-8"):
        open_database(postgresql.url("latin"))
    with session(postgresql.url()) as other:
        other.execute("DROP DATABASE latin")


def test_missing_database_is_named_without_the_password(postgresql: PostgreSQLServer) -> None:
    with pytest.raises(
        StartupError, match=r"/nowhere: there is no database of this name"
    ) as caught:
        open_database(postgresql.url("nowhere", "s3cret"))
    assert "s3cret" not in str(caught.value)


def test_server_that_can_not_be_reached_is_named_without_the_password() -> None:
    postgresql_server.require()
    with pytest.raises(StartupError) as caught:
        open_database("postgresql://alice:s3cret@127.0.0.1:1/arcrun?connect_timeout=2")
    assert str(caught.value) == (
        "cannot use the database postgresql://alice@127.0.0.1:1/arcrun: "
        "the database can't be reached (connection refused)"
    )


def test_url_does_not_show_its_password() -> None:
    url = PostgreSQLURL({"user": "alice", "password": "s3cret", "host": "db", "dbname": "arcrun"})
    assert str(url) == "postgresql://alice@db/arcrun"
    assert "s3cret" not in repr(url)


@pytest.mark.parametrize(
    ("required", "outcome"), [(True, pytest.fail.Exception), (False, pytest.skip.Exception)]
)
def test_these_tests_are_never_skipped_where_they_must_run(
    required: bool, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_server, "missing", lambda: "no wheel for this platform")
    monkeypatch.setattr(postgresql_server, "REQUIRED", required)
    with pytest.raises(outcome, match="no wheel for this platform"):
        postgresql_server.require()
