"""Files and standard input, read no further than an engine takes."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from .errors import CommandError
from .sentences import sentence

# What an engine takes in a request (docs/contract.md#transport).
MOST_BYTES = 2 * 1024 * 1024


def read_at_most(stream: BinaryIO, what: str) -> bytes:
    """Return what a stream has.

    Args:
        stream: what to read; it may have no end.
        what: names it in errors.

    Raises:
        CommandError: it is larger than an engine takes.
    """
    parts: list[bytes] = []
    left = MOST_BYTES + 1
    while left > 0 and (part := stream.read(left)):
        parts.append(part)
        left -= len(part)
    if left <= 0:
        raise CommandError(
            "payload_too_large",
            sentence(
                "{what} is larger than {most} bytes (2 MiB), which is the most that an engine takes",
                what=what,
                most=f"{MOST_BYTES:,}",
            ),
        )
    return b"".join(parts)


def bytes_of(path: Path, what: str) -> bytes:
    """Return what is in a file.

    Raises:
        OSError: it can't be read.
        CommandError: it is larger than an engine takes.
    """
    with path.open("rb") as file:
        return read_at_most(file, what)
