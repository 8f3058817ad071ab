"""Ctrl-C and SIGTERM: they end a run, but not the cleanup after it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys


def cancel_on_signals() -> None:
    """Cancel the current task on the first signal; on further ones only print that it is ending.

    A cancelled run first removes what it has created; a second Ctrl-C must not interrupt that.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    seen: list[int] = []

    def interrupted(number: int) -> None:
        seen.append(number)
        if len(seen) == 1 and task is not None:
            task.cancel()
        print("interrupted: removing what the run has created, please wait", file=sys.stderr)

    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows, and threads that are not the main one, have no such handlers.
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, interrupted, number)
