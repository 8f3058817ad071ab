"""Conditions of IF edges, `if_control` and `filter` (docs/workflow-language.md#conditions).

A condition is parsed when its workflow is pushed; `condition_parser` does that. What it compares is
looked up when it is evaluated and compared by type: no value is ever read as a part of a condition.
"""

from __future__ import annotations

import json
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from .placeholders import Placeholder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    LookUp: TypeAlias = Callable[[str], tuple[bool, Any]]
    """Finds a dotted path; returns `(found, value)`."""

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_json_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class Literal:
    """A value that stands in the condition."""

    value: Any

    def find(self, _look_up: Scopes) -> tuple[bool, Any]:
        """Return it."""
        return True, self.value


@dataclass(frozen=True)
class Key:
    """A bare key: a dotted path."""

    path: str

    def find(self, look_up: Scopes) -> tuple[bool, Any]:
        """Look it up."""
        return look_up.key(self.path)


@dataclass(frozen=True)
class Reference:
    """A placeholder that stands alone: its value keeps its type."""

    placeholder: Placeholder

    def find(self, look_up: Scopes) -> tuple[bool, Any]:
        """Look it up."""
        return look_up.placeholder(self.placeholder.name)


@dataclass(frozen=True)
class Text:
    """A text with placeholders in it, or a placeholder in quotes: it yields text."""

    parts: tuple[str | Placeholder, ...]

    def find(self, look_up: Scopes) -> tuple[bool, Any]:
        """Fill it; if one of its values is missing, so is the text."""
        pieces = []
        for part in self.parts:
            found, value = (
                look_up.placeholder(part.name) if isinstance(part, Placeholder) else (True, part)
            )
            if not found:
                return False, None
            pieces.append(value if isinstance(value, str) else _json_text(value))
        return True, "".join(pieces)


Operand: TypeAlias = "Literal | Key | Reference | Text"


@dataclass(frozen=True)
class Scopes:
    """Where the operands of a condition are looked up.

    Attributes:
        key: Finds bare keys.
        placeholder: Finds what stands in `{{ }}`.
    """

    key: LookUp
    placeholder: LookUp


@dataclass(frozen=True)
class Comparison:
    """Two operands and a sign, one of `== != > >= < <=`; without a sign the left one's truth counts."""

    left: Operand
    sign: str | None = None
    right: Operand | None = None

    def holds(self, look_up: Scopes) -> bool:
        """Tell whether it holds; with an operand that is not there it does not."""
        found, left = self.left.find(look_up)
        if not found:
            return False
        if self.right is None:
            return bool(left)
        found, right = self.right.find(look_up)
        return found and _compare(left, self.sign, right)

    def operands(self) -> Iterator[Operand]:
        """Yield the operands."""
        yield self.left
        if self.right is not None:
            yield self.right


@dataclass(frozen=True)
class Not:
    """The opposite of a condition."""

    of: Term

    def holds(self, look_up: Scopes) -> bool:
        """Tell whether the condition does not hold."""
        return not self.of.holds(look_up)

    def operands(self) -> Iterator[Operand]:
        """Yield the operands."""
        return self.of.operands()


@dataclass(frozen=True)
class Joined:
    """Conditions joined by `and` (all of them) or by `or` (at least one)."""

    terms: tuple[Term, ...]
    needs_all: bool

    def holds(self, look_up: Scopes) -> bool:
        """Tell whether all of them hold, or at least one."""
        each = (term.holds(look_up) for term in self.terms)
        return all(each) if self.needs_all else any(each)

    def operands(self) -> Iterator[Operand]:
        """Yield the operands."""
        for term in self.terms:
            yield from term.operands()


Term: TypeAlias = "Comparison | Not | Joined"


@dataclass(frozen=True)
class Condition:
    """A parsed condition.

    Attributes:
        text: The condition as it was written.
        term: What was parsed.
    """

    text: str
    term: Term

    def holds(self, key: LookUp, placeholder: LookUp | None = None) -> bool:
        """Tell whether the condition holds.

        A comparison with a key that is not there does not hold. Values are compared by type: the
        text "3" does not equal the number 3, true does not equal 1, and what has no order is not
        above or below anything.

        Args:
            key: Finds bare keys.
            placeholder: Finds what stands in `{{ }}`; left out, as `key` does.
        """
        return self.term.holds(Scopes(key, placeholder or key))

    def placeholders(self) -> Iterator[Placeholder]:
        """Yield the placeholders of the condition."""
        for operand in self.term.operands():
            if isinstance(operand, Reference):
                yield operand.placeholder
            elif isinstance(operand, Text):
                yield from (part for part in operand.parts if isinstance(part, Placeholder))


def same(left: Any, right: Any) -> bool:
    """Compare two JSON values by type: numbers with numbers, true and false with themselves.

    Example:
        >>> same(1, 1.0), same(True, 1), same("1", 1)
        (True, False, False)
    """
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def _compare(left: Any, sign: str | None, right: Any) -> bool:
    if sign == "==":
        return same(left, right)
    if sign == "!=":
        return not same(left, right)
    comparable = (_is_number(left) and _is_number(right)) or (
        isinstance(left, str) and isinstance(right, str)
    )
    return comparable and _ORDER[sign or ""](left, right)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
