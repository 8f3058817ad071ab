"""Writing JSON of many values, piece by piece."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from arcrun_server.engine.sizes import AT_ONCE, count_values
from arcrun_server.json_text import ASCII, READABLE

if TYPE_CHECKING:
    import json
    from collections.abc import Iterator


def encode_in_pieces(value: Any) -> bytes:
    """Write a value as `encode` does, but so that other threads have their turns meanwhile.

    The fast encoder is a single call into C, during which nothing else runs: it is given some of many values at once.

    Raises:
        ValueError: As `encode`.

    Example:
        >>> encode_in_pieces({"trace": [{"n": 1}, {"n": 2}], "ok": True}).decode()
        '{"trace":[{"n":1},{"n":2}],"ok":true}'
    """
    try:
        return _written(READABLE, value).encode()
    except UnicodeEncodeError:
        return _written(ASCII, value).encode()


def _written(encoder: json.JSONEncoder, value: Any) -> str:
    text = io.StringIO()
    for piece in _pieces(encoder, value):
        text.write(piece)
    return text.getvalue()


def _pieces(encoder: json.JSONEncoder, value: Any) -> Iterator[str]:
    if not isinstance(value, (dict, list)) or count_values(value, AT_ONCE) <= AT_ONCE:
        yield encoder.encode(value)
        return
    mark = ""
    yield "{" if isinstance(value, dict) else "["
    for part in _parts(value):
        yield mark
        mark = ","
        if count_values(part, AT_ONCE) <= AT_ONCE:
            yield encoder.encode(part)[1:-1]
        elif isinstance(part, list):
            yield from _pieces(encoder, part[0])
        else:
            ((key, field),) = part.items()
            yield encoder.encode({key: 0})[1:-2]
            yield from _pieces(encoder, field)
    yield "}" if isinstance(value, dict) else "]"


def _parts(value: dict[Any, Any] | list[Any]) -> Iterator[dict[Any, Any] | list[Any]]:
    """Cut a list or an object into parts of few values; one item that has more is a part by itself."""
    items: list[Any] = []
    count = 0
    for item in value.items() if isinstance(value, dict) else value:
        inner = item[1] if isinstance(value, dict) else item
        more = 1 + (count_values(inner, AT_ONCE) if isinstance(inner, (dict, list)) else 0)
        if items and count + more > AT_ONCE:
            yield dict(items) if isinstance(value, dict) else items
            items, count = [], 0
        items.append(item)
        count += more
    yield dict(items) if isinstance(value, dict) else items
