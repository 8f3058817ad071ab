"""Standard output and standard error when a process ends."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def write_out(code: int, program: str) -> int:
    """Write what is left of stdout and stderr, and return the exit code: 1 where a result is lost that was due.

    A full disk is said once. Left alone, Python tries to write the same text again when it ends, prints what looks like a
    defect, and ends with 120.

    Args:
        code: The exit code of what was done.
        program: What the person started, such as `arcrun-mcp`.
    """
    reason = _written(sys.stdout)
    if reason and code == 0:
        code = 1
        _say(f"{program}: the output can't be written: {reason}")
    _written(sys.stderr)
    return code


def _written(stream: TextIO | None) -> str:
    """Flush a stream, and return why that fails; it leads to nowhere then."""
    if stream is None or stream.closed:
        return ""
    try:
        stream.flush()
    except OSError as error:
        discard(stream)
        return error.strerror or str(error)
    return ""


def discard(stream: TextIO) -> None:
    """Let a stream lead to nowhere from now on, with what it still holds."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _say(text: str) -> None:
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:  # stderr is as full
        discard(sys.stderr)
