"""Replays a recording: the scenario with an adapter, and the recorded responses in place of the engine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from arcrun_conformance.adapters.adapter import Adapter, Connection
from arcrun_conformance.adapters.protocol import AdapterFailure
from arcrun_conformance.checks.check import Check
from arcrun_conformance.checks.exemptions import apply_alternatives, missing_capabilities
from arcrun_conformance.runs.cell import Replayed, is_skipped, run_cell
from arcrun_conformance.runs.results import Cell, Run
from arcrun_conformance.target import Target

from .recorded_engine import RecordedEngine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from arcrun_conformance.scenarios.scenario import Scenario

    from .recording import Recording

# What makes the same requests and sealed values again; whatever names a server or a folder is made anew.
_KEPT = ("run", "run_in_capitals", "api_key", "unknown_api_key", "target")
_KEPT_BEGINNING = "service_account"


async def replay(
    recording: Recording,
    scenario: Scenario,
    sdk: str,
    opener: Callable[[], Awaitable[Connection]],
    reply_seconds: float,
) -> Run:
    """Run the scenario of a recording with an adapter, and return the run with its single cell."""
    values = recording.values
    target = Target(
        "recording",
        str(values["target"]),
        str(values["api_key"]),
        health=dict(recording.health),
        remote=recording.remote,
    )
    run = Run(str(values["run"]), target, [scenario], {sdk: None})
    began = time.perf_counter()
    adapter = Adapter(await opener(), reply_seconds)
    cell = Cell(scenario.id, sdk)
    run.cells.append(cell)
    try:
        identity = await adapter.start()
        run.sdks[sdk] = identity
        if not is_skipped(cell, scenario, target, identity):
            cell.lacks = missing_capabilities(scenario, identity.capabilities)
            await run_cell(
                cell,
                apply_alternatives(scenario, identity.capabilities),
                adapter,
                target,
                run=run.id,
                capabilities=identity.capabilities,
                replayed=_replayed(recording, cell),
            )
    except AdapterFailure as failure:
        cell.outcome, cell.reason = "error", f"{failure}\n{await adapter.take_stderr()}".rstrip()
        cell.checks.append(Check(f"adapter-{failure.kind}", "failed", cell.reason))
    finally:
        await adapter.abandon()
    run.started = cell.started
    run.seconds = time.perf_counter() - began
    return run


def _replayed(recording: Recording, cell: Cell) -> Replayed:
    recorded = recording.values

    def engine(*arguments: Any) -> RecordedEngine:
        return RecordedEngine(recording.responses, recorded, lambda: cell.values, *arguments)

    kept = {
        name: value
        for name, value in recorded.items()
        if name in _KEPT or name.startswith(_KEPT_BEGINNING)
    }
    return Replayed(engine, kept, int(recorded.get("standin_port", 0)))
