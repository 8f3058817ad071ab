"""No cancellation is lost, neither one that comes as the awaited work ends, nor one that a task swallows."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from arcrun_server.engine import cancellation
from arcrun_server.engine.cancellation import end_tasks, within

if TYPE_CHECKING:
    from collections.abc import Awaitable

WAIT = 30.0


async def never() -> None:
    await asyncio.Event().wait()


async def started(work: Awaitable[None]) -> asyncio.Task[None]:
    """Return a task that has come to its first wait."""
    begun = asyncio.Event()

    async def beginning() -> None:
        begun.set()
        await work

    task = asyncio.create_task(beginning())
    await begun.wait()
    return task


async def test_work_that_ends_in_time_returns_its_result() -> None:
    assert await within(WAIT, asyncio.sleep(0, "done")) == "done"
    assert await within(None, asyncio.sleep(0, "done")) == "done"


async def test_work_that_takes_longer_is_cancelled() -> None:
    cancelled = []

    async def work() -> None:
        try:
            await never()
        except asyncio.CancelledError:
            cancelled.append("work")
            raise

    with pytest.raises((asyncio.TimeoutError, TimeoutError)):
        await within(0.01, work())
    assert cancelled == ["work"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout is of Python 3.11")
async def test_a_cancellation_is_not_lost_if_the_work_ends_in_the_same_turn_of_the_loop() -> None:
    ready = asyncio.Event()
    went_on = []

    async def waiting() -> None:
        await within(WAIT, ready.wait())
        went_on.append("after the wait")

    task = await started(waiting())
    ready.set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert went_on == []


async def test_a_task_that_swallows_its_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cancellation, "_AGAIN_SECONDS", 0.01)
    swallowed = []

    async def stubborn() -> None:
        for number in range(3):
            try:
                await never()
            except asyncio.CancelledError:
                swallowed.append(number)
        await never()

    tasks = [await started(stubborn()), await started(never())]
    await asyncio.wait_for(end_tasks(tasks), WAIT)
    assert swallowed == [0, 1, 2]
    assert [task.cancelled() for task in tasks] == [True, True]


async def test_tasks_that_have_ended_or_fail_as_they_end_raise_nothing() -> None:
    async def failing() -> None:
        try:
            await never()
        finally:
            raise OSError("the file can't be closed")

    ended = asyncio.create_task(asyncio.sleep(0))
    await ended
    task = await started(failing())
    await end_tasks([ended, task])
    assert isinstance(task.exception(), OSError)
    await end_tasks([])
