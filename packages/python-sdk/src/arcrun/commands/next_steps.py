"""What can be done next: named in an error, and said in the words of the command line or of MCP."""

from __future__ import annotations

from typing import NamedTuple


class Next(NamedTuple):
    """Something to do next.

    Attributes:
        text: what it is for, as `see the names`.
        command: the name of the command that does it, as `workflows list`; "" if none does.
        arguments: what follows that name, each as it is typed.
        named: arguments by name, as `force`; an option of the command line.
    """

    text: str
    command: str = ""
    arguments: tuple[str, ...] = ()
    named: tuple[tuple[str, str | bool], ...] = ()
