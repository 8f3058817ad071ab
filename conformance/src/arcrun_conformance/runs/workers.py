"""Workers: how a run carries out several cells at the same time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def run_workers(jobs: int, worker: Callable[[], Awaitable[None]]) -> None:
    """Run a number of workers until all have ended; if one fails or this is cancelled, the others are ended."""
    workers = [asyncio.ensure_future(worker()) for _ in range(jobs)]
    try:
        await asyncio.gather(*workers)
    finally:
        for each in workers:
            each.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
