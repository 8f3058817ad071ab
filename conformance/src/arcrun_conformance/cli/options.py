"""Options that several commands share, and the exit codes."""

from __future__ import annotations

import itertools
import os
import re
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from arcrun_conformance import deviations, report
from arcrun_conformance import gate as gates
from arcrun_conformance.adapters.registry import RegisteredAdapter, default_runtimes, read_registry
from arcrun_conformance.documents import DocumentError, Problem
from arcrun_conformance.json_files import read_json
from arcrun_conformance.printing import print_line
from arcrun_conformance.report import terminal
from arcrun_conformance.resources import data_directory
from arcrun_conformance.scenarios.scenario import SUITES, Scenario, Suite, load_all
from arcrun_conformance.target import Keys

from .numbers import whole_number

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from arcrun_conformance.deviations import KnownDeviation

GO, FAILED, COULD_NOT_RUN = 0, 1, 2
DATA = data_directory()


class UsageError(Exception):
    """The command can't be run with these arguments; the message says what to do."""


if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001


def command(commands: Commands, name: str, text: str) -> argparse.ArgumentParser:
    """Add a command with its help and return its parser."""
    return commands.add_parser(name, help=text, description=text)


def add_scenarios(parser: argparse.ArgumentParser) -> None:
    """Add the options for the suite and the folder of its scenarios."""
    parser.add_argument(
        "--scenarios",
        type=Path,
        metavar="DIR",
        help="the folder of the scenarios (default: those of the package)",
    )
    parser.add_argument(
        "--suite",
        choices=SUITES,
        default="sdk",
        help="sdk checks SDKs (and with them the engine), engine checks an engine without any SDK "
        "(default: sdk)",
    )


def all_scenarios(options: argparse.Namespace) -> list[Scenario]:
    """Return the scenarios of both suites; of the folder that the options name, if they name one."""
    if options.scenarios:
        return load_all(options.scenarios, options.suite)
    return [scenario for suite in SUITES for scenario in scenarios_of(options, suite)]


def scenarios_of(options: argparse.Namespace, suite: Suite | None = None) -> list[Scenario]:
    """Return the scenarios of the suite that the options name, or of another one."""
    chosen: Suite = suite or options.suite
    return load_all(options.scenarios or DATA / "scenarios" / chosen, chosen)


def add_adapters(parser: argparse.ArgumentParser) -> None:
    """Add the options for the registry of adapters and for what runs them."""
    parser.add_argument(
        "--adapters",
        type=Path,
        default=DATA / "adapters/adapters.yaml",
        metavar="FILE",
        help="the registry of adapters (default: that of the package)",
    )
    parser.add_argument(
        "--adapter-python",
        default=os.environ.get("ARCRUN_CONFORMANCE_ADAPTER_PYTHON", sys.executable),
        metavar="PYTHON",
        help="the interpreter that has the SDK installed (default: this one)",
    )
    parser.add_argument(
        "--adapter-runtimes",
        type=Path,
        default=default_runtimes(),
        metavar="DIR",
        help="the folder of the JavaScript runtimes (default: .arcrun/javascript; also "
        "ARCRUN_CONFORMANCE_RUNTIMES)",
    )


def adapters(options: argparse.Namespace) -> dict[str, RegisteredAdapter]:
    """Return the adapters of the registry that the options name."""
    return read_registry(options.adapters, options.adapter_python, options.adapter_runtimes)


def add_gate(parser: argparse.ArgumentParser) -> None:
    """Add the options for the gate."""
    parser.add_argument(
        "--gate", action="store_true", help="end with GO or NO-GO, according to gate.yaml"
    )
    add_gate_file(parser)


def add_deviations(parser: argparse.ArgumentParser) -> None:
    """Add the options for known deviations of a remote target."""
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
    """Add the option for the file of the gate."""
    parser.add_argument(
        "--gate-file",
        type=Path,
        default=DATA / "gate.yaml",
        metavar="FILE",
        help="the gate (default: that of the package)",
    )


