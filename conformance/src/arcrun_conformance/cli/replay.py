"""The command `arcrun-conformance replay`."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from arcrun_conformance.adapters.adapter import REPLY_SECONDS
from arcrun_conformance.adapters.protocol import AdapterFailure
from arcrun_conformance.printing import print_line
from arcrun_conformance.replay.recording import Recording, digest, read_recording
from arcrun_conformance.replay.replaying import replay
from arcrun_conformance.report import describe, terminal

from .combinations import of_replay, refuse_ignored
from .options import (
    FAILED,
    GO,
    UsageError,
    adapters,
    add_adapters,
    add_scenarios,
    command,
    scenarios_of,
)
from .repeating import KEPT, given, repeating
from .run import select_adapters

if TYPE_CHECKING:
    import argparse

    from arcrun_conformance.adapters.registry import RegisteredAdapter
    from arcrun_conformance.runs.results import Cell
    from arcrun_conformance.scenarios.scenario import Scenario

    from .options import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = command(
        commands,
        "replay",
        "Repeat a failure without the engine: with its recorded responses, and the SDK.",
    )
    parser.add_argument(
        "recording",
        type=Path,
        metavar="FILE",
        help="a recording, failures/SCENARIO.SDK.har in the folder of a run's reports",
    )
    parser.add_argument("--sdk", metavar="NAME", help="another SDK (default: the one that failed)")
    add_scenarios(parser)
    add_adapters(parser)
    defaults = {name: parser.get_default(name) for name in KEPT}
    parser.set_defaults(command=_replay, defaults=defaults, remote=False, again=None)


def _replay(options: argparse.Namespace) -> int:
    recording = read_recording(options.recording)
    refuse_ignored(options, of_replay(options, recording.suite))
    options.suite = recording.suite
    scenario = _scenario_of(recording, options)
    adapter = _adapter_of(recording, options)
    try:
        run = asyncio.run(replay(recording, scenario, adapter.name, adapter.open, REPLY_SECONDS))
    except AdapterFailure as failure:  # nothing is known about the recording
        raise UsageError(f"{adapter.name} can't be started: {failure}") from failure
    console = Console()
    terminal.show_failures(describe(run) | {"replay": _again(options)}, console)
    said = verdict(recording, run.cells[0], repeating(options))
    print_line(console, said)
    return FAILED if run.cells[0].failed else GO


def _again(options: argparse.Namespace) -> str:
    """Return the command that repeats a replay."""
    sdk = ["--sdk", options.sdk] if options.sdk else []
    return shlex.join(
        ["arcrun-conformance", "replay", str(options.recording), *sdk, *given(options)]
    )


def _adapter_of(recording: Recording, options: argparse.Namespace) -> RegisteredAdapter:
    known = adapters(options)
    if options.sdk is None and recording.sdk not in known:
        raise UsageError(
            f"the registry has no SDK {recording.sdk}; name one with --sdk, or its registry with --adapters"
        )
    chosen = select_adapters(known, options.sdk or recording.sdk)
    if len(chosen) > 1:
        raise UsageError(f"a replay is with one SDK; --sdk names {len(chosen)}: {options.sdk}")
    return chosen[0]


def _scenario_of(recording: Recording, options: argparse.Namespace) -> Scenario:
    if recording.suite == "engine":
        raise UsageError(
            f"{options.recording} is of the engine suite, which has no SDK to repeat it with: run "
            f"`{repeating(options)} --scenario {recording.scenario}` against the engine"
        )
    for scenario in scenarios_of(options, "sdk"):
        if scenario.id == recording.scenario:
            _require_same(scenario, recording, options)
            return scenario
    raise UsageError(
        f"there is no scenario {recording.scenario}: name the folder that has it with --scenarios"
    )


def _require_same(scenario: Scenario, recording: Recording, options: argparse.Namespace) -> None:
    """Check that a scenario is the one that was recorded: with another one, nothing is known about the failure.

    Raises:
        UsageError: It is not.
    """
    if recording.scenario_sha256 not in ("", digest(scenario)):
        raise UsageError(
            f"the scenario {scenario.id} in {scenario.path} differs from the one of {options.recording}: name the "
            "folder that has the recorded one with --scenarios; if it was changed since, record it anew with "
            f"`{repeating(options)} --scenario {scenario.id} --report-dir D`"
        )


def verdict(recording: Recording, cell: Cell, run: str = "arcrun-conformance run") -> str:
    """Return in one line whether a replay shows the recorded failure; `run` is the command that asks an engine."""
    what = f"{cell.scenario} with {cell.sdk}"
    if cell.outcome == "skipped":
        return f"nothing was repeated: {what} is skipped: {cell.reason}"
    failed = {check.id for check in cell.checks if check.outcome == "failed"}
    not_recorded = [e.problem for e in cell.exchanges if e.problem]
    if not_recorded and not failed & set(recording.failed):
        return (
            f"the recorded failure is gone, and with it the recording ends: {not_recorded[0]}. Run "
            f"`{run} --sdk {cell.sdk} --scenario {cell.scenario}`"
        )
    same = [name for name in recording.failed if name in failed]
    others = sorted(failed - set(recording.failed))
    gone = [name for name in recording.failed if name not in failed]
    if not failed:
        return f"the failure is gone: {what} passes with the recorded responses"
    parts = [
        f"fail{'s' * (len(names) == 1)} {how}: {', '.join(names)}"
        for names, how in ((same, "again"), (others, "now"))
        if names
    ]
    if gone:
        parts.append(f"no longer: {', '.join(gone)}")
    return f"{what} {'; '.join(parts)}"
