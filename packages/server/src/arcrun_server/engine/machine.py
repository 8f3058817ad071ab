"""The machine that runs a graph: a stack of frames, processed depth first in the order of the flow.

Nothing of a run is kept on Python's own stack, so a run may be as deep as its graph, and a paused
one can be serialized (see `continuation`).

**When a node runs.** Each frame counts, for every node, how many edges may still arrive there
(`Frame.arriving`). An edge arrives in any case: with an activation if it is taken, without one if it
is not, or can't be any more. A node whose count has come to zero runs if at least one activation
waits there, on all of them merged; otherwise it never runs, and its own edges arrive without
activations. So a node with several incoming edges runs once, and an edge that is not taken holds
nothing up.

**What else runs at the same time.** Nothing, but for the elements of a FOREACH whose node allows it: each of these has
a machine of its own (`elements`), which shares the budget of the run.
"""

from __future__ import annotations

import asyncio
import copy
import time
from typing import TYPE_CHECKING, Any

from .attempts import repeat
from .budget import BudgetError, RunBudget
from .builtin_components import BUILTINS
from .elements import open_lanes, run_elements
from .environment import Step
from .failures import InvocationFailure, NodeFailure, PauseRequest
from .filling import fill_data
from .for_each import begin_loop, element_failure, end_element, failed_element
from .frames import Activation, FollowEdges, Frame, RunElements, RunNode, StartNode, place_of
from .invoker import Invoker
from .model import readable
from .outcome import awaited_task, failure_reason, is_failure, read_branch
from .plan import TRIGGER_WORKFLOW
from .result import milliseconds, trace_entry
from .scope import Scope, TimeVariables, key_look_up
from .sizes import TooLargeError
from .sub_runs import call_workflow, end_sub_run, report

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import datetime

    from .budget import TraceRoom
    from .environment import Environment, StepResult
    from .frames import WorkItem
    from .model import JsonObject
    from .plan import ExecutionPlan, PlannedEdge, PlannedNode
    from .result import TraceEntry
    from .runner import Lane

_MAX_REASON_LENGTH = 2000


