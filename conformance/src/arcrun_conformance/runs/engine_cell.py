"""One scenario of the engine suite: start the stand-in, carry out the steps, make the checks."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from arcrun_conformance.checks.check import check
from arcrun_conformance.checks.leaks import Observations, leak_checks
from arcrun_conformance.checks.wire import wire_check
from arcrun_conformance.scenarios.scenario import Scenario, Secret
from arcrun_conformance.scenarios.template import fill
from arcrun_conformance.target import USER_AGENT, Target
from arcrun_conformance.wire.client import EngineClient
from arcrun_conformance.wire.faults import FaultInjector
from arcrun_conformance.wire.journal import Journal
from arcrun_conformance.wire.standin import Standin

from .cell import names_carry_the_run, safety
from .engine_steps import EngineStepRunner
from .results import Cell, timestamp
from .values import scenario_values, service_account_values, unknown_key, unused_port

# Keys of accounts, by their placeholders: what a target without them is to be given.
KEY_OPTIONS = {
    "second_api_key": "a key of another account (--second-api-key)",
    "revoked_api_key": "a revoked key (--revoked-api-key)",
    "fresh_api_key": "an account of its own for each scenario (--target local)",
}


def why_skipped(scenario: Scenario, target: Target) -> str:
    """Return why a scenario can't be run with a target; an empty string if it can."""
    missing = [need for need in scenario.needs if need not in target.capabilities]
    if missing:
        return f"the engine lacks {', '.join(missing)}"
    if scenario.engine is not None and target.engine is None:
        if not scenario.engine.names_standin:
            return "it needs an engine of its own (--target local)"
        if target.standin_port is None:
            return (
                "it needs an engine whose model is the stand-in (--target local, or --standin-port)"
            )
    keys = {
        "second_api_key": target.keys.second,
        "revoked_api_key": target.keys.revoked,
        "fresh_api_key": target.keys.fresh,
    }
    lacking = [text for name, text in KEY_OPTIONS.items() if scenario.uses(name) and not keys[name]]
    return f"it needs {', '.join(lacking)}" if lacking else ""


async def run_engine_cell(
    cell: Cell, scenario: Scenario, target: Target, run: str, standin_port: int = 0
) -> None:
    """Run a scenario of the engine suite.

    Args:
        cell: The cell to fill. It is filled while the scenario runs, so that what an interrupted
            run has created can be removed.
        scenario: The scenario.
        target: The engine.
        run: The prefix of every name that the scenario creates, `${run}` there.
        standin_port: Where the engine looks for the stand-in; 0 for any port.
    """
    cell.started = timestamp("milliseconds")
    began = time.perf_counter()
    journal = Journal()
    cell.exchanges = journal.exchanges
    standin = Standin(journal, FaultInjector())
    standin.preferred_port = standin_port
    guard = safety().guard(run) if target.remote else None
    client = EngineClient(target.url, journal, {"user-agent": USER_AGENT}, guard, target.pace)
    with unused_port() as port:
        async with standin:
            if standin_port and not standin.origin.endswith(f":{standin_port}"):
                cell.outcome = "error"
                cell.reason = (
                    f"the port {standin_port}, where the engine looks for the stand-in, is in use"
                )
                return
            values: dict[str, Any] = {
                "run": run,
                "run_in_capitals": run.upper(),
                "base_url": target.url,
                "target": target.url,
                "host": client.host,
                "standin": standin.origin,
                "standin_elsewhere": standin.origin.replace("127.0.0.1", "localhost"),
                "standin_port": int(standin.origin.rpartition(":")[2]),
                "unused_port": port,
                "n": 1,
                **_keys(scenario, target),
                **service_account_values(scenario),
            }
            cell.values = dict(values)
            values |= scenario_values(scenario, values)
            secrets = _secrets(scenario, values)
            cell.secrets = {name: secret.value for name, secret in secrets.items()}
            standin.responses = fill(list(scenario.standin), values)
            steps = EngineStepRunner(scenario, client, journal, cell, values, target.engine)
            await steps.run()
    definitions = fill(list(scenario.wire), values)
    cell.checks += [wire_check(definition, journal.exchanges) for definition in definitions]
    cell.checks.append(names_carry_the_run(journal.exchanges, run))
    refused = [exchange for exchange in journal.exchanges if exchange.refusal]
    if refused:
        cell.checks.append(check("live-safe", [str(e.refusal) for e in refused], refused))
    # In a thread: with large bodies it takes seconds, in which other scenarios' connections would time out.
    observed = Observations(journal.exchanges)
    cell.checks += await asyncio.to_thread(leak_checks, secrets, observed)
    if not all(check.passed for check in cell.checks):
        cell.outcome = "failed"
    cell.seconds = time.perf_counter() - began


def _keys(scenario: Scenario, target: Target) -> dict[str, Any]:
    key = target.api_key
    near = key[:-1] + ("0" if key[-1] != "0" else "1")
    keys: dict[str, Any] = {
        "api_key": key,
        "unknown_api_key": unknown_key(),
        "near_api_key": near,
        "capital_api_key": key[:3] + key[3:].upper(),
        "second_api_key": target.keys.second,
        "revoked_api_key": target.keys.revoked,
    }
    if scenario.uses("fresh_api_key"):
        keys["fresh_api_key"] = target.keys.fresh.pop()
    return keys


def _secrets(scenario: Scenario, values: dict[str, Any]) -> dict[str, Secret]:
    """Return all secrets: the runner sends them itself, so that only what the engine sends is of interest."""
    sent = {"engine", "key-header"}
    keys = [name for name in values if name.endswith("api_key") and isinstance(values[name], str)]
    secrets = {name: Secret(values[name], frozenset(sent)) for name in keys}
    for name, secret in scenario.secrets.items():
        secrets[name] = Secret(values[f"secret.{name}"], secret.may_appear | sent)
    return secrets
