"""The gate: the scenarios that a release needs, and whether a run shows that they passed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from .documents import Document, DocumentError, Problem, read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


Column = Literal["local", "live", "engine-local", "engine-live"]


@dataclass(frozen=True)
class KnownFailure:
    """A failure that is accepted for a limited time; an empty `sdk` or `target` means any."""

    scenario: str
    reason: str
    until: date
    sdk: str = ""
    target: str = ""

    def covers(self, cell: dict[str, Any], column: Column) -> bool:
        """Return whether it applies to this cell of a report."""
        return (
            self.scenario == cell["scenario"]
            and self.sdk in {"", cell["sdk"]}
            and self.target in {"", column.removeprefix("engine-")}
        )

    def __str__(self) -> str:
        where = " with ".join(filter(None, (self.scenario, self.sdk)))
        return f"known failure {where} ({self.reason}, until {self.until})"


@dataclass(frozen=True)
class Unsupported:
    """A capability that an SDK, or each SDK of a language, is allowed to lack, with the reason."""

    lacks: str
    reason: str
    sdk: str = ""
    language: str = ""

    def applies_to(self, sdk: dict[str, Any]) -> bool:
        """Return whether it applies to this SDK of a report."""
        return self.sdk == sdk["name"] if self.sdk else self.language == sdk.get("language")

    def __str__(self) -> str:
        return f"{self.sdk or self.language} does not support {self.lacks} ({self.reason})"


@dataclass(frozen=True)
class Gate:
    """The gate of one contract version."""

    contract: str
    columns: dict[str, tuple[str, ...]]
    known_failures: tuple[KnownFailure, ...] = ()
    unsupported: tuple[Unsupported, ...] = ()

    def unlisted(self, cell: dict[str, Any], sdk: dict[str, Any]) -> list[str]:
        """Return the missing capabilities that changed a cell's outcome and that are not listed."""
        listed = {entry.lacks for entry in self.unsupported if entry.applies_to(sdk)}
        return [name for name in cell.get("lacks", ()) if name not in listed]


@dataclass
class Verdict:
    """The gate's verdict on a run: GO if there are no reasons against it.

    Attributes:
        contract: The contract version whose gate was applied.
        column: The target's column.
        needed: How many scenarios the column names.
        reasons: The reasons for NO-GO, one line each.
        accepted: Known failures that occurred, and unsupported capabilities that had an effect.
    """

    contract: str
    column: Column
    needed: int
    reasons: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)

    @property
    def go(self) -> bool:
        """Return whether the release may be published."""
        return not self.reasons

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as reports contain it."""
        return {
            "verdict": "GO" if self.go else "NO-GO",
            "contract": self.contract,
            "column": self.column,
            "needed": self.needed,
            "reasons": self.reasons,
            "accepted": self.accepted,
        }


def load(path: Path, scenario_ids: Sequence[str], contract: str | None = None) -> Gate:
    """Read the gate of a contract version; of the newest one if none is given.

    Raises:
        DocumentError: The file is invalid, or names a scenario that does not exist.
    """
    document = read(path, "gate")
    contracts = document.value["contracts"]
    version = contract or max(contracts, key=_as_numbers)
    if version not in contracts:
        choice = ", ".join(contracts)
        raise DocumentError(
            [Problem(path, None, f"has no gate for contract {version}", f"Known: {choice}.")]
        )
    problems = _renamed(document, version, scenario_ids)
    known, wrong = _known_failures(document, scenario_ids)
    if problems or wrong:
        raise DocumentError([*problems, *wrong])
    columns = {name: tuple(ids) for name, ids in contracts[version].items()}
    return Gate(version, columns, tuple(known), _unsupported(document))


def load_unsupported(path: Path) -> tuple[Unsupported, ...]:
    """Read which capabilities SDKs are allowed to lack, whatever scenarios there are.

    Raises:
        DocumentError: The file is invalid.
    """
    return _unsupported(read(path, "gate"))


def _unsupported(document: Document) -> tuple[Unsupported, ...]:
    return tuple(Unsupported(**entry) for entry in document.value.get("unsupported", ()))


def _as_numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _renamed(document: Document, version: str, scenario_ids: Sequence[str]) -> list[Problem]:
    return [
        document.problem(
            ["contracts", version, column, index],
            f"the gate needs the scenario {identifier}, which does not exist",
            "The list is frozen: restore the scenario under this id.",
        )
        for column, ids in document.value["contracts"][version].items()
        for index, identifier in enumerate(ids)
        if identifier not in scenario_ids
    ]


def _known_failures(
    document: Document, scenario_ids: Sequence[str]
) -> tuple[list[KnownFailure], list[Problem]]:
    known: list[KnownFailure] = []
    problems: list[Problem] = []
    for index, entry in enumerate(document.value.get("known_failures", ())):
        pointer: list[str | int] = ["known_failures", index]
        if entry["scenario"] not in scenario_ids:
            message = (
                f"the known failure names the scenario {entry['scenario']}, which does not exist"
            )
            problems.append(document.problem(pointer, message, "Remove the entry."))
        try:
            until = date.fromisoformat(entry["until"])
        except ValueError as error:
            problems.append(document.problem([*pointer, "until"], f"is not a date: {error}"))
            continue
        known.append(KnownFailure(**{**entry, "until": until}))
    return known, problems


def column_of(report: dict[str, Any]) -> Column:
    """Return the column that applies to a report's suite and target."""
    if report.get("suite") == "engine":
        return "engine-live" if report["target"]["remote"] else "engine-local"
    return "live" if report["target"]["remote"] else "local"


