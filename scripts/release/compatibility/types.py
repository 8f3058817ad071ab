"""Compare types as they are written, in Python and in TypeScript: which values does one take that the other doesn't?

Only unions are understood: their members, literals, and the types that take every value. Two types that differ in
another way have `changed`.
"""

from __future__ import annotations

import re
from typing import Literal

Change = Literal["narrowed", "widened", "changed"]

_EVERYTHING = {"Any", "typing.Any", "object", "any", "unknown"}
_TEXT = {"str", "string"}
# Types that hold others, and take a value if these do.
_WRAPPED = re.compile(
    r"(Promise|AsyncGenerator|Iterator|AsyncIterator|list|Sequence|Array)([<\[])(.*)[>\]]",
    re.DOTALL,
)
_SUBSCRIPT = re.compile(r"(?:typing\.)?(Literal|Union|Optional)\[(.*)\]", re.DOTALL)
_STRING = re.compile(r"""(['"]).*\1""", re.DOTALL)
_OPEN, _CLOSE = "([{<", ")]}>"


def change_of_type(old: str, new: str) -> Change | None:
    """Say how a type has changed.

    Example:
        >>> change_of_type("str | int", "str")
        'narrowed'
        >>> change_of_type('"a" | "b"', "string")
        'widened'
    """
    before, after = _inner(old, new)
    was, now = members(before), members(after)
    if was == now:
        return None
    if _covers(was, now):
        return "narrowed"
    return "widened" if _covers(now, was) else "changed"


def breaks_callers(change: Change) -> bool:
    """Tell whether a change of what users give is one that some of them can't do with."""
    return change != "widened"


def breaks_readers(change: Change) -> bool:
    """Tell whether a change of what users get is one that some of them can't do with."""
    return change != "narrowed"


def members(text: str) -> frozenset[str]:
    """Return the members of a union; of another type, itself."""
    found: set[str] = set()
    for part in split(_without_parentheses(text), "|"):
        member = _without_parentheses(part)
        subscript = _SUBSCRIPT.fullmatch(member)
        if subscript is None:
            found |= members(member) if len(split(member, "|")) > 1 else {member}
        elif subscript[1] == "Literal":
            found |= set(split(subscript[2], ","))
        else:
            found |= {each for inner in split(subscript[2], ",") for each in members(inner)}
            found |= {"None"} if subscript[1] == "Optional" else set()
    return frozenset(found)


def split(text: str, separator: str) -> list[str]:
    """Split a text at a separator that is in no brackets and no string.

    Example:
        >>> split("a: Map<string, number>, b?: 'x,y'", ",")
        ['a: Map<string, number>', "b?: 'x,y'"]
    """
    parts, depth, quote, begin = [], 0, "", 0
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'`":
            quote = character
        elif character in _OPEN:
            depth += 1
        elif character in _CLOSE and text[position - 1 : position + 1] not in {"=>", "->"}:
            depth -= 1
        elif character == separator and depth == 0:
            parts.append(text[begin:position])
            begin = position + 1
    return [part.strip() for part in [*parts, text[begin:]] if part.strip()]


def _inner(old: str, new: str) -> tuple[str, str]:
    """Return what two types hold, while both are the same wrapper of one type."""
    was, now = _WRAPPED.fullmatch(old.strip()), _WRAPPED.fullmatch(new.strip())
    if was is None or now is None or was[1] != now[1]:
        return old, new
    before, after = split(was[3], ","), split(now[3], ",")
    if before[1:] != after[1:] or len(split(old, "|")) > 1 or len(split(new, "|")) > 1:
        return old, new
    return _inner(before[0], after[0])


def _covers(wide: frozenset[str], narrow: frozenset[str]) -> bool:
    """Tell whether a union takes each member of another."""
    if wide & _EVERYTHING:
        return True
    text = bool(wide & _TEXT)
    return all(each in wide or (text and _STRING.fullmatch(each)) for each in narrow)


def _without_parentheses(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    while text.startswith("(") and text.endswith(")") and len(split(text[1:-1], "|")) >= 1:
        if not _balanced(text[1:-1]):
            break
        text = text[1:-1].strip()
    return text


def _balanced(text: str) -> bool:
    """Tell whether no bracket of a text closes one before it."""
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0
