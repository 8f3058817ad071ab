"""The command `arcrun-conformance run`."""

from __future__ import annotations

import argparse
import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console

from arcrun_conformance.adapters.adapter import REPLY_SECONDS
from arcrun_conformance.cleaning import well_formed
from arcrun_conformance.replay.recording import write_recordings
from arcrun_conformance.report import describe, terminal
from arcrun_conformance.runs.engine_suite import EngineRunConfig, execute_engine_suite
from arcrun_conformance.runs.runner import Opener, RunConfig, execute
from arcrun_conformance.runs.workers import LOCAL_JOBS
from arcrun_conformance.scenarios.scenario import Scenario, select
from arcrun_conformance.target import Keys, open_target, server_program, url_of
from arcrun_conformance.wire.pace import REMOTE_RATE

from .combinations import of_run, refuse_ignored
from .coverage import coverage
from .dry_run import dry_run
from .interrupts import cancel_on_signals
from .jobs import add_jobs, jobs_of
from .numbers import number_up_to
from .options import (
    UsageError,
    adapters,
    add_adapters,
    add_deviations,
    add_further_keys,
    add_gate,
    add_reports,
    add_scenarios,
    add_standin_port,
    add_target,
    api_key,
    check_report_folder,
    command,
    conclude,
    further_keys,
    read_artifacts,
    read_deviations,
    read_gate,
    remove_old_reports,
    scenarios_of,
)
from .repeating import repeating

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arcrun_conformance.adapters.registry import RegisteredAdapter
    from arcrun_conformance.runs.results import Cell, Run

    from .options import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    run = command(commands, "run", "Run scenarios with SDKs against a target.")
    add_target(run, default="local")
    add_further_keys(run)
    add_standin_port(run)
    run.add_argument(
        "--sdk",
        metavar="NAME,…",
        help="the SDKs (default: those that the registry runs by default)",
    )
    run.add_argument(
        "--scenario",
        action="append",
        default=[],
        metavar="GLOB",
        help="only scenarios whose id matches; may be repeated",
    )
    add_jobs(run, "scenarios to run", LOCAL_JOBS)
    run.add_argument(
        "--requests-per-second",
        type=number_up_to(1_000_000),
        metavar="N",
        help=f"how many requests a second the target may get (default: {REMOTE_RATE:g} for one that "
        "others use, otherwise no limit)",
    )
    run.add_argument(
        "--dry-run",
        action="store_true",
        help="with a target that others use: run against an engine of this machine instead, and list "
        "what would be created and removed",
    )
    run.add_argument(
        "--fail-fast", action="store_true", help="begin no further scenario after one that fails"
    )
    run.add_argument(
        "--shard", type=_shard, default=(1, 1), metavar="I/N", help="only the Ith of N parts"
    )
    run.add_argument(
        "--reply-seconds",
        "--answer-seconds",
        dest="reply_seconds",
        type=number_up_to(86_400),
        default=REPLY_SECONDS,
        metavar="S",
        help=f"how long to wait for a reply of an adapter (default: {REPLY_SECONDS:g})",
    )
    add_reports(run)
    run.add_argument(
        "--again",
        metavar="COMMAND",
        help="for the reports: the command that runs scenarios again, where this one names temporary folders",
    )
    run.add_argument(
        "--remote",
        action="store_true",
        help="treat the target as the hosted engine, even on this machine: column live, live-safe",
    )
    add_gate(run)
    add_deviations(run)
    add_scenarios(run)
    add_adapters(run)
    run.add_argument(
        "--coverage",
        action="store_true",
        help="run nothing: show which scenarios check each requirement of the contract",
    )
    run.set_defaults(command=_run, defaults=vars(run.parse_args([])))


def _shard(text: str) -> tuple[int, int]:
    index, _, total = text.partition("/")
    numbers = re.fullmatch("[0-9]{1,9}/[0-9]{1,9}", text)
    if not (numbers and 1 <= int(index) <= int(total)):
        raise argparse.ArgumentTypeError(f"must be I/N with 1 ≤ I ≤ N, e.g. 2/3, not {text[:40]!r}")
    return int(index), int(total)