def judge(gate: Gate, report: dict[str, Any], today: date) -> Verdict:
    """Return whether a report shows what the gate needs, for every SDK that took part.

    A scenario that was skipped or not run has not passed. A skip, or an exempt check, is accepted
    only if the gate lists the missing capability under `unsupported`. A known failure that has
    expired, that passes, or that matches nothing in the run is a reason for NO-GO as well, and so
    is a report that contradicts itself: a cell's outcome follows from its checks.

    Args:
        gate: The gate.
        report: The run, as returned by `report.document.describe`.
        today: The date at which known failures may have expired.
    """
    column = column_of(report)
    needed = gate.columns.get(column, ())
    verdict = Verdict(gate.contract, column, len(needed))
    cells = {(cell["scenario"], cell["sdk"]): cell for cell in report["cells"]}
    if not report["sdks"]:
        verdict.reasons.append("no SDK took part")
    if not needed:
        verdict.reasons.append(f"the gate needs no scenario in the column {column}")
    dead = {sdk["name"] for sdk in report["sdks"] if not sdk.get("started")}
    missing = {
        cell["sdk"]: " ".join(cell["reason"].split()) or "it was not started"
        for cell in report["cells"]
        if cell["outcome"] == "unavailable" or cell["sdk"] in dead
    }
    verdict.reasons += [f"{sdk}: {reason}" for sdk, reason in missing.items()]
    for scenario in needed:
        for sdk in report["sdks"]:
            if sdk["name"] not in missing:  # reported once above, not for each scenario
                cell = cells.get((scenario, sdk["name"]))
                name = f"{scenario} with {sdk['name']}"
                _judge_cell(gate, verdict, cell, sdk, name=name, today=today)
    verdict.reasons += contradictions(report)
    _judge_unsupported(gate, report, verdict)
    _judge_known_failures(gate, report, verdict)
    if report["leftovers"]["left"] or report["leftovers"]["problems"]:
        verdict.reasons.append("the run left credentials or workflows at the target")
    if report["interrupted"]:
        verdict.reasons.append("the run was interrupted")
    if report.get("crash"):
        verdict.reasons.append(report["crash"])
    return verdict


