r"""Placeholders: `{{name}}` in a text (docs/contract.md#placeholders).

This is the only parser of them. A placeholder is `{{`, any characters but braces, and `}}`; the
leftmost one counts. So `{{{a}}}` is a brace, `{{a}}` and a brace, while `{{a} b}}` is text.

In the parameters and conditions of a node, `\{{` is the text `{{` (`parse_escaped`).

Who uses the parser decides the rest: a check, which names are allowed; `fill_text`'s argument
`missing`, what a missing value means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_OPEN, _CLOSE = "{{", "}}"
_EMPTY = _OPEN + _CLOSE
_CREDENTIAL_ROOTS = frozenset({"credential", "secret"})
_BACKSLASHES = re.compile(r"(?<!\\)\\+(?=\{\{)")
_CREDENTIAL_NAME = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True)
class Placeholder:
    """One `{{…}}` in a text.

    Attributes:
        source: The placeholder as it was written, braces included.
        start: Its position in the text.
    """

    source: str
    start: int

    @cached_property
    def name(self) -> str:
        """Return what the braces hold, without the white space around it."""
        return self.source[len(_OPEN) : -len(_CLOSE)].strip()

    @cached_property
    def path(self) -> tuple[str, ...]:
        """Return the name, split at its dots."""
        return tuple(self.name.split("."))

    @cached_property
    def credential(self) -> str | None:
        """Return the name of the credential that `{{credential.NAME}}` or `{{secret.NAME}}` stands for."""
        path = self.path
        if len(path) != 2 or path[0] not in _CREDENTIAL_ROOTS:
            return None
        return path[1] if _CREDENTIAL_NAME.fullmatch(path[1]) else None


def scan(text: str) -> Iterator[Placeholder]:
    """Find the placeholders of a text, including empty ones (`{{}}`).

    The work grows linearly with the text, whatever it holds: no character is looked at more than a
    few times, since every search starts where an earlier one ended.

    Example:
        >>> [(found.name, found.start) for found in scan("{{ a }} {b} {{{c.d}}}")]
        [('a', 0), ('c.d', 13)]
    """
    start = text.find(_OPEN)
    close = -1  # the first closing brace behind `start`, kept until `start` has passed it
    while start >= 0:
        inside = start + len(_OPEN)
        if close < inside:
            close = text.find("}", inside)
            if close < 0:
                return
        brace = text.find("{", inside, close)
        if brace >= 0:
            # A placeholder holds no brace, so it can only begin at this one, or just before it: in
            # `{{{a}}` the second and the third brace open it.
            start = text.find(_OPEN, brace - 1)
        elif text.startswith(_CLOSE, close):
            end = close + len(_CLOSE)
            yield Placeholder(text[start:end], start)
            start = text.find(_OPEN, end)
        else:
            start = text.find(_OPEN, close + 1)


def parse(text: str) -> tuple[str | Placeholder, ...]:
    """Split a text into plain texts and placeholders, in order; `{{}}` is plain text.

    Example:
        >>> parse("Hi {{ name }}")
        ('Hi ', Placeholder(source='{{ name }}', start=3))
    """
    return tuple(pieces(text))


def pieces(text: str) -> Iterator[str | Placeholder]:
    """Yield what `parse` returns, without looking ahead."""
    end = 0
    for placeholder in scan(text):
        if placeholder.source == _EMPTY:
            continue
        if placeholder.start > end:
            yield text[end : placeholder.start]
        yield placeholder
        end = placeholder.start + len(placeholder.source)
    if end < len(text):
        yield text[end:]


def parse_escaped(text: str) -> tuple[str | Placeholder, ...]:
    r"""Split a text in which a backslash before `{{` makes it plain text.

    Two backslashes before `{{` are a backslash and what would otherwise stand there.

    Example:
        >>> parse_escaped(r"\{{a}} {{b}}")
        ('{{a}} ', Placeholder(source='{{b}}', start=4))
    """
    parts: list[str | Placeholder] = []
    for piece, is_literal in escaped_pieces(text):
        for part in (piece,) if is_literal else parse(piece):
            if isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts[-1] += part
            else:
                parts.append(part)
    return tuple(parts)


def escaped_pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Split a text at its escaped `{{`; yield the pieces, and whether a piece is plain in any case."""
    for start, end, plain in _escapes(text):
        yield (text[start:end], False) if plain is None else (plain, True)


def scan_escaped(text: str) -> Iterator[Placeholder]:
    r"""Find the placeholders of a text in which a backslash before `{{` makes it plain text.

    Example:
        >>> [found.start for found in scan_escaped(r"\{{a}} {{b}}")]
        [7]
    """
    for start, end, plain in _escapes(text):
        if plain is None:
            for found in scan(text[start:end]):
                yield Placeholder(found.source, start + found.start)


def _escapes(text: str) -> Iterator[tuple[int, int, str | None]]:
    """Yield where the pieces of a text begin and end, and what an escaped one stands for."""
    start = 0
    for found in _BACKSLASHES.finditer(text):
        count = len(found[0])
        yield start, found.start(), None
        start = found.end() + len(_OPEN) * (count % 2)
        yield found.start(), start, "\\" * (count // 2) + _OPEN * (count % 2)
    if start < len(text):
        yield start, len(text), None


def only_placeholder(parts: tuple[str | Placeholder, ...]) -> Placeholder | None:
    """Return the placeholder of a parsed text that has nothing but white space around it, or None.

    Example:
        >>> only_placeholder(parse(" {{a}} ")).name, only_placeholder(parse("{{a}}{{b}}"))
        ('a', None)
    """
    placeholders = [part for part in parts if isinstance(part, Placeholder)]
    if len(placeholders) != 1 or any(isinstance(part, str) and part.strip() for part in parts):
        return None
    return placeholders[0]


def fill_text(
    text: str,
    look_up: Callable[[Placeholder], str | None],
    missing: Callable[[Placeholder], str],
) -> str:
    """Fill the placeholders of a text in one pass: what is put in is never parsed.

    Args:
        text: The text.
        look_up: Returns the text for a placeholder, or None if its value is missing.
        missing: Returns what stands for a missing value: `as_written`, `as_empty`, or a function
            that raises.

    Example:
        >>> fill_text("{{a}}{{b}}", lambda found: {"a": "{{b}}"}.get(found.name), as_empty)
        '{{b}}'
    """
    return fill_parts(parse(text), look_up, missing)


def fill_parts(
    parts: tuple[str | Placeholder, ...],
    look_up: Callable[[Placeholder], str | None],
    missing: Callable[[Placeholder], str],
) -> str:
    """Fill the placeholders of a parsed text, as `fill_text` does."""
    pieces = []
    for part in parts:
        if isinstance(part, Placeholder):
            value = look_up(part)
            pieces.append(missing(part) if value is None else value)
        else:
            pieces.append(part)
    return "".join(pieces)


def as_written(placeholder: Placeholder) -> str:
    """Leave a placeholder without a value as it was written."""
    return placeholder.source


def as_empty(_placeholder: Placeholder) -> str:
    """Replace a placeholder without a value by nothing."""
    return ""
