"""A command of `arcrun-server` that is ended on its way, for tests of what it leaves.

Arguments: a signal as `SIGKILL`, the point at which the process sends it to itself, then those of the command. A point
is a call of a function as MODULE:FUNCTION:N, just before the Nth call.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Any

from arcrun_server.cli import main


def end_before(point: str, number_of_signal: int) -> None:
    module_name, function_name, number = point.split(":")
    module = importlib.import_module(module_name)
    real = getattr(module, function_name)
    calls = 0

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == int(number):
            os.kill(os.getpid(), number_of_signal)
        return real(*arguments, **options)

    setattr(module, function_name, counted)


if __name__ == "__main__":
    # A shell lets what it starts in the background ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    end_before(sys.argv[2], signal.Signals[sys.argv[1]])
    sys.exit(main(sys.argv[3:]))
