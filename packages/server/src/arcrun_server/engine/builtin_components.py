"""The three built-ins (docs/contract.md#execution); they see the context without the results kept by node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .model import JsonObject


def passthrough(given: JsonObject) -> JsonObject:
    """Return the context unchanged.

    Example:
        >>> passthrough({"文": "你好"})
        {'文': '你好'}
    """
    return given


def uppercase(given: JsonObject) -> JsonObject:
    """Return the context with `text` in capitals; a value that is not text is converted.

    Example:
        >>> uppercase({"text": "ok 好"})
        {'text': 'OK 好'}
    """
    text = given.get("text")
    return {**given, "text": "" if text is None else str(text).upper()}


def counter(given: JsonObject) -> JsonObject:
    """Return the context with `count` one higher; a value that is not a number counts as 0.

    Example:
        >>> counter({"count": 2}), counter({})
        ({'count': 3}, {'count': 1})
    """
    return {**given, "count": _number(given.get("count")) + 1}


def _number(value: Any) -> int | float:
    if isinstance(value, (int, float)):
        return value
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


BUILTINS: dict[str, Callable[[JsonObject], JsonObject]] = {
    "comp_passthrough": passthrough,
    "comp_uppercase": uppercase,
    "comp_counter": counter,
}
