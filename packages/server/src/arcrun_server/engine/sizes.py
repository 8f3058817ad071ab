"""Sizes of JSON values, measured without writing them: a large value may be too large to write."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .model import JsonObject

# How deep into a value its objects are known by themselves.
_LEVELS = 4
MAX_VALUES = 100_000
# How many values one call into C may be given: nothing else runs meanwhile.
AT_ONCE = 500
# Up to so many fields it is faster to measure each.
_FEW = 8
_ONE_BYTE = {int, float, bool, type(None)}
_TEXT = {str}
_INFINITE = float("inf")
_quoted = json.encoder.encode_basestring  # in C, where there is C
_json_text = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class TooLargeError(ValueError):
    """Something would be larger than a run allows. The message says what, and how much is allowed."""


class ByteBudget:
    """How many bytes may still be used.

    Args:
        most: How many there are at first.
        what: What it is for, as the subject of the error's sentence.
        measure: Measures a value roughly, as `rough_size`.

    Example:
        >>> ByteBudget(3, "its text").take(4)
        Traceback (most recent call last):
        arcrun_server.engine.sizes.TooLargeError: its text is larger than the 3 bytes that a run allows
    """

    __slots__ = ("_measure", "_most", "_what", "left")

    def __init__(
        self, most: int, what: str, measure: Callable[[Any, int], int] | None = None
    ) -> None:
        self._most = most
        self._what = what
        self._measure = measure or rough_size
        self.left = most

    def measure(self, value: Any) -> int:
        """Return about how many bytes a value has as JSON, or if there are not so many, anything above."""
        return self._measure(value, self.left)

    def take(self, size: int) -> None:
        """Use some of them.

        Raises:
            TooLargeError: There are not so many left.
        """
        self.check(size)
        self.left -= size

    def check(self, size: int) -> None:
        """Check that so many are left, without using them.

        Raises:
            TooLargeError: There are not.
        """
        if size > self.left:
            raise TooLargeError(
                f"{self._what} is larger than the {self._most:,} bytes that a run allows"
            )


def json_size(value: Any) -> int:
    """Return how many bytes a value has as JSON. Much is measured part by part, so that other threads have turns.

    Raises:
        ValueError: It is not valid JSON; the message says why.

    Example:
        >>> json_size({"文": 1})
        9
    """
    try:
        return _size(value)
    except (TypeError, ValueError, RecursionError) as problem:
        reason = (str(problem) or type(problem).__name__).splitlines()[0][:200]
        raise ValueError(f"not valid JSON ({reason})") from None


def _size(value: Any) -> int:
    if not isinstance(value, (dict, list)) or not has_more_values(value, AT_ONCE):
        return len(_json_text(value).encode())
    if len(value) > 1:
        first, rest = _halves(value)
        return _size(first) + _size(rest) - 1  # they have four brackets, and no comma in between
    if isinstance(value, list):
        return 2 + _size(value[0])
    ((key, field),) = value.items()
    return _size({key: 0}) - 1 + _size(field)


def _size_of_few(value: JsonObject) -> int:
    """Measure an object of few texts and numbers, as most are, faster than it could be written; 0 if it is another one."""
    if not 0 < len(value) <= _FEW:
        return 0
    try:
        return _size_of_plain(value)
    except ValueError:
        # Half of a surrogate pair, or a number of too many digits: whoever writes it says so.
        return 0


def _size_of_plain(value: JsonObject) -> int:
    size = 1
    for key, field in value.items():
        kind = type(field)
        if type(key) is not str:
            return 0
        if kind is str:
            size += _text_size(field)
        elif kind is int or (kind is float and -_INFINITE < field < _INFINITE):
            size += len(repr(field))
        elif field is True or field is None:
            size += 4
        elif field is False:
            size += 5
        else:
            return 0
        size += _text_size(key) + 2
    return size


def _text_size(text: str) -> int:
    written = _quoted(text)
    return len(written) if written.isascii() else len(written.encode())


def _halves(value: JsonObject | list[Any]) -> tuple[Any, Any]:
    half = len(value) // 2
    if isinstance(value, list):
        return value[:half], value[half:]
    fields = iter(value.items())
    return dict(islice(fields, half)), dict(fields)


def rough_size(value: Any, most: int) -> int:
    """Measure a JSON value roughly, at least a byte for each part of it.

    Args:
        value: The value. A part that occurs twice counts twice, as it would be written twice.
        most: Where to stop: it is enough to know that the value is larger.

    Example:
        >>> rough_size({"文": ["好", 1]}, 1000), rough_size(["x" * 100] * 100, 1000) > 1000
        (7, True)
    """
    size = 0
    pending = [value]
    while pending and size <= most:
        part = pending.pop()
        if isinstance(part, str):
            size += len(part) + 1
        elif isinstance(part, (dict, list, tuple)):
            size += 1
            least = len(part) * (5 if isinstance(part, dict) else 2) - 1  # `"":1,` and `1,`
            if size + least > most:  # none of them need be seen
                return size + least
            kinds = set() if isinstance(part, dict) else set(map(type, part))
            if kinds and kinds <= _ONE_BYTE:  # of many values alike, none need be seen by itself
                size += len(part)
            elif kinds == _TEXT:
                size += len(part) + sum(map(len, part))
            else:
                size += _rough_size_of_parts(part, pending)
        else:
            size += 1
    return size


def _rough_size_of_parts(value: Any, pending: list[Any]) -> int:
    """Measure what an object or a list holds directly; what has parts itself is added to `pending`."""
    size = 0
    items = value
    if isinstance(value, dict):
        for key in value:
            size += len(key) + 1 if isinstance(key, str) else 1
        items = value.values()
    for item in items:  # a run measures what each node is given: most of it are numbers and texts
        kind = type(item)
        if kind is str:
            size += len(item) + 1
        elif kind in _ONE_BYTE:
            size += 1
        else:
            pending.append(item)
    return size


def count_values(value: Any, most: int) -> int:
    """Count the values in lists and objects, all together; stop when there are more than a number.

    Example:
        >>> count_values({"a": [1, 2]}, 10)
        3
    """
    count = 0
    pending = [value]
    while pending:
        part = pending.pop()
        count += len(part)
        if count > most:
            break
        inner = part.values() if isinstance(part, dict) else part
        pending.extend([item for item in inner if type(item) is dict or type(item) is list])
    return count


def has_more_values(value: Any, most: int) -> bool:
    """Tell whether lists and objects have more values than a number, all together.

    Example:
        >>> has_more_values({"a": [1, 2]}, 3), has_more_values({"a": [1, 2]}, 2)
        (False, True)
    """
    return count_values(value, most) > most


def too_many_values(most: int) -> str:
    """Return what is wrong with a value of more values than a number."""
    return f"made of more than {most:,} values, which is the limit"


class KnownSizes:
    """The sizes of values that occur again and again, each measured once.

    A run hands the same values from node to node: what a result holds comes back in the context of
    every node after it. Nothing changes them, so it is enough to measure each when it comes in. Values
    that are known stay in memory for as long as this object.

    Example:
        >>> sizes = KnownSizes()
        >>> sizes.of({"文": 1}), sizes.of({"n": [1, 2]})
        (9, 11)
    """

    __slots__ = ("_known", "_most_values")

    def __init__(self, most_values: int = MAX_VALUES) -> None:
        self._most_values = most_values
        self._known: dict[
            int, tuple[Any, int]
        ] = {}  # by identity; the value keeps it from being reused

    def of(self, value: Any, levels: int = _LEVELS) -> int:
        """Return how many bytes a value has as JSON, and know it and what it holds from then on.

        Args:
            value: The value.
            levels: How deep in it lists and objects are known by themselves.

        Raises:
            ValueError: It is not valid JSON, or has too many values; the message says so.
        """
        known = self._known.get(id(value))
        if known:
            return known[1]
        if not isinstance(value, (dict, list)):
            return json_size(value)
        fields = value if levels > 0 and isinstance(value, dict) else None
        if len(value) > self._most_values or (
            fields is None and has_more_values(value, self._most_values)
        ):
            raise ValueError(too_many_values(self._most_values))
        size = json_size(value) if fields is None else self._of_fields(fields, levels - 1)
        self._known[id(value)] = (value, size)
        return size

    def of_list(self, items: list[Any]) -> int:
        """Return how many bytes a list has as JSON, from the sizes of its elements."""
        return 2 + sum(map(self.of, items)) + max(len(items) - 1, 0)

    def learn(self, value: Any, size: int) -> None:
        """Remember the size of a value."""
        self._known[id(value)] = (value, size)

    def rough(self, value: Any, most: int) -> int:
        """Return about how many bytes a value has as JSON, or if that is sure to be above `most`, anything above.

        Nothing is remembered: what a node was given is often kept nowhere else.
        """
        known = self._known
        if id(value) in known:
            return known[id(value)][1]
        if not isinstance(value, dict) or len(value) > most:
            return rough_size(value, most)
        size = 0
        for key, field in value.items():
            kind = type(field)
            size += len(key)
            if kind is str:
                size += len(field) + 3
            elif kind is dict or kind is list:
                size += known[id(field)][1] if id(field) in known else rough_size(field, most)
            else:
                size += 6
            if size > most:
                break
        return size

    def _of_fields(self, value: JsonObject, levels: int) -> int:
        """Measure an object: each list and object in it by itself, so that it is known, the rest together."""
        rest = value
        size = 0
        for key, field in value.items():
            if field and isinstance(field, (dict, list)):
                if rest is value:
                    rest = dict(value)
                rest[key] = 0  # whose one byte is taken off again
                size += self.of(field, levels) - 1
        return size + (_size_of_few(rest) or json_size(rest))
