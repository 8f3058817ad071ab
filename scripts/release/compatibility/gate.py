"""Decide whether a version may be released: what broke since the last release decides its number and its changelog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts import processes
from scripts.release import changelog
from scripts.release.compatibility import (
    baseline,
    contract,
    python,
    scenarios,
    typescript,
)
from scripts.release.compatibility.differences import breaks
from scripts.release.compatibility.named_breaks import MARK, unnamed
from scripts.release.compatibility.reading import PartUnreadable
from scripts.release.foreign import in_a_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scripts.rehearsal import Figures
    from scripts.release.compatibility.baseline import Baseline
    from scripts.release.compatibility.differences import Difference

_PARTS = (python, typescript, contract, scenarios)
_LISTED = 40  # differences in a message


class Incompatible(Exception):
    """The version or the changelog does not say what broke; the message says what it must say."""


@dataclass(frozen=True)
class Compared:
    """What was compared, and how it differs."""

    against: Baseline
    differences: Sequence[Difference]

    @property
    def breaking(self) -> list[Difference]:
        """Return the differences that break users."""
        return breaks(self.differences)

    @property
    def required(self) -> str:
        """Return the lowest version that this may be released as."""
        return next_version(self.against.version, self.differences)


def next_version(last: str, differences: Sequence[Difference]) -> str:
    """Return the lowest version that may follow a release.

    Before 1.0.0 a break needs the next minor version, and everything else the next patch: this is what `^0.1.2` of
    npm and `~=0.1.2` of pip promise their users. From 1.0.0 on, Semantic Versioning decides.

    Example:
        >>> next_version("0.1.2", [])
        '0.1.3'
    """
    major, minor, patch = baseline.release_numbers(last)
    is_stable = major > 0
    if breaks(differences):
        return f"{major + 1}.0.0" if is_stable else f"{major}.{minor + 1}.0"
    return f"{major}.{minor + 1}.0" if is_stable and differences else f"{major}.{minor}.{patch + 1}"


def compare(root: Path, against: Baseline) -> Compared:
    """Compare a checkout, with its changes, with a release.

    Raises:
        PartUnreadable: A file that is compared can't be read, here or at the release.
    """
    with processes.temporary_folder("arcrun-baseline-") as old:
        baseline.write(root, against, old)
        try:
            found = [each for part in _PARTS for each in part.differences(old, root)]
        except PartUnreadable as problem:
            if problem.root != old:
                raise
            raise problem.at_commit(against.name, against.commit) from None
    return Compared(against, found)


def require_compatible(root: Path, version: str) -> Figures:
    """Check that a version is high enough and its changelog entry names each break; return the figures.

    Raises:
        Incompatible: It is not, or does not.
        baseline.UnknownBaseline: It can't be said which release is the last one.
        PartUnreadable: A file that is compared can't be read.
    """
    against = baseline.last_release(root, version)
    if against is None:
        figures: Figures = {"against": baseline.FIRST}
        untagged = [each for each in changelog.released(root) if each != version]
        if untagged:
            figures["without_a_tag"] = ", ".join(untagged)
        return figures
    compared = compare(root, against)
    problem = problem_of(version, changelog.text_of(root, version), compared)
    if problem:
        raise Incompatible(problem)
    breaking = len(compared.breaking)
    return {
        "against": against.name,
        "breaking": breaking,
        "additions": len(compared.differences) - breaking,
        "at_least": compared.required,
    }


def problem_of(version: str, entry: str, compared: Compared) -> str:
    """Return what is wrong with a version and its changelog entry; empty if nothing is."""
    return "\n".join(
        [*_version_problem(version, compared), *_changelog_problem(version, entry, compared)]
    )


def _version_problem(version: str, compared: Compared) -> list[str]:
    required, last = compared.required, compared.against
    if baseline.release_numbers(version) >= baseline.release_numbers(required):
        return []
    if version == last.version:
        return [f"{version} is released already ({last.name}): the next version is {required}"]
    found = compared.breaking or compared.differences
    return [
        f"{version} is too low after {last.version} ({last.name}): it must be at least {required}, because of",
        *lines(found),
    ]


def _changelog_problem(version: str, entry: str, compared: Compared) -> list[str]:
    missing = unnamed(entry, compared.breaking)
    if not missing:
        return []
    return [
        f"CHANGELOG.md: the entry of {version} names these in no item `{MARK} …`:",
        *lines(missing),
        "write each of these names into such an item, in backticks, with what users have to change",
    ]


def lines(differences: Sequence[Difference]) -> list[str]:
    """Return a line for each of some differences, as far as a message can have them."""
    shown = [f"  {in_a_line(str(each))}" for each in differences[:_LISTED]]
    more = len(differences) - _LISTED
    return [*shown, f"  and {more} more: nox -s next_version"] if more > 0 else shown
