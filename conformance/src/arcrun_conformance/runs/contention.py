"""How busy this machine is, for limits on time: what is in time on an idle machine may not be on a busy one."""

from __future__ import annotations

import asyncio
import time

# How much computing one sample takes, in seconds of CPU time, and how many samples there are.
_SAMPLE_SECONDS = 0.02
_SAMPLES = 5
# From here on a limit says nothing about what is measured.
MOST = 10.0


async def contention() -> float:
    """Return how many times longer computing takes now than on an idle machine, from 1 to `MOST`.

    A thread computes for a fixed CPU time, and waits for its turns meanwhile: with four busy processes on two
    processors, it has half of one. Nothing is compared with another machine: a slow one that is idle
    counts 1.

    Example:
        >>> 1.0 <= asyncio.run(contention()) <= MOST
        True
    """
    samples = [await asyncio.to_thread(_sample) for _ in range(_SAMPLES)]
    return min(MOST, max(1.0, *samples))


def _sample() -> float:
    """Return how many seconds a second of CPU time takes."""
    began, computed = time.perf_counter(), time.thread_time()
    while (used := time.thread_time() - computed) < _SAMPLE_SECONDS:
        sum(range(1000))
    return (time.perf_counter() - began) / used
