"""Compare what the SDKs send: the conformance suite records it, and its own command compares it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scripts import processes
from scripts.parity.explained import Verdict

if TYPE_CHECKING:
    from pathlib import Path

GO, NO_GO = 0, 1  # exit codes of `arcrun-conformance parity`; any other one is an error


@dataclass(frozen=True)
class WireComparison:
    """What `arcrun-conformance parity` has found.

    Attributes:
        sdks: How many SDKs were compared.
        scenarios: In how many scenarios.
        requests: How many requests were compared with those of the first SDK.
        verdict: The differences; the suite has its own explanations of them.
    """

    sdks: int
    scenarios: int
    requests: int
    verdict: Verdict


def compare_report(python: Path, report: Path, log: Path) -> WireComparison:
    """Let the installed suite compare the requests of a report.

    Args:
        python: The interpreter of the environment that has `arcrun-conformance`.
        report: A report folder, or a `conformance.json`.
        log: Receives what the suite prints.

    Raises:
        processes.CommandFailed: The requests can't be compared; the log says why.
    """
    command = [str(python), "-I", "-m", "arcrun_conformance", "parity", str(report), "--json"]
    return _comparison(json.loads(processes.run(command, log=log, exit_codes=(GO, NO_GO))))


def _comparison(document: dict[str, Any]) -> WireComparison:
    verdict = Verdict(unused=document["unused"])
    for each in document["differences"]:
        against = f" (against {each['against']})" if each["against"] else ""
        line = f"{each['scenario']}, {each['sdk']}: {each['text']}{against}"
        if each["reason"]:
            verdict.explained.setdefault(each["reason"], []).append(line)
        else:
            verdict.unexplained.append(line)
    return WireComparison(
        len(document["sdks"]), document["scenarios"], document["requests"], verdict
    )
