"""Workers that are cancelled, as by Ctrl-C, end, whatever they wait for."""

from __future__ import annotations

import asyncio

import pytest

from arcrun_conformance import cancellation
from arcrun_conformance.runs.workers import run_workers

WAIT = 30.0


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
