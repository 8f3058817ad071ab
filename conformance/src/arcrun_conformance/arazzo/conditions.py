"""Patterns of scenarios as conditions of JSONPath (RFC 9535) about one value.

In a condition, `@` is the value: of an Arazzo criterion the root of its context, as in the specification's own
example, `$[?count(@.pets) > 0]`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .inexpressible import Inexpressible
from .regexes import i_regexp

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TYPES = {
    "string": "search({0}, '')",
    "number": "({0} >= 0 || {0} < 0)",
    "boolean": "({0} == true || {0} == false)",
    "null": "{0} == null",
}
LIST_OR_OBJECT = (
    "it tells a list from an object, or either from nothing in it, which JSONPath does not"
)


def condition(pattern: Any, node: str = "@") -> str:
    """Return the condition that a value matches a pattern (`scenarios/patterns.py`).

    Args:
        pattern: The pattern, with its placeholders filled in.
        node: The query that leads to the value.

    Raises:
        Inexpressible: JSONPath can't say it.

    Example:
        >>> condition({"name": "a", "tags": {"$contains": "b"}, "value": {"$absent": True}})
        "@.name == 'a' && (search(@.tags, 'b') || @.tags[?@ == 'b']) && !@.value"
    """
    if isinstance(pattern, Mapping):
        return _object(pattern, node)
    if isinstance(pattern, list):
        return _list(pattern, node)
    return f"{node} == {literal(pattern)}"


def child(node: str, key: str | int) -> str:
    """Return the query of a field, or of an item.

    Example:
        >>> child("@.a", "名"), child("@", 0)
        ("@.a['名']", '@[0]')
    """
    if isinstance(key, int):
        return f"{node}[{key}]"
    return f"{node}.{key}" if _NAME.fullmatch(key) else f"{node}[{literal(key)}]"


def literal(value: Any) -> str:
    r"""Return a scalar as JSONPath writes it: texts in single quotes.

    Example:
        >>> literal("it's"), literal(None), literal(True)
        ("'it\\'s'", 'null', 'true')
    """
    if not isinstance(value, str):
        return json.dumps(value)
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", escaped) + "'"


def exact(value: Any) -> Any:
    """Return the pattern of a value that must have nothing else, without `$equals`.

    Raises:
        Inexpressible: There is nothing in it.

    Example:
        >>> exact({"a": [1]})
        {'$length': 1, 'a': [1]}
    """
    if isinstance(value, (Mapping, list)) and not value:
        raise Inexpressible(LIST_OR_OBJECT)
    if isinstance(value, list):
        return [exact(item) for item in value]
    if isinstance(value, Mapping):
        return {"$length": len(value)} | {key: exact(item) for key, item in value.items()}
    return value


def presence(pattern: Mapping[str, Any], node: str) -> list[str]:
    """Return the condition that an object is there, if none about its fields says so."""
    fields = [value for key, value in pattern.items() if not key.startswith("$")]
    needed = node != "@" and len(fields) == len(pattern) and all(map(_may_be_missing, fields))
    return [node] if needed else []


def _object(pattern: Mapping[str, Any], node: str) -> str:
    if not pattern:
        raise Inexpressible(LIST_OR_OBJECT)
    parts = presence(pattern, node)
    for key, value in pattern.items():
        if not key.startswith("$"):
            parts.append(condition(value, child(node, key)))
        elif key in _OPERATORS:
            parts.append(_OPERATORS[key](value, node))
        else:
            raise Inexpressible(f"it uses {key}, which JSONPath does not have")
    return " && ".join(parts)


def _may_be_missing(pattern: Any) -> bool:
    return isinstance(pattern, Mapping) and not pattern.keys().isdisjoint({"$absent", "$not"})


def _list(pattern: list[Any], node: str) -> str:
    if not pattern:
        raise Inexpressible(LIST_OR_OBJECT)
    parts = [condition(each, child(node, number)) for number, each in enumerate(pattern)]
    return " && ".join([f"length({node}) == {len(pattern)}", *parts])


def _type(name: str, node: str) -> str:
    if name not in _TYPES:
        raise Inexpressible(LIST_OR_OBJECT)
    return _TYPES[name].format(node)


def _regex(pattern: str, node: str) -> str:
    function, written = i_regexp(pattern)
    return f"{function}({node}, {literal(written)})"


def _length(pattern: Any, node: str) -> str:
    return condition(pattern, f"length({node})")


def _contains(pattern: Any, node: str) -> str:
    item = f"{node}[?{condition(pattern)}]"
    if not isinstance(pattern, str):
        return item
    part = re.sub(r"[()*+\-.?\[\\\]^{|}]", r"\\\g<0>", pattern).replace("$", "[$]")
    return f"(search({node}, {literal(part)}) || {item})"


def _lacks(pattern: Any, node: str) -> str:
    return f"length({node}) >= 0 && !{_contains(pattern, node)}"


def _each(pattern: Any, node: str) -> str:
    return f"length({node}) >= 0 && !search({node}, '') && !{node}[?!({condition(pattern)})]"


def _any(patterns: list[Any], node: str) -> str:
    return "(" + " || ".join(f"({condition(each, node)})" for each in patterns) + ")"


_OPERATORS: dict[str, Callable[[Any, str], str]] = {
    "$absent": lambda yes, node: f"!{node}" if yes else node,
    "$present": lambda yes, node: node if yes else f"!{node}",
    "$type": _type,
    "$regex": _regex,
    "$length": _length,
    "$contains": _contains,
    "$lacks": _lacks,
    "$each": _each,
    "$equals": lambda value, node: condition(exact(value), node),
    "$not": lambda pattern, node: f"!({condition(pattern, node)})",
    "$any": _any,
    "$min": lambda limit, node: f"{node} >= {literal(limit)}",
    "$max": lambda limit, node: f"{node} <= {literal(limit)}",
}
