"""What a durable run can use: as any run of its account, and what its steps have returned is recorded."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from arcrun_server import clock
from arcrun_server.engine import InvocationFailure, StepResult
from arcrun_server.engine.result import milliseconds
from arcrun_server.engine.sizes import rough_size
from arcrun_server.json_text import encode
from arcrun_server.runs.environment import AccountEnvironment, UnreadableFailure
from arcrun_server.runs.persistence import persistently

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from datetime import datetime

    from arcrun_server.engine import Graph, Invoke, RunResult, Step, TraceEntry
    from arcrun_server.recipes.pinned import PinnedRecipes
    from arcrun_server.recipes.prompts import PromptStore
    from arcrun_server.runs.durable import DurableExecution
    from arcrun_server.runs.progress import Progress

# From here on reading JSON may take long.
_LARGE = 256 * 1024
# What the engine reads of a failure besides its text.
_OF_FAILURES = ("record", "kind", "retry_after")
_UNKNOWN = (
    "it began before the engine was restarted, so nobody can know whether it ran, and `repeatable: false` says that it "
    "must not run twice"
)
_NOT_JSON = "its result holds a number that JSON can't represent (NaN or Infinity)"


@dataclass
class Replay:
    """What an earlier run has recorded, for a run that repeats it from a node on.

    Attributes:
        steps: What its steps have returned, by place.
        until: The node from which on steps are executed.
    """

    steps: Mapping[str, str]
    until: str


@dataclass
class DurableEnvironment(AccountEnvironment):
    """The engine's `Environment` for one segment of a durable run.

    Args:
        durable: Records the steps.
        segment: The number of the segment.
        progress: Shows the trace as it grows.
        pinned: The versions of the recipes that the run uses.
        replay: An earlier run that this one repeats in part.
        sub_runs: How the runs of other workflows ended, to be recorded when this one has ended.
    """

    durable: DurableExecution = field(kw_only=True)
    segment: int = field(kw_only=True)
    progress: Progress = field(kw_only=True)
    pinned: PinnedRecipes = field(kw_only=True)
    replay: Replay | None = None
    sub_runs: list[tuple[str, datetime | None, RunResult]] = field(default_factory=list)
    _graphs: dict[str, Graph | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find recipes in the versions that are pinned."""
        self.recipes = self.recipes.of_run(self.pinned)

    def _prompt_recipes(self) -> PromptStore:
        return self.pinned.prompt_recipes

    async def step(self, step: Step, invoke: Invoke) -> StepResult:
        """Invoke a component, or return what an earlier execution of this run has recorded of it."""
        if self.replay is not None and step.node_id == self.replay.until:
            self.replay = None
        place = step.place()
        delivered = None if self.replay is None else self.replay.steps.get(_delivered_at(place))
        if delivered is not None:
            return await self._delivered_before(step, invoke, json.loads(delivered))
        if step.component in self.registry.pure:
            return StepResult(await invoke(None))
        repeat_key = self.store.run_tokens.repeat_key(self.run, place)
        may_run = step.repeatable or await self._begins(place)

        async def work() -> str:
            if not may_run:
                return _text({"failed": _UNKNOWN, "ms": 0.0})
            return await _outcome(invoke, repeat_key)

        name = place if step.attempt == 1 else f"{place} attempt {step.attempt}"
        outcome = await _read(await self._recorded(name, work))
        self.progress.wake(self.run)
        if "failed" in outcome:
            failure = {name: outcome.get(name) for name in _OF_FAILURES}
            raise InvocationFailure(outcome["failed"], **failure)
        return StepResult(outcome["value"], outcome["ms"])

    async def _delivered_before(
        self, step: Step, invoke: Invoke, delivery: dict[str, Any]
    ) -> StepResult:
        """Return what a callback brought for this node in the run that this one repeats."""
        if not delivery.get("success", True):
            raise InvocationFailure(delivery.get("error") or "the task failed")
        place = step.place()
        recorded = None if self.replay is None else self.replay.steps.get(place)
        pending = await invoke(None) if recorded is None else json.loads(recorded).get("value")
        value = await self.delivered(step.component, place, pending, delivery.get("data"))

        async def work() -> str:
            return _text({"value": value, "ms": 0.0})

        await self.durable.step(place, work)
        await note_delivery(self.durable, {**delivery, "place": place})
        return StepResult(value, 0.0)

    async def pause(self, step: Step, seconds: float) -> None:
        """Wait before an attempt, until the time that an earlier execution has recorded."""

        async def work() -> str:
            return str(clock.now() + seconds)

        name = f"{step.place()} wait {step.attempt}"
        until = float(await self.durable.step(name, work))
        await asyncio.sleep(min(seconds, max(0.0, until - clock.now())))

    async def _begins(self, place: str) -> bool:
        """Note that a node begins that must not be repeated; return whether no earlier execution has noted it.

        It is on disk before the node begins, also if the machine loses its power.
        """
        mine = uuid.uuid4().hex

        async def work() -> str:
            return mine

        noted = await self.durable.step(f"{place} begins", work)
        await self.store.runs.settle(self.run)
        return noted == mine

    async def workflow(self, name: str) -> Graph | None:
        """Find another workflow of the account: a run keeps the one that it has found first."""
        if name not in self._graphs:
            find = super().workflow

            async def work() -> str:  # a step must not raise
                graph = await persistently(
                    lambda: find(name), "a run finds a workflow", (UnreadableFailure,)
                )
                return encode(graph).decode()

            self._graphs[name] = await _read(await self._recorded(f"workflow {name}", work))
        return self._graphs[name]

    def sub_run_ended(self, name: str, started: datetime | None, result: RunResult) -> None:
        """Keep it until this run has ended: a run that is executed again would record it again."""
        self.sub_runs.append((name, started, result))

    def traced(self, trace: Sequence[TraceEntry]) -> None:
        """Show it to those who watch the run."""
        self.progress.begin(self.run, self.segment, trace)

    async def _recorded(self, place: str, work: Callable[[], Coroutine[Any, Any, str]]) -> str:
        recorded = None if self.replay is None else self.replay.steps.get(place)
        if recorded is None:
            return await self.durable.step(place, work)

        async def repeat() -> str:
            return recorded

        return await self.durable.step(place, repeat)


async def note_delivery(durable: DurableExecution, delivery: dict[str, Any]) -> None:
    """Record what a callback has brought for a node, for a run that repeats this one."""

    async def work() -> str:
        return _text(delivery)

    await durable.step(_delivered_at(delivery["place"]), work)


def _delivered_at(place: str) -> str:
    return f"{place} delivered"


async def _outcome(invoke: Invoke, repeat_key: str) -> str:
    began = time.perf_counter()
    try:
        value = await persistently(
            lambda: invoke(repeat_key), "a node of a run begins", (UnreadableFailure,)
        )
    except InvocationFailure as failure:
        more = {name: getattr(failure, name) for name in _OF_FAILURES}
        return _text({"failed": str(failure), "ms": milliseconds(began), **more})
    outcome = {"value": value, "ms": milliseconds(began)}
    try:
        return await asyncio.to_thread(_text, outcome) if _is_large(value) else _text(outcome)
    except (ValueError, RecursionError):
        return _text({"failed": _NOT_JSON, "ms": milliseconds(began)})


def _is_large(value: Any) -> bool:
    return rough_size(value, _LARGE) > _LARGE


def _text(outcome: dict[str, Any]) -> str:
    return encode(outcome).decode()


async def _read(text: str) -> Any:
    if len(text) > _LARGE:
        return await asyncio.to_thread(json.loads, text)
    return json.loads(text)
