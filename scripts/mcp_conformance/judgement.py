"""Compare what the suite found with the list of exceptions, strictly: neither may have what the other does not."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

# What the suite finds of a check that is met; a skipped one has shown nothing.
MET = frozenset({"SUCCESS", "INFO"})
# Whether messages are as the protocol's schema says: no exception for a whole scenario covers this.
ALWAYS = "wire-schema-valid"
_FOLDER = re.compile(r"server-(?P<scenario>.+)-\d{4}-\d\d-\d\dT[\d-]+Z")


class Check(NamedTuple):
    """A check of the suite, and what it found."""

    revision: str
    scenario: str
    id: str
    status: str
    message: str = ""

    @property
    def is_met(self) -> bool:
        """Return whether it passed."""
        return self.status in MET


class ExceptionListed(NamedTuple):
    """A check, or a scenario, that need not be met, and why.

    Attributes:
        name: `SCENARIO/CHECK`, or `SCENARIO` for all its checks.
        reason: Why not.
        revision: The only revision that it is about; empty for every one.
    """

    name: str
    reason: str
    revision: str = ""

    def covers(self, check: Check) -> bool:
        """Return whether it is about this check."""
        if self.revision not in {"", check.revision}:
            return False
        scenario, _, name = self.name.partition("/")
        return scenario == check.scenario and (
            name == check.id or (not name and check.id != ALWAYS)
        )


def read_exceptions(text: str) -> list[ExceptionListed]:
    """Return the exceptions of a list in YAML.

    Raises:
        ValueError: An entry has no reason, or two are the same.
    """
    found = []
    for entry in yaml.safe_load(text):
        reason = " ".join(str(entry.get("reason") or "").split())
        if not reason:
            raise ValueError(f"an exception without a reason: {entry}")
        revision = str(entry.get("revision", ""))
        found += [ExceptionListed(name, reason, revision) for name in entry["checks"]]
    names = [(each.name, each.revision) for each in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"listed twice: {sorted(twice)}")
    return found


def read_results(revision: str, folder: Path) -> list[Check]:
    """Return what the suite wrote for a revision. Of a check that was made several times, the worst counts."""
    worst: dict[tuple[str, str], Check] = {}
    for path in sorted(folder.glob("*/checks.json")):
        match = _FOLDER.fullmatch(path.parent.name)
        if not match:
            raise ValueError(f"{path.parent.name} does not name a scenario and a time")
        for each in json.loads(path.read_text("utf-8")):
            message = str(each.get("errorMessage") or each["description"])
            check = Check(revision, match["scenario"], each["id"], each["status"], message)
            key = (check.scenario, check.id)
            if key not in worst or worst[key].is_met:
                worst[key] = check
    return list(worst.values())


def required_scenarios(requirements: Mapping[str, Any]) -> set[str]:
    """Return the scenarios of a revision's requirements that are about servers, scored or not.

    Example:
        >>> sorted(required_scenarios({"server": ["ping"], "not_scored": [{"scenario": "tasks", "leg": "server"}]}))
        ['ping', 'tasks']
    """
    others = requirements.get("not_scored", [])
    return {
        *requirements["server"],
        *(each["scenario"] for each in others if each["leg"] == "server"),
    }


def problems(
    checks: Sequence[Check],
    exceptions: Iterable[ExceptionListed],
    required: Mapping[str, set[str]],
) -> Iterator[str]:
    """Yield what is wrong.

    Args:
        checks: What the suite found.
        exceptions: What need not be met.
        required: The scenarios of each revision.
    """
    listed = list(exceptions)
    for revision, scenarios in required.items():
        made = {check.scenario for check in checks if check.revision == revision}
        for scenario in sorted(scenarios - made):
            yield f"{revision} {scenario}: there is no result of it"
    for check in checks:
        if not check.is_met and not any(each.covers(check) for each in listed):
            where = f"{check.revision} {check.scenario}/{check.id}"
            yield f"{where}: {check.status}, and no exception: {check.message}"
    for each in listed:
        for revision, found in _by_revision(checks, each).items():
            if all(check.is_met for check in found):
                yield f"{revision} {each.name}: is an exception, and is met: remove it from the list"
        if not any(each.covers(check) for check in checks):
            yield f"{each.name}: is an exception, and the suite has no such check"


def _by_revision(checks: Iterable[Check], exception: ExceptionListed) -> Mapping[str, list[Check]]:
    found: dict[str, list[Check]] = {}
    for check in checks:
        if exception.covers(check):
            found.setdefault(check.revision, []).append(check)
    return found
