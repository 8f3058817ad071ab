"""Ctrl-C and SIGTERM: they end the work, never the tidying up after it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys


def cancel_on_signals() -> None:
    """From now on the first signal cancels the current task; further ones only say to wait.

    What is cancelled removes what it had created, which takes a moment; a second Ctrl-C in that
    moment would leave things behind at the target.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    seen: list[int] = []

    def interrupted(number: int) -> None:
        seen.append(number)
        if len(seen) == 1 and task is not None:
            task.cancel()
        print("removing what was created, a moment please", file=sys.stderr)

    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows, and threads that are not the main one, have no such handlers.
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, interrupted, number)
