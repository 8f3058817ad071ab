"""Checks and conversions of values that come from outside: arguments and JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard, cast


def is_text(value: object) -> TypeGuard[str]:
    """Tell whether an argument is non-empty text, whatever its annotation says."""
    return isinstance(value, str) and value != ""


def is_unicode(value: object) -> TypeGuard[str]:
    """Tell whether a value is non-empty text that UTF-8 can encode: no half of a surrogate pair."""
    return is_text(value) and not re.search("[\ud800-\udfff]", value)


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a value is a number; a bool does not count."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_count(value: object) -> TypeGuard[int]:
    """Tell whether a value is a whole number of at least 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Tell whether an argument is a mapping."""
    return isinstance(value, Mapping)


def json_object(value: object) -> dict[str, Any] | None:
    """Return a JSON object, or None for anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def json_list(value: object) -> list[Any]:
    """Return a JSON list, or an empty one for anything else."""
    return list(cast("Sequence[Any]", value)) if isinstance(value, list) else []


def objects(value: object) -> list[dict[str, Any]]:
    """Return the objects in a JSON list, without its other items."""
    found = (json_object(item) for item in json_list(value))
    return [item for item in found if item is not None]


def texts(value: object) -> list[str]:
    """Return the non-empty texts in a JSON list, without its other items."""
    return [item for item in json_list(value) if is_text(item)]


def capabilities_of(health: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the capabilities that an engine lists, which may be none; None if it has no list."""
    listed = health.get("capabilities")
    return frozenset(texts(cast("object", listed))) if isinstance(listed, list) else None


def text(value: object) -> str | None:
    """Return non-empty text, or None for anything else."""
    return value if is_text(value) else None
