"""Time zones by their names, as `Asia/Taipei`."""

from __future__ import annotations

from datetime import timezone
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from .nearest import Suggestions

if TYPE_CHECKING:
    from datetime import tzinfo

UTC = "UTC"
# What these mean depends on the machine.
_OF_MACHINE = frozenset({"localtime", "posixrules", "Factory"})


def find_zone(name: str) -> tzinfo | None:
    """Return the time zone of this name, or None.

    Example:
        >>> find_zone("Asia/Taipei").key, find_zone("Taipei")
        ('Asia/Taipei', None)
    """
    if name.upper() in {UTC, "Z"}:
        return timezone.utc
    if name.rpartition("/")[2] in _OF_MACHINE:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return None


def nearest_zone(name: str, suggestions: Suggestions | None = None) -> str | None:
    """Return the name of a time zone that was probably meant, or None.

    Example:
        >>> nearest_zone("taipei"), nearest_zone("Europe/Berln")
        ('Asia/Taipei', 'Europe/Berlin')
    """
    city = name.strip().replace(" ", "_").casefold()
    for known in _names():
        if known.casefold().endswith(f"/{city}"):
            return known
    return (suggestions or Suggestions()).nearest(name, _names())


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    return tuple(sorted(available_timezones() - _OF_MACHINE))
