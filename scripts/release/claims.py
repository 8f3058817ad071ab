"""Compare what evidence says of itself with what a rehearsal leaves: its steps, files, pages and times."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from scripts.release import git
from scripts.release.steps import steps
from scripts.release.versions import NPM_NAME, PACKAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    Evidence = Mapping[str, Any]

# What the rehearsal shows of the suites' reports, in `reports/`, and the results that it copies there.
PAGES = {
    f"{shown}{name}": f"{written}/{name}"
    for shown, written in (("", "conformance"), ("engine-suite/", "engine-suite"))
    for name in ("index.html", "summary.md")
}
# By how much clocks of different machines may differ, in seconds.
SKEW = 600.0
_RUN = "%Y%m%dT%H%M%SZ"


def wrong_steps(evidence: Evidence) -> Iterator[str]:
    """Yield how the recorded steps differ from those of the checkout: each once, in their order, passed."""
    expected = [each.name for each in steps(python_only=evidence["scope"] == "python")]
    recorded = [each["name"] for each in evidence["steps"]]
    for name in expected:
        if name not in recorded:
            yield f"the step {name} is not in the evidence: it did not run, or was removed"
    for each in evidence["steps"]:
        if each["status"] != "passed":
            yield f"the step {each['name']} did not pass: it {each['status']}"
        elif each["problem"]:
            yield f"the step {each['name']} did not pass: {each['problem']}"
    for name, times in Counter(recorded).items():
        if name not in expected:
            yield (
                f"the step {name} is none of this checkout: "
                f"check out v{evidence['version']}, and verify there"
            )
        elif times > 1:
            yield f"the step {name} is in the evidence {times} times, and runs once"
    once = [name for name in dict.fromkeys(recorded) if name in expected]
    in_order = [name for name in expected if name in once]
    if once != in_order:
        first = next(one for one, other in zip(once, in_order, strict=True) if one != other)
        yield f"the steps are in another order than they run: {first} is too early"


def wrong_artifacts(evidence: Evidence) -> Iterator[str]:
    """Yield which file of the release the evidence does not list, and which it lists that is none, or twice."""
    version = evidence["version"]
    if version is None:
        yield "the evidence names no version"
        return
    expected = release_files(version, npm=evidence["scope"] == "everything")
    listed = Counter((each["file"], each["package"]) for each in evidence["artifacts"])
    for file, package in expected.items():
        if (file, package) not in listed:
            yield f"the evidence does not list {file} of {package}, which belongs to {version}"
    for (file, package), times in listed.items():
        if expected.get(file) != package:
            yield f"the evidence lists {file} of {package}, which does not belong to {version}"
        elif times > 1:
            yield f"the evidence lists {file} {times} times"


def release_files(version: str, *, npm: bool) -> dict[str, str]:
    """Return the package of each file that a release has, by the name of the file.

    Example:
        >>> list(release_files("1.2.3", npm=True))[-3:]
        ['arcrun_conformance-1.2.3-py3-none-any.whl', 'arcrun_conformance-1.2.3.tar.gz', 'arcrun-sdk-1.2.3.tgz']
    """
    names = {package: re.sub(r"[-_.]+", "_", package).lower() for package in PACKAGES}
    found = {
        f"{names[package]}-{version}{end}": package
        for package in PACKAGES
        for end in ("-py3-none-any.whl", ".tar.gz")
    }
    if npm:
        found[f"{NPM_NAME.removeprefix('@').replace('/', '-')}-{version}.tgz"] = NPM_NAME
    return found


def listed_twice(evidence: Evidence) -> Iterator[str]:
    """Yield which part the evidence lists more than once."""
    for where, field in (("evidence", "results"), ("reports", "reports")):
        for file, times in Counter(each["file"] for each in evidence[field]).items():
            if times > 1:
                yield f"the evidence lists {where}/{file} {times} times"


def wrong_pages(evidence: Evidence) -> Iterator[str]:
    """Yield which page of `reports/` is missing, or is not the one that a suite has written."""
    results = {each["file"]: each["sha256"] for each in evidence["results"]}
    pages = {each["file"]: each["sha256"] for each in evidence["reports"]}
    for page in PAGES:
        if page not in pages:
            yield f"the evidence does not list reports/{page}, which a rehearsal writes"
    for page, digest in pages.items():
        written = PAGES.get(page) or _recording(page)
        if results.get(written) != digest:
            yield f"reports/{page} is not what the suite has written as evidence/{written}"


def _recording(page: str) -> str:
    """Return the result that is shown as a recording of what failed."""
    return page if page.startswith("engine-suite/") else f"conformance/{page}"


def began(evidence: Evidence) -> dt.datetime:
    """Return when a rehearsal began: its id says so.

    Raises:
        ValueError: It is no time.
    """
    text = evidence["run"].partition("-")[0]
    return dt.datetime.strptime(text, _RUN).replace(tzinfo=dt.timezone.utc)


def ended(evidence: Evidence) -> dt.datetime:
    """Return when a rehearsal ended.

    Raises:
        ValueError: It is no time, or one without its distance to UTC.
    """
    return point_in_time(evidence["finished_at"])


def point_in_time(text: str) -> dt.datetime:
    """Return a point in time, in UTC, that is written as in evidence and reports.

    Raises:
        ValueError: It is written in another way.

    Example:
        >>> point_in_time("2026-11-27T13:00:00+00:00").hour
        13
    """
    found = dt.datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text!r} does not say how far it is from UTC")
    try:
        return found.astimezone(dt.timezone.utc)
    except OverflowError:
        raise ValueError(f"{text!r} is no time in UTC") from None


def wrong_times(evidence: Evidence, root: Path) -> Iterator[str]:
    """Yield which of the recorded times can't be right: known failures expire by the end of a rehearsal.

    Args:
        evidence: The evidence.
        root: The checkout, which says when the commit was made if it has it.
    """
    begin, end, seconds = began(evidence), ended(evidence), evidence["seconds"]
    if (end - dt.datetime.now(dt.timezone.utc)).total_seconds() > SKEW:
        yield f"the rehearsal can't have ended at {end}, which is in the future"
    # The clock may have been set meanwhile.
    elif abs((end - begin).total_seconds() - seconds) > SKEW:
        yield (
            f"the rehearsal can't have ended at {end}: "
            f"it began at {begin}, as its id says, and took {seconds:g} s"
        )
    by_steps = sum(each["seconds"] for each in evidence["steps"])
    if by_steps > seconds + 1:
        yield f"the steps took {by_steps:g} s, and the rehearsal {seconds:g} s"
    made = git.committed_at(root, evidence["git"]["commit"])
    if made is not None and made - begin.timestamp() > SKEW:
        commit = evidence["git"]["commit"][:12]
        yield f"the rehearsal began at {begin}, before its commit {commit} was made"
