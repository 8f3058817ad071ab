"""One scenario with one SDK: servers up, steps done, checks made."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import assertion
from .checks import Check, check, step_differences
from .cleanup import created_in
from .exemptions import exemption
from .faults import FaultPlan, Rewrite, fault_of
from .journal import Exchange, Journal
from .leaks import Seen, leak_checks
from .protocol import AdapterFailure, Identity, Result, SdkError
from .proxy import Proxy
from .resources import data_directory
from .results import Cell, StepRecord
from .safety import Safety
from .scenario import Scenario, Secret, Step
from .standin import Standin
from .template import fill
from .wire import no_other_requests, wire_check

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from .adapter import Adapter
    from .target import Target

MAIN_CLIENT = "main"
_CONSTRUCT = "construct"


def is_skipped(cell: Cell, scenario: Scenario, target: Target, identity: Identity) -> bool:
    """Whether the scenario can't be run with this SDK against this target; the cell then says why."""
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
) -> None:
    """Run a scenario with an SDK; an adapter's failure ends up in the cell, as outcome `error`.

    Args:
        cell: Is filled while the scenario runs, so that a run that is broken off can be tidied up.
        scenario: The scenario.
        adapter: The adapter, started.
        target: The engine.
        run: The prefix for the names of all that is created, `${run}` in the scenario.
        capabilities: The adapter's; from checks that need others it is exempt.
    """
    began = time.perf_counter()
    with _unused_port() as port, _folder() as files:
        journal, engine_faults, standin_faults = Journal(), FaultPlan(), FaultPlan()
        cell.exchanges = journal.exchanges
        standin = Standin(journal, standin_faults)
        guard = _safety().guard(run) if target.remote else None
        async with Proxy(target.url, journal, engine_faults, guard) as proxy, standin:
            values = {
                "run": run,
                "run_in_capitals": run.upper(),
                "api_key": target.api_key,
                "base_url": proxy.origin,
                "target": target.url,
                "standin": standin.origin,
                "unused_port": port,
                "files": files,
            }
            if "${service_account" in scenario.source:  # making its key takes a moment
                values["service_account"] = assertion.service_account()
                values["service_account_key"] = assertion.private_key()
            values |= _own_values(scenario, values)
            secrets = _secrets(scenario, values)
            cell.secrets = {name: secret.value for name, secret in secrets.items()}
            _write_files(scenario, values)
            standin.answers = fill(list(scenario.standin), values)
            rewrites = fill(list(scenario.rewrite), values)
            engine_faults.rewrites = [Rewrite(**rewrite) for rewrite in rewrites]
            conversation = _Conversation(
                scenario,
                adapter,
                journal,
                cell,
                values,
                engine_faults,
                standin_faults,
                capabilities,
            )
            await conversation.run()
    cell.stderr = await adapter.take_stderr()
    orders = fill(list(scenario.wire), values)
    cell.checks += _wire_checks(orders, journal, run, capabilities)
    seen = Seen(journal.exchanges, conversation.answers, cell.stderr)
    cell.checks += leak_checks(secrets, seen)
    if cell.outcome == "passed" and not all(c.passed or c.outcome == "exempt" for c in cell.checks):
        cell.outcome = "failed"
    cell.seconds = time.perf_counter() - began


def _own_values(scenario: Scenario, values: Mapping[str, Any]) -> dict[str, Any]:
    """The scenario's variables and secrets; a variable may use those above it."""
    own: dict[str, Any] = {}
    for name, secret in scenario.secrets.items():
        own[f"secret.{name}"] = fill(secret.value, values)
    for name, value in scenario.variables.items():
        own[name] = fill(value, {**values, **own})
    return own


def _secrets(scenario: Scenario, values: Mapping[str, Any]) -> dict[str, Secret]:
    """The key and the scenario's own secrets, with their values and where they may be seen."""
    secrets = {"api_key": Secret(values["api_key"], frozenset({"key-header"}))}
    for name, secret in scenario.secrets.items():
        secrets[name] = Secret(values[f"secret.{name}"], secret.may_appear)
    return secrets


@cache
def _safety() -> Safety:
    return Safety.load(data_directory() / "live-safe.yaml")


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    """A new folder for the scenario's files, with a name that no one guesses."""
    with tempfile.TemporaryDirectory(prefix="arcrun-conformance-") as folder:
        yield folder


