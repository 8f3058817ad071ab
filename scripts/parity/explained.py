"""Differences that are as they should be: each with its reason, and none that no longer exists."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SECTIONS = ("surface", "wire")
_KEYS = frozenset({"reason", "differences", "sdks"})


class ExplanationError(Exception):
    """The file of explained differences can't be used; the message says where it is wrong."""


@dataclass(frozen=True)
class Explanation:
    """Why a difference is right.

    Attributes:
        difference: The difference as it is printed; `*` stands for any text.
        sdks: The SDKs of a report that it is about; empty for all. Of a report without them it says nothing.
    """

    difference: str
    reason: str
    sdks: frozenset[str] = frozenset()

    def covers(self, difference: str) -> bool:
        """Tell whether it speaks of a difference."""
        pattern = ".*".join(map(re.escape, self.difference.split("*")))
        return re.fullmatch(pattern, difference, re.DOTALL) is not None


@dataclass
class Verdict:
    """Differences, sorted by whether there is a reason for them.

    Attributes:
        explained: The differences of each reason.
        stale: Explanations of differences that do not exist.
    """

    explained: dict[str, list[str]] = field(default_factory=dict)
    unexplained: list[str] = field(default_factory=list)
    stale: list[Explanation] = field(default_factory=list)

    @property
    def go(self) -> bool:
        """GO: every difference has a reason, and every reason a difference."""
        return not self.unexplained and not self.stale


def load(path: Path) -> dict[str, list[Explanation]]:
    """Read the explained differences, by section: `surface` and `wire`.

    Raises:
        ExplanationError: The file is none of the kind.
    """
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ExplanationError(f"{path} can't be read: {error}") from error
    if not isinstance(document, dict) or set(document) != set(SECTIONS):
        raise ExplanationError(
            f"{path}: it must have the sections {', '.join(SECTIONS)}, no others"
        )
    return {
        section: [
            explanation
            for number, entry in enumerate(document[section] or (), start=1)
            for explanation in _explanations(entry, f"{path}, {section}, entry {number}")
        ]
        for section in SECTIONS
    }


def _explanations(entry: Any, where: str) -> Iterator[Explanation]:
    if not isinstance(entry, dict) or not set(entry) <= _KEYS:
        raise ExplanationError(f"{where}: it takes reason, differences and sdks, nothing else")
    reason, differences = entry.get("reason"), entry.get("differences")
    sdks = entry.get("sdks", [])
    if not isinstance(reason, str) or not reason.strip():
        raise ExplanationError(f"{where}: reason must be text")
    for name, texts in (("differences", differences or None), ("sdks", sdks)):
        if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
            raise ExplanationError(f"{where}: {name} must be a list of text")
    for difference in differences or ():
        if not difference.strip("* "):
            raise ExplanationError(f"{where}: {difference!r} would explain whatever comes")
        yield Explanation(difference, reason, frozenset(sdks))


def judge(differences: Sequence[str], explanations: Sequence[Explanation]) -> Verdict:
    """Sort differences by whether they are explained, and find explanations of nothing.

    Example:
        >>> judge(["option fetch: missing in Python"], []).go
        False
    """
    verdict = Verdict()
    used: set[Explanation] = set()
    for difference in differences:
        fitting = [each for each in explanations if each.covers(difference)]
        used.update(fitting)
        if fitting:
            verdict.explained.setdefault(fitting[0].reason, []).append(difference)
        else:
            verdict.unexplained.append(difference)
    verdict.stale = [each for each in explanations if each not in used]
    return verdict


def about(explanations: Sequence[Explanation], sdks: Sequence[str]) -> list[Explanation]:
    """Return the explanations that speak of some of these SDKs."""
    return [each for each in explanations if not each.sdks or each.sdks & set(sdks)]
