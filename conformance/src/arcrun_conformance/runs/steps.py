"""The steps of a scenario: commands to the adapter, and a check of each reply."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from arcrun_conformance.adapters.protocol import AdapterFailure, Result, SdkError
from arcrun_conformance.checks.check import Check, check, step_differences
from arcrun_conformance.checks.exemptions import exemption
from arcrun_conformance.checks.leaks import KEY_HEADER
from arcrun_conformance.scenarios.patterns import differences
from arcrun_conformance.scenarios.scenario import Scenario, Step
from arcrun_conformance.scenarios.template import fill
from arcrun_conformance.target import USER_AGENT
from arcrun_conformance.wire.client import EngineClient, NoReply, Outgoing
from arcrun_conformance.wire.faults import FaultInjector, fault_of
from arcrun_conformance.wire.journal import Journal

from .contention import contention
from .results import Cell, StepRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from arcrun_conformance.adapters.adapter import Adapter

MAIN_CLIENT = "main"
_CONSTRUCT = "construct"
# How many times later a busy machine cancels at most: scenarios set time-outs that must not come first.
_MOST_LATER = 3.0
# What a step that sends a request through a bound client may say beside method and URL.
_OF_REQUESTS = (
    "headers",
    "query",
    "json",
    "body",
    "stream",
    "follow_redirects",
    "timeout",
    "cancel_after",
)


@dataclass
class StepRunner:
    """Carries out the steps of a scenario with an adapter.

    Attributes:
        scenario: The scenario.
        adapter: The adapter, started.
        journal: The journal, which records the id of the step with each request.
        cell: The cell to which steps, checks and an adapter's failure are added.
        values: The values of the placeholders.
        engine_faults: Where faults for the engine are injected.
        standin_faults: Where faults for the stand-in are injected.
        capabilities: The adapter's capabilities.
        replies: The adapter's replies, by step.
    """

    scenario: Scenario
    adapter: Adapter
    journal: Journal
    cell: Cell
    values: Mapping[str, Any]
    engine_faults: FaultInjector
    standin_faults: FaultInjector
    capabilities: Collection[str]
    replies: list[tuple[str, Result | SdkError]] = field(default_factory=list)

    async def run(self) -> None:
        """Carry out all steps; after one that fails, the others are not reached."""
        self._add_faults(self.scenario.faults)
        steps = list(self.scenario.steps)
        if steps[0].kind != "construct":
            definition = {"expect": {"result": {}}, **self.scenario.client}
            steps.insert(0, Step(_CONSTRUCT, "construct", MAIN_CLIENT, definition))
        if self.scenario.clock and not await self._set_clock(start=self.scenario.clock):
            steps = []
        while steps:
            step = steps.pop(0)
            if exempt := exemption(step.definition, self.capabilities):
                self.cell.checks.append(exempt)
            elif not await self._carry_out(step):
                break
        await self.journal.begin("")
        self.cell.checks += [Check(step.id, "not-reached") for step in steps]
        if self.scenario.clock and self.cell.outcome != "error":
            await self._set_clock()

    async def _set_clock(self, **body: Any) -> bool:
        """Replace the clock of the SDK, or put the real one back; return whether that worked."""
        try:
            await self.adapter.send("clock", **body)
        except AdapterFailure as failure:
            self._failed(failure)
            return False
        return True

    def _failed(self, failure: AdapterFailure) -> None:
        self.cell.outcome = "error"
        self.cell.reason = str(failure)
        self.cell.checks.append(Check(f"adapter-{failure.kind}", "failed", str(failure)))

    async def _carry_out(self, step: Step) -> bool:
        await self.journal.begin(step.id)
        self._add_faults(step.definition.get("faults", ()))
        problems: list[str] = []
        before = len(self.replies)
        began = time.perf_counter()
        try:
            if "advance" in step.definition:
                await self.adapter.send("clock", advance=step.definition["advance"])
            for number in range(1, step.definition.get("repeat", 1) + 1):
                problems = problems or await self._send(step, {**self.values, "n": number})
        except AdapterFailure as failure:
            self._failed(failure)
            self.cell.checks.append(Check(step.id, "not-reached"))
            return False
        seconds = time.perf_counter() - began
        problems += await _too_late(step.definition.get("within", seconds), seconds)
        if "waited" in step.definition:
            waited = [seconds for _, reply in self.replies[before:] for seconds in reply.waited]
            problems += differences(fill(step.definition["waited"], self.values), waited, "waited")
        if "warned" in step.definition:
            warned = [text for _, reply in self.replies[before:] for text in reply.warned]
            problems += differences(fill(step.definition["warned"], self.values), warned, "warned")
        outcome = check(step.id, problems)
        if step.id != _CONSTRUCT or not outcome.passed:
            self.cell.checks.append(outcome)
        return outcome.passed

    async def _send(self, step: Step, values: Mapping[str, Any]) -> list[str]:
        """Send the command of a step once, and return how the reply differs from what is expected."""
        command, body = self._command(step, values)
        if "cancel_after" in body:
            body["cancel_after"] = await _later(body["cancel_after"])
        if times := step.definition.get("parallel"):
            command, body = "parallel", {"times": times, "of": {"command": command, **body}}
        began = time.perf_counter()
        reply: Result | SdkError
        if step.kind == "send":
            reply = Result(await self._send_itself(values, body))
        else:
            reply = await self.adapter.send(command, **body)
        if command == "parallel" and isinstance(reply, Result):
            reply = Result(reply.value["results"], reply.waited)
        seconds = time.perf_counter() - began
        described = (
            {"error": reply.fields} if isinstance(reply, SdkError) else {"result": reply.value}
        )
        self.cell.steps.append(
            StepRecord(step.id, {"command": command, **body}, described, seconds, reply.waited)
        )
        self.replies.append((step.id, reply))
        expected = fill(step.expect, values)
        return step_differences({"result": expected} if step.kind == "send" else expected, reply)

    async def _send_itself(self, values: Mapping[str, Any], body: Mapping[str, Any]) -> Any:
        """Send a request by way of the proxy, which records it."""
        headers = {"user-agent": USER_AGENT, KEY_HEADER: values["api_key"]}
        client = EngineClient(values["base_url"], Journal(), headers)
        try:
            return (await client.send(Outgoing(**body))).response.value()
        except NoReply as problem:
            return {"problem": str(problem)}

    def _command(self, step: Step, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        definition = fill(
            {k: v for k, v in step.definition.items() if k not in {"expect", "faults", "without"}},
            values,
        )
        if step.kind == "call":
            body = {"client": definition.get("client", MAIN_CLIENT), "method": step.subject}
            if "cancel_after" in definition:
                body["cancel_after"] = definition["cancel_after"]
            body["arguments"] = definition.get("with", {})
            return "call", body | ({"bound": definition["as"]} if "as" in definition else {})
        if step.kind == "request":
            body = {
                "bound": step.subject,
                "method": definition.get("method", "GET"),
                "url": definition["url"],
            }
            given = {key: definition[key] for key in _OF_REQUESTS if key in definition}
            return "bound.request", body | given
        if step.kind == "send":
            given = {key: definition[key] for key in ("query", "json") if key in definition}
            return "send", {
                "method": definition.get("method", "GET"),
                "path": definition["send"],
                **given,
            }
        copied = {"from": definition["from"]} if "from" in definition else {}
        defaults = {} if copied else {k: values[k] for k in ("api_key", "base_url")}
        options = {**defaults, **definition.get("options", {})}
        passed = {key: value for key, value in options.items() if value is not None}
        body = {"client": step.subject, "options": passed, **copied}
        environment = definition.get("environment")
        return "construct", body | ({"environment": environment} if environment else {})

    def _add_faults(self, definitions: Any) -> None:
        for definition in fill(list(definitions), self.values):
            at_standin = definition.get("at") == "standin"
            faults = self.standin_faults if at_standin else self.engine_faults
            faults.add([fault_of(definition)])


async def _later(seconds: float) -> float:
    """Return when to cancel what should have sent its request by then: on a busy machine later, but within time-outs."""
    return round(seconds * min(_MOST_LATER, await contention()), 3)


async def _too_late(limit: float, seconds: float) -> list[str]:
    """Return what is wrong with a step that took so long; a busy machine may take longer, as long as it is busy."""
    if seconds <= limit:
        return []
    factor = await contention()
    if seconds <= limit * factor:
        return []
    busy = f" (× {factor:.1f}, as this machine is busy)" if factor >= 1.1 else ""
    return [f"expected within {limit:g} s{busy}, took {seconds:.2f} s"]
