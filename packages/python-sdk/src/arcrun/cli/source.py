"""The file that an error is about: its lines with a caret below the place."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from arcrun.commands.documents import LINE_END

from .terminal import escaped

_TAB = "    "
_LEAST_ROOM = 20  # columns for the text of a line, however narrow the terminal is


class Source:
    """A file that a command was given.

    Args:
        path: As it was typed; `-` is standard input.
        text: What is in it.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = "<stdin>" if path == "-" else path
        self.text = text
        self._lines = LINE_END.split(text)

    def has(self, detail: Mapping[str, Any]) -> bool:
        """Tell whether a fault has a place in the file."""
        line = detail.get("line")
        return isinstance(line, int) and 1 <= line <= len(self._lines)

    def excerpt(self, detail: Mapping[str, Any], columns: int) -> list[str]:
        """Return where a fault is, the line, and a caret below its column; nothing for one without a place.

        Args:
            detail: the fault, with `line` and `column`.
            columns: the width of the terminal; a longer line is cut around the column.
        """
        if not self.has(detail):
            return []
        line, column = detail["line"], detail.get("column")
        text = self._lines[line - 1]
        place = min(column, len(text) + 1) if isinstance(column, int) and column >= 1 else 1
        number = str(line)
        margin = " " * len(number)
        shown, before = _cut_around(text, place - 1, max(columns - len(number) - 3, _LEAST_ROOM))
        return [
            f"{margin}--> {self.path}:{line}:{place}",
            f"{margin} |",
            f"{number} | {shown}",
            f"{margin} | {' ' * before}^",
        ]


def _cut_around(text: str, index: int, room: int) -> tuple[str, int]:
    """Return the part of a line around a character that fits into `room` columns, and the columns before it."""
    characters = [_TAB if each == "\t" else escaped(each) for each in text]
    widths = [width(each) for each in characters]
    if sum(widths) <= room:
        return "".join(characters), sum(widths[:index])
    start = index
    spent, half = 0, room // 2
    while start > 0 and spent + widths[start - 1] <= half - 1:
        start -= 1
        spent += widths[start]
    mark = 1 if start else 0  # the column of `…`
    end, taken = start, mark
    while end < len(widths) and taken + widths[end] <= room - 1:
        taken += widths[end]
        end += 1
    parts = ["…" if start else "", *characters[start:end], "…" if end < len(widths) else ""]
    return "".join(parts), mark + spent


def width(text: str) -> int:
    """Return how many columns a text takes: a wide character, such as a Chinese one, takes two.

    Example:
        >>> width("天氣 ok")
        7
    """
    return sum(
        0
        if unicodedata.category(each) in {"Mn", "Me"}
        else 2
        if unicodedata.east_asian_width(each) in "WF"
        else 1
        for each in text
    )
