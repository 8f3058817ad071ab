"""Patterns: what a scenario expects of a value, and every way in which a value differs from it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from . import envelope, service_account

_MISSING: Any = object()
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def differences(pattern: Any, value: Any, path: str = "") -> list[str]:
    """Return all differences between a pattern and a value; an empty list if the value matches.

    An object matches if each key of the pattern does: further keys are allowed, since every
    response may grow. Lists and scalars must be equal; strings, numbers and booleans are never
    converted into each other. Keys that begin with `$` are operators, which may stand beside other
    keys: `$absent`, `$present`, `$type`, `$regex`, `$length`, `$contains`, `$lacks`, `$each`,
    `$equals`, `$not`, `$any`, `$base64`, `$opens`, `$jwt`, `$min`, `$max`, `$sorted`, `$unique`.

    Args:
        pattern: The pattern.
        value: The value to compare.
        path: The path of the value, for the messages.

    Example:
        >>> differences({"name": {"$regex": "^a"}}, {"name": "b", "more": 1})
        ['name: expected a string that matches ^a, got "b"']
    """
    if isinstance(pattern, Mapping):
        plain = {key: item for key, item in pattern.items() if not str(key).startswith("$")}
        found = []
        for operator, argument in pattern.items():
            if operator not in plain:
                found += _OPERATORS[operator](argument, value, path)
        return found + _object(plain, value, path) if plain or not pattern else found
    if isinstance(pattern, list):
        return _list(pattern, value, path)
    if type(pattern) is not type(value) and not _both_numbers(pattern, value):
        return _unexpected(path, show(pattern), value)
    if pattern != value:
        return _unexpected(path, show(pattern), value)
    return []


def show(value: Any) -> str:
    """Return a value as JSON, for a message; what is longer than 300 characters is cut.

    Example:
        >>> show({"ok": True, "名": None})
        '{"ok": true, "名": null}'
    """
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 300 else f"{text[:300]}…"


def _both_numbers(one: Any, other: Any) -> bool:
    return all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in (one, other))


def _at(path: str) -> str:
    return f"{path}: " if path else ""


def _unexpected(path: str, expected: str, value: Any) -> list[str]:
    got = "but it is missing" if value is _MISSING else f"got {show(value)}"
    return [f"{_at(path)}expected {expected}, {got}"]


def _object(pattern: Mapping[str, Any], value: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return _unexpected(path, "an object", value)
    found = []
    for key, expected in pattern.items():
        inner = f"{path}.{key}" if path else str(key)
        found += differences(expected, value.get(key, _MISSING), inner)
    return found


def _list(pattern: list[Any], value: Any, path: str) -> list[str]:
    if not isinstance(value, list):
        return _unexpected(path, "a list", value)
    if len(pattern) != len(value):
        items = f"{len(pattern)} item{'' if len(pattern) == 1 else 's'}"
        return [f"{_at(path)}expected {items}, got {len(value)}: {show(value)}"]
    found = []
    for index, (expected, item) in enumerate(zip(pattern, value, strict=True)):
        found += differences(expected, item, f"{path}[{index}]")
    return found


def _absent(argument: bool, value: Any, path: str) -> list[str]:
    if (value is _MISSING) is argument:
        return []
    return _unexpected(path, "no value" if argument else "a value", value)


def _present(argument: bool, value: Any, path: str) -> list[str]:
    return _absent(not argument, value, path)


def _type(argument: str, value: Any, path: str) -> list[str]:
    matches = isinstance(value, _TYPES[argument])
    if argument == "number" and isinstance(value, bool):
        matches = False
    return [] if matches else _unexpected(path, f"a value of type {argument}", value)


def _regex(argument: str, value: Any, path: str) -> list[str]:
    if isinstance(value, str) and re.search(argument, value):
        return []
    return _unexpected(path, f"a string that matches {argument}", value)


def _length(argument: Any, value: Any, path: str) -> list[str]:
    if not isinstance(value, (str, list, dict)):
        return _unexpected(path, "a string, a list or an object", value)
    return differences(argument, len(value), f"length of {path or 'the value'}")


def _contains(argument: Any, value: Any, path: str) -> list[str]:
    if isinstance(value, list):
        if any(not differences(argument, item) for item in value):
            return []
        return _unexpected(path, f"a list with an item that matches {show(argument)}", value)
    if isinstance(value, str) and isinstance(argument, str) and argument in value:
        return []
    container = "a string that contains" if isinstance(argument, str) else "a list that contains"
    return _unexpected(path, f"{container} {show(argument)}", value)


def _lacks(argument: Any, value: Any, path: str) -> list[str]:
    if isinstance(value, (str, list)) and _contains(argument, value, path):
        return []
    return _unexpected(path, f"a string or a list without {show(argument)}", value)


def _each(argument: Any, value: Any, path: str) -> list[str]:
    if not isinstance(value, list):
        return _unexpected(path, "a list", value)
    found = []
    for index, item in enumerate(value):
        found += differences(argument, item, f"{path}[{index}]")
    return found


def _equals(argument: Any, value: Any, path: str) -> list[str]:
    if _same(argument, value):
        return []
    return _unexpected(path, f"exactly {show(argument)}", value)


def _same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal; unlike in Python, 1 and true are not."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


def _not(argument: Any, value: Any, path: str) -> list[str]:
    if differences(argument, value):
        return []
    return _unexpected(path, f"a value that does not match {show(argument)}", value)


def _any(argument: list[Any], value: Any, path: str) -> list[str]:
    if any(not differences(option, value) for option in argument):
        return []
    return _unexpected(path, f"a match for one of {show(argument)}", value)


def _base64(argument: Any, value: Any, path: str) -> list[str]:
    try:
        decoded = base64.b64decode(value, validate=True)
    except (TypeError, ValueError):
        return _unexpected(path, "base64 in the standard alphabet, padded", value)
    return differences(argument, len(decoded), f"bytes in {path or 'the value'}")


def _jwt(argument: Any, value: Any, path: str) -> list[str]:
    try:
        claims = service_account.verified_claims(value)
    except ValueError as error:
        return [f"{_at(path)}{error}"]
    return differences(argument, claims, f"claims of {path or 'the token'}")


def _bound(
    holds: Callable[[float, float], bool], comparison: str
) -> Callable[[Any, Any, str], list[str]]:
    def check(argument: float, value: Any, path: str) -> list[str]:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if number and holds(value, argument):
            return []
        return _unexpected(path, f"{comparison} {argument}", value)

    return check


def _values_of(field: str, value: Any) -> list[Any] | None:
    """Return a field of each item of a list, or the items themselves for `""`; `None` if there is none."""
    if not isinstance(value, list):
        return None
    if not field:
        return value
    if not all(isinstance(item, dict) and field in item for item in value):
        return None
    return [item[field] for item in value]


def _sorted(argument: Mapping[str, Any], value: Any, path: str) -> list[str]:
    field, descending = argument.get("by", ""), argument.get("order", "ascending") == "descending"
    expected = f"a list sorted by {field or 'value'}, {'de' if descending else 'a'}scending"
    values = _values_of(field, value)
    try:
        if values is not None and values == sorted(values, reverse=descending):
            return []
    except TypeError:
        pass  # values of different types have no order
    return _unexpected(path, expected, value if values is None else values)


def _unique(argument: str, value: Any, path: str) -> list[str]:
    values = _values_of(argument, value)
    written = [json.dumps(item, sort_keys=True) for item in values or ()]
    if values is not None and len(set(written)) == len(written):
        return []
    return _unexpected(path, f"a list in which each {argument or 'item'} is unique", value)


# Python before 3.11 reads neither Z nor other fractions than of three or six digits.
_ISO_FRACTION = re.compile(r"(\.\d+)?(Z|[+-]\d\d:\d\d)$")


def _six_digits(match: re.Match[str]) -> str:
    zone = "+00:00" if match[2] == "Z" else match[2]
    return f"{(match[1] or '.')[:7]:0<7}{zone}"


def _between(argument: list[str], value: Any, path: str) -> list[str]:
    """Match a point in time in ISO 8601, UTC, between two others."""
    first, last = argument
    try:
        moment = datetime.fromisoformat(_ISO_FRACTION.sub(_six_digits, str(value)))
        bounds = [datetime.fromisoformat(text) for text in (first, last)]
        if isinstance(value, str) and bounds[0] <= moment <= bounds[1]:
            return []
    except (ValueError, TypeError):  # no time, or one without a time zone
        pass
    return _unexpected(path, f"a time between {first} and {last}", value)


_OPERATORS: dict[str, Callable[[Any, Any, str], list[str]]] = {
    "$absent": _absent,
    "$present": _present,
    "$type": _type,
    "$regex": _regex,
    "$length": _length,
    "$contains": _contains,
    "$lacks": _lacks,
    "$each": _each,
    "$equals": _equals,
    "$not": _not,
    "$any": _any,
    "$base64": _base64,
    "$opens": envelope.differences,
    "$jwt": _jwt,
    "$min": _bound(lambda value, limit: value >= limit, "at least"),
    "$max": _bound(lambda value, limit: value <= limit, "at most"),
    "$sorted": _sorted,
    "$unique": _unique,
    "$between": _between,
}
OPERATORS = tuple(_OPERATORS)
# Replaced by others when the time is known (`times.py`).
TIME_OPERATORS = ("$now",)
