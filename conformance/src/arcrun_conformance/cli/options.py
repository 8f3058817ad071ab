"""Options that several commands share, and the exit codes."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from arcrun_conformance import deviations, report
from arcrun_conformance import gate as gates
from arcrun_conformance.registry import Registered, default_runtimes, registered
from arcrun_conformance.report import terminal
from arcrun_conformance.resources import data_directory, validator

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from arcrun_conformance.scenario import Scenario

GO, FAILED, COULD_NOT_RUN = 0, 1, 2
DATA = data_directory()


class UsageError(Exception):
    """The command can't be carried out as it was given; the text says what to do."""


if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001


def command(commands: Commands, name: str, text: str) -> argparse.ArgumentParser:
    """A new command with its help."""
    return commands.add_parser(name, help=text, description=text)


def add_scenarios(parser: argparse.ArgumentParser) -> None:
    """Where the scenarios are."""
    parser.add_argument(
        "--scenarios",
        type=Path,
        default=DATA / "scenarios",
        metavar="DIR",
        help="the folder of the scenarios (default: those that came with the runner)",
    )


def add_adapters(parser: argparse.ArgumentParser) -> None:
    """Where the adapters are registered, and what runs them."""
    parser.add_argument(
        "--adapters",
        type=Path,
        default=DATA / "adapters/adapters.yaml",
        metavar="FILE",
        help="the registry of adapters (default: the one that came with the runner)",
    )
    parser.add_argument(
        "--adapter-python",
        default=os.environ.get("ARCRUN_CONFORMANCE_ADAPTER_PYTHON", sys.executable),
        metavar="PYTHON",
        help="the interpreter that has the SDK (default: this one)",
    )
    parser.add_argument(
        "--adapter-runtimes",
        type=Path,
        default=default_runtimes(),
        metavar="DIR",
        help="the folder of the JavaScript runtimes (default: .arcrun/javascript; also "
        "ARCRUN_CONFORMANCE_RUNTIMES)",
    )


def adapters(options: argparse.Namespace) -> dict[str, Registered]:
    """The adapters of the registry that the options name."""
    return registered(options.adapters, options.adapter_python, options.adapter_runtimes)


def add_gate(parser: argparse.ArgumentParser) -> None:
    """Whether to end with GO or NO-GO, and by which gate."""
    parser.add_argument(
        "--gate", action="store_true", help="end with GO or NO-GO, as gate.yaml says"
    )
    add_gate_file(parser)


def add_deviations(parser: argparse.ArgumentParser) -> None:
    """Which differences of a remote target are known."""
    parser.add_argument(
        "--deviations",
        type=Path,
        default=DATA / "deviations/live.yaml",
        metavar="FILE",
        help="known deviations of remote targets (default: those of the hosted engine)",
    )
    parser.add_argument(
        "--strict", action="store_true", help="known deviations fail the run as well"
    )


def add_gate_file(parser: argparse.ArgumentParser) -> None:
    """Where the gate is."""
    parser.add_argument(
        "--gate-file",
        type=Path,
        default=DATA / "gate.yaml",
        metavar="FILE",
        help="the gate (default: the one that came with the runner)",
    )


def add_reports(parser: argparse.ArgumentParser) -> None:
    """Where to write reports."""
    parser.add_argument(
        "--report-dir",
        type=Path,
        metavar="D",
        help="write conformance.json, junit.xml, summary.md and index.html there",
    )


def add_target(parser: argparse.ArgumentParser, default: str | None) -> None:
    """The engine."""
    parser.add_argument(
        "--target",
        default=default,
        required=default is None,
        metavar="local|live|URL",
        help=f"the engine (default: {default})" if default else "the engine",
    )
    parser.add_argument(
        "--api-key", metavar="K", help="the target's key (also ARCRUN_CONFORMANCE_API_KEY)"
    )
    parser.add_argument(
        "--server-python",
        default=os.environ.get("ARCRUN_CONFORMANCE_SERVER_PYTHON", sys.executable),
        metavar="PYTHON",
        help="the interpreter that has arcrun-server, for the target local (default: this one)",
    )


def api_key(options: argparse.Namespace) -> str | None:
    """The key from the option or the environment."""
    return options.api_key or os.environ.get("ARCRUN_CONFORMANCE_API_KEY")


def read_gate(options: argparse.Namespace, scenarios: Sequence[Scenario]) -> gates.Gate | None:
    """The gate, if it was asked for; read before anything is run, so that it fails at once."""
    if not options.gate:
        return None
    return gates.load(options.gate_file, [scenario.id for scenario in scenarios])


def conclude(
    options: argparse.Namespace, described: dict[str, Any], gate: gates.Gate | None
) -> int:
    """Judge a run, write and show its reports; returns the exit code."""
    if described["target"]["remote"]:
        known = [] if options.strict else deviations.load(options.deviations)
        described["deviations"] = deviations.found_in(described, known)
    if gate is not None:
        today = datetime.now(timezone.utc).date()
        described["gate"] = gates.judge(gate, described, today).described()
    if options.report_dir:
        report.write_all(described, options.report_dir)
    terminal.show(described, Console())
    if gate is not None:
        return GO if described["gate"]["verdict"] == "GO" else FAILED
    return FAILED if report.failed(described) else GO


def read_report(path: Path) -> dict[str, Any]:
    """A report from its folder or its file.

    Raises:
        UsageError: It can't be read, or is none.
    """
    file = path / "conformance.json" if path.is_dir() else path
    try:
        report: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} can't be read: {error}") from error
    for broken in validator("report").iter_errors(report):
        raise UsageError(f"{file} is no report of arcrun-conformance: {broken.message}")
    return report
