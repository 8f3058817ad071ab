"""Patterns: what a scenario says of a value, and every way in which a value differs from it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any

from . import assertion, envelope

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
    """All differences between a pattern and a value; empty if it fits.

    An object fits if each key of the pattern fits: further keys are allowed, since every answer may
    grow. Lists and scalars must be equal; text, numbers and booleans are never taken for each other.
    Keys that begin with `$` are operators, which may stand beside others: `$absent`, `$present`, `$type`, `$regex`,
    `$length`, `$contains`, `$lacks`, `$each`, `$equals`, `$not`, `$any`, `$base64`, `$opens`, `$jwt`,
    `$min`, `$max`.

    Args:
        pattern: The pattern.
        value: What was there.
        path: Where the value stands, for the texts.

    Example:
        >>> differences({"name": {"$regex": "^a"}}, {"name": "b", "more": 1})
        ["name: 'b' does not match ^a"]
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
        return [f"{_at(path)}expected {_show(pattern)}, got {_show(value)}"]
    if pattern != value:
        return [f"{_at(path)}expected {_show(pattern)}, got {_show(value)}"]
    return []


def _both_numbers(one: Any, other: Any) -> bool:
    return all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in (one, other))


def _show(value: Any) -> str:
    if value is _MISSING:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}…"


def _at(path: str) -> str:
    return f"{path}: " if path else ""


def _object(pattern: Mapping[str, Any], value: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{_at(path)}expected an object, got {_show(value)}"]
    found = []
    for key, expected in pattern.items():
        inner = f"{path}.{key}" if path else str(key)
        found += differences(expected, value.get(key, _MISSING), inner)
    return found


def _list(pattern: list[Any], value: Any, path: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{_at(path)}expected a list, got {_show(value)}"]
    if len(pattern) != len(value):
        return [f"{_at(path)}expected {len(pattern)} items, got {len(value)}: {_show(value)}"]
    found = []
    for index, (expected, item) in enumerate(zip(pattern, value, strict=True)):
        found += differences(expected, item, f"{path}[{index}]")
    return found


def _absent(argument: bool, value: Any, path: str) -> list[str]:
    if (value is _MISSING) is argument:
        return []
    return [f"{_at(path)}expected {'nothing' if argument else 'a value'}, got {_show(value)}"]


def _present(argument: bool, value: Any, path: str) -> list[str]:
    return _absent(not argument, value, path)


def _type(argument: str, value: Any, path: str) -> list[str]:
    fits = isinstance(value, _TYPES[argument])
    if argument == "number" and isinstance(value, bool):
        fits = False
    return [] if fits else [f"{_at(path)}expected a {argument}, got {_show(value)}"]


def _regex(argument: str, value: Any, path: str) -> list[str]:
    if isinstance(value, str) and re.search(argument, value):
        return []
    return [f"{_at(path)}{_show(value)} does not match {argument}"]


def _length(argument: Any, value: Any, path: str) -> list[str]:
    if not isinstance(value, (str, list, dict)):
        return [f"{_at(path)}expected something with a length, got {_show(value)}"]
    return differences(argument, len(value), f"length of {path or 'the value'}")


def _contains(argument: Any, value: Any, path: str) -> list[str]:
    if isinstance(value, str) and isinstance(argument, str):
        fits = argument in value
    else:
        fits = isinstance(value, list) and any(not differences(argument, item) for item in value)
    return [] if fits else [f"{_at(path)}{_show(value)} contains no {_show(argument)}"]


def _lacks(argument: Any, value: Any, path: str) -> list[str]:
    if isinstance(value, (str, list)) and _contains(argument, value, path):
        return []
    return [f"{_at(path)}{_show(value)} should not contain {_show(argument)}"]


def _each(argument: Any, value: Any, path: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{_at(path)}expected a list, got {_show(value)}"]
    found = []
    for index, item in enumerate(value):
        found += differences(argument, item, f"{path}[{index}]")
    return found


def _equals(argument: Any, value: Any, path: str) -> list[str]:
    if argument == value and isinstance(argument, bool) is isinstance(value, bool):
        return []
    return [f"{_at(path)}expected exactly {_show(argument)}, got {_show(value)}"]


def _not(argument: Any, value: Any, path: str) -> list[str]:
    if differences(argument, value):
        return []
    return [f"{_at(path)}{_show(value)} is what it must not be"]


def _any(argument: list[Any], value: Any, path: str) -> list[str]:
    if any(not differences(option, value) for option in argument):
        return []
    return [f"{_at(path)}{_show(value)} fits none of {_show(argument)}"]


def _base64(argument: Any, value: Any, path: str) -> list[str]:
    try:
        decoded = base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        return [f"{_at(path)}{_show(value)} is no base64 (standard alphabet, padded)"]
    return differences(argument, len(decoded), f"bytes in {path or 'the value'}")


def _jwt(argument: Any, value: Any, path: str) -> list[str]:
    try:
        claims = assertion.claims_of(value)
    except ValueError as error:
        return [f"{_at(path)}{error}"]
    return differences(argument, claims, f"claims of {path or 'the token'}")


def _bound(
    holds: Callable[[float, float], bool], word: str
) -> Callable[[Any, Any, str], list[str]]:
    def check(argument: float, value: Any, path: str) -> list[str]:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if number and holds(value, argument):
            return []
        return [f"{_at(path)}expected {word} {argument}, got {_show(value)}"]

    return check


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
}
OPERATORS = tuple(_OPERATORS)
