"""Measure `arcrun-mcp` by the suite of the Model Context Protocol: `nox -s mcp_conformance`.

Every check of the suite is met, or stands in `scripts/mcp_conformance/exceptions.yaml` with the reason why not; an
exception that is met fails as well.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rich.markup import escape

from scripts import ROOT, processes
from scripts.console import exit_code, make_console
from scripts.mcp_conformance.suite import SOURCE, measure
from scripts.rehearsal import Rehearsal, StepFailed


def main() -> int:
    """Measure; return 0 for GO, 1 for NO-GO, 130 when interrupted."""
    processes.interrupt_on_signals()
    rehearsal = Rehearsal(make_console())
    console = rehearsal.console
    results = ROOT / "reports" / "mcp-conformance"
    results.mkdir(parents=True, exist_ok=True)
    try:
        with (
            processes.temporary_folder("arcrun-mcp-conformance-") as work,
            rehearsal.step("mcp_conformance", "arcrun-mcp, by the protocol's suite") as figures,
        ):
            found = measure(
                python=Path(sys.executable),
                engine_python=Path(sys.executable),
                installed=SOURCE,
                work=work,
                results=results,
                log=results / "log.txt",
            )
            figures.update(found)
    except StepFailed as problem:
        console.print(escape(str(problem)), highlight=False)
        console.print(f"\n[bold red]NO-GO[/]: the results are in {results}", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("\n[bold red]NO-GO[/]: interrupted; all started programs were stopped")
        return 130
    console.print("\n[bold green]GO[/]", highlight=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
