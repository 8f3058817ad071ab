"""Run the engine and write down what holds its event loop.

Started as a program, in the place of `arcrun_server`, with a file for the findings as the first argument. A thread
looks at the stacks of all others when the event loop has not run for a while. Where a single call into C keeps it
from looking, it looks when that call has returned: the caller is the same.
"""

from __future__ import annotations

import asyncio
import gc
import runpy
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

HELD_SECONDS = 0.03
_BEAT_SECONDS = 0.01
# The innermost function of a thread that waits for work.
_WAITING = {"select", "wait", "_worker", "_work", "_do_waitpid", "_write_to_self", "socketpair"}


class _Watchdog(threading.Thread):
    def __init__(self, found: IO[str]) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._found = found
        self._beat = time.monotonic()
        self._collecting = 0.0

    def beat(self, loop: asyncio.AbstractEventLoop) -> None:
        """Note that the loop runs, again and again."""
        self._beat = time.monotonic()
        loop.call_later(_BEAT_SECONDS, self.beat, loop)

    def run(self) -> None:
        """Look."""
        while True:
            time.sleep(_BEAT_SECONDS)
            if time.monotonic() - self._beat > HELD_SECONDS:
                self._note(self._holder())

    def collected(self, phase: str, info: dict[str, Any]) -> None:
        """Note a collection of garbage that took long."""
        if phase == "start":
            self._collecting = time.monotonic()
        elif time.monotonic() - self._collecting > HELD_SECONDS:
            self._note(f"gc of generation {info['generation']}")

    def _note(self, what: str) -> None:
        self._found.write(what + "\n")
        self._found.flush()

    def _holder(self) -> str:
        stacks = sys._current_frames()  # noqa: SLF001 - there is no other way to see them
        for thread, frame in stacks.items():
            if thread != self.ident and frame.f_code.co_name not in _WAITING:
                return described(frame)
        return "nothing of the engine"  # the machine had other things to do


def _watch_main_loop(watchdog: _Watchdog) -> None:
    """Let the event loop of the main thread be watched, whoever makes it."""
    run_forever = asyncio.BaseEventLoop.run_forever

    def watched(loop: asyncio.BaseEventLoop) -> None:
        if threading.current_thread() is threading.main_thread():
            watchdog.beat(loop)
            watchdog.start()
        run_forever(loop)

    setattr(asyncio.BaseEventLoop, "run_forever", watched)  # noqa: B010 - no type checker likes a plain assignment


def described(frame: FrameType) -> str:
    """Return the innermost function of a stack, and the first of the engine's around it."""
    inner = _name(frame)
    outer: FrameType | None = frame
    while outer and "arcrun_server" not in outer.f_code.co_filename:
        outer = outer.f_back
    return inner if outer is None or outer is frame else f"{inner} in {_name(outer)}"


def _name(frame: FrameType) -> str:
    return f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name}"


def main() -> None:
    """Run `arcrun_server` with the other arguments."""
    with Path(sys.argv.pop(1)).open("w", encoding="utf-8") as found:
        watchdog = _Watchdog(found)
        gc.callbacks.append(watchdog.collected)
        _watch_main_loop(watchdog)
        runpy.run_module("arcrun_server", run_name="__main__")


@dataclass
class Findings:
    """What the watchdog of an engine has written.

    Args:
        path: The file.
        read: How much of it has been read.
    """

    path: Path
    read: int = 0

    def holders(self) -> Counter[str]:
        """Return which functions held the loop since the last call, and how often each was seen."""
        with self.path.open(encoding="utf-8", errors="replace") as file:
            file.seek(self.read)
            lines = file.read().splitlines()
            self.read = file.tell()
        return Counter(lines)


if __name__ == "__main__":
    main()
