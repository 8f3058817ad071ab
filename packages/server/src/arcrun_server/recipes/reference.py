"""Which recipe, and which version of it: `NAME`, `NAME@LABEL` or `NAME@VERSION`."""

from __future__ import annotations

from dataclasses import dataclass

from arcrun_server.engine.versions import LABEL, VERSION

LABEL_RULE = "a letter or underscore, then up to 63 letters, digits and `_`, `.`, `-`"
DEFAULT_LABEL = "production"
"""The label that counts where none is named; without it, the newest version does."""


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
        return self.name if chosen is None else f"{self.name}@{chosen}"


def parse_reference(text: str) -> Reference:
    """Read a reference to a recipe of any kind; its name is not checked.

    Raises:
        ValueError: It is none; the message says why.

    Example:
        >>> parse_reference("weather_today@3")
        Reference(name='weather_today', label=None, version=3)
        >>> str(parse_reference("weather_today@staging"))
        'weather_today@staging'
    """
    name, at, chosen = text.partition("@")
    if not at:
        return Reference(name)
    if VERSION.fullmatch(chosen):
        return Reference(name, version=int(chosen))
    if LABEL.fullmatch(chosen):
        return Reference(name, label=chosen)
    raise ValueError("behind `@` stands a version (a whole number from 1) or a label")
