"""Make the console on which scripts print: texts as they are, and where it is no terminal, whole lines."""

from __future__ import annotations

from typing import IO

from rich.console import Console

# Of what is no terminal, such as a log of CI: tables are drawn for it.
COLUMNS = 160


def make_console(file: IO[str] | None = None) -> Console:
    """Return a console that prints to standard output, or to a file."""
    # Emoji would make a picture of a text such as `auth.ts:100:3`.
    console = Console(file=file, soft_wrap=True, emoji=False, highlight=False)
    if not console.file.isatty():
        console.width = max(console.width, COLUMNS)
    return console
