"""The gate: which scenarios a release needs, and whether a run shows them all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from .documents import Document, DocumentError, Problem, read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


Column = Literal["local", "live"]


@dataclass(frozen=True)
class KnownFailure:
    """A failure that is accepted for a while; empty `sdk` or `target` stand for all."""

    scenario: str
    reason: str
    until: date
    sdk: str = ""
    target: str = ""

    def covers(self, cell: dict[str, Any], column: Column) -> bool:
        """Whether it speaks of this cell of a report."""
        return (
            self.scenario == cell["scenario"]
            and self.sdk in {"", cell["sdk"]}
            and self.target in {"", column}
        )

    def __str__(self) -> str:
        where = " with ".join(filter(None, (self.scenario, self.sdk)))
        return f"known failure {where} ({self.reason}, until {self.until})"


@dataclass(frozen=True)
class ByNature:
    """What an SDK, or each of a language, need not be capable of: it can't be, and it says why."""

    lacks: str
    reason: str
    sdk: str = ""
    language: str = ""

    def speaks_of(self, sdk: dict[str, Any]) -> bool:
        """Whether it is about this SDK of a report."""
        return self.sdk == sdk["name"] if self.sdk else self.language == sdk.get("language")

    def __str__(self) -> str:
        return f"{self.sdk or self.language} lacks {self.lacks} by nature ({self.reason})"


@dataclass(frozen=True)
class Gate:
    """The gate of one contract version."""

    contract: str
    columns: dict[str, tuple[str, ...]]
    known_failures: tuple[KnownFailure, ...] = ()
    by_nature: tuple[ByNature, ...] = ()

    def unexplained(self, cell: dict[str, Any], sdk: dict[str, Any]) -> list[str]:
        """The capabilities whose lack changed what a cell shows, and that the gate does not list."""
        listed = {entry.lacks for entry in self.by_nature if entry.speaks_of(sdk)}
        return [name for name in cell.get("lacks", ()) if name not in listed]


@dataclass
class Verdict:
    """GO if there are no reasons against it.

    Attributes:
        contract: The contract version whose gate it was.
        column: The target's column.
        needed: How many scenarios the column names.
        reasons: Why not, one line each.
        accepted: Known failures that did fail, and what SDKs lack by nature.
    """

    contract: str
    column: Column
    needed: int
    reasons: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)

    @property
    def go(self) -> bool:
        """Whether a release may go out."""
        return not self.reasons

    def described(self) -> dict[str, Any]:
        """The verdict as reports hold it."""
        return {
            "verdict": "GO" if self.go else "NO-GO",
            "contract": self.contract,
            "column": self.column,
            "needed": self.needed,
            "reasons": self.reasons,
            "accepted": self.accepted,
        }


def load(path: Path, scenario_ids: Sequence[str], contract: str | None = None) -> Gate:
    """Read the gate of a contract version, the newest if none is given.

    Raises:
        DocumentError: The file can't be used, or names a scenario that does not exist.
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
    by_nature = tuple(ByNature(**entry) for entry in document.value.get("by_nature", ()))
    return Gate(version, columns, tuple(known), by_nature)


def _as_numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _renamed(document: Document, version: str, scenario_ids: Sequence[str]) -> list[Problem]:
    return [
        document.problem(
            ["contracts", version, column, index],
            f"the gate needs the scenario {identifier}, which does not exist",
            "The list is frozen: bring the scenario back under its name.",
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
            problems.append(document.problem([*pointer, "until"], f"is no date: {error}"))
            continue
        known.append(KnownFailure(**{**entry, "until": until}))
    return known, problems


def column_of(report: dict[str, Any]) -> Column:
    """The column that a target is judged by."""
    return "live" if report["target"]["remote"] else "local"


def judge(gate: Gate, report: dict[str, Any], today: date) -> Verdict:
    """Whether a report shows what the gate needs, for every SDK that took part.

    Skipped is not passed; a scenario that was not run is not passed either. Only what an SDK lacks by
    nature, as the gate lists it, excuses a scenario that was skipped or a check that is exempt. A known failure that is
    over, passes, or matches nothing that was run is a reason against, too.

    Args:
        gate: The gate.
        report: The run, as `report.document.describe` gives it.
        today: The day by which known failures end.
    """
    column = column_of(report)
    needed = gate.columns[column]
    verdict = Verdict(gate.contract, column, len(needed))
    cells = {(cell["scenario"], cell["sdk"]): cell for cell in report["cells"]}
    if not report["sdks"]:
        verdict.reasons.append("no SDK took part")
    missing = {c["sdk"]: c["reason"] for c in report["cells"] if c["outcome"] == "unavailable"}
    verdict.reasons += [f"{sdk}: {reason}" for sdk, reason in missing.items()]
    for scenario in needed:
        for sdk in report["sdks"]:
            if sdk["name"] not in missing:  # said once above, not for each scenario
                cell = cells.get((scenario, sdk["name"]))
                name = f"{scenario} with {sdk['name']}"
                _judge_cell(gate, verdict, cell, sdk, name=name, today=today)
    _judge_by_nature(gate, report, verdict)
    _judge_known_failures(gate, report, verdict)
    if report["leftovers"]["left"] or report["leftovers"]["problems"]:
        verdict.reasons.append("the run left things behind at the target")
    if report["interrupted"]:
        verdict.reasons.append("the run was interrupted")
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
    unexplained = ", ".join(gate.unexplained(cell, sdk))
    if cell["outcome"] == "passed":
        if unexplained:
            verdict.reasons.append(f"{name}: less was checked, as the adapter lacks {unexplained}")
        return
    if cell["outcome"] == "skipped" and cell.get("lacks") and not unexplained:
        return
    for known in gate.known_failures:
        if known.covers(cell, verdict.column) and cell["outcome"] != "skipped":
            if known.until >= today:
                verdict.accepted.append(str(known))
            else:
                verdict.reasons.append(f"{known} is over")
            return
    failing = ", ".join(check["id"] for check in cell["checks"] if check["outcome"] == "failed")
    verdict.reasons.append(f"{name}: {cell['outcome']} ({failing or cell['reason']})")


def _judge_by_nature(gate: Gate, report: dict[str, Any], verdict: Verdict) -> None:
    for entry in gate.by_nature:
        sdks = [sdk for sdk in report["sdks"] if entry.speaks_of(sdk)]
        able = [sdk["name"] for sdk in sdks if entry.lacks in sdk.get("capabilities", ())]
        if able:
            verdict.reasons.append(f"{entry}, but {', '.join(able)} can: mend gate.yaml")
        names = {sdk["name"] for sdk in sdks}
        concerned = [
            cell["scenario"]
            for cell in report["cells"]
            if cell["sdk"] in names and entry.lacks in cell.get("lacks", ())
        ]
        if concerned:
            verdict.accepted.append(f"{entry}: {', '.join(dict.fromkeys(concerned))}")


def _judge_known_failures(gate: Gate, report: dict[str, Any], verdict: Verdict) -> None:
    sdks = [sdk["name"] for sdk in report["sdks"]]
    for known in gate.known_failures:
        if known.target not in {"", verdict.column}:
            continue
        if known.sdk and known.sdk not in sdks:
            continue  # another SDK's run will tell
        covered = [cell for cell in report["cells"] if known.covers(cell, verdict.column)]
        if not covered:
            verdict.reasons.append(f"{known} matches nothing that was run")
        elif all(cell["outcome"] == "passed" for cell in covered):
            verdict.reasons.append(f"{known} passes: remove it from gate.yaml")
