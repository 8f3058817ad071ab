"""Writing JSON."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# How many elements of a list are written before others have a turn.
_AT_ONCE = 4
_READABLE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_ASCII = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


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


async def encode_in_turns(fields: dict[str, Any]) -> bytes:
    """Write an object as `encode` does, field by field, so that others have their turns in between.

    Raises:
        ValueError: As `encode`.

    Example:
        >>> asyncio.run(encode_in_turns({"trace": [{"n": 1}, {"n": 2}], "ok": True})).decode()
        '{"trace":[{"n":1},{"n":2}],"ok":true}'
    """
    parts = []
    for key, value in fields.items():
        items = value if isinstance(value, list) else [value]
        written = []
        for part in _grouped(items):
            written.append(encode(part)[1:-1])
            await asyncio.sleep(0)
        content = b",".join(written)
        parts.append(encode(key) + b":" + (b"[%b]" % content if items is value else content))
    return b"{%b}" % b",".join(parts)


def _grouped(items: list[Any]) -> Iterator[list[Any]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