def _write_files(scenario: Scenario, values: Mapping[str, Any]) -> None:
    for name, text in scenario.files.items():
        path = Path(values["files"], name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # a config file holds a key
        path.write_text(fill(text, values), "utf-8")


@contextlib.contextmanager
def _unused_port() -> Iterator[int]:
    """A port that is taken, so that no one else gets it, and refuses every connection."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@dataclass
class _Conversation:
    """The steps of a scenario, spoken with an adapter."""

    scenario: Scenario
    adapter: Adapter
    journal: Journal
    cell: Cell
    values: Mapping[str, Any]
    engine_faults: FaultPlan
    standin_faults: FaultPlan
    capabilities: Collection[str]
    answers: list[tuple[str, Result | SdkError]] = field(default_factory=list)

    async def run(self) -> None:
        """Do all steps; after the first that fails the rest is not reached."""
        self._order_faults(self.scenario.faults)
        steps = list(self.scenario.steps)
        if steps[0].kind != "construct":
            order = {"expect": {"result": {}}, **self.scenario.client}
            steps.insert(0, Step(_CONSTRUCT, "construct", MAIN_CLIENT, order))
        while steps:
            step = steps.pop(0)
            if exempt := exemption(step.order, self.capabilities):
                self.cell.checks.append(exempt)
            elif not await self._do(step):
                break
        self.cell.checks += [Check(step.id, "not-reached") for step in steps]

    async def _do(self, step: Step) -> bool:
        self.journal.step = step.id
        self._order_faults(step.order.get("faults", ()))
        command, body = self._command(step)
        began = time.perf_counter()
        try:
            answer = await self.adapter.send(command, **body)
        except AdapterFailure as failure:
            self.cell.outcome = "error"
            self.cell.reason = str(failure)
            self.cell.checks.append(Check(f"adapter-{failure.kind}", "failed", str(failure)))
            self.cell.checks.append(Check(step.id, "not-reached"))
            return False
        seconds = time.perf_counter() - began
        described = (
            {"error": answer.fields} if isinstance(answer, SdkError) else {"result": answer.value}
        )
        self.cell.steps.append(
            StepRecord(step.id, {"command": command, **body}, described, seconds)
        )
        self.answers.append((step.id, answer))
        outcome = check(step.id, step_differences(fill(step.expect, self.values), answer))
        if step.id != _CONSTRUCT or not outcome.passed:
            self.cell.checks.append(outcome)
        return outcome.passed

    def _command(self, step: Step) -> tuple[str, dict[str, Any]]:
        order = fill(
            {k: v for k, v in step.order.items() if k not in {"expect", "faults", "without"}},
            self.values,
        )
        if step.kind == "call":
            body = {
                "client": order.get("client", MAIN_CLIENT),
                "method": step.subject,
                "arguments": order.get("with", {}),
            }
            return "call", body | ({"bound": order["as"]} if "as" in order else {})
        if step.kind == "request":
            body = {
                "bound": step.subject,
                "method": order.get("method", "GET"),
                "url": order["url"],
            }
            optional = ("headers", "query", "json", "body", "follow_redirects")
            return "bound.request", body | {key: order[key] for key in optional if key in order}
        defaults = {"api_key": self.values["api_key"], "base_url": self.values["base_url"]}
        options = {**defaults, **order.get("options", {})}
        given = {key: value for key, value in options.items() if value is not None}
        body = {"client": step.subject, "options": given}
        environment = order.get("environment")
        return "construct", body | ({"environment": environment} if environment else {})

    def _order_faults(self, orders: Any) -> None:
        for order in fill(list(orders), self.values):
            at_standin = order.get("at") == "standin"
            plan = self.standin_faults if at_standin else self.engine_faults
            plan.add([fault_of(order)])


def _wire_checks(
    orders: list[dict[str, Any]], journal: Journal, run: str, capabilities: Collection[str]
) -> list[Check]:
    exchanges = journal.exchanges
    made = [exemption(order, capabilities) or wire_check(order, exchanges) for order in orders]
    made.append(no_other_requests(orders, exchanges))
    made.append(check("well-formed-http", journal.broken_requests))
    made.append(_names_carry_the_run(exchanges, run))
    refused = [exchange for exchange in exchanges if exchange.refusal]
    if refused:
        made.append(check("live-safe", [str(e.refusal) for e in refused], refused))
    unreachable = [exchange for exchange in exchanges if exchange.problem]
    if unreachable:
        made.append(check("target-answers", [str(e.problem) for e in unreachable], unreachable))
    return made


def _names_carry_the_run(exchanges: list[Exchange], run: str) -> Check:
    done = [e for e in exchanges if e.answer is not None and e.answer.status < 300]
    strangers = [created for created in created_in(done) if run not in created.name]
    return check(
        "names-carry-the-run",
        [f"{created} was created without {run} in its name" for created in strangers],
    )
