"""`arcrun-conformance parity`: whether all SDKs of a report send the same requests."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from arcrun_conformance import parity

from .options import DATA, FAILED, GO, UsageError, command, read_report

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from .options import Commands


def add_to(commands: Commands) -> None:
    """Add the command."""
    compare = command(commands, "parity", "Compare what the SDKs of a report have sent.")
    compare.add_argument(
        "report", type=Path, metavar="D", help="a report folder, or conformance.json"
    )
    compare.add_argument(
        "--explained",
        type=Path,
        default=DATA / "parity.yaml",
        metavar="FILE",
        help="differences that have a reason (default: those that came with the runner)",
    )
    compare.set_defaults(command=_parity)


def _parity(options: argparse.Namespace) -> int:
    report = read_report(options.report)
    if len(report["sdks"]) < 2:
        raise UsageError("the report has one SDK only: parity needs two")
    explained = parity.load(options.explained)
    differences = parity.compare(report, explained)
    idle = parity.idle(report, explained, differences)
    lines = [("yellow", line) for line in _explained(differences)]
    lines += [("red", str(difference)) for difference in differences if not difference.reason]
    lines += [("red", f"explains nothing, remove it: {entry}") for entry in idle]
    console = Console()
    for style, line in lines:
        console.print(line, style=style, highlight=False, markup=False, soft_wrap=True)
    unexplained = sum(not difference.reason for difference in differences)
    names = ", ".join(sdk["name"] for sdk in report["sdks"])
    style = "red" if unexplained else "green"
    console.print(
        f"[{style} bold]{unexplained} unexplained differences[/] on the wire between {names}",
        highlight=False,
    )
    return FAILED if unexplained or idle else GO


def _explained(differences: Sequence[parity.Difference]) -> list[str]:
    """A line for each reason and SDK: how many differences it explains."""
    counted = Counter((each.sdk, each.reason) for each in differences if each.reason)
    return [f"{sdk}: {number} explained: {reason}" for (sdk, reason), number in counted.items()]