def add_reports(parser: argparse.ArgumentParser) -> None:
    """Add the option for the folder of the reports."""
    parser.add_argument(
        "--report-dir",
        type=Path,
        metavar="D",
        help="write conformance.json, junit.xml, summary.md, badge.json and index.html to this folder",
    )
    parser.add_argument(
        "--artifacts",
        type=Path,
        metavar="FILE",
        help="a JSON list of the artifacts that are tested, for the report: objects with file, sha256 and, "
        "if known, the command that made it",
    )


def read_artifacts(options: argparse.Namespace) -> list[dict[str, str]]:
    """Return the artifacts that the options name; read before a run, so that errors come at once.

    Raises:
        DocumentError: The file can't be read, or is no such list.
    """
    if options.artifacts is None:
        return []
    artifacts: list[dict[str, str]] = read_json(
        options.artifacts, "report", "list of artifacts", "artifacts"
    )
    return artifacts


def check_report_folder(options: argparse.Namespace) -> None:
    """Check, before a run, that its reports can be written.

    Raises:
        UsageError: They can't.
    """
    if options.report_dir is None:
        return
    try:
        report.check_folder(options.report_dir)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"reports can't be written to --report-dir {options.report_dir}: {reason}; name another folder"
        ) from error


def remove_old_reports(options: argparse.Namespace) -> None:
    """Remove the reports of an earlier run.

    Raises:
        UsageError: One can't be removed, as where a folder has its name.
    """
    if options.report_dir is None:
        return
    try:
        report.remove_old(options.report_dir)
    except OSError as error:
        raise UsageError(
            f"--report-dir {options.report_dir}: {error.filename} can't be removed: {error.strerror}; remove it, or "
            "name another folder"
        ) from error


