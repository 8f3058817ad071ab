"""Parsing conditions: operands, comparisons, `and`, `or`, `not` and parentheses."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .conditions import Comparison, Condition, Joined, Key, Literal, Not, Reference, Text
from .placeholders import (
    Placeholder,
    escaped_pieces,
    only_placeholder,
    parse,
    parse_escaped,
    scan_escaped,
)

if TYPE_CHECKING:
    from .conditions import Operand, Term

MAX_LENGTH = 1000
MAX_DEPTH = 20
_SIGN = re.compile(r"==|＝＝|!=|≠|>=|≥|<=|≤|>|＞|<|＜")
_MEANT = {"=": "==", "&": "and", "|": "or", "＝": "=="}  # signs of other languages
_WIDE_SIGNS = {"＝＝": "==", "≠": "!=", "≥": ">=", "≤": "<=", "＞": ">", "＜": "<"}
_KEY = re.compile(r"[^\s{}\"'=<>!＝≠≥≤＞＜()（）&|]+")
_WORD = re.compile(r"(and|or|not)(?=[\s(（)）{\"']|$)", re.IGNORECASE)
_SPACE = re.compile(r"\s*")
_DOUBLE_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_OPENING, _CLOSING, _QUOTES = "(（", ")）", "\"'"
_HOW = (
    "Write `key`, `key == value` or `key > 3` (also != >= < <=), joined by `and`, `or`, `not` and parentheses; "
    "put text that holds such words or signs in quotes."
)


@lru_cache(maxsize=1024)
def parse_condition(text: str) -> Condition:
    """Parse a condition.

    Args:
        text: A key or a comparison, or several of them joined. A side of a comparison is a key (on
            the left), a placeholder, or a value; on the right, what is no JSON literal is text.

    Raises:
        ValueError: The text is not a condition; the message says how to write one.

    Example:
        >>> condition = parse_condition("分數 >= {{input.門檻}} and not 狀態 == 完成")
        >>> values = {"分數": 61.5, "input.門檻": 60, "狀態": "草稿"}
        >>> condition.holds(lambda path: (path in values, values.get(path)))
        True
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"The condition is longer than {MAX_LENGTH} characters. {_HOW}")
    if not text.strip():
        raise ValueError(f"The condition is empty. {_HOW}")
    condition = Condition(text, _Parser(text).whole())
    for placeholder in condition.placeholders():
        if not placeholder.name:
            raise ValueError(f"The condition `{text}` has a placeholder without a name. {_HOW}")
        if placeholder.credential is not None:
            raise ValueError(
                f"{placeholder.source} can't be compared in the condition `{text}`: a condition sees no credentials."
            )
    return condition


