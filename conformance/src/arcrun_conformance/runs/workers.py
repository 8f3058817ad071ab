"""Workers: how a run carries out several cells at the same time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from arcrun_conformance.cancellation import end_tasks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

# How many scenarios are run at once against the embedded engine. Most of their time they wait, for a time-out or for
# another process, so two cores carry out many more than two.
LOCAL_JOBS = 12


async def run_workers(jobs: int, worker: Callable[[], Awaitable[None]]) -> None:
    """Run a number of workers until all have ended; if one fails or this is cancelled, the others are ended."""
    workers = [asyncio.ensure_future(worker()) for _ in range(jobs)]
    try:
        ended, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        for each in ended:
            each.result()
    finally:
        await end_tasks(workers)