def add_target(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Add the options for the engine; without a default, for one that is there already."""
    parser.add_argument(
        "--target",
        default=default,
        required=default is None,
        metavar="local|live|URL",
        help=f"the engine (default: {default})" if default else "the engine",
    )
    parser.add_argument(
        "--api-key-file",
        type=Path,
        metavar="FILE",
        help="a file that has nothing but the target's key (also the key itself, in "
        "ARCRUN_CONFORMANCE_API_KEY)",
    )
    parser.add_argument(
        "--api-key",
        metavar="K",
        help="the target's key; logs and lists of processes show arguments, so prefer the two others",
    )
    if default is None:
        return
    parser.add_argument(
        "--server-python",
        default=os.environ.get("ARCRUN_CONFORMANCE_SERVER_PYTHON", sys.executable),
        metavar="PYTHON",
        help="the interpreter that has arcrun-server installed, for the target local (default: "
        "this one)",
    )


def add_further_keys(parser: argparse.ArgumentParser) -> None:
    """Add the options for the keys of further accounts, which the engine suite uses."""
    parser.add_argument(
        "--second-api-key",
        metavar="K",
        help="a key of another account, for the engine suite (also "
        "ARCRUN_CONFORMANCE_SECOND_API_KEY; the target local makes its own)",
    )
    parser.add_argument(
        "--revoked-api-key",
        metavar="K",
        help="a revoked key, for the engine suite (also ARCRUN_CONFORMANCE_REVOKED_API_KEY)",
    )


def add_standin_port(parser: argparse.ArgumentParser) -> None:
    """Add the option for engines that the suite does not start, and that have a language model."""
    parser.add_argument(
        "--standin-port",
        type=whole_number(1, 65_535),
        metavar="PORT",
        help="the port of this machine at which the target asks its language model, by the Messages API; without it, "
        "what the suite checks of models is skipped (the target local is told where it is)",
    )


def further_keys(options: argparse.Namespace) -> Keys:
    """Return the keys of further accounts from the options or the environment."""
    return Keys(_further_key(options, "second"), _further_key(options, "revoked"))


def _further_key(options: argparse.Namespace, which: str) -> str | None:
    option, variable = f"{which}_api_key", f"ARCRUN_CONFORMANCE_{which.upper()}_API_KEY"
    if given := getattr(options, option):
        return _key(given, f"--{which}-api-key")
    return _key(os.environ.get(variable), variable)


def _key(text: str | None, source: str) -> str | None:
    """Return a key that a header can hold.

    Raises:
        UsageError: It is none; the message does not repeat it.
    """
    if text and not re.fullmatch("[!-~]+", text):
        raise UsageError(
            f"{source} is no key: a key is one line of ASCII letters, digits and signs, without spaces"
        )
    return text


def api_key(options: argparse.Namespace) -> str | None:
    """Return the key from the options or the environment.

    Raises:
        UsageError: The file with the key can't be read, or no header can hold it.
    """
    if options.api_key_file is None:
        if options.api_key:
            return _key(options.api_key, "--api-key")
        return _key(os.environ.get("ARCRUN_CONFORMANCE_API_KEY"), "ARCRUN_CONFORMANCE_API_KEY")
    if options.api_key:
        raise UsageError("--api-key and --api-key-file are both given: leave out --api-key")
    try:
        key = options.api_key_file.read_text("utf-8").strip()
    except OSError as error:
        raise UsageError(
            f"--api-key-file: the key can't be read from {options.api_key_file}: {error.strerror}"
        ) from error
    except UnicodeDecodeError:
        key = "\0"  # what it has is no key, in whatever encoding
    if not key:
        raise UsageError(f"--api-key-file: {options.api_key_file} has no key")
    return _key(key, f"what --api-key-file {options.api_key_file} holds")


def read_gate(options: argparse.Namespace) -> gates.Gate | None:
    """Return the gate if `--gate` was given; read it before a run, so that errors come at once."""
    if not options.gate:
        return None
    own = [options.scenarios] if options.scenarios else []
    folders = own or [DATA / "scenarios" / suite for suite in SUITES]
    # A scenario has the id of its file, so those of the other suite need not be read.
    ids = [path.stem for folder in folders for path in folder.rglob("*.yaml")]
    return gates.load(options.gate_file, ids)


def read_deviations(options: argparse.Namespace) -> list[KnownDeviation]:
    """Return the known deviations of remote targets; none with `--strict`.

    Raises:
        DocumentError: The file can't be read, or has none.
    """
    return [] if options.strict else deviations.load(options.deviations)


def conclude(
    options: argparse.Namespace,
    described: dict[str, Any],
    gate: gates.Gate | None,
    known: list[KnownDeviation],
    record: Callable[[Path], list[str]],
) -> int:
    """Apply the gate to a run, write and print its reports, and return the exit code.

    Args:
        options: The options of the command.
        described: The run.
        gate: The gate, if there is one.
        known: The known deviations.
        record: Writes the recordings of failed cells to a folder, and returns why some can't be.
    """
    if described["target"]["remote"]:
        described["deviations"] = deviations.found_in(described, known)
    if gate is not None:
        today = datetime.now(timezone.utc).date()
        described["gate"] = gates.judge(gate, described, today).as_dict()
    if options.report_dir:
        for problem in report.write_all(described, options.report_dir, record):
            print_line(Console(stderr=True), problem)
    page = options.report_dir / report.PAGE if options.report_dir else None
    terminal.show(described, Console(), page)
    if described["cells"] and not any(sdk["started"] for sdk in described["sdks"]):
        return COULD_NOT_RUN
    if gate is not None:
        return GO if described["gate"]["verdict"] == "GO" else FAILED
    return FAILED if report.failed(described) else GO


def read_report(path: Path) -> dict[str, Any]:
    """Read a report from its folder or its file.

    Raises:
        DocumentError: The file can't be read, is not a report, or contradicts itself.
    """
    file = path / "conformance.json" if path.is_dir() else path
    found: dict[str, Any] = read_json(file, "report", "report of arcrun-conformance")
    if wrong := list(itertools.islice(report.contradictions(found), 5)):
        raise DocumentError([Problem(file, None, f"contradicts itself: {each}") for each in wrong])
    return found
