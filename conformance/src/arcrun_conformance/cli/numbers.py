"""Numbers as values of options: their errors say the value, and which are allowed."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return what reads a whole number between these two.

    Example:
        >>> whole_number(1, 65_535)("8787")
        8787
    """

    def read(text: str) -> int:
        if re.fullmatch("[0-9]{1,9}", text) and low <= int(text) <= high:
            return int(text)
        raise argparse.ArgumentTypeError(
            f"must be a whole number from {low} to {high}, not {_shown(text)}"
        )

    return read


def number_up_to(high: int) -> Callable[[str], float]:
    """Return what reads a number that is more than 0, and not more than that.

    Example:
        >>> number_up_to(60)("0.5")
        0.5
    """

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if 0 < number <= high:
            return number
        raise argparse.ArgumentTypeError(
            f"must be a number that is more than 0, and at most {high}, not {_shown(text)}"
        )

    return read


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
