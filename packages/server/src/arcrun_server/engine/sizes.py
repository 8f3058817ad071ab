"""Sizes of JSON values, measured without writing them: a large value may be too large to write."""

from __future__ import annotations

import json
from typing import Any

_json_text = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class TooLargeError(ValueError):
    """Something would be larger than a run allows. The message says what, and how much is allowed."""


class ByteBudget:
    """How many bytes may still be used.

    Args:
        most: How many there are at first.
        what: What it is for, as the subject of the error's sentence.

    Example:
        >>> ByteBudget(3, "its text").take(4)
        Traceback (most recent call last):
        arcrun_server.engine.sizes.TooLargeError: its text is larger than the 3 bytes that a run allows
    """

    __slots__ = ("_most", "_what", "left")

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self.left = most

    def take(self, size: int) -> None:
        """Use some of them.

        Raises:
            TooLargeError: There are not so many left.
        """
        self.check(size)
        self.left -= size

    def check(self, size: int) -> None:
        """Check that so many are left, without using them.

        Raises:
            TooLargeError: There are not.
        """
        if size > self.left:
            raise TooLargeError(
                f"{self._what} is larger than the {self._most:,} bytes that a run allows"
            )


def json_size(value: Any) -> int:
    """Return how many bytes a value has as JSON.

    Raises:
        ValueError: It is not valid JSON; the message says why.

    Example:
        >>> json_size({"文": 1})
        9
    """
    try:
        return len(_json_text(value).encode())
    except (TypeError, ValueError, RecursionError) as problem:
        reason = (str(problem) or type(problem).__name__).splitlines()[0][:200]
        raise ValueError(f"not valid JSON ({reason})") from None


def rough_size(value: Any, most: int) -> int:
    """Measure a JSON value roughly, at least a byte for each part of it.

    Args:
        value: The value. A part that occurs twice counts twice, as it would be written twice.
        most: Where to stop: it is enough to know that the value is larger.

    Example:
        >>> rough_size({"文": ["好", 1]}, 1000), rough_size(["x" * 100] * 100, 1000) > 1000
        (7, True)
    """
    size = 0
    pending = [value]
    while pending and size <= most:
        part = pending.pop()
        if isinstance(part, str):
            size += len(part) + 1
        elif isinstance(part, dict):
            size += 1
            pending.extend(part)
            pending.extend(part.values())
        elif isinstance(part, (list, tuple)):
            size += 1
            pending.extend(part)
        else:
            size += 1
    return size