def _judge_cell(
    gate: Gate,
    verdict: Verdict,
    cell: dict[str, Any] | None,
    sdk: dict[str, Any],
    *,
    name: str,
    today: date,
) -> None:
    if cell is None:
        verdict.reasons.append(f"{name}: was not run")
        return
    unlisted = ", ".join(gate.unlisted(cell, sdk))
    if cell["outcome"] == "passed":
        if unlisted:
            verdict.reasons.append(f"{name}: checks were omitted: the adapter lacks {unlisted}")
        return
    if cell["outcome"] == "skipped" and cell.get("lacks") and not unlisted:
        return
    for known in gate.known_failures:
        if known.covers(cell, verdict.column) and cell["outcome"] != "skipped":
            if known.until >= today:
                verdict.accepted.append(str(known))
            else:
                verdict.reasons.append(f"{known} has expired")
            return
    failing = ", ".join(check["id"] for check in cell["checks"] if check["outcome"] == "failed")
    verdict.reasons.append(f"{name}: {cell['outcome']} ({failing or cell['reason']})")


def contradictions(report: dict[str, Any]) -> list[str]:
    """Return what can't be true of one run: an SDK or a cell twice, or an outcome against the checks."""
    names = [sdk["name"] for sdk in report["sdks"]]
    places = [(cell["scenario"], cell["sdk"]) for cell in report["cells"]]
    found = [f"{name}: is in the report twice" for name in _repeated(names)]
    found += [f"{scenario} with {sdk}: was run twice" for scenario, sdk in _repeated(places)]
    strangers = dict.fromkeys(sdk for _, sdk in places if sdk not in names)
    found += [f"{sdk}: has cells, and is not among the SDKs of the run" for sdk in strangers]
    for cell in report["cells"]:
        if against := _against_checks(cell):
            found.append(f"{cell['scenario']} with {cell['sdk']}: {cell['outcome']}, but {against}")
    return found


def _repeated(values: Sequence[Any]) -> list[Any]:
    return [value for value, times in Counter(values).items() if times > 1]


def _against_checks(cell: dict[str, Any]) -> str:
    """Return what speaks against a cell's outcome in its checks; an empty string if nothing does."""
    outcomes = {check["outcome"] for check in cell["checks"]}
    failing = [c["id"] for c in cell["checks"] if c["outcome"] not in {"passed", "exempt"}]
    if cell["outcome"] == "skipped":
        return "it has checks" if outcomes else ""
    if cell["outcome"] == "failed":
        return "" if failing else "no check failed"
    return _against_passing(cell, outcomes, failing) if cell["outcome"] == "passed" else ""


def _against_passing(cell: dict[str, Any], outcomes: set[str], failing: list[str]) -> str:
    if failing:
        return f"not passed: {', '.join(failing)}"
    if "passed" not in outcomes:
        return "no check passed"
    if "exempt" in outcomes and not cell.get("lacks"):
        return "it has exempt checks, and the adapter lacks nothing"
    return ""


def _judge_unsupported(gate: Gate, report: dict[str, Any], verdict: Verdict) -> None:
    for entry in gate.unsupported:
        sdks = [sdk for sdk in report["sdks"] if entry.applies_to(sdk)]
        able = [sdk["name"] for sdk in sdks if entry.lacks in sdk.get("capabilities", ())]
        if able:
            verdict.reasons.append(
                f"{entry}, but {', '.join(able)} supports it: remove the entry from gate.yaml"
            )
        names = {sdk["name"] for sdk in sdks}
        affected = [
            cell["scenario"]
            for cell in report["cells"]
            if cell["sdk"] in names and entry.lacks in cell.get("lacks", ())
        ]
        if affected:
            verdict.accepted.append(f"{entry}: {', '.join(dict.fromkeys(affected))}")


def _judge_known_failures(gate: Gate, report: dict[str, Any], verdict: Verdict) -> None:
    sdks = [sdk["name"] for sdk in report["sdks"]]
    for known in gate.known_failures:
        if known.target not in {"", verdict.column.removeprefix("engine-")}:
            continue
        if known.sdk and known.sdk not in sdks:
            continue  # the run of that SDK decides
        covered = [cell for cell in report["cells"] if known.covers(cell, verdict.column)]
        if not covered:
            verdict.reasons.append(f"{known} matches nothing that was run")
        elif all(cell["outcome"] == "passed" for cell in covered):
            verdict.reasons.append(f"{known} passes: remove the entry from gate.yaml")