class Machine:
    """One run.

    Attributes:
        frames: What is being run; the last one is worked on.
        strict: Whether a placeholder without a value fails its node, in all graphs of the run.
        current: The node that runs now and what it was given, for the error of a time-out.
        lanes: The elements of the FOREACH of the last frame that are run at the same time and have begun, by position.
            Their results are taken over in the order of the list, so that these are the next ones.
        trace_room: How much the trace may still show.
        is_lane: Whether it runs one of several elements of a FOREACH that are run at the same time.
        lowest: How many frames there are when the last one is the lowest that is its own.
    """

    def __init__(
        self, environment: Environment, started: datetime, steps: int = 0, *, strict: bool = False
    ) -> None:
        self.environment = environment
        self.limits = environment.limits
        self.budget = RunBudget(self.limits, steps)
        self.frames: list[Frame] = []
        self.strict = strict
        self.current: tuple[str, Any] = ("", None)
        self.lanes: dict[int, Lane] = {}
        self.trace_room = self.budget.trace
        self.is_lane = False
        self.lowest = 1
        self.times = TimeVariables(started)
        self._invoker = Invoker(environment, started, self.budget.deadline, self.budget.sizes)

    def lane(self, frame: Frame, room: TraceRoom) -> Machine:
        """Return a machine that runs a frame on top of these, beside others, with the same budget."""
        lane = copy.copy(self)
        lane.frames = [*self.frames, frame]
        lane.lanes = {}
        lane.trace_room = room
        lane.is_lane = True
        lane.lowest = len(lane.frames)
        return lane

    @property
    def own_frames(self) -> list[Frame]:
        """Return the frames that no other machine runs."""
        return self.frames[self.lowest - 1 :]

    def open(self, plan: ExecutionPlan, run_input: JsonObject) -> None:
        """Push the frame of a graph that is to run from its start."""
        frame = Frame(
            plan=plan,
            root=Activation(0, (), run_input, {}),
            prev=run_input,
            run_input=run_input,
            loop=None,
            arriving=dict(plan.incoming),
            work=[StartNode(number) for number in reversed(plan.starts)],
        )
        # Only structure leads to these nodes. They never run, so what they lead to must not wait for them.
        for number in plan.unreached:
            for edge in plan.nodes[number].outgoing:
                self.arrive(frame, edge.target, None)
        self.frames.append(frame)

    async def run(self) -> Any:
        """Run to the end.

        Returns:
            The run's data.

        Raises:
            NodeFailure: The run failed.
            PauseRequest: The run waits for a callback; the frames are its state.
        """
        while True:
            if self.budget.turn_is_over():
                await asyncio.sleep(0)  # a long run of built-ins lets other tasks run
            frame = self.frames[-1]
            try:
                if frame.work:
                    item = frame.work.pop()
                    if isinstance(item, FollowEdges):
                        self._follow_edge(frame, item)
                    elif isinstance(item, RunElements):
                        await run_elements(self, frame)
                    else:
                        await self._run_node(frame, item)
                elif len(self.frames) == self.lowest:
                    return frame.data()
                else:
                    self._leave(self.frames.pop())
            except NodeFailure as failure:
                self._unwind(failure)

    def complete(self, frame: Frame, number: int, activation: Activation, result: Any) -> None:
        """Record a node's result, and go on to the edges that leave it."""
        node = frame.plan.nodes[number]
        frame.executed[number] = result
        frame.last = number
        # Built-ins give back the context, and with it the failure of a node before them.
        if node.component and node.component not in BUILTINS and is_failure(result):
            self._note_failure(frame, node, result)
        if node.outgoing:
            frame.work.append(FollowEdges(number, 0, activation.after(number, node.id, result)))

    def record(self, frame: Frame, entry: TraceEntry) -> None:
        """Put an entry into the trace, as far as there is room."""
        frame.trace.append(self.trace_room.fit(entry))
        frame.entries[entry["nodeId"]] = entry

    def _note_failure(self, frame: Frame, node: PlannedNode, result: JsonObject) -> None:
        if node.handles_failure:
            return
        if node.policy.on_failure == "stop":
            raise NodeFailure(node.id, failure_reason(result), frame.entries[node.id]["input"])
        frame.failed_nodes[node.id] = None

    def _check_resolved(self, frame: Frame, node: PlannedNode, unresolved: list[str]) -> None:
        """Note the placeholders that have no value; in a strict run they fail the node."""
        frame.warn(node.id, unresolved)
        if unresolved and (self.strict or frame.plan.strict):
            listed = ", ".join(unresolved)
            raise InvocationFailure(f"{listed} has no value, and the run is strict")

    def fail(
        self, frame: Frame, item: RunNode, entry: TraceEntry, reason: str, record: Any = None
    ) -> None:
        """Record a node's failure, and what its component says besides.

        Its ON_FAIL edges go on, or else the run ends, unless the node says otherwise.
        """
        node = frame.plan.nodes[item.node]
        reason = readable(reason, _MAX_REASON_LENGTH)
        given, entry["error"] = entry["input"], reason
        self.record(frame, entry)
        if not node.handles_failure:
            if node.policy.on_failure != "continue":
                entry["record"] = record or {}
                raise NodeFailure(node.id, reason, given)
            frame.failed_nodes[node.id] = None
        entry["output"] = result = {"success": False, "error": reason, **(record or {})}
        self.complete(frame, item.node, item.activation, result)

    def deliver(self, frame: Frame, item: RunNode, result: Any, error: str | None) -> None:
        """Deliver what a callback brought for the node that waited: its result, or why it failed."""
        entry = trace_entry(frame.plan.nodes[item.node], None, result, 0.0)
        try:
            if error is None:
                self.check_result(result)
        except ValueError as problem:
            error = str(problem)
        try:
            if error is not None:
                self.fail(frame, item, {**entry, "output": None}, error)
                return
            self.record(frame, entry)
            self.complete(frame, item.node, item.activation, result)
        except NodeFailure as failure:
            self._unwind(failure)

    def check_result(self, result: Any) -> Any:
        """Return a result if it is valid JSON and not too large.

        Raises:
            ValueError: It is not.
            NodeFailure: All results of the run together have become too large.
        """
        try:
            self.budget.take_result(result)
        except BudgetError as problem:
            raise NodeFailure(self.current[0], str(problem), final=True) from None
        return result

    async def _run_node(self, frame: Frame, item: RunNode | StartNode) -> None:
        if isinstance(item, StartNode):
            if frame.last is not None:
                frame.parts.append(frame.last)
                frame.last = None
            item = RunNode(item.node, frame.root)
        node = frame.plan.nodes[item.node]
        self._count_step(node)
        if node.component is None:
            await self._pass_on(frame, node, item)
        elif node.component == TRIGGER_WORKFLOW:
            await call_workflow(self, frame, node, item)
        else:
            await self._run_component(frame, node, item)

    async def _pass_on(self, frame: Frame, node: PlannedNode, item: RunNode) -> None:
        """Run an Input or an Output node: its result is what came before, with an Input's own data over it."""
        result = given = frame.previous(item.activation)
        entry = trace_entry(node, given, None, 0.0)
        if node.type == "Input" and node.data:
            scope = self.scope(frame, item.activation)
            try:
                own = await fill_data(node, scope, self.budget.held_bytes)
                self.note_unresolved(frame, node, scope.unresolved, entry)
            except (InvocationFailure, TooLargeError) as problem:
                self.fail(frame, item, entry, str(problem))
                return
            result = {**given, **own} if isinstance(given, dict) else own
        entry["output"] = result
        self.record(frame, entry)
        self.complete(frame, item.node, item.activation, result)

    def scope(self, frame: Frame, activation: Activation) -> Scope:
        """Return what a node's templates and conditions see."""
        return Scope(frame, activation, self.times, self.limits.output_bytes, self.budget.sizes)

    def _count_step(self, node: PlannedNode) -> None:
        self.current = (node.id, None)
        try:
            self.budget.take_step()
        except BudgetError as problem:
            raise NodeFailure(node.id, str(problem), final=True) from None

    def out_of_time(self) -> NodeFailure:
        """Return the failure of a run whose time is over."""
        node, given = self.current
        return NodeFailure(node, self.budget.out_of_time(), given, final=True)

    async def _run_component(self, frame: Frame, node: PlannedNode, item: RunNode) -> None:
        activation = item.activation
        scope = self.scope(frame, activation)
        builtin, took = BUILTINS.get(node.component or ""), None
        context = activation.values if builtin else activation.context()
        entry = trace_entry(node, context, None, 0.0)
        began = time.perf_counter()
        try:
            own = await fill_data(node, scope, self.budget.held_bytes)
            given = {**context, **own} if own else context
            entry["input"] = given
            self.current = (node.id, given)
            if scope.unresolved:
                self.note_unresolved(frame, node, scope.unresolved, entry)
            if builtin and not node.credentials:
                result = builtin(given)
            else:
                result, took = await self._invoke(
                    frame, node, scope, context=context, own=own, entry=entry
                )
                await self.budget.measure(result)
            self.check_result(result)
        except (InvocationFailure, ValueError) as problem:
            entry["duration_ms"] = milliseconds(began)
            self.fail(frame, item, entry, str(problem), getattr(problem, "record", None))
            return
        entry["duration_ms"] = milliseconds(began) if took is None else took
        entry["output"] = result
        self.record(frame, entry)
        task_id = awaited_task(result)
        if task_id:
            raise PauseRequest(task_id, item, node.id, self._place(node), result)
        self.complete(frame, item.node, activation, result)

    def _invoke(
        self,
        frame: Frame,
        node: PlannedNode,
        scope: Scope,
        *,
        context: JsonObject,
        own: JsonObject,
        entry: TraceEntry,
    ) -> Awaitable[StepResult]:
        """Invoke a node's component, as often as its `retry` says."""
        workflow = frame.plan.graph.get("name") or None

        def attempt(number: int) -> Awaitable[StepResult]:
            return self._invoker.step(
                *(node, scope, context, own, self.budget.held_bytes),
                workflow=workflow,
                step=self._step(node, number),
            )

        retry = node.policy.retry
        if retry is None:
            return attempt(1)

        async def wait(number: int, seconds: float) -> None:
            entry["attempts"] = number
            await self.environment.pause(self._step(node, number), seconds)
            self.budget.turn_is_over()  # it tells what time it is
            self._count_step(node)
            self.current = (node.id, entry["input"])

        return repeat(
            *(retry, attempt, wait),
            longest=self.limits.seconds,
            seed=lambda: f"{self.times.started.isoformat()} {self._place(node)}",
        )

    def _step(self, node: PlannedNode, attempt: int) -> Step:
        def place() -> str:
            return self._place(node)

        return Step(node.id, node.component or "", place, attempt, node.policy.repeatable)

    def _place(self, node: PlannedNode) -> str:
        return place_of(self.frames, node.id)

    def note_unresolved(
        self, frame: Frame, node: PlannedNode, sources: list[str], entry: TraceEntry
    ) -> None:
        """Let the trace name the placeholders of a node that have no value; in a strict run they fail it."""
        unresolved = [source for source in sources if source not in node.optional]
        if unresolved:
            entry["warnings"] = [f"{source} has no value" for source in unresolved]
            self._check_resolved(frame, node, unresolved)

    def _follow_edge(self, frame: Frame, follow: FollowEdges) -> None:
        outgoing = frame.plan.nodes[follow.node].outgoing
        edge = outgoing[follow.position]
        if follow.position + 1 < len(outgoing):
            frame.work.append(FollowEdges(follow.node, follow.position + 1, follow.activation))
        if edge.type == "FOREACH":
            begin_loop(self, frame, follow, edge)
        else:
            taken = self._takes(frame, edge, follow.activation)
            self.arrive(frame, edge.target, follow.activation if taken else None)

    def _takes(self, frame: Frame, edge: PlannedEdge, activation: Activation) -> bool:
        result = frame.executed[edge.source]
        if edge.type == "ON_SUCCESS":
            return not is_failure(result)
        if edge.type == "ON_FAIL":
            return is_failure(result)
        if edge.condition is not None:
            scope = self.scope(frame, activation)
            return edge.condition.holds(key_look_up(result, scope), scope.find_text)
        if edge.type == "ON_BRANCH":
            return read_branch(result) == edge.branch
        if edge.type in {"ON_TRUE", "ON_FALSE"}:
            return (read_branch(result) or "").lower() == edge.type[3:].lower()
        return True

    def arrive(self, frame: Frame, target: int, activation: Activation | None) -> None:
        """Let an edge arrive at its target, with an activation or, if it is not taken, without one.

        The module's docstring says when a node runs. Nodes that never run are handled in this loop, and
        not by recursion: there may be a thousand of them in a row.
        """
        if activation is not None and frame.arriving[target] == 1 and target not in frame.waiting:
            frame.arriving[target] = 0  # as almost always: one edge leads there
            frame.work.append(RunNode(target, activation))
            return
        ready: list[WorkItem] = []
        arrivals: list[tuple[int, Activation | None]] = [(target, activation)]
        for number, arrived in arrivals:
            frame.arriving[number] -= 1
            if arrived is not None:
                frame.waiting.setdefault(number, []).append(arrived)
            if frame.arriving[number] > 0:
                continue
            activations = frame.waiting.pop(number, None)
            if activations:
                ready.append(RunNode(number, frame.merge(activations)))
            else:
                arrivals += [(edge.target, None) for edge in frame.plan.nodes[number].outgoing]
        if activation is not None and not ready:
            # The activation waits at its target, whose result will be the data; that of the node that
            # it came from is not, even if it was the last to run.
            frame.last = None
        frame.work.extend(reversed(ready))

    def check_depth(self, node: str) -> None:
        """Check that one more frame may be put on these.

        Raises:
            NodeFailure: It may not.
        """
        if len(self.frames) > self.limits.depth:
            reason = (
                f"FOREACH and sub-workflows are nested deeper than {self.limits.depth} levels; "
                "does a workflow call itself?"
            )
            raise NodeFailure(node, reason, final=True)

    def _leave(self, frame: Frame) -> None:
        """Hand the result of a frame that is done to the frame below."""
        result = frame.data()
        if frame.sub_run:
            end_sub_run(self, frame, frame.sub_run, result, None)
        else:
            end_element(self, result, element_failure(frame, result))

    def _unwind(self, failure: NodeFailure) -> None:
        """Carry a failure to where it ends: an element of a FOREACH, a sub-workflow, or the run."""
        while True:
            self.frames[-1].note_failure(failure.node, failure.reason)
            if failure.final or len(self.frames) == self.lowest:
                raise failure
            frame = self.frames.pop()
            try:
                if frame.sub_run:
                    end_sub_run(self, frame, frame.sub_run, None, failure)
                else:
                    end_element(self, failed_element(frame, failure), failure)
            except NodeFailure as outer:
                failure = outer
            else:
                return

    def abandon(self, failure: NodeFailure) -> None:
        """Report the sub-workflows that a failure of the whole run cut off."""
        for lane in open_lanes(self):
            lane.machine.abandon(failure)
        for frame in reversed(self.own_frames):
            if frame.sub_run:
                report(self, frame, frame.sub_run, None, failure)
