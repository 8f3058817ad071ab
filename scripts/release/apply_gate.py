"""Apply the conformance suite's gate to a report once more, in a process that can import it.

python -m scripts.release.apply_gate REPORT GATE DAY prints, as JSON, why it is NO-GO and to which column the report
belongs. The environment that verifies a release does not have the suite: PYTHONPATH has to name its sources.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path

import yaml

from arcrun_conformance import gate


def main(report_file: str, gate_file: str, day: str) -> None:
    """Print what the gate says of a report."""
    report = json.loads(Path(report_file).read_text("utf-8"))
    path, column = Path(gate_file), ""
    # A report has the scenarios of its suite only; one that the gate needs and that did not run is a reason.
    contracts = yaml.safe_load(path.read_text("utf-8"))["contracts"].values()
    named = [each for columns in contracts for names in columns.values() for each in names]
    needed = gate.load(path, named)
    try:
        verdict = gate.judge(needed, report, dt.date.fromisoformat(day))
        reasons, column = verdict.reasons, verdict.column
        if (stated := report["gate"]["contract"]) != needed.contract:
            reasons.append(f"the gate of contract {stated} was applied, not {needed.contract}")
    except Exception as error:  # noqa: BLE001 - whatever a report of somebody else makes of its reader
        reasons = [f"it is no report of the suite: {type(error).__name__} {error}"]
    print(json.dumps({"reasons": reasons, "column": column}))


if __name__ == "__main__":
    main(*sys.argv[1:])
