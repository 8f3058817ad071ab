"""Deviations: where a target differs from the contract, with the reason of the known ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .documents import read

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class KnownDeviation:
    """A deviation that is listed in a file."""

    scenario: str
    spec: str
    text: str


def load(path: Path) -> list[KnownDeviation]:
    """Read a file of deviations.

    Raises:
        DocumentError: The file is invalid.
    """
    return [KnownDeviation(**entry) for entry in read(path, "deviations").value["deviations"]]


def found_in(report: dict[str, Any], known: list[KnownDeviation]) -> list[dict[str, Any]]:
    """Return the deviations that a report shows: the scenarios that failed, known ones first.

    A known one that has passed everywhere is included as `gone`, since its entry can be removed.
    """
    reasons = {entry.scenario: entry for entry in known}
    rows = []
    for scenario in report["scenarios"]:
        cells = [cell for cell in report["cells"] if cell["scenario"] == scenario["id"]]
        failed = [cell for cell in cells if cell["outcome"] in {"failed", "error"}]
        entry = reasons.get(scenario["id"])
        passed = bool(cells) and all(cell["outcome"] == "passed" for cell in cells)
        if failed or (entry and passed):
            rows.append(_row(scenario, failed, entry))
    return sorted(rows, key=lambda row: (row["state"] == "new", row["scenario"]))


def _row(
    scenario: dict[str, Any], failed: list[dict[str, Any]], entry: KnownDeviation | None
) -> dict[str, Any]:
    checks = [
        check["id"] for cell in failed for check in cell["checks"] if check["outcome"] == "failed"
    ]
    state = "new" if entry is None else "known" if failed else "gone"
    return {
        "scenario": scenario["id"],
        "state": state,
        "spec": entry.spec if entry else " ".join(scenario["spec"]),
        "text": entry.text if entry else scenario["title"],
        "sdks": [cell["sdk"] for cell in failed],
        "checks": list(dict.fromkeys(checks)),
    }
