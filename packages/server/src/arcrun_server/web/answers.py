"""Answers as JSON."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response


def encode(content: Any) -> bytes:
    """Write JSON as UTF-8.

    Raises:
        ValueError: It holds a number that JSON has no word for, as NaN.

    Example:
        >>> encode({"文字": "你好"}).decode()
        '{"文字":"你好"}'
    """
    try:
        return _READABLE.encode(content).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, from some component's answer
        return _ASCII.encode(content).encode()


_READABLE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_ASCII = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


class Json(Response):
    """An answer with a JSON body.

    Args:
        content: What to encode; bytes are taken as JSON that is encoded already.
        status_code: HTTP status.
        headers: Further headers.
    """

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return content if isinstance(content, bytes) else encode(content)
