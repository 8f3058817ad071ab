"""Numbers of JSON that others wrote: those that no program can hold are refused, and reading one stays cheap."""

from __future__ import annotations

import math

MAX_DIGITS = 400
"""More digits than any 64-bit float has before its point."""


class JsonNumberError(ValueError):
    """A number that can't be used; the message says why, without quoting it."""


def whole_number(digits: str) -> int:
    """Read a whole number, for `parse_int` of `json.loads`.

    Raises:
        JsonNumberError: It has too many digits.

    Example:
        >>> whole_number("-12")
        -12
    """
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise JsonNumberError(f"it has a number of more than {MAX_DIGITS} digits")
    return int(digits)


def no_constant(name: str) -> float:
    """Refuse what Python writes for numbers that JSON has no form for, for `parse_constant` of `json.loads`.

    Raises:
        JsonNumberError: Always.
    """
    raise JsonNumberError(f"JSON has no number {name}")


def finite_number(digits: str) -> float:
    """Read a number with a point or an exponent, for `parse_float` of `json.loads`.

    Raises:
        JsonNumberError: It is too large.

    Example:
        >>> finite_number("1e2")
        100.0
    """
    value = float(digits)
    if math.isinf(value):
        raise JsonNumberError("it has a number that is too large for a 64-bit float")
    return value