def _run(options: argparse.Namespace) -> int:
    if options.target != "local":
        url_of(options.target)
    refuse_ignored(options, of_run(options))
    if options.coverage:
        return coverage(options)
    options.jobs = jobs_of(options, LOCAL_JOBS)
    scenarios = scenarios_of(options)
    gate = read_gate(options)
    selected = select(scenarios, options.scenario)
    if not selected:
        raise UsageError(
            f"no scenario matches {', '.join(options.scenario)}; list all with "
            "`arcrun-conformance list`"
        )
    index, total = options.shard
    selected = selected[index - 1 :: total]
    if not selected:
        raise UsageError(f"shard {index}/{total} has no scenario: fewer than {total} match")
    if options.dry_run:
        return dry_run(options, selected, select_adapters(adapters(options), options.sdk))
    # The target local makes its own.
    key, keys = (None, Keys()) if options.target == "local" else _keys(options)
    artifacts = read_artifacts(options)
    known = read_deviations(options)
    check_report_folder(options)
    remove_old_reports(options)
    if options.suite == "engine":
        run = asyncio.run(_execute_engine_suite(options, selected, key, keys))
    else:
        sdks = select_adapters(adapters(options), options.sdk)
        run = asyncio.run(_execute(options, selected, sdks, key))
    described = describe(run)
    described["shard"] = {"index": index, "of": total}
    described["command"] = well_formed(repeating(options))
    described["artifacts"] = artifacts
    return conclude(options, described, gate, known, partial(write_recordings, run))


def _keys(options: argparse.Namespace) -> tuple[str | None, Keys]:
    return api_key(options), further_keys(options)


async def _execute(
    options: argparse.Namespace,
    scenarios: Sequence[Scenario],
    sdks: Sequence[RegisteredAdapter],
    key: str | None,
) -> Run:
    cancel_on_signals()
    openers: dict[str, Opener] = {sdk.name: sdk.open for sdk in sdks}
    with terminal.progress(Console(), len(scenarios) * len(sdks)) as ended:

        def on_cell(cell: Cell) -> None:
            ended(f"{cell.sdk} {cell.scenario}")

        async with open_target(
            options.target,
            key,
            options.server_python,
            remote=options.remote,
            rate=options.requests_per_second,
        ) as target:
            config = RunConfig(
                target,
                scenarios,
                openers,
                options.reply_seconds,
                options.jobs,
                on_cell,
                options.fail_fast,
            )
            return await execute(config)


async def _execute_engine_suite(
    options: argparse.Namespace, scenarios: Sequence[Scenario], key: str | None, keys: Keys
) -> Run:
    cancel_on_signals()
    fresh = sum(scenario.uses("fresh_api_key") for scenario in scenarios)
    revoke = any(scenario.uses("revoked_api_key") for scenario in scenarios)
    with terminal.progress(Console(), len(scenarios)) as ended:

        def on_cell(cell: Cell) -> None:
            ended(cell.scenario)

        async with open_target(
            options.target,
            key,
            options.server_python,
            remote=options.remote,
            keys=keys,
            accounts=2 + fresh + revoke,
            revoke=revoke,
            rate=options.requests_per_second,
            standin_port=options.standin_port,
        ) as target:
            config = EngineRunConfig(
                target,
                scenarios,
                server_program(options.server_python),
                options.jobs,
                on_cell,
                options.fail_fast,
            )
            return await execute_engine_suite(config)


def select_adapters(
    known: dict[str, RegisteredAdapter], names: str | None
) -> list[RegisteredAdapter]:
    """Return the SDKs of a comma-separated list; without a list, those that run by default.

    Raises:
        UsageError: A name is not in the registry.
    """
    if not names:
        return [sdk for sdk in known.values() if sdk.default]
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise UsageError(
            f"no SDK is named {', '.join(unknown) or names}; the registry has {', '.join(known)}"
        )
    return [known[name] for name in dict.fromkeys(wanted)]
