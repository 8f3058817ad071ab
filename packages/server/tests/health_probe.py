"""How long `/health` takes, measured by a process of its own, and whether that is judged."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

# Beside other tests the time says more about them than about the engine.
JUDGES_TIMES = "ARCRUN_LOAD_SECONDS" in os.environ
P99_MS = 100.0
PROBE = """
import sys, time, httpx
url, seconds = sys.argv[1], float(sys.argv[2])
until = time.monotonic() + seconds
with httpx.Client(base_url=url, timeout=60) as client:
    while time.monotonic() < until:
        began = time.perf_counter()
        client.get("/health").raise_for_status()
        print((time.perf_counter() - began) * 1000, flush=True)
        time.sleep(0.1)
"""


async def probe_of(url: httpx.URL, seconds: float) -> asyncio.subprocess.Process:
    """Ask `/health` for some seconds, in a process of its own: the attackers of this one would hold it up."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROBE, str(url), str(seconds), stdout=asyncio.subprocess.PIPE
    )


async def times_of(probe: asyncio.subprocess.Process) -> list[float]:
    """Return the times that a probe measured, in ascending order, in milliseconds."""
    output, _ = await probe.communicate()
    return sorted(map(float, output.split()))
