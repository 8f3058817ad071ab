"""`arcrun-conformance parity`: whether all SDKs of a report send the same requests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from arcrun_conformance import parity

from .options import DATA, FAILED, GO, UsageError, command, read_report

if TYPE_CHECKING:
    import argparse

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
    differences = parity.compare(report, parity.load(options.explained))
    console = Console()
    for difference in differences:
        style = "yellow" if difference.reason else "red"
        console.print(str(difference), style=style, highlight=False, markup=False, soft_wrap=True)
    unexplained = sum(not difference.reason for difference in differences)
    names = ", ".join(sdk["name"] for sdk in report["sdks"])
    style = "red" if unexplained else "green"
    console.print(
        f"[{style} bold]{unexplained} unexplained differences[/] on the wire between {names}",
        highlight=False,
    )
    return FAILED if unexplained else GO
