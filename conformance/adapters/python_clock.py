"""The adapters' clock: what the SDK waits for is recorded, and time goes on as if it had waited."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Iterator

_time, _monotonic, _sleep = time.time, time.monotonic, time.sleep
_anyio_sleep, _asyncio_sleep = anyio.sleep, asyncio.sleep


class Clock:
    """Replaces the functions by which a process waits and tells the time.

    The monotonic time stays ahead when the clock is stopped: it must never go back.
    """

    def __init__(self) -> None:
        self.waited: list[float] = []
        self.running = False
        self._ahead = 0.0
        self._offset = 0.0

    def start(self, text: str) -> None:
        """Let time begin at a moment (ISO 8601), and go on by itself."""
        moment = datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
        self._offset = moment - self._now()
        self.running = True
        replaced: dict[Any, dict[str, Any]] = {
            time: {"time": self.time, "monotonic": self._now, "sleep": self.sleep},
            anyio: {"sleep": self.sleep_async},
            asyncio: {"sleep": self.sleep_asyncio},
        }
        for module, functions in replaced.items():
            vars(module).update(functions)

    def stop(self) -> None:
        """Let the process wait and tell the time as usual."""
        self.running = False
        time.time, time.sleep = _time, _sleep
        anyio.sleep, asyncio.sleep = _anyio_sleep, _asyncio_sleep

    def advance(self, seconds: float) -> None:
        """Let some time pass."""
        self._ahead += seconds

    def taken(self) -> Iterator[float]:
        """Yield what was waited since the last call."""
        while self.waited:
            yield round(self.waited.pop(0), 6)

    def _now(self) -> float:
        return _monotonic() + self._ahead

    def time(self) -> float:
        """Return the time, in seconds since 1970."""
        return self._now() + self._offset

    def sleep(self, seconds: float) -> None:
        """Record a wait."""
        self.waited.append(seconds)
        self._ahead += max(0.0, seconds)

    async def sleep_async(self, delay: float) -> None:
        """Record a wait, and let other tasks go on."""
        self.sleep(delay)
        await anyio.lowlevel.checkpoint()

    async def sleep_asyncio(self, delay: float, result: Any = None) -> Any:
        """Record a wait that is one; asyncio's own code yields by a wait of 0."""
        if delay > 0:
            self.sleep(delay)
        return await _asyncio_sleep(0, result)
