"""What holds on every kind of database."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError, StatementError

from arcrun_server.store import open_database
from arcrun_server.store.database import Query
from arcrun_server.store.schema import accounts, properties, workflows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

    from arcrun_server.store.database import Database

INSERT = insert(properties)
NAMES = select(properties.c.name).order_by(properties.c.name)


def add(name: str) -> Callable[[Connection], str]:
    def change(connection: Connection) -> str:
        connection.execute(INSERT, {"name": name, "value": b"\x00"})
        return name

    return change


def names(connection: Connection) -> list[str]:
    return list(connection.execute(NAMES).scalars())


async def test_writes_behind_need_no_asking(database: Database) -> None:
    database.write_behind(INSERT, {"name": "a", "value": b""})
    await asyncio.wait_for(arrived(database), 10)
    assert await database.read(names) == ["a"]


async def arrived(database: Database) -> None:
    while not await database.read(names):  # noqa: ASYNC110 - nothing reports it, on purpose
        await asyncio.sleep(0.005)


async def test_write_is_there_for_the_next_read(database: Database) -> None:
    assert await database.write(add("甲")) == "甲"
    assert await database.read(names) == ["甲"]


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
    assert isinstance(results[2], IntegrityError)
    assert results[3] == "after"
    assert await database.read(names) == ["after", "before"]


async def test_error_does_not_quote_what_was_to_be_stored(database: Database) -> None:
    await database.write(add("secret-name"))
    with pytest.raises(IntegrityError) as caught:
        await database.write(add("secret-name"))
    assert "[SQL parameters hidden" in str(caught.value)


async def test_prepared_query_takes_parameters(database: Database) -> None:
    query = Query(select(properties.c.name).where(properties.c.name == bindparam("name")))
    await database.write(add("a"))
    assert query.columns == ["name"]
    assert await database.rows(query, name="a") == [("a",)]
    assert await database.rows(query, name="b") == []


async def test_mistake_of_ours_is_not_reported_as_a_failing_database(database: Database) -> None:
    query = Query(select(properties.c.name).where(properties.c.name == bindparam("name")))
    with pytest.raises((sqlite3.ProgrammingError, StatementError)):
        await database.rows(query)
    assert await database.rows(query, name="a") == []


async def test_settling_waits_for_writes_behind(database: Database) -> None:
    for number in range(50):
        database.write_behind(INSERT, {"name": f"n{number:02}", "value": b""})
    await database.settle()
    assert len(await database.read(names)) == 50


async def test_settling_waits_for_a_flush_that_is_under_way(database: Database) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        begun.set()
        assert go_on.wait(10)

    writing = asyncio.ensure_future(database.write(slow))
    await asyncio.to_thread(begun.wait, 10)
    database.write_behind(INSERT, {"name": "behind", "value": b""})
    first, second = (asyncio.ensure_future(database.settle()) for _ in range(2))
    await asyncio.sleep(0)
    assert not first.done()
    assert not second.done()
    go_on.set()
    await asyncio.gather(writing, first, second)
    assert await database.read(names) == ["behind"]


async def test_settling_waits_for_no_writer_where_nothing_is_behind(database: Database) -> None:
    go_on = threading.Event()
    writing = asyncio.ensure_future(database.write(lambda _connection: go_on.wait(10)))
    await asyncio.sleep(0)
    await asyncio.wait_for(database.settle(), 5)
    go_on.set()
    assert await writing


async def test_closing_finishes_what_came_in(tmp_path: Path, database_url: str | None) -> None:
    database = open_database(tmp_path, database_url)
    for number in range(20):
        database.write_behind(INSERT, {"name": f"n{number}", "value": b""})
    database.close()
    again = open_database(tmp_path, database_url)
    assert len(again.read_now(names)) == 20
    again.close()
    assert "arcrun-writer" not in [thread.name for thread in threading.enumerate()]


async def test_every_text_comes_back_as_it_was(database: Database) -> None:
    texts = ["", "\x00", "a\x00b", "\\", "\\0", "\\\\0", "\\\x00\\", "𠮷 🔑\n", "e\u0301"]
    for text in texts:
        await database.write(add(text))
        query = Query(select(properties.c.name).where(properties.c.name == bindparam("name")))
        assert await database.rows(query, name=text) == [(text,)]
    assert sorted(await database.read(names)) == sorted(texts)


async def test_names_are_sorted_by_code_point_whatever_the_language(database: Database) -> None:
    for name in ["b", "a", "B", "_", "é", "甲", "Z"]:
        await database.write(add(name))
    assert await database.read(names) == ["B", "Z", "_", "a", "b", "é", "甲"]


async def test_numbers_have_64_bits(database: Database) -> None:
    moment = 2**40
    await database.write(
        lambda connection: connection.execute(
            insert(accounts), {"id": "a", "created_at": moment}
        ).close()
    )
    found = await database.read(
        lambda connection: connection.execute(select(accounts.c.created_at)).scalar_one()
    )
    assert found == moment


async def test_what_belongs_to_an_account_goes_with_it(database: Database) -> None:
    workflow = {
        "account": "a",
        "name": "w",
        "description": "",
        "graph": "{}",
        "config": None,
        "created_at_ms": 1,
    }

    def change(connection: Connection) -> None:
        connection.execute(insert(accounts), {"id": "a", "created_at": 1})
        connection.execute(insert(workflows), workflow)
        connection.execute(delete(accounts))

    await database.write(change)
    assert await database.read(lambda c: c.execute(select(workflows)).all()) == []


async def test_write_behind_that_is_lost_is_logged_by_its_kind_alone(
    tmp_path: Path, database_url: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    database = open_database(tmp_path, database_url)
    database.write_behind(INSERT, {"name": "private", "value": b""})
    await database.settle()
    database.write_behind(INSERT, {"name": "private", "value": b""})  # it is there already
    database.close()
    assert caplog.messages == ["a record of a run was lost: IntegrityError"]


async def test_transaction_holds_256_writes_at_most(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    apply = database._apply
    monkeypatch.setattr(database, "_apply", lambda group: sizes.append(len(group)) or apply(group))
    begun, go_on = threading.Event(), threading.Event()

    def slow(_connection: Connection) -> bool:
        begun.set()
        return go_on.wait(10)

    first = asyncio.ensure_future(database.write(slow))
    await asyncio.to_thread(begun.wait, 10)
    others = [asyncio.ensure_future(database.write(add(f"n{number}"))) for number in range(600)]
    await asyncio.sleep(0)  # each has come as far as to wait
    go_on.set()
    await asyncio.gather(first, *others)
    assert sizes == [1, 256, 256, 88]
