"""Finding the name that was probably meant, for error messages."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Names come from requests, and comparing two of them takes time that grows with the product of their
# lengths. So long names, and names beyond a number, are not compared.
MAX_LENGTH = 128
MAX_CANDIDATES = 1000
MAX_COMPARISONS = 20


def nearest(name: str, candidates: Iterable[str], least: float = 0.5) -> str | None:
    """Return the candidate that is most similar to a name, or None if none is similar enough.

    Args:
        name: What was written.
        candidates: The known names. Of two that are equally similar, the first one is taken.
        least: How similar it must be, from 0 to 1. Case makes no difference.

    Example:
        >>> nearest("comp_upercase", ["comp_counter", "comp_uppercase"])
        'comp_uppercase'
    """
    if len(name) > MAX_LENGTH:
        return None
    matcher = SequenceMatcher(b=name.casefold(), autojunk=False)
    bounds = []
    for candidate in islice(candidates, MAX_CANDIDATES):
        if len(candidate) <= MAX_LENGTH:
            matcher.set_seq1(candidate.casefold())
            # Both are upper bounds of the ratio; the first one costs nothing.
            bound = matcher.real_quick_ratio()
            if bound >= least:
                bounds.append((matcher.quick_ratio(), candidate))
    bounds.sort(key=lambda entry: entry[0], reverse=True)
    best, best_ratio = None, least
    for bound, candidate in bounds[:MAX_COMPARISONS]:
        if bound < best_ratio:
            break
        matcher.set_seq1(candidate.casefold())
        ratio = matcher.ratio()
        if ratio > best_ratio or (best is None and ratio == best_ratio):
            best, best_ratio = candidate, ratio
    return best
