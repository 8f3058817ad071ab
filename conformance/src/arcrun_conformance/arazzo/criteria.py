"""What a step expects of its response, as criteria of Arazzo.

What is known when the document is written is compared by JSONPath, which compares types and case. A value of an
earlier response is compared by a simple condition, of which Arazzo says that case does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from .conditions import child, condition, exact, presence
from .expressions import expression, has_expression
from .inexpressible import Inexpressible

Criterion = dict[str, str]
_OUTSIDE = {
    "seconds": "it measures the time that a response takes",
    "closed": "it checks whether a connection is closed",
}


def criteria(expect: Mapping[str, Any]) -> list[Criterion]:
    """Return the criteria of a step, from what it expects.

    Raises:
        Inexpressible: Arazzo can't say it.

    Example:
        >>> criteria({"status": 200, "body": {"name": "a"}})[1]
        {'context': '$response.body', 'condition': "$[?@.name == 'a']", 'type': 'jsonpath'}
    """
    for part, reason in _OUTSIDE.items():
        if part in expect:
            raise Inexpressible(reason)
    found = []
    if "status" in expect:
        found.append({"condition": _status(expect["status"])})
    for name, pattern in expect.get("headers", {}).items():
        found.append(_header(name, pattern))
    if "body" in expect:
        found += _body(expect["body"])
    return found


def _status(pattern: Any) -> str:
    if isinstance(pattern, int):
        return f"$statusCode == {pattern}"
    options = pattern.get("$any", ()) if isinstance(pattern, Mapping) else ()
    if options and all(isinstance(each, int) for each in options) and len(pattern) == 1:
        return " || ".join(f"$statusCode == {each}" for each in options)
    if isinstance(pattern, Mapping) and pattern.keys() <= {"$min", "$max"}:
        signs = {"$min": ">=", "$max": "<="}
        return " && ".join(f"$statusCode {signs[key]} {each}" for key, each in pattern.items())
    raise Inexpressible("it expects another status than numbers can say")


def _header(name: str, pattern: Any) -> Criterion:
    context = f"$response.header.{name}"
    if has_expression(pattern):
        raise Inexpressible("it compares a header with a value of an earlier response")
    if pattern == {"$absent": True}:
        return {"condition": f"{context} == null"}
    if isinstance(pattern, Mapping) and "$not" in pattern:
        raise Inexpressible("it says of a header only what it is not")
    return _jsonpath(context, [condition(pattern)])


def _jsonpath(context: str, parts: list[str]) -> Criterion:
    return {"context": context, "condition": f"$[?{' && '.join(parts)}]", "type": "jsonpath"}


def _body(pattern: Any) -> Iterator[Criterion]:
    if pattern is None or pattern == {"$equals": None}:
        raise Inexpressible("it expects a response without a body")
    waiting = [("", pattern)]
    while waiting:
        pointer, part = waiting.pop(0)
        split = _Split()
        split.add(part, pointer, "@")
        if split.conditions:
            yield _jsonpath(_context(pointer), split.conditions)
        for place, value in split.compared:
            yield {"condition": f"{_context(place)} == {value}"}
        waiting += split.items


def _context(pointer: str) -> str:
    return f"$response.body#{pointer}" if pointer else "$response.body"


@dataclass
class _Split:
    """A pattern in parts: what can be a condition about one value, and what needs criteria of its own.

    Attributes:
        conditions: Conditions about the value.
        compared: Pointers to values that must be equal to a value of an earlier response.
        items: Pointers to the items of lists, with their patterns: each is a context of its own, since tools
            don't agree on an index within a condition.
    """

    conditions: list[str] = field(default_factory=list)
    compared: list[tuple[str, str]] = field(default_factory=list)
    items: list[tuple[str, Any]] = field(default_factory=list)

    def add(self, pattern: Any, pointer: str, node: str) -> None:
        """Add a pattern of the value to which a pointer and a query lead."""
        if isinstance(pattern, Mapping) and pattern.keys() == {"$equals"}:
            pattern = exact(pattern["$equals"])
        if isinstance(pattern, str) and (value := expression(pattern)):
            self.compared.append((pointer, value))
        elif isinstance(pattern, list) and pattern:
            self.conditions.append(f"length({node}) == {len(pattern)}")
            self.items += [(f"{pointer}/{number}", item) for number, item in enumerate(pattern)]
        elif _is_plain(pattern):
            self.conditions += presence(pattern, node)
            for key, value in pattern.items():
                token = key.replace("~", "~0").replace("/", "~1")
                if key == "$length":
                    self.conditions.append(condition({key: value}, node))
                else:
                    self.add(value, f"{pointer}/{token}", child(node, key))
        elif has_expression(pattern):
            raise Inexpressible(
                "it looks for a value of an earlier response inside of a list or a text"
            )
        else:
            self.conditions.append(condition(pattern, node))


def _is_plain(pattern: Any) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a pattern is about the fields of an object, and its length at most."""
    return (
        isinstance(pattern, Mapping)
        and any(not key.startswith("$") for key in pattern)
        and all(key == "$length" or not key.startswith("$") for key in pattern)
    )
