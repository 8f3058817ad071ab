"""Ctrl-C, SIGTERM and a hang-up: they end a run, but not the cleanup after it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys


def cancel_on_signals() -> None:
    """Cancel the current task on the first signal; on further ones only print that it is ending.

    A cancelled run first removes what it has created; a second Ctrl-C must not interrupt that.
    A hang-up that is ignored, as nohup does it, stays ignored.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    seen: list[int] = []

    def interrupted(number: int) -> None:
        seen.append(number)
        if len(seen) == 1 and task is not None:
            task.cancel()
        with contextlib.suppress(OSError):  # the terminal that has hung up
            print("interrupted: removing what the run has created, please wait", file=sys.stderr)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    for number in numbers:
        # Windows, and threads that are not the main one, have no such handlers.
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, interrupted, number)