class _Parser:
    """Reads one condition from left to right, each character once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._placeholders = {found.start: found for found in scan_escaped(text)}

    def whole(self) -> Term:
        term = self._any_of()
        if self._at < len(self._text):
            rest = self._text[self._at :].strip()
            for sign, meant in _MEANT.items():
                if rest.startswith(sign):
                    raise self._problem(f"has `{sign}`, which is written `{meant}` here")
            raise self._problem(f"has `{rest[:40]}` behind its end")
        return term

    def _any_of(self) -> Term:
        return self._joined("or", self._all_of)

    def _all_of(self) -> Term:
        return self._joined("and", self._negated)

    def _joined(self, word: str, read: Any) -> Term:
        terms = [read()]
        while self._takes_word(word):
            terms.append(read())
        return terms[0] if len(terms) == 1 else Joined(tuple(terms), needs_all=word == "and")

    def _negated(self) -> Term:
        negate = False
        while self._takes_word("not"):
            negate = not negate
        term = self._in_parentheses() if self._takes(_OPENING) else self._comparison()
        return Not(term) if negate else term

    def _in_parentheses(self) -> Term:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._problem(f"has parentheses deeper than {MAX_DEPTH} levels")
        term = self._any_of()
        if not self._takes(_CLOSING):
            raise self._problem("lacks a closing parenthesis, or a word between its parts")
        self._depth -= 1
        return term

    def _comparison(self) -> Comparison:
        left = self._left()
        sign = self._sign()
        if sign is None:
            return Comparison(left)
        right = self._right()
        if self._sign() is not None:
            raise self._problem("has more than one comparison in a row")
        return Comparison(left, sign, right)

    def _left(self) -> Operand:
        self._skip_space()
        placeholder = self._placeholders.get(self._at)
        if placeholder is not None:
            self._at += len(placeholder.source)
            return Reference(placeholder)
        if self._text[self._at : self._at + 1] in tuple(_QUOTES):
            return self._quoted()
        word = _KEY.match(self._text, self._at)
        if word is not None and self._text.startswith("{{", word.end()):
            raise self._problem(f"has `{word[0]}{{{{` on the left, where text stands in quotes")
        if word is None:
            if self._text.startswith("!", self._at):
                raise self._problem("has `!`, which is written `not` here")
            raise self._problem("lacks a side, or has a sign that is none")
        self._at = word.end()
        is_literal, value = _literal(word[0])
        return Literal(value) if is_literal else Key(word[0])

    def _right(self) -> Operand:
        self._skip_space()
        if self._text[self._at : self._at + 1] in tuple(_QUOTES):
            return self._quoted()
        if self._text.startswith("=", self._at):
            raise self._problem("has a sign that is none")
        text = self._bare_text()
        if not text:
            raise self._problem("lacks a side")
        parts = parse_escaped(text)
        alone = only_placeholder(parts)
        if alone is not None:
            return Reference(alone)
        if any(isinstance(part, Placeholder) for part in parts):
            return Text(parts)
        return Literal(_literal("".join(map(str, parts)))[1])

    def _bare_text(self) -> str:
        """Read text without quotes: up to `and`, `or`, a parenthesis that closes, or the end."""
        start, inside = self._at, 0
        while self._at < len(self._text):
            placeholder = self._placeholders.get(self._at)
            if placeholder is not None:
                self._at += len(placeholder.source)
                continue
            sign = self._text[self._at]
            if _SIGN.match(self._text, self._at):
                raise self._problem("has more than one comparison in a row")
            if inside == 0 and (sign in _CLOSING or self._joins_here()):
                break
            inside += (sign in _OPENING) - (sign in _CLOSING)
            self._at += 1
        return self._text[start : self._at].strip()

    def _joins_here(self) -> bool:
        """Tell whether a word begins here that joins comparisons."""
        return self._text[self._at - 1].isspace() and _WORD.match(self._text, self._at) is not None

    def _quoted(self) -> Operand:
        single = self._text[self._at] == "'"
        parts = self._single_quoted() if single else self._double_quoted()
        if any(isinstance(part, Placeholder) for part in parts):
            return Text(parts)
        return Literal("".join(map(str, parts)))

    def _single_quoted(self) -> tuple[str | Placeholder, ...]:
        start = self._at + 1
        end = self._text.find("'", start)
        if end < 0:
            raise self._problem("has a quotation mark that is not closed")
        self._at = end + 1
        return parse_escaped(self._text[start:end])

    def _double_quoted(self) -> tuple[str | Placeholder, ...]:
        """Read a text of JSON; what a backslash before `{{` means is settled first, as everywhere."""
        found = _DOUBLE_QUOTED.match(self._text, self._at)
        if found is None:
            raise self._problem("has a quotation mark that is not closed")
        self._at = found.end()
        parts: list[str | Placeholder] = []
        for piece, is_literal in escaped_pieces(found[1]):
            try:
                parts += [piece] if is_literal else parse(json.loads(f'"{piece}"'))
            except ValueError:
                raise self._problem(f"has {found[0]}, which is no text as in JSON") from None
        return tuple(parts)

    def _sign(self) -> str | None:
        self._skip_space()
        found = _SIGN.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return _WIDE_SIGNS.get(found[0], found[0])

    def _takes_word(self, word: str) -> bool:
        self._skip_space()
        found = _WORD.match(self._text, self._at)
        if found is None or found[0].lower() != word:
            return False
        self._at = found.end()
        return True

    def _takes(self, signs: str) -> bool:
        self._skip_space()
        if self._text[self._at : self._at + 1] not in tuple(signs):
            return False
        self._at += 1
        return True

    def _skip_space(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at

    def _problem(self, what: str) -> ValueError:
        return ValueError(f"The condition `{self._text}` {what}. {_HOW}")


def _literal(text: str) -> tuple[bool, Any]:
    """Return whether a text is a number, true, false or null, and its value; else the text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False, text
    return (False, text) if isinstance(value, (dict, list, str)) else (True, value)
