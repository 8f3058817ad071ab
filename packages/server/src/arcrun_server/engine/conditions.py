"""Conditions of IF edges and of `if_control`: `key`, `key == value`, `key > n` (docs/contract.md#workflow-graphs)."""

from __future__ import annotations

import json
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .placeholders import only_placeholder, parse

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LENGTH = 1000
_OPERATOR = re.compile(r"(?P<sign>==|＝＝|!=|≠|>=|≥|<=|≤|>|＞|<|＜)")
_WIDE_SIGNS = {"＝＝": "==", "≠": "!=", "≥": ">=", "≤": "<=", "＞": ">", "＜": "<"}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_KEY = re.compile(r"[^\s{}\"'=<>!()（）&|]+")
_HOW = "Write `key`, `key == value` or `key > 3` (also != >= < <=)."


@dataclass(frozen=True)
class Condition:
    """One condition: a left side, and for a comparison a sign and a right side.

    Attributes:
        text: The condition as it was written.
        key: The dotted path on the left; None if a literal stands there.
        left: That literal.
        sign: One of `== != > >= < <=`, or None if only the key's truth counts.
        right: The literal on the right.
    """

    text: str
    key: str | None
    left: Any = None
    sign: str | None = None
    right: Any = None

    def holds(self, look_up: Callable[[str], tuple[bool, Any]]) -> bool:
        """Tell whether the condition holds.

        A key that is not there makes every condition false. Values are compared by type: the text
        "3" does not equal the number 3, true does not equal 1, and what has no order is not above
        or below anything.

        Args:
            look_up: Finds a dotted path; returns `(found, value)`.

        Example:
            >>> parse_condition("分數 >= 60").holds(lambda path: (path == "分數", 61.5))
            True
        """
        found, left = (True, self.left) if self.key is None else look_up(self.key)
        if not found:
            return False
        if self.sign is None:
            return bool(left)
        if self.sign == "==":
            return same(left, self.right)
        if self.sign == "!=":
            return not same(left, self.right)
        comparable = (_is_number(left) and _is_number(self.right)) or (
            isinstance(left, str) and isinstance(self.right, str)
        )
        return comparable and _ORDER[self.sign](left, self.right)


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


def parse_condition(text: str) -> Condition:
    """Parse a condition.

    Args:
        text: `key`, `key == value`, `key > n`; the key may stand in `{{ }}`, a value that is not
            a JSON literal is text.

    Raises:
        ValueError: The text is not a condition; the message says how to write one.

    Example:
        >>> condition = parse_condition("狀態 == 完成")
        >>> condition.key, condition.sign, condition.right
        ('狀態', '==', '完成')
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"The condition is longer than {MAX_LENGTH} characters. {_HOW}")
    stripped = text.strip()
    if not stripped:
        raise ValueError(f"The condition is empty. {_HOW}")
    found = _OPERATOR.search(_blank_quoted(stripped))
    if not found:
        key, left = _left_side(stripped, text)
        return Condition(text, key, left)
    left_text, right_text = stripped[: found.start()].strip(), stripped[found.end() :].strip()
    if not left_text or not right_text or right_text.startswith("="):
        raise ValueError(f"The condition `{text}` lacks a side or has a wrong sign. {_HOW}")
    if _OPERATOR.search(_blank_quoted(right_text)):
        raise ValueError(f"The condition `{text}` has more than one comparison. {_HOW}")
    sign = found["sign"]
    key, left = _left_side(left_text, text)
    return Condition(text, key, left, _WIDE_SIGNS.get(sign, sign), _literal(right_text)[1])


def _blank_quoted(text: str) -> str:
    return re.sub(r"\"[^\"]*\"|'[^']*'", lambda quoted: "·" * len(quoted[0]), text)


def _left_side(side: str, text: str) -> tuple[str | None, Any]:
    placeholder = only_placeholder(parse(side))
    if placeholder is not None:
        return placeholder.name, None
    is_literal, literal = _literal(side)
    if is_literal:
        return None, literal
    if not _KEY.fullmatch(side):
        raise ValueError(f"`{side}` in the condition `{text}` is not a key. {_HOW}")
    return side, None


def _literal(side: str) -> tuple[bool, Any]:
    if len(side) > 1 and side[0] == side[-1] == "'":
        return True, side[1:-1]
    try:
        value = json.loads(side)
    except ValueError:
        return False, side
    return (False, side) if isinstance(value, (dict, list)) else (True, value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
