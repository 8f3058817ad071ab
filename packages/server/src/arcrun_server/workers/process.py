"""The program of a worker: reads jobs from stdin, writes what they return to stdout.

A job is a function of ours, from bytes to bytes. What comes over the pipe is never code.
"""

from __future__ import annotations

import importlib
import os
import signal
import struct
import sys
from typing import BinaryIO

# What a worker may allocate: a job that needs more ends its process, not the server. What a job is given may
# become values and text of it many times its size; what is large without it comes from what it means.
MAX_BYTES = 128 * 1024 * 1024
FIXED_BYTES = 64 * 1024 * 1024
PER_BYTE = 8
REQUEST = struct.Struct(">dHI")  # seconds, length of the job's name, length of the payload
RESPONSE = struct.Struct(">?I")  # whether it returned, length of what follows
OURS = "arcrun_server."


def main() -> None:
    """Work until stdin is closed."""
    _limit()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing but responses may be written to the pipe
    while True:
        head = source.read(REQUEST.size)
        if len(head) < REQUEST.size:
            return
        seconds, name_length, length = REQUEST.unpack(head)
        name, payload = source.read(name_length).decode(), source.read(length)
        _end_after(seconds)
        _allow(length)
        returned, answer = _call(name, payload)
        _end_after(0)
        _write(sink, RESPONSE.pack(returned, len(answer)) + answer)


def _call(name: str, payload: bytes) -> tuple[bool, bytes]:
    module, _, function = name.partition(":")
    if not module.startswith(OURS):
        return False, b"no such job"
    try:
        loaded = importlib.import_module(module)
        answer: bytes = getattr(loaded, function)(payload) if function else b""
    except Exception as problem:  # noqa: BLE001 - a job that fails must not end the worker
        return False, type(problem).__name__.encode()
    return True, answer


def _write(sink: BinaryIO, answer: bytes) -> None:
    sink.write(answer)
    sink.flush()


def _limit() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's, which ends its workers
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    os.nice(5)  # the server comes first
    kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    resource.setrlimit(kind, (MAX_BYTES, MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _allow(length: int) -> None:
    """Let this process allocate what a job may need that is given so many bytes."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - as above

        most = min(MAX_BYTES, FIXED_BYTES + PER_BYTE * length)
        resource.setrlimit(resource.RLIMIT_DATA, (most, MAX_BYTES))


def _end_after(seconds: float) -> None:
    """End this process after some seconds, in case the server is not there to do it; 0 takes that back."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds and seconds + 1)


if __name__ == "__main__":
    main()
