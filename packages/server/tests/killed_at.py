"""A command of `arcrun-server` that is killed on its way, for tests of what it leaves.

Arguments: the point at which the process kills itself, then those of the command. The points are calls of functions
as MODULE:FUNCTION:N, just before the Nth call.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Any

from arcrun_server.cli import main


def kill_before(point: str) -> None:
    module_name, function_name, number = point.split(":")
    module = importlib.import_module(module_name)
    real = getattr(module, function_name)
    calls = 0

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == int(number):
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)

    setattr(module, function_name, counted)


if __name__ == "__main__":
    kill_before(sys.argv[1])
    sys.exit(main(sys.argv[2:]))
