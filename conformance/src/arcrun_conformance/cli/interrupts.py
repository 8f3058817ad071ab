"""Ctrl-C, SIGTERM and a closed terminal: they end a run, but not the cleanup after it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys


def cancel_on_signals() -> None:
    """Cancel the current task on the first signal; on further ones only print that it is ending.

    A cancelled run first removes what it has created; a second Ctrl-C must not interrupt that. A hang-up that is
    ignored, as nohup does it, stays ignored.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    seen: list[int] = []

    def interrupted(number: int) -> None:
        seen.append(number)
        if len(seen) == 1 and task is not None:
            task.cancel()
        _leave_closed_outputs()
        print("interrupted: removing what the run has created, please wait", file=sys.stderr)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    for number in numbers:
        # Windows, and threads that are not the main one, have no such handlers.
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, interrupted, number)


def _leave_closed_outputs() -> None:
    """Write to nowhere what would go to a terminal that was closed, or to a program that has ended.

    A write there is an error, which would end the cleanup.
    """
    if sys.platform == "win32":
        return
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            poll = select.poll()
            poll.register(stream.fileno(), 0)  # an error and a hang-up are always told
            if poll.poll(0):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
