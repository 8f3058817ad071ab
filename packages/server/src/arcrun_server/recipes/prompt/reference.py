"""How a node names a prompt recipe: `prompt_recipe:NAME`, `…@LABEL` or `…@VERSION`."""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = "prompt_recipe:"
NAME = re.compile(r"[a-z][a-z0-9_]{0,127}")
NAME_RULE = (
    "a lower-case letter, then up to 127 lower-case letters, digits and underscores (a-z 0-9 _)"
)
LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
LABEL_RULE = "a letter or underscore, then up to 63 letters, digits and `_`, `.`, `-`"
DEFAULT_LABEL = "production"
"""The label that counts where none is named; without it, the newest version does."""

_VERSION = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True)
class Reference:
    """Which recipe, and which version of it.

    Attributes:
        name: The recipe's name.
        label: The label that points to the version.
        version: The version itself. At most one of the two is given.
    """

    name: str
    label: str | None = None
    version: int | None = None

    def __str__(self) -> str:
        chosen = self.label if self.version is None else self.version
        return f"{PREFIX}{self.name}" + ("" if chosen is None else f"@{chosen}")


def parse_reference(text: str) -> Reference:
    """Read a reference; the prefix may be left out.

    Raises:
        ValueError: It is none; the message says why.

    Example:
        >>> parse_reference("prompt_recipe:wiki_synthesis@3")
        Reference(name='wiki_synthesis', label=None, version=3)
        >>> str(parse_reference("wiki_synthesis@staging"))
        'prompt_recipe:wiki_synthesis@staging'
    """
    name, at, chosen = text.strip().removeprefix(PREFIX).partition("@")
    if not NAME.fullmatch(name):
        raise ValueError(f"a recipe's name is {NAME_RULE}")
    if not at:
        return Reference(name)
    if _VERSION.fullmatch(chosen):
        return Reference(name, version=int(chosen))
    if LABEL.fullmatch(chosen):
        return Reference(name, label=chosen)
    raise ValueError("behind `@` stands a version (a whole number from 1) or a label")
