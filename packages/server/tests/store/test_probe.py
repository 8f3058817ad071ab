"""How the database is: asked rarely, and never waited for."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from arcrun_server import clock
from arcrun_server.accounts.keys import new_key
from arcrun_server.errors import StorageUnavailableError
from arcrun_server.store import probe
from arcrun_server.store.runs import PAUSED, RUNNING, queued_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arcrun_server.store import Store
    from arcrun_server.store.runs import StoredRun


@pytest.fixture(autouse=True)
def busy_machine_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "WAIT_SECONDS", 60.0)


def a_run(account: str, name: str, **fields: Any) -> StoredRun:
    run = queued_run(
        name, account, plan={}, run_input={}, workflow="w", executor="local", trigger="api"
    )
    return replace(run, **fields)


async def test_runs_that_have_not_ended_are_counted_over_all_accounts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: 1_800_000_000.0)
    for _ in range(2):
        store.accounts.create(new_key())
    alice, bob = store.database.read_now(
        lambda connection: connection.execute(text("SELECT id FROM accounts")).scalars().all()
    )
    await store.runs.accept(a_run(alice, "1", created_at_ms=1_799_999_990_000))
    await store.runs.accept(a_run(bob, "2", created_at_ms=1_799_999_995_000))
    await store.runs.accept(a_run(bob, "3", status=RUNNING, created_at_ms=1_000))
    await store.runs.accept(a_run(alice, "4", status=PAUSED))
    await store.runs.accept(a_run(alice, "5", status="failed"))

    await store.probe.begin()
    runs = (await store.probe.state()).runs
    assert runs is not None
    assert (runs.queued, runs.running, runs.paused) == (2, 1, 1)
    assert runs.oldest_queued_seconds == 10.0


async def test_no_queue_is_no_waiting(store: Store) -> None:
    await store.probe.begin()
    runs = (await store.probe.state()).runs
    assert runs is not None
    assert (runs.queued, runs.oldest_queued_seconds) == (0, 0.0)


async def test_database_is_asked_once_for_all_who_ask_at_the_same_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, asked, all_ask = store.database.read_long_now, [], threading.Event()

    def counted(query: Any) -> Any:
        asked.append(query)
        all_ask.wait(60)
        return read(query)

    monkeypatch.setattr(store.database, "read_long_now", counted)
    monkeypatch.setattr(probe, "FRESH_SECONDS", 0.0)
    asking = [asyncio.create_task(store.probe.state()) for _ in range(20)]
    await asyncio.sleep(0)
    all_ask.set()
    states = await asyncio.gather(*asking)
    assert all(state.ok for state in states)
    assert set(asked) == {probe._respond, probe._count}
    assert len(asked) == 2


async def test_runs_that_can_not_be_counted_make_no_database_unusable(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = store.database.read_long_now

    def too_long(query: Any) -> Any:
        if query is probe._count:
            raise StorageUnavailableError("the search took too long")
        return read(query)

    monkeypatch.setattr(store.database, "read_long_now", too_long)
    state = await store.probe.state()
    assert (state.ok, state.runs) == (True, None)


@contextmanager
def silent(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[None]]:
    """Let the database not respond for the length of the block; yield for each time it is asked."""
    responds, asked = threading.Event(), []

    def wait(query: Any) -> Any:
        if query is probe._respond:
            asked.append(None)
        responds.wait(60)
        raise StorageUnavailableError("it was silent")

    with monkeypatch.context() as patch:
        patch.setattr(probe, "WAIT_SECONDS", 0.05)
        patch.setattr(store.database, "read_long_now", wait)
        try:
            yield asked
        finally:
            responds.set()


async def test_silent_database_is_not_waited_for_and_asked_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(probe, "SILENT_SECONDS", 0.0)
    with silent(store, monkeypatch) as asked:
        began = time.monotonic()
        states = [await store.probe.state() for _ in range(3)]
        assert time.monotonic() - began < 3, "it would be silent for a minute"
        assert [state.ok for state in states] == [False] * 3
        assert states[0].runs is None
        assert len(asked) == 1


@pytest.mark.parametrize("idle_seconds", [0.0, 3600.0])
async def test_what_it_has_said_last_counts_while_a_busy_machine_delays_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, idle_seconds: float
) -> None:
    monkeypatch.setattr(probe, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(probe, "SILENT_SECONDS", 60.0)
    assert (await store.probe.state()).ok
    later = time.monotonic() + idle_seconds
    monkeypatch.setattr(probe, "monotonic", lambda: later)
    with silent(store, monkeypatch):
        assert (await store.probe.state()).ok


async def test_database_that_owes_its_answer_for_too_long_is_unusable(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(probe, "SILENT_SECONDS", 60.0)
    with silent(store, monkeypatch):
        assert (await store.probe.state()).ok
        later = time.monotonic() + 60.0
        monkeypatch.setattr(probe, "monotonic", lambda: later)
        assert not (await store.probe.state()).ok


async def test_failure_and_recovery_are_seen_at_once_and_logged_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(probe, "FRESH_SECONDS", 0.0)
    failing = True
    read = store.database.read_long_now

    def full(query: Any) -> Any:
        if failing:
            raise StorageUnavailableError("the disk is full")
        return read(query)

    monkeypatch.setattr(store.database, "read_long_now", full)
    assert [(await store.probe.state()).ok for _ in range(2)] == [False, False]
    failing = False
    assert [(await store.probe.state()).ok for _ in range(2)] == [True, True]
    assert caplog.messages == [
        "the database can't be used: the disk is full",
        "the database can be used again",
    ]


@pytest.mark.sqlite
@pytest.mark.parametrize("statement", [probe._COUNTS, probe._OLDEST])
def test_runs_that_have_ended_are_not_looked_at(store: Store, statement: Any) -> None:
    dialect = sqlite.dialect()
    query = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    plan = store.database.read_now(
        lambda connection: connection.execute(text(f"EXPLAIN QUERY PLAN {query}")).fetchall()
    )
    steps = [row[3] for row in plan]
    assert any("runs_by_executor (status=?)" in step for step in steps), steps
    assert not any("SCAN" in step for step in steps), steps
