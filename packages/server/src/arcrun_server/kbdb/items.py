"""What a page lists: the `items` of kbdb_get, over which a FOREACH goes."""

from __future__ import annotations

import json
import re
from typing import Any

_LINE = re.compile(r"\r\n|\r|\n")
# A bullet or a number, then white space; behind it perhaps the box of a task. `、` and `．` need no white space.
_MARKER = re.compile(
    r"(?:[-*+•‣◦▪·・–—](?=\s|$)|\(?\d{1,9}[.)）](?=\s|$)|\d{1,9}(?:、|．(?!\d)))\s*(?:\[[ xX]\](?=\s|$))?"
)


def items_of(content: str) -> list[Any]:
    r"""Return the elements of a JSON array, or else the lines that are not empty, without list markers.

    Example:
        >>> items_of('["a", {"b": 1}]'), items_of("1. 甲\n\n- [x] 乙\n-5 度")
        (['a', {'b': 1}], ['甲', '乙', '-5 度'])
    """
    elements = _array(content)
    if elements is not None:
        return elements
    lines = (_without_marker(line.strip()) for line in _LINE.split(content))
    return [line for line in lines if line]


def _without_marker(line: str) -> str:
    marker = _MARKER.match(line)
    return line[marker.end() :].strip() if marker else line


def _array(content: str) -> list[Any] | None:
    if not content.lstrip().startswith("["):
        return None
    try:
        found = json.loads(content, parse_constant=_refuse)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # also half of a surrogate pair: no text
        return None
    return found if isinstance(found, list) else None


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
