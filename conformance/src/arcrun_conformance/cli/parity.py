"""`arcrun-conformance parity`: compare the requests that the SDKs of a report have sent."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Console

from arcrun_conformance import parity
from arcrun_conformance.gate import load_unsupported
from arcrun_conformance.report import merged

from .options import DATA, FAILED, GO, UsageError, command, read_report

EXPLAINED = DATA / "parity.yaml"

if TYPE_CHECKING:
    import argparse

    from .options import Commands


def add_to(commands: Commands) -> None:
    """Add the command."""
    compare = command(commands, "parity", "Compare the requests that the SDKs have sent.")
    compare.add_argument(
        "reports",
        nargs="+",
        type=Path,
        metavar="REPORT",
        help="a report folder or a conformance.json; several are merged",
    )
    compare.add_argument(
        "--explained",
        type=Path,
        metavar="FILE",
        help="differences that have a reason (default: those of the package, between its own SDKs)",
    )
    compare.add_argument(
        "--gate-file",
        type=Path,
        default=DATA / "gate.yaml",
        metavar="FILE",
        help="the capabilities that SDKs are allowed to lack (default: those of the package)",
    )
    compare.add_argument(
        "--json", action="store_true", help="print every difference as JSON, and nothing else"
    )
    compare.set_defaults(command=_parity)


def _parity(options: argparse.Namespace) -> int:
    reports = [read_report(path) for path in options.reports]
    try:
        found = parity.compare(
            merged(reports, list(map(str, options.reports))),
            parity.load(options.explained or EXPLAINED),
            load_unsupported(options.gate_file),
            None if options.explained else _own_sdks(),
        )
    except ValueError as error:
        raise UsageError(f"these reports can't be merged: {error}") from error
    except parity.NotComparable as error:
        raise UsageError(f"the requests can't be compared: {error}") from error
    if options.json:
        print(json.dumps(_document(found), ensure_ascii=False, indent=2))
    else:
        _show(found)
    return GO if found.go else FAILED


def _own_sdks() -> frozenset[str]:
    """Return the SDKs that the package's explanations are about: others need not differ as these do."""
    registry = yaml.safe_load((DATA / "adapters/adapters.yaml").read_text("utf-8"))
    return frozenset(each["name"] for each in registry["adapters"])


def _document(found: parity.Comparison) -> dict[str, Any]:
    return {
        "verdict": "GO" if found.go else "NO-GO",
        "sdks": found.sdks,
        "scenarios": len(found.compared),
        "requests": found.requests,
        "differences": [asdict(difference) for difference in found.differences],
        "unused": [str(explanation) for explanation in found.unused],
    }


def _show(found: parity.Comparison) -> None:
    counted = Counter((each.sdk, each.reason) for each in found.differences if each.reason)
    lines = [
        ("yellow", f"{sdk}: {number} explained: {reason}")
        for (sdk, reason), number in counted.items()
    ]
    lines += [("red", str(difference)) for difference in found.unexplained]
    lines += [("red", f"explains nothing, remove it: {each}") for each in found.unused]
    console = Console()
    for style, line in lines:
        console.print(line, style=style, highlight=False, markup=False, soft_wrap=True)
    style = "red" if found.unexplained else "green"
    console.print(
        f"[{style} bold]{len(found.unexplained)} unexplained differences[/] "
        f"in {found.requests} requests of {len(found.compared)} scenarios "
        f"between {', '.join(found.sdks)}",
        highlight=False,
        soft_wrap=True,
    )
