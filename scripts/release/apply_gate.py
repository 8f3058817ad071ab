"""Apply the conformance suite's gate to a report once more.

The environment that verifies a release does not have the suite: a process of its own imports it from the sources.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from scripts import ROOT, processes
from scripts.rehearsal import StepFailed

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

# Its arguments are a report, gate.yaml, the day and the folder of the suite's sources; it prints the reasons against GO.
PROGRAM = """
import datetime, json, pathlib, sys, yaml
sys.path.insert(0, sys.argv[4])
from arcrun_conformance import gate
report = json.loads(pathlib.Path(sys.argv[1]).read_text("utf-8"))
path = pathlib.Path(sys.argv[2])
# A report has the scenarios of its suite only; one that the gate needs and that did not run is a reason.
contracts = yaml.safe_load(path.read_text("utf-8"))["contracts"].values()
named = [each for columns in contracts for names in columns.values() for each in names]
needed = gate.load(path, named)
try:
    reasons = gate.judge(needed, report, datetime.date.fromisoformat(sys.argv[3])).reasons
    if (stated := report["gate"]["contract"]) != needed.contract:
        reasons.append(f"the gate of contract {stated} was applied, not {needed.contract}")
except Exception as error:  # whatever a report of somebody else makes of its reader
    reasons = [f"it is no report of the suite: {type(error).__name__} {error}"]
print(json.dumps(reasons))
"""


def reasons(report: Path, day: dt.date, work: Path) -> list[str]:
    """Return why a report is NO-GO by the gate of this checkout, at a day.

    Raises:
        StepFailed: The gate can't be applied, as where its file is not valid.
    """
    suite = ROOT / "conformance"
    given = (report, suite / "gate.yaml", day.isoformat(), suite / "src")
    try:
        printed = processes.run(
            [sys.executable, "-I", "-X", "utf8", "-c", PROGRAM, *map(str, given)],
            log=work / "gate.log",
        )
    except processes.CommandFailed as failed:
        said = failed.log.read_text("utf-8", "replace").strip().splitlines()[-1]
        raise StepFailed(f"the gate of this checkout can't be applied to it: {said}") from None
    found: list[str] = json.loads(printed)
    return found
