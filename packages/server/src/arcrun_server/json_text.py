"""Writing JSON."""

from __future__ import annotations

import json
from typing import Any

READABLE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
ASCII = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def as_text(value: Any) -> str:
    """Return a text as it is, and any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def encode(value: Any) -> bytes:
    """Write a value as compact JSON in UTF-8.

    Raises:
        ValueError: It holds a number that JSON can't represent, as NaN.

    Example:
        >>> encode({"文字": "你好"}).decode()
        '{"文字":"你好"}'
    """
    try:
        return READABLE.encode(value).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, from some component's result
        return ASCII.encode(value).encode()
