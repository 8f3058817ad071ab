"""Placeholders `${name}` in scenarios, filled with the run's values just before they are needed."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

from . import envelope

_PLACEHOLDER = re.compile(r"\$\{([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)\}")

# Supplied by the runner, in addition to the scenario's own variables and secrets.
BUILT_IN = (
    "run",
    "run_in_capitals",
    "api_key",
    "base_url",
    "standin",
    "standin_elsewhere",
    "standin_port",
    "target",
    "unused_port",
    "silent_port",
    "files",
    "service_account",
    "service_account_key",
    "n",
    "host",
    "second_api_key",
    "revoked_api_key",
    "fresh_api_key",
    "unknown_api_key",
    "near_api_key",
    "capital_api_key",
)


def fill(value: Any, values: Mapping[str, Any]) -> Any:
    """Return a copy of a value with every `${name}` replaced, keys of objects included.

    A string that consists of one placeholder becomes the value itself, with its type. An object
    `{"$repeat": {"times": N, "of": VALUE}}` becomes a long text or a list, whose parts may use `${n}`.
    `{"$sealed": {"key": KEY, "name": NAME, "value": TEXT, …}}` becomes what a client pushes to store the
    text sealed: `name`, `encrypted` and `iv`, and whatever else stands there. `bytes` instead of `value` is Base64 of
    what is to be sealed, for what is no text.

    Example:
        >>> fill({"name": "${run}_token", "n": "${count}"}, {"run": "r1", "count": 2})
        {'name': 'r1_token', 'n': 2}
        >>> fill({"$repeat": {"times": 3, "of": "${n},"}}, {})
        '1,2,3,'
    """
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        if whole:
            return values[whole[1]]
        return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), value)
    if isinstance(value, Mapping):
        return _filled_object(value, values)
    if isinstance(value, list):
        return [fill(item, values) for item in value]
    return value


def _filled_object(value: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    if value.keys() == {"$repeat"}:
        return _repeated(value["$repeat"], values)
    if value.keys() == {"$sealed"}:
        return _sealed(**fill(value["$sealed"], values))
    return {fill(key, values): fill(item, values) for key, item in value.items()}


def _repeated(definition: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    part, times = definition["of"], definition["times"]
    if next(placeholders(part), None) is None:  # as in most long ones, which are then made at once
        return part * times if isinstance(part, str) else [fill(part, values)] * times
    parts = [fill(part, {**values, "n": number}) for number in range(1, times + 1)]
    return "".join(map(str, parts)) if isinstance(part, str) else parts


def _sealed(key: str, name: str, **further: Any) -> dict[str, Any]:
    value = b64decode(further.pop("bytes")) if "bytes" in further else further.pop("value")
    return {"name": name, **envelope.seal(key, name, value), **further}


def placeholders(
    value: Any, pointer: tuple[str | int, ...] = ()
) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Yield the name of each placeholder in a value, with the path to the string that contains it."""
    if isinstance(value, str):
        for match in _PLACEHOLDER.finditer(value):
            yield match[1], pointer
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from placeholders(key, (*pointer, key))
            yield from placeholders(item, (*pointer, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from placeholders(item, (*pointer, index))
