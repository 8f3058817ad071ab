"""The locks that say which processes execute runs: on PostgreSQL, whose server releases them when a process ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from arcrun_server.store import open_database
from arcrun_server.store.executors import ExecutorLocks, LockLostError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postgresql_server import PostgreSQLServer
    from sqlalchemy import Engine


# Seconds.
WAIT = 30


@pytest.fixture
def engine(postgresql: PostgreSQLServer, tmp_path: Path) -> Iterator[Engine]:
    """Connects to a database with the tables of the newest version."""
    database = open_database(tmp_path, postgresql.schema())
    locks = database.executor_locks()
    assert locks is not None
    yield locks._engine
    database.close()


@pytest.fixture
def first(engine: Engine) -> Iterator[ExecutorLocks]:
    locks = ExecutorLocks(engine, "first")
    locks.hold()
    yield locks
    locks.close()


@pytest.fixture
def second(engine: Engine) -> Iterator[ExecutorLocks]:
    locks = ExecutorLocks(engine, "second")
    locks.hold()
    yield locks
    locks.close()


def break_connection(engine: Engine, locks: ExecutorLocks) -> None:
    """End the connection on which a process holds its lock, as a restart of the server does."""
    assert locks._connection is not None
    number = locks._connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with engine.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:number)"), {"number": number})


def found_by(locks: ExecutorLocks) -> list[str]:
    """Ask until a process that has ended is found: its lock goes a moment after its connection."""
    deadline = time.monotonic() + WAIT
    while not (found := list(locks.ended(()))):
        assert time.monotonic() < deadline, "the lock of a process that ended is still held"
    return found


def test_processes_that_live_are_not_taken_for_ended(
    first: ExecutorLocks, second: ExecutorLocks
) -> None:
    assert (list(first.ended(())), list(second.ended(()))) == ([], [])


def test_a_process_that_ended_is_found_by_one_other_and_forgotten_when_its_runs_are_taken_over(
    engine: Engine, first: ExecutorLocks, second: ExecutorLocks
) -> None:
    third = ExecutorLocks(engine, "third")
    third.hold()
    third.close()
    assert found_by(first) == ["third"]
    assert list(second.ended(())) == [], "the first has its lock"
    first.release("third", recovered=True)
    assert list(second.ended(())) == []


def test_a_process_whose_runs_were_not_taken_over_is_found_again(
    engine: Engine, first: ExecutorLocks, second: ExecutorLocks
) -> None:
    third = ExecutorLocks(engine, "third")
    third.hold()
    third.close()
    assert found_by(first) == ["third"]
    first.release("third", recovered=False)
    assert found_by(second) == ["third"]


def test_a_name_that_is_listed_no_more_is_found_unless_its_process_lives(
    engine: Engine, first: ExecutorLocks, second: ExecutorLocks
) -> None:
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM executors WHERE name = 'second'"))
    assert list(first.ended({"forgotten", "first", "second"})) == ["forgotten"]
    assert list(second.ended({"forgotten"})) == [], "the first has its lock"
    first.release("forgotten", recovered=True)
    assert list(second.ended({"forgotten"})) == ["forgotten"]


def test_a_name_belongs_to_one_process(engine: Engine, first: ExecutorLocks) -> None:
    same = ExecutorLocks(engine, first.name)
    with pytest.raises(LockLostError):
        same.hold()
    same.close()


def test_a_process_whose_connection_broke_knows_that_its_lock_is_lost(
    engine: Engine, first: ExecutorLocks, second: ExecutorLocks
) -> None:
    break_connection(engine, first)
    with pytest.raises(LockLostError):
        first.ended(())
    assert found_by(second) == ["first"]


def test_a_process_that_has_no_lock_has_lost_it(engine: Engine) -> None:
    with pytest.raises(LockLostError):
        ExecutorLocks(engine, "never held").ended(())
