"""The command `arcrun-conformance mutants`: tests the suite itself."""

from __future__ import annotations

import asyncio
import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from arcrun_conformance.javascript_mutant import ADAPTER, JavaScriptSdk, MutantError
from arcrun_conformance.mutants import ACCOUNTS, Mutant, Programs, Trial, Trials, load_all
from arcrun_conformance.printing import print_line
from arcrun_conformance.target import open_target, server_program

from .interrupts import cancel_on_signals
from .jobs import add_jobs, jobs_of
from .options import (
    DATA,
    FAILED,
    GO,
    UsageError,
    adapters,
    add_adapters,
    add_scenarios,
    add_target,
    all_scenarios,
    api_key,
    command,
)

if TYPE_CHECKING:
    import argparse

    from arcrun_conformance.scenarios.scenario import Scenario

    from .options import Commands

# Half of the mutants start an engine of their own, which keeps a core busy for two seconds.
_LOCAL_JOBS = 4


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    mutants = command(
        commands, "mutants", "Check that engines and SDKs with a defect fail the suite."
    )
    add_target(mutants, default="local")
    mutants.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ID",
        help="only the mutants with these ids, e.g. reads-*; several with commas, or repeat the option",
    )
    mutants.add_argument(
        "--mutants",
        type=Path,
        default=DATA / "mutants",
        metavar="DIR",
        help="the folder of the mutants (default: that of the package)",
    )
    mutants.add_argument(
        "--require-javascript",
        action="store_true",
        help="fail, instead of skipping the JavaScript mutants, where Node.js or the built SDK is missing",
    )
    add_jobs(mutants, "mutants to try", _LOCAL_JOBS)
    add_scenarios(mutants)
    add_adapters(mutants)
    mutants.set_defaults(command=_mutants)


def _mutants(options: argparse.Namespace) -> int:
    scenarios = {scenario.id: scenario for scenario in all_scenarios(options)}
    chosen = chosen_of(load_all(options.mutants, scenarios), options.only)
    console = Console()
    javascript = JavaScriptSdk(adapters(options)[ADAPTER], options.adapter_runtimes.absolute())
    skipped = [m for m in chosen if m.kind == "javascript"] if javascript.why_unavailable() else []
    if skipped and (options.require_javascript or len(skipped) == len(chosen)):
        raise UsageError(f"JavaScript mutants: {javascript.why_unavailable()}")
    chosen = [mutant for mutant in chosen if mutant not in skipped]
    own = [mutant.alteration for mutant in chosen if mutant.kind == "javascript"]
    if own and (stale := javascript.stale(own)):
        raise UsageError("\n".join(stale))
    try:
        trials = asyncio.run(_try(options, scenarios, chosen, javascript))
    except MutantError as error:
        raise UsageError(str(error)) from error
    caught = sum(trial.good for trial in trials if trial.mutant)
    style = "green" if caught == len(chosen) else "red"
    console.print(f"[{style} bold]{caught_of(caught, len(chosen))}[/]")
    if skipped:
        reason = javascript.why_unavailable()
        print_line(console, f"{len(skipped)} JavaScript mutants skipped: {reason}")
    return GO if all(trial.good for trial in trials) else FAILED


def caught_of(caught: int, tried: int) -> str:
    """Return how many mutants were caught, in percent that are rounded down.

    Example:
        >>> caught_of(999, 1000)
        '999 of 1000 mutants caught: 99 %'
    """
    return f"{caught} of {tried} mutants caught: {100 * caught // tried} %"


def chosen_of(mutants: list[Mutant], only: list[str]) -> list[Mutant]:
    """Return the mutants that a pattern names; all of them without a pattern.

    Raises:
        UsageError: A pattern names none.
    """
    patterns = [pattern for given in only for pattern in given.split(",") if pattern]
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(mutant.id, pattern) for mutant in mutants):
            raise UsageError(f"no mutant is named {pattern}")
    return [
        m for m in mutants if not patterns or any(fnmatch.fnmatchcase(m.id, p) for p in patterns)
    ]


async def _try(
    options: argparse.Namespace,
    scenarios: dict[str, Scenario],
    chosen: list[Mutant],
    javascript: JavaScriptSdk,
) -> list[Trial]:
    cancel_on_signals()
    console = Console()
    programs = Programs(
        sdk=adapters(options)["python-sync"].command,
        sdk_with=(options.adapter_python, str(options.mutants / "python_mutant.py")),
        server=server_program(options.server_python),
        server_with=(options.server_python, str(options.mutants / "server_mutant.py")),
        javascript=javascript,
    )

    def show(trial: Trial) -> None:
        name = trial.mutant or "engine and SDK without a defect"
        by = trial.mutant and f"{trial.mutant.scenario}/{trial.mutant.check}"
        failed = ", ".join(trial.failed) or "nothing"
        if trial.good:
            text = f"caught by {by}" if by else "all checks passed"
            print_line(console, ("✓", "green"), f" {name}: {text}")
        else:
            text = f"not caught by {by}; failed: {failed}" if by else f"failed: {failed}"
            print_line(console, ("✗", "red"), f" {name}: {text}")

    # The engine without a defect runs all of the scenarios, each mutant only one.
    named = {mutant.scenario for mutant in chosen}
    fresh = sum(scenarios[name].uses("fresh_api_key") for name in named)
    accounts = max(ACCOUNTS, 3 + fresh)
    async with open_target(
        options.target, api_key(options), options.server_python, accounts=accounts, revoke=True
    ) as target:
        jobs = jobs_of(options, _LOCAL_JOBS)
        return await Trials(target, scenarios, programs, jobs).run(chosen, show)
