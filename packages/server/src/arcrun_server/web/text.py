"""Text that is no text: half of a surrogate pair, which no UTF-8 can hold, and NUL, which ends a text elsewhere."""

from __future__ import annotations

import re
from typing import Any

from arcrun_server.engine.characters import no_character

SURROGATE = "half of a surrogate pair (\\ud800 to \\udfff), which is not a character"
NUL = "the character NUL (\\u0000)"

_Path = tuple["int | str", ...]
# Where a value is: what it is in, and its key there; None for the outermost one.
_Link = Any
# How either of them looks in JSON; in UTF-8, and in JSON without an escape, they are impossible.
_MAY_BE_BAD = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def bad_text(source: str, value: Any) -> tuple[_Path, str] | None:
    r"""Find the first text in a JSON value that can't be stored and compared everywhere.

    Args:
        source: The JSON that the value was parsed from.
        value: The value.

    Returns:
        The path to it and what is wrong with it, or None. The path to a key is that of its object.

    Example:
        >>> bad_text('{"a": ["\\u0000"]}', {"a": ["\x00"]})
        (('a', 0), 'the character NUL (\\u0000)')
    """
    if not _MAY_BE_BAD.search(source):
        return None
    # Without recursion, and with paths as links to what is above: a body may be deep and have many texts.
    waiting: list[tuple[Any, _Link]] = [(value, None)]
    while waiting:
        item, place = waiting.pop()
        if isinstance(item, str):
            found = no_character(item)
            if found:
                return _path(place), NUL if found[0] == "\x00" else SURROGATE
        elif isinstance(item, dict):
            for key, inner in reversed(item.items()):
                waiting += [(inner, (place, key)), (key, place)]
        elif isinstance(item, list):
            waiting += [(inner, (place, n)) for n, inner in reversed(list(enumerate(item)))]
    return None


def _path(place: _Link) -> _Path:
    steps: list[int | str] = []
    while place is not None:
        place, step = place
        steps.append(step)
    return tuple(reversed(steps))
