"""Find the last release: the tag `vX.Y.Z` of the highest version among the ancestors of the checked-out commit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.release import changelog, git
from scripts.release.compatibility import contract, python, scenarios, typescript
from scripts.release.versions import SDK, VersionMismatch, package_version, version_file

if TYPE_CHECKING:
    from pathlib import Path

FIRST = "first release: nothing to compare with"

_TAG = re.compile(r"v(\d+\.\d+\.\d+)", re.ASCII)  # a pre-release promises nothing
_PATHS = (python.SOURCE, typescript.REPORT, contract.CONTRACT, scenarios.GATE, scenarios.SCENARIOS)


class UnknownBaseline(Exception):
    """It can't be said what to compare with; the message says why, and what to do."""


@dataclass(frozen=True)
class Baseline:
    """The release to compare with.

    Attributes:
        name: The tag, or what `--against` names.
        commit: Its commit.
        version: The version that it states.
    """

    name: str
    commit: str
    version: str


def last_release(root: Path, version: str) -> Baseline | None:
    """Return the last release before a version; None if this is the first one.

    The tag of the version itself is this release if it points at the checked-out commit, as it does where a workflow
    publishes it.

    Raises:
        UnknownBaseline: The checkout is shallow, and the changelog has an earlier release.
    """
    head = git.head_commit(root)
    found = [
        Baseline(name, commit, match[1])
        for name, commit in git.tags(root).items()
        if (match := _TAG.fullmatch(name)) and (name, commit) != (f"v{version}", head)
    ]
    if found:
        return max(found, key=lambda each: release_numbers(each.version))
    earlier = [each for each in changelog.released(root) if each != version]
    if earlier and git.is_shallow(root):
        raise UnknownBaseline(
            f"CHANGELOG.md has {earlier[0]}, and this shallow checkout has no tag v{earlier[0]} "
            "to compare with: run git fetch --unshallow --tags"
        )
    return None


def named(root: Path, revision: str, work: Path) -> Baseline:
    """Return the baseline that a person names.

    Raises:
        UnknownBaseline: It states no version.
        git.CheckoutUnusable: There is no such commit.
    """
    commit = git.commit_of(root, revision)
    path = version_file(root, SDK).relative_to(root).as_posix()
    git.write_files(root, commit, [path], work)
    if not (work / path).is_file():
        raise UnknownBaseline(f"{revision} has no {path}, which states its version")
    try:
        return Baseline(revision, commit, package_version(work, SDK))
    except VersionMismatch as problem:
        raise UnknownBaseline(f"{revision} states no version: {problem}") from None


def write(root: Path, baseline: Baseline, target: Path) -> None:
    """Write what is compared of a baseline into a folder."""
    git.write_files(root, baseline.commit, _PATHS, target)


def release_numbers(version: str) -> tuple[int, int, int]:
    """Return the three numbers of a version, without what marks a pre-release.

    Example:
        >>> release_numbers("0.10.2rc1")
        (0, 10, 2)
    """
    major, minor, patch = re.findall(r"[0-9]+", version)[:3]
    return int(major), int(minor), int(patch)
