"""Parity: contract, Python and TypeScript SDK offer the same, send the same, and open what each other seals.

`nox -s parity` runs it on the sources; `-- --report DIR` compares the requests of an earlier conformance run.
Differences that are right have their reasons in `scripts/parity/explained.yaml`, and in `conformance/parity.yaml` for
what is sent.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from scripts import ROOT, processes
from scripts.console import exit_code, make_console
from scripts.parity.parts import EXPLAINED, PARTS, SDKS, Settings
from scripts.rehearsal import Rehearsal, StepFailed

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; return 0 for GO, 1 for NO-GO, 130 when interrupted."""
    options = _options(arguments)
    processes.interrupt_on_signals()
    console = make_console()
    rehearsal = Rehearsal(console)
    with processes.temporary_folder("arcrun-parity-") as work:
        values = {**vars(options), "sdks": tuple(options.sdks.split(",")), "work": work}
        return _compare(Settings(**values), rehearsal)


def _compare(settings: Settings, rehearsal: Rehearsal) -> int:
    """Compare all parts, also after one that failed, so that all differences are shown at once."""
    console, failed = rehearsal.console, []
    for name, (summary, compare) in PARTS.items():
        try:
            with rehearsal.step(name, summary) as figures:
                figures.update(compare(settings, console))
        except StepFailed as problem:
            failed.append(name)
            console.print(escape(str(problem)), highlight=False)
        except KeyboardInterrupt:
            console.print("\n[bold red]NO-GO[/]: interrupted; all started programs were stopped")
            return 130
    if failed:
        console.print(f"\n[bold red]NO-GO[/]: {', '.join(failed)}", highlight=False)
        return 1
    console.print(f"\n[bold green]GO[/] in {rehearsal.seconds:.0f} s: 0 unexplained differences")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="nox -s parity --",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--report", type=Path, help="a conformance run of several SDKs: its folder or file"
    )
    parser.add_argument("--sdks", default=",".join(SDKS), help="names in the registry of adapters")
    parser.add_argument("--explained", type=Path, default=EXPLAINED)
    adapters = ROOT / "conformance" / "adapters" / "adapters.yaml"
    parser.add_argument("--adapters", type=Path, default=adapters)
    for package in ("server", "adapter", "conformance"):
        parser.add_argument(f"--{package}-python", type=Path, default=Path(sys.executable))
    parser.add_argument("--js-sdk", type=Path, default=Settings.js_sdk)
    parser.add_argument("--runtimes", type=Path, default=Settings.runtimes)
    parser.add_argument("--node", default=shutil.which("node") or "node")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
