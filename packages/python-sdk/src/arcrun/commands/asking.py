"""What a command asks its user for: texts that are secret, which are no arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple


class Question(NamedTuple):
    """A secret to ask for.

    Attributes:
        key: its name in the reply, and in lines of KEY=VALUE.
        label: what a person calls it.
        help: where it is found: an address, or a sentence.
        is_optional: whether it may be left empty.
    """

    key: str
    label: str
    help: str = ""
    is_optional: bool = False


# Returns the secrets by key; those that are optional may be missing.
Ask = Callable[[Sequence[Question]], Mapping[str, str]]
