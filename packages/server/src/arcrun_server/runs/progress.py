"""How far the runs are that this process executes, for those who watch them (docs/contract.md#events-of-a-run)."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from arcrun_server.engine import TraceEntry


class Progress:
    """The traces of the runs that this process executes, which grow, and who waits for that.

    Nothing of it is stored: watching a run costs the run nothing.
    """

    def __init__(self) -> None:
        self._traces: dict[str, tuple[int, Sequence[TraceEntry]]] = {}
        self._watching: dict[str, set[asyncio.Event]] = {}

    def begin(self, run_id: str, segment: int, trace: Sequence[TraceEntry]) -> None:
        """Note that this process executes a segment, whose trace this is."""
        self._traces[run_id] = (segment, trace)
        self.wake(run_id)

    def end(self, run_id: str) -> None:
        """Note that it no longer does: what became of the run is stored."""
        self._traces.pop(run_id, None)
        self.wake(run_id)

    def wake(self, run_id: str) -> None:
        """Let those who watch a run look again."""
        for woken in self._watching.get(run_id, ()):
            woken.set()

    def trace(self, run_id: str) -> tuple[int, Sequence[TraceEntry]] | None:
        """Return the segment that this process executes, and its trace so far; None if it executes none."""
        return self._traces.get(run_id)

    @contextmanager
    def watched(self, run_id: str) -> Iterator[asyncio.Event]:
        """Watch a run for as long as the block runs; the event is set when it is to be looked at."""
        woken = asyncio.Event()
        watching = self._watching.setdefault(run_id, set())
        watching.add(woken)
        try:
            yield woken
        finally:
            watching.discard(woken)
            if not watching:
                self._watching.pop(run_id, None)
