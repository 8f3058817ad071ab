"""Prints lines for people: what comes from outside is shown, and neither obeyed, nor coloured, nor wrapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from .cleaning import visible_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.style import Style


def print_line(console: Console, *parts: str | tuple[str, str | Style | None]) -> None:
    """Print a line of texts, or of pairs of a text and its style."""
    pairs = (part if isinstance(part, tuple) else (part, None) for part in parts)
    line = Text()
    for text, style in pairs:
        line.append(visible_line(text), style)
    console.print(line, highlight=False, soft_wrap=True)
