"""The difference between two texts, line by line, with bounded work."""

from __future__ import annotations

import difflib

MAX_COMPARISONS = 1_000_000
"""Up to how many pairs of lines are compared: difflib's work grows with them."""


def unified_diff(old: str, new: str, old_name: str, new_name: str) -> str:
    r"""Return a unified diff; of very many changed lines, all old ones before all new ones.

    Example:
        >>> print(unified_diff("甲\n乙\n", "甲\n丙\n", "1", "2"), end="")
        --- 1
        +++ 2
        @@ -1,2 +1,2 @@
         甲
        -乙
        +丙
    """
    before, after = _lines(old), _lines(new)
    if len(before) * len(after) <= MAX_COMPARISONS:
        return "".join(difflib.unified_diff(before, after, old_name, new_name))
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    removed, added = before[start : len(before) - end], after[start : len(after) - end]
    if not removed and not added:
        return ""
    header = f"--- {old_name}\n+++ {new_name}\n"
    place = f"@@ -{start + 1},{len(removed)} +{start + 1},{len(added)} @@\n"
    return (
        header + place + "".join([f"-{line}" for line in removed] + [f"+{line}" for line in added])
    )


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    whole = [f"{line}\n" for line in lines[:-1]]
    return [*whole, f"{lines[-1]}\n"] if lines[-1] else whole


def _common(one: list[str], other: list[str]) -> int:
    """Return how many lines two lists have in common at their beginning."""
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count
