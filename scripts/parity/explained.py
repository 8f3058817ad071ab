"""Explain differences that are right: each with its reason, and no reason without a difference."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_KEYS = frozenset({"reason", "differences"})


class ExplanationError(Exception):
    """The file of explained differences can't be used; the message says where it is wrong."""


@dataclass(frozen=True)
class Explanation:
    """The reason for which a difference is right.

    Attributes:
        difference: The difference as it is printed; `*` stands for any text.
        reason: Why it is right.
    """

    difference: str
    reason: str

    def explains(self, difference: str) -> bool:
        """Return whether it explains a difference."""
        pattern = ".*".join(map(re.escape, self.difference.split("*")))
        return re.fullmatch(pattern, difference, re.DOTALL) is not None


@dataclass
class Verdict:
    """Differences, sorted by whether there is a reason for them.

    Attributes:
        explained: The differences of each reason.
        unexplained: The differences without a reason.
        unused: Explanations of differences that do not exist.
    """

    explained: dict[str, list[str]] = field(default_factory=dict)
    unexplained: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    @property
    def go(self) -> bool:
        """Return whether every difference has a reason, and every reason a difference."""
        return not self.unexplained and not self.unused


def load(path: Path) -> list[Explanation]:
    """Read the explained differences.

    Raises:
        ExplanationError: The file can't be used.
    """
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ExplanationError(f"{path} can't be read: {error}") from error
    if not isinstance(document, dict) or set(document) != {"explained"}:
        raise ExplanationError(f"{path}: the only key at the top must be explained")
    return [
        explanation
        for number, entry in enumerate(document["explained"] or (), start=1)
        for explanation in _explanations(entry, f"{path}, entry {number}")
    ]


def _explanations(entry: Any, location: str) -> Iterator[Explanation]:
    if not isinstance(entry, dict) or not set(entry) <= _KEYS:
        raise ExplanationError(f"{location}: the keys are reason and differences, no others")
    reason, differences = entry.get("reason"), entry.get("differences")
    if not isinstance(reason, str) or not reason.strip():
        raise ExplanationError(f"{location}: reason must be text")
    if not (isinstance(differences, list) and all(isinstance(each, str) for each in differences)):
        raise ExplanationError(f"{location}: differences must be a list of text")
    if not differences:
        raise ExplanationError(f"{location}: differences must not be empty")
    for difference in differences:
        if not difference.strip("* "):
            raise ExplanationError(f"{location}: {difference!r} would explain every difference")
        yield Explanation(difference, reason)


def judge(differences: Sequence[str], explanations: Sequence[Explanation]) -> Verdict:
    """Sort differences by whether they are explained, and find explanations that are not used.

    Example:
        >>> judge(["option fetch: missing in Python"], []).go
        False
    """
    verdict = Verdict()
    used: set[Explanation] = set()
    for difference in differences:
        fitting = [each for each in explanations if each.explains(difference)]
        used.update(fitting)
        if fitting:
            verdict.explained.setdefault(fitting[0].reason, []).append(difference)
        else:
            verdict.unexplained.append(difference)
    verdict.unused = [each.difference for each in explanations if each not in used]
    return verdict
