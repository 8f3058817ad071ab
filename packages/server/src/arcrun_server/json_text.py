"""Writing JSON."""

from __future__ import annotations

import io
import json
from typing import Any

_READABLE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_ASCII = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


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
        return _READABLE.encode(value).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, from some component's result
        return _ASCII.encode(value).encode()


def encode_in_pieces(value: Any) -> bytes:
    """Write a value as `encode` does, but so that other threads have their turns meanwhile.

    The fast encoder is a single call into C, during which nothing else runs, however many values there are.

    Raises:
        ValueError: As `encode`.

    Example:
        >>> encode_in_pieces({"trace": [{"n": 1}, {"n": 2}], "ok": True}).decode()
        '{"trace":[{"n":1},{"n":2}],"ok":true}'
    """
    try:
        return _written(_READABLE, value).encode()
    except UnicodeEncodeError:
        return _written(_ASCII, value).encode()


def _written(encoder: json.JSONEncoder, value: Any) -> str:
    text = io.StringIO()
    for piece in encoder.iterencode(value):
        text.write(piece)
    return text.getvalue()
