"""`${name}` in scenarios: filled with the run's values just before a step needs them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_PLACE = re.compile(r"\$\{([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)\}")

# What the runner supplies beside the scenario's own variables and secrets.
BUILT_IN = (
    "run",
    "run_in_capitals",
    "api_key",
    "base_url",
    "standin",
    "target",
    "unused_port",
    "files",
    "service_account",
    "service_account_key",
)


def fill(value: Any, values: Mapping[str, Any]) -> Any:
    """A copy of a value with every `${name}` in it replaced, keys of objects included.

    A text that is nothing but one place takes the value with its type.

    Example:
        >>> fill({"name": "${run}_token", "n": "${count}"}, {"run": "r1", "count": 2})
        {'name': 'r1_token', 'n': 2}
    """
    if isinstance(value, str):
        whole = _PLACE.fullmatch(value)
        if whole:
            return values[whole[1]]
        return _PLACE.sub(lambda place: str(values[place[1]]), value)
    if isinstance(value, Mapping):
        return {fill(key, values): fill(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, values) for item in value]
    return value


def places(
    value: Any, pointer: tuple[str | int, ...] = ()
) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Every place in a value, with the path to the text that it stands in."""
    if isinstance(value, str):
        for place in _PLACE.finditer(value):
            yield place[1], pointer
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from places(key, (*pointer, key))
            yield from places(item, (*pointer, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*pointer, index))
