"""The shape of results: always a JSON object, lists under the name of what they hold, with the `total`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from .errors import CommandError
from .sentences import sentence

T = TypeVar("T")


def first(items: Sequence[T], limit: int) -> list[T]:
    """Return the first `limit` items of a list.

    Raises:
        CommandError: `limit` is no positive number.

    Example:
        >>> first(["a", "b"], 1)
        ['a']
    """
    check_limit(limit)
    return list(items[:limit])


def check_limit(limit: int) -> None:
    """Check how many items are asked for.

    Raises:
        CommandError: `limit` is no positive number.
    """
    if limit < 1:
        raise CommandError("invalid_argument", sentence("the argument 'limit' must be 1 or more"))
