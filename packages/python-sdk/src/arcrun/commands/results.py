"""The shape of results: always a JSON object, lists under the name of what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .errors import CommandError


def page(name: str, items: Sequence[Any], limit: int) -> dict[str, Any]:
    """Return the first `limit` of a list, and how many there are.

    Raises:
        CommandError: `limit` is no positive number.

    Example:
        >>> page("runs", ["a", "b"], 1)
        {'runs': ['a'], 'total': 2}
    """
    if limit < 1:
        raise CommandError("invalid_argument", "the argument 'limit' must be 1 or more")
    return {name: list(items[:limit]), "total": len(items)}
