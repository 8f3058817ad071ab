"""One scenario with one SDK: start the servers, carry out the steps, make the checks."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from arcrun_conformance.checks.check import Check, check
from arcrun_conformance.checks.exemptions import exemption
from arcrun_conformance.checks.leaks import Observations, leak_checks
from arcrun_conformance.checks.wire import internal_errors, no_other_requests, wire_check
from arcrun_conformance.cleaning import visible
from arcrun_conformance.resources import data_directory
from arcrun_conformance.scenarios.template import fill
from arcrun_conformance.wire.faults import FaultInjector, Rewrite
from arcrun_conformance.wire.journal import Exchange, Journal
from arcrun_conformance.wire.proxy import Proxy
from arcrun_conformance.wire.safety import Safety
from arcrun_conformance.wire.standin import Standin

from .cleanup import created_in
from .results import Cell, timestamp
from .steps import StepRunner
from .values import (
    scenario_values,
    secrets_of,
    service_account_values,
    silent_port,
    temporary_folder,
    unknown_key,
    unused_port,
    write_files,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from arcrun_conformance.adapters.adapter import Adapter
    from arcrun_conformance.adapters.protocol import Identity
    from arcrun_conformance.scenarios.scenario import Scenario
    from arcrun_conformance.target import Target
    from arcrun_conformance.wire.safety import Guard


@dataclass(frozen=True)
class Replayed:
    """What a replay takes from a recording; by default nothing, so that the engine is asked.

    Attributes:
        engine: Makes the server that stands for the engine.
        values: Values of placeholders.
        standin_port: The port that the stand-in should listen on.
    """

    engine: Callable[[str, Journal, FaultInjector, Guard | None], Proxy] = Proxy
    values: Mapping[str, Any] = field(default_factory=dict)
    standin_port: int = 0


def is_skipped(cell: Cell, scenario: Scenario, target: Target, identity: Identity) -> bool:
    """Return whether the scenario can't be run with this SDK and target; record why in the cell."""
    engine_lacks = [need for need in scenario.needs if need not in target.capabilities]
    if engine_lacks:
        cell.outcome, cell.reason = "skipped", f"the engine lacks {', '.join(engine_lacks)}"
        return True
    needed = scenario.adapter_capabilities()
    cell.lacks = [need for need in needed if need not in identity.capabilities]
    if cell.lacks:
        cell.outcome, cell.reason = "skipped", f"the adapter lacks {', '.join(cell.lacks)}"
    return bool(cell.lacks)


async def run_cell(
    cell: Cell,
    scenario: Scenario,
    adapter: Adapter,
    target: Target,
    *,
    run: str,
    capabilities: Collection[str],
    replayed: Replayed | None = None,
) -> None:
    """Run a scenario with an SDK; an adapter's failure gives the cell the outcome `error`.

    Args:
        cell: The cell to fill. It is filled while the scenario runs, so that what an interrupted
            run has created can be removed.
        scenario: The scenario.
        adapter: The adapter, started.
        target: The engine.
        run: The prefix of every name that the scenario creates, `${run}` there.
        capabilities: The adapter's capabilities; it is exempt from checks that need others.
        replayed: What takes the place of the engine and of new values, in a replay.
    """
    replayed = replayed or Replayed()
    cell.started = timestamp("milliseconds")
    began = time.perf_counter()
    with unused_port() as port, silent_port() as silent, temporary_folder() as files:
        journal, engine_faults, standin_faults = Journal(), FaultInjector(), FaultInjector()
        cell.exchanges = journal.exchanges
        standin = Standin(journal, standin_faults)
        standin.preferred_port = replayed.standin_port
        guard = safety().guard(run) if target.remote else None
        engine = replayed.engine(target.url, journal, engine_faults, guard)
        engine.pace = target.pace
        async with engine as proxy, standin:
            values: dict[str, Any] = {
                "run": run,
                "run_in_capitals": run.upper(),
                "api_key": target.api_key,
                "unknown_api_key": unknown_key(),
                "base_url": proxy.origin,
                "target": target.url,
                "standin": standin.origin,
                "standin_elsewhere": standin.origin.replace("127.0.0.1", "localhost"),
                "standin_port": int(standin.origin.rpartition(":")[2]),
                "unused_port": port,
                "silent_port": silent,
                "files": files,
                "n": 1,
                **service_account_values(scenario),
                **replayed.values,
            }
            cell.values = dict(values)
            values |= scenario_values(scenario, values)
            secrets = secrets_of(scenario, values)
            cell.secrets = {name: secret.value for name, secret in secrets.items()}
            write_files(scenario, values)
            standin.responses = fill(list(scenario.standin), values)
            rewrites = fill(list(scenario.rewrite), values)
            engine_faults.rewrites = [Rewrite(**rewrite) for rewrite in rewrites]
            step_runner = StepRunner(
                scenario,
                adapter,
                journal,
                cell,
                values,
                engine_faults,
                standin_faults,
                capabilities,
            )
            await step_runner.run()
    stderr = await adapter.take_stderr()
    cell.stderr = visible(stderr)
    definitions = fill(list(scenario.wire), values)
    cell.checks += _wire_checks(definitions, journal, run, capabilities)
    observations = Observations(journal.exchanges, step_runner.replies, stderr)
    cell.checks += leak_checks(secrets, observations)
    if cell.outcome == "passed" and not all(c.passed or c.outcome == "exempt" for c in cell.checks):
        cell.outcome = "failed"
    cell.seconds = time.perf_counter() - began


@cache
def safety() -> Safety:
    """Return the requests that may be sent to an engine that others use."""
    return Safety.load(data_directory() / "live-safe.yaml")


def _wire_checks(
    definitions: list[dict[str, Any]], journal: Journal, run: str, capabilities: Collection[str]
) -> list[Check]:
    exchanges = journal.exchanges
    checks = [
        exemption(definition, capabilities) or wire_check(definition, exchanges)
        for definition in definitions
    ]
    checks.append(no_other_requests(definitions, exchanges))
    checks.append(check("well-formed-http", journal.broken_requests))
    checks.append(names_carry_the_run(exchanges, run))
    refused = [exchange for exchange in exchanges if exchange.refusal]
    if refused:
        checks.append(check("live-safe", [str(e.refusal) for e in refused], refused))
    unreachable = [exchange for exchange in exchanges if exchange.problem]
    if unreachable:
        problems = [str(e.problem) for e in unreachable]
        checks.append(check("target-reachable", problems, unreachable))
    failed = internal_errors(exchanges)
    if failed:
        problems = [
            f"response to {e.request.method} {e.request.path}: 500 internal_error" for e in failed
        ]
        checks.append(check("no-internal-errors", problems, failed))
    return checks


def names_carry_the_run(exchanges: list[Exchange], run: str) -> Check:
    """Return the check that everything that was created has the run's id in its name."""
    done = [e for e in exchanges if e.response is not None and e.response.status < 300]
    unexpected = [created for created in created_in(done) if run not in created.name]
    return check(
        "names-carry-the-run",
        [f"{created} was created without {run} in its name" for created in unexpected],
    )
