"""Workers that are cancelled, as by Ctrl-C, end, whatever they wait for."""

from __future__ import annotations

import asyncio
import sys

import pytest

from arcrun_conformance import cancellation
from arcrun_conformance.cancellation import within
from arcrun_conformance.runs.workers import run_workers

WAIT = 30.0


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout is of Python 3.11")
async def test_a_cancellation_is_not_lost_if_the_work_ends_in_the_same_turn_of_the_loop() -> None:
    waiting, ready, went_on = asyncio.Event(), asyncio.Event(), []

    async def worker() -> None:
        waiting.set()
        await within(WAIT, ready.wait())
        went_on.append("after the wait")

    task = asyncio.create_task(worker())
    await waiting.wait()
    ready.set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert went_on == []


async def test_workers_end_also_if_one_swallows_its_cancellation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cancellation, "_AGAIN_SECONDS", 0.01)
    waiting, swallowed = asyncio.Event(), []

    async def stubborn() -> None:
        waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.append("a cancellation")
        await asyncio.Event().wait()

    run = asyncio.create_task(run_workers(1, stubborn))
    await waiting.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(run, WAIT)
    assert swallowed == ["a cancellation"]
