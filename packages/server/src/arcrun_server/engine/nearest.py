"""Finding the name that was probably meant, for error messages."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Names come from requests, so what is compared has bounds: the length of a name, the number of names,
# and the comparisons for all problems of one request together.
MAX_LENGTH = 128
MAX_CANDIDATES = 1000
MAX_COMPARISONS = 500


class Suggestions:
    """Finds what was probably meant, for all problems of one request.

    Args:
        comparisons: How many names are compared at most. After that there are no suggestions: a
            request with so many wrong names has more wrong with it than spelling.

    Example:
        >>> Suggestions().nearest("comp_upercase", ["comp_counter", "comp_uppercase"])
        'comp_uppercase'
    """

    __slots__ = ("_left",)

    def __init__(self, comparisons: int = MAX_COMPARISONS) -> None:
        self._left = comparisons

    def nearest(self, name: str, candidates: Iterable[str], least: float = 0.6) -> str | None:
        """Return the candidate that is most similar to a name, or None if none is similar enough.

        Args:
            name: What was written.
            candidates: The known names. Of two that are equally similar, the first one is taken.
            least: How similar it must be, from 0 to 1. Case makes no difference.
        """
        if len(name) > MAX_LENGTH:
            return None
        measure = _Similarity(name.casefold())
        best, best_ratio = None, least
        for candidate in islice(candidates, MAX_CANDIDATES):
            if self._left <= 0:
                break
            if len(candidate) > MAX_LENGTH:
                continue
            folded = candidate.casefold()
            if measure.bound(folded) < best_ratio:
                continue
            self._left -= 1
            ratio = measure.ratio(folded)
            if ratio > best_ratio or (best is None and ratio == best_ratio):
                best, best_ratio = candidate, ratio
        return best


def nearest(name: str, candidates: Iterable[str], least: float = 0.6) -> str | None:
    """Return the candidate that is most similar to a name; for one name, as `Suggestions.nearest`."""
    return Suggestions().nearest(name, candidates, least)


class _Similarity:
    """How similar texts are to a name: twice their longest common subsequence, by both lengths.

    The subsequence is found with one operation on integers for each character of the other text, so
    that no text is slow to compare. (difflib takes time that grows with the cube of the lengths.)
    """

    def __init__(self, name: str) -> None:
        self._length = len(name)
        self._all = (1 << len(name)) - 1
        self._places: dict[str, int] = {}
        for place, character in enumerate(name):
            self._places[character] = self._places.get(character, 0) | 1 << place

    def bound(self, other: str) -> float:
        """Return what the ratio can't exceed, from the lengths alone."""
        together = self._length + len(other)
        return 2 * min(self._length, len(other)) / together if together else 1.0

    def ratio(self, other: str) -> float:
        together = self._length + len(other)
        # Bit N is zero once a common subsequence ends there (Hyyrö 2004).
        open_places = self._all
        for character in other:
            matches = open_places & self._places.get(character, 0)
            open_places = (open_places + matches) | (open_places - matches)
        common = self._length - (open_places & self._all).bit_count()
        return 2 * common / together if together else 1.0
