"""The command line: `arcrun-conformance run|list|show|validate`."""

from __future__ import annotations

import argparse
import asyncio
import functools
import os
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table

from . import gate as gates
from ._version import __version__
from .adapter import Registered, SubprocessConnection, registered
from .documents import DocumentError
from .report import document, junit, terminal
from .resources import data_directory
from .runner import Opener, Plan, execute
from .scenario import Scenario, load_all, select
from .target import TargetError, open_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .results import Cell, Run

GO, FAILED, COULD_NOT_RUN = 0, 1, 2


class UsageError(Exception):
    """The command can't be carried out as it was given; the text says what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command; returns the exit code.

    0: GO, everything asked for passed. 1: something failed. 2: it could not be run.
    """
    options = _parser().parse_args(arguments)
    errors = Console(stderr=True)
    try:
        code: int = options.command(options)
    except (UsageError, TargetError, DocumentError) as error:
        errors.print(f"[red bold]error[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        errors.print("interrupted")
        return FAILED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="arcrun-conformance",
        description="Proves that an arcrun SDK and an arcrun engine keep the wire contract.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    data = data_directory()

    def command(name: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument(
            "--scenarios",
            type=Path,
            default=data / "scenarios",
            metavar="DIR",
            help="the folder of the scenarios (default: those that came with the runner)",
        )
        return sub

    run = command("run", "Run scenarios with SDKs against a target.")
    _run_options(run, data)
    run.set_defaults(command=_run)

    listing = command("list", "List the scenarios.")
    listing.set_defaults(command=_list)

    show = command("show", "Show a scenario.")
    show.add_argument("id", help="the scenario's id")
    show.set_defaults(command=_show)

    validate = command("validate", "Check the scenarios, the gate and the adapters' registry.")
    validate.add_argument("--gate-file", type=Path, default=data / "gate.yaml", metavar="FILE")
    validate.add_argument(
        "--adapters", type=Path, default=data / "adapters/adapters.yaml", metavar="FILE"
    )
    validate.set_defaults(command=_validate)
    return parser


def _run_options(run: argparse.ArgumentParser, data: Path) -> None:
    python = sys.executable
    env = os.environ.get
    run.add_argument(
        "--target",
        default="local",
        metavar="local|live|URL",
        help="default: local, which is started and stopped",
    )
    run.add_argument(
        "--api-key", metavar="K", help="the key for the target (also ARCRUN_CONFORMANCE_API_KEY)"
    )
    run.add_argument("--sdk", metavar="NAME,…", help="the SDKs (default: all of the registry)")
    run.add_argument(
        "--scenario",
        action="append",
        default=[],
        metavar="GLOB",
        help="only scenarios whose id fits; may be repeated",
    )
    run.add_argument(
        "--report-dir", type=Path, metavar="D", help="write conformance.json and junit.xml there"
    )
    run.add_argument("--gate", action="store_true", help="end with GO or NO-GO, as gate.yaml says")
    run.add_argument("--gate-file", type=Path, default=data / "gate.yaml", metavar="FILE")
    run.add_argument(
        "--adapters",
        type=Path,
        default=data / "adapters/adapters.yaml",
        metavar="FILE",
        help="the registry of adapters",
    )
    run.add_argument(
        "--adapter-python",
        default=env("ARCRUN_CONFORMANCE_ADAPTER_PYTHON", python),
        metavar="PYTHON",
        help="the interpreter that has the SDK (default: this one)",
    )
    run.add_argument(
        "--server-python",
        default=env("ARCRUN_CONFORMANCE_SERVER_PYTHON", python),
        metavar="PYTHON",
        help="the interpreter that has arcrun-server (default: this one)",
    )
    run.add_argument(
        "--answer-seconds",
        type=float,
        default=30.0,
        metavar="S",
        help="how long an adapter may take for one answer (default: 30)",
    )
    run.add_argument(
        "--jobs",
        type=_positive,
        default=1,
        metavar="N",
        help="how many scenarios at a time (default: 1)",
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _run(options: argparse.Namespace) -> int:
    scenarios = load_all(options.scenarios)
    gate = gates.load(options.gate_file, [s.id for s in scenarios]) if options.gate else None
    selected = select(scenarios, options.scenario)
    if not selected:
        raise UsageError(
            f"no scenario fits {', '.join(options.scenario)}; `arcrun-conformance list` shows all"
        )
    sdks = _sdks(options)
    if options.report_dir:
        options.report_dir.mkdir(parents=True, exist_ok=True)
    console = Console()
    run = asyncio.run(_execute(options, selected, sdks, console))
    verdict = gates.judge(gate, run, datetime.now(timezone.utc).date()) if gate else None
    described = document.describe(run, verdict)
    if options.report_dir:
        document.write(described, options.report_dir / "conformance.json")
        junit.write(described, options.report_dir / "junit.xml")
    terminal.show(described, console)
    if verdict is not None:
        return GO if verdict.go else FAILED
    return FAILED if run.failed else GO


async def _execute(
    options: argparse.Namespace,
    scenarios: Sequence[Scenario],
    sdks: Sequence[Registered],
    console: Console,
) -> Run:
    key = options.api_key or os.environ.get("ARCRUN_CONFORMANCE_API_KEY")
    openers: dict[str, Opener] = {
        sdk.name: functools.partial(SubprocessConnection.open, sdk.command) for sdk in sdks
    }
    with terminal.progress(console) as progress:
        task = progress.add_task("starting", total=len(scenarios) * len(sdks))

        def on_cell(cell: Cell) -> None:
            progress.update(task, advance=1, description=f"{cell.sdk} {cell.scenario}")

        async with open_target(options.target, key, options.server_python) as target:
            plan = Plan(target, scenarios, openers, options.answer_seconds, options.jobs, on_cell)
            return await execute(plan)


def _sdks(options: argparse.Namespace) -> list[Registered]:
    known = registered(options.adapters, options.adapter_python)
    if not options.sdk:
        return [sdk for sdk in known.values() if sdk.default]
    wanted = [name.strip() for name in options.sdk.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise UsageError(
            f"no SDK is named {', '.join(unknown) or repr(options.sdk)}; {options.adapters} has "
            f"{', '.join(known)}"
        )
    return [known[name] for name in dict.fromkeys(wanted)]


def _list(options: argparse.Namespace) -> int:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("scenario", "spec", "title"):
        table.add_column(column)
    for scenario in load_all(options.scenarios):
        table.add_row(scenario.id, " ".join(scenario.spec), escape(scenario.title))
    Console().print(table)
    return GO


def _show(options: argparse.Namespace) -> int:
    scenarios = {scenario.id: scenario for scenario in load_all(options.scenarios)}
    scenario = scenarios.get(options.id)
    if scenario is None:
        raise UsageError(f"no scenario is named {options.id}; `arcrun-conformance list` shows all")
    Console().print(Syntax(scenario.source, "yaml", background_color="default"))
    return GO


def _validate(options: argparse.Namespace) -> int:
    scenarios = load_all(options.scenarios)
    gates.load(options.gate_file, [scenario.id for scenario in scenarios])
    adapters = registered(options.adapters, sys.executable)
    Console().print(f"{len(scenarios)} scenarios, the gate and {len(adapters)} adapters are sound")
    return GO
