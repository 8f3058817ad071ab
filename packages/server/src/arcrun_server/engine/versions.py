"""How a version of a recipe is named: `NAME@VERSION` or `NAME@LABEL`."""

from __future__ import annotations

import re

VERSION = re.compile(r"[1-9][0-9]{0,8}")
LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")


def without_version(component_id: str) -> str | None:
    """Return the name before a version or a label, or None if there is neither.

    Example:
        >>> without_version("weather@3"), without_version("weather@staging"), without_version("weather@-1")
        ('weather', 'weather', None)
    """
    name, at, chosen = component_id.partition("@")
    named = at and (VERSION.fullmatch(chosen) or LABEL.fullmatch(chosen))
    return name if named else None
