"""Executing segments by DBOS: who is said to execute some, and closing whatever a segment does then."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from arcrun_server.engine import cancellation
from arcrun_server.runs import durable
from arcrun_server.runs.durable import DbosExecution

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from arcrun_server.store import Store

    Launch = Callable[[Callable[[str, int], Awaitable[None]]], Awaitable[DbosExecution]]

WAIT = 30.0
RUN = "1" * 32
DATABASES = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
async def launch(store: Store) -> AsyncIterator[Launch]:
    """Launch an execution under the name `this process`."""
    made = DbosExecution(store.database.durable_engine, "this process", 4)

    async def launched(execute: Callable[[str, int], Awaitable[None]]) -> DbosExecution:
        await made.launch(execute)
        return made

    yield launched
    await asyncio.wait_for(made.aclose(), WAIT)


async def named(execution: DbosExecution, *, some: bool) -> set[str]:
    """Ask who executes segments, until somebody does or nobody does, and return that."""
    deadline = time.monotonic() + WAIT
    while bool(names := await execution.executors()) != some:
        assert time.monotonic() < deadline, names
        await asyncio.sleep(0.01)
    return names


@DATABASES
async def test_whoever_has_begun_a_segment_is_named_until_it_has_ended(launch: Launch) -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def execute(run: str, segment: int) -> None:
        begun.set()
        await end.wait()

    execution = await launch(execute)
    assert await execution.executors() == set()
    await execution.start(RUN, 0)
    await asyncio.wait_for(begun.wait(), WAIT)
    assert await execution.executors() == {"this process"}
    end.set()
    assert await named(execution, some=False) == set()


@DATABASES
async def test_a_segment_that_swallows_its_cancellation_does_not_keep_it_from_closing(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancellation, "_AGAIN_SECONDS", 0.01)
    begun, cancelled = asyncio.Event(), []

    async def execute(run: str, segment: int) -> None:
        begun.set()
        for _ in range(2):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(segment)
        await asyncio.Event().wait()

    execution = await launch(execute)
    await execution.start(RUN, 0)
    await asyncio.wait_for(begun.wait(), WAIT)
    await asyncio.wait_for(execution.aclose(), WAIT)
    assert cancelled == [0, 0]


async def test_a_segment_that_goes_on_while_it_closes_begins_no_step(launch: Launch) -> None:
    begun, done = asyncio.Event(), []

    async def work() -> str:
        done.append("a step")
        return ""

    async def execute(run: str, segment: int) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await execution.step("a", work)

    execution = await launch(execute)
    await execution.start(RUN, 0)
    await asyncio.wait_for(begun.wait(), WAIT)
    await asyncio.wait_for(execution.aclose(), WAIT)
    assert done == []


@DATABASES
async def test_while_it_closes_it_takes_no_segment_from_the_queue(
    launch: Launch, store: Store
) -> None:
    begun, closing = asyncio.Event(), asyncio.Event()

    async def execute(run: str, segment: int) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            closing.set()
            # Longer than the time between two looks at the queue.
            await asyncio.sleep(5 * durable._POLL_SECONDS)
            raise

    execution = await launch(execute)
    await execution.start(RUN, 0)
    await asyncio.wait_for(begun.wait(), WAIT)
    closed = asyncio.create_task(execution.aclose())
    await asyncio.wait_for(closing.wait(), WAIT)
    await execution.recover(["this process"])
    left_to_begin = await execution.executors()
    await asyncio.wait_for(closed, WAIT)
    assert left_to_begin == set()

    async def nothing(run: str, segment: int) -> None:
        await asyncio.Event().wait()

    later = DbosExecution(store.database.durable_engine, "a later process", 4)
    await later.launch(nothing)
    names = await named(later, some=True)
    await later.aclose()
    assert names == {"a later process"}
