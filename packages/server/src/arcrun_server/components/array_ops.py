"""Operations on lists."""

from __future__ import annotations

import heapq
import json
from functools import cmp_to_key
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from arcrun_server.engine import ComponentError
from arcrun_server.engine.conditions import same
from arcrun_server.engine.sizes import AT_ONCE, MAX_VALUES, too_many_values
from arcrun_server.engine.templates import MISSING, find

from .contract import describe, given_value, optional, require
from .operations import Operation, operations_contract, run_operation

if TYPE_CHECKING:
    from arcrun_server.engine import Invocation, JsonObject


def _items(given: JsonObject) -> list[Any]:
    return require(given_value(given, "items", "list"), list, "items")


def _field(item: Any, path: str) -> Any:
    """Find a dotted field of an element; without a path, the element itself."""
    return find(item, tuple(path.split("."))) if path else item


def _by(given: JsonObject) -> str:
    return optional(given, "by", str, "")


def _first(given: JsonObject) -> Any:
    return next(iter(_items(given)), None)


def _last(given: JsonObject) -> Any:
    return next(reversed(_items(given)), None)


def _get(given: JsonObject) -> Any:
    items, index = _items(given), require(given_value(given, "index"), int, "index")
    if not -len(items) <= index < len(items):
        raise ComponentError(f"`index` is {index}, but the list is {len(items)} long")
    return items[index]


def _slice(given: JsonObject) -> list[Any]:
    items = _items(given)
    return items[optional(given, "start", int, 0) : optional(given, "end", int, len(items))]


def _concat(given: JsonObject) -> list[Any]:
    return _items(given) + require(given_value(given, "other"), list, "other")


def _append(given: JsonObject) -> list[Any]:
    return [*_items(given), given_value(given, "value")]


def _sort(given: JsonObject) -> list[Any]:
    path, descending = _by(given), optional(given, "descending", bool, default=False)
    pairs = [(_field(item, path), item) for item in _items(given)]
    kinds = {type(field) for field, _ in pairs}
    key: Any = itemgetter(0)
    if not (kinds <= {int, float} or kinds == {str}):
        key = cmp_to_key(_order_of_pairs)
    # One call into C sorts few at once: nothing else runs meanwhile.
    runs = [
        sorted(pairs[start : start + AT_ONCE], key=key, reverse=descending)
        for start in range(0, len(pairs), AT_ONCE)
    ]
    return [item for _, item in heapq.merge(*runs, key=key, reverse=descending)]


def _order_of_pairs(a: tuple[Any, Any], b: tuple[Any, Any]) -> int:
    return _order(a[0], b[0])


def _order(a: Any, b: Any) -> int:
    for kind in ((int, float), str):
        if isinstance(a, kind) and isinstance(b, kind) and not isinstance(a, bool):
            return (a > b) - (a < b)  # type: ignore[operator]
    shown = " and ".join("nothing" if side is MISSING else describe(side) for side in (a, b))
    raise ComponentError(f"only numbers or only texts can be sorted, not {shown}")


def _unique(given: JsonObject) -> list[Any]:
    path = _by(given)
    seen: set[str] = set()
    kept = []
    for item in _items(given):
        mark = _mark(_field(item, path))
        if mark not in seen:
            seen.add(mark)
            kept.append(item)
    return kept


def _mark(value: Any) -> str:
    """Return a text that is the same for equal JSON values only, 1 and 1.0 being equal, also inside."""
    if value is MISSING:
        return "missing"
    return json.dumps(_with_whole_numbers(value), ensure_ascii=False, sort_keys=True)


def _with_whole_numbers(value: Any) -> Any:
    """Return a JSON value in which 1.0 is written as 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_with_whole_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_whole_numbers(field) for key, field in value.items()}
    return value


def _flatten(given: JsonObject) -> list[Any]:
    flat: list[Any] = []
    for item in _items(given):
        flat.extend(item if isinstance(item, list) else [item])
    return flat


def _pluck(given: JsonObject) -> list[Any]:
    path = require(given_value(given, "field"), str, "field")
    found = [_field(item, path) for item in _items(given)]
    return [None if value is MISSING else value for value in found]


def _group(given: JsonObject) -> dict[str, list[Any]]:
    path = require(given_value(given, "by"), str, "by")
    groups: dict[str, list[Any]] = {}
    for item in _items(given):
        value = _field(item, path)
        name = value if isinstance(value, str) else "" if value is MISSING else _mark(value)
        groups.setdefault(name, []).append(item)
    return groups


def _chunk(given: JsonObject) -> list[list[Any]]:
    items, size = _items(given), require(given_value(given, "size"), int, "size")
    if size < 1:
        raise ComponentError(f"`size` must be 1 or more, but it is {size}")
    if len(items) + len(items) // size > MAX_VALUES:
        # Refused before it is made: so many lists take the interpreter's collector longer than the copying.
        raise ComponentError(f"its result is {too_many_values(MAX_VALUES)}")
    return [items[start : start + size] for start in range(0, len(items), size)]


def _index_of(given: JsonObject) -> int:
    value = given_value(given, "value")
    return next((number for number, item in enumerate(_items(given)) if same(item, value)), -1)


OPERATIONS: dict[str, Operation] = {
    "length": Operation(lambda given: len(_items(given)), "the number of elements"),
    "first": Operation(_first, "the first element, null if there is none"),
    "last": Operation(_last, "the last element, null if there is none"),
    "get": Operation(_get, "the element at `index`, negative from the end"),
    "slice": Operation(_slice, "from `start` up to `end`"),
    "concat": Operation(_concat, "with the list `other` appended"),
    "append": Operation(_append, "with `value` appended"),
    "reverse": Operation(lambda given: _items(given)[::-1], "in reverse order"),
    "sort": Operation(_sort, "sorted, by the field `by`, `descending` if true"),
    "unique": Operation(_unique, "without duplicates, by the field `by`"),
    "flatten": Operation(_flatten, "lists inside it flattened, one level"),
    "pluck": Operation(_pluck, "the `field` of each element"),
    "group": Operation(_group, "an object of lists, by the field `by`"),
    "chunk": Operation(_chunk, "lists of `size`"),
    "includes": Operation(lambda given: _index_of(given) >= 0, "whether `value` is in it"),
    "index_of": Operation(_index_of, "where `value` is, -1 if nowhere"),
}

CONTRACT = operations_contract(
    "array_ops",
    OPERATIONS,
    display_name="陣列處理 Array",
    description="Operates on the list `items`.",
    parameters={
        "items": {"type": "array"},
        "other": {"type": "array"},
        "value": {},
        "index": {"type": "integer"},
        "start": {"type": "integer", "default": 0},
        "end": {"type": "integer"},
        "by": {"type": "string", "description": "A dotted field of the elements."},
        "field": {"type": "string", "description": "A dotted field of the elements."},
        "descending": {"type": "boolean", "default": False},
        "size": {"type": "integer", "minimum": 1},
    },
    config_example={
        "operation": "sort",
        "items": "{{prev.文章}}",
        "by": "分數",
        "descending": True,
    },
)


async def run(given: JsonObject, _invocation: Invocation) -> Any:
    """Run the operation.

    Example:
        >>> import asyncio
        >>> given = {"operation": "pluck", "items": [{"名": "甲"}, {"名": "乙"}], "field": "名"}
        >>> asyncio.run(run(given, None))["data"]["result"]
        ['甲', '乙']
    """
    return run_operation(OPERATIONS, given)
