"""The machine that runs a graph: a stack of frames, processed depth first in the order of the flow.

Nothing of a run is kept on Python's own stack, so a run may be as deep as its graph, and a paused
one can be serialized (see `continuation`).

**When a node runs.** Each frame counts, for every node, how many edges may still arrive there
(`Frame.arriving`). An edge arrives in any case: with an activation if it is taken, without one if it
is not, or can't be any more. A node whose count has come to zero runs if at least one activation
waits there, on all of them merged; otherwise it never runs, and its own edges arrive without
activations. So a node with several incoming edges runs once, and an edge that is not taken holds
nothing up.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from .budget import BudgetError, RunBudget
from .builtin_components import BUILTINS
from .failures import InvocationFailure, NodeFailure, PauseRequest
from .filling import fill_data
from .frames import (
    Activation,
    FollowEdges,
    ForEach,
    Frame,
    RunNode,
    StartNode,
    SubRun,
    element_frame,
    place_of,
)
from .invoker import Invoker
from .model import readable
from .outcome import awaited_task, failure_reason, find_list, is_failure, no_list, read_branch
from .plan import TRIGGER_WORKFLOW
from .result import RunResult, milliseconds, trace_entry
from .scope import Scope, TimeVariables, key_look_up
from .sizes import TooLargeError
from .sub_workflow import find_workflow, sub_result, workflow_call
from .templates import MISSING

if TYPE_CHECKING:
    from datetime import datetime

    from .environment import Environment
    from .frames import WorkItem
    from .model import JsonObject
    from .plan import ExecutionPlan, PlannedEdge, PlannedNode
    from .result import TraceEntry

_MAX_REASON_LENGTH = 2000


class Machine:
    """One run.

    Attributes:
        frames: What is being run; the last one is worked on.
        strict: Whether a placeholder without a value fails its node, in all graphs of the run.
        current: The node that runs now and what it was given, for the error of a time-out.
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
        self.times = TimeVariables(started)
        self._invoker = Invoker(environment, started, self.budget.deadline, self.budget.sizes)

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
                self._arrive(frame, edge.target, None)
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
                    else:
                        await self._run_node(frame, item)
                elif len(self.frames) == 1:
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
        if node.component and node.component not in BUILTINS:
            self._note_failure(frame, node, result)
        if node.outgoing:
            frame.work.append(FollowEdges(number, 0, activation.after(number, node.id, result)))

    def _record(self, frame: Frame, entry: TraceEntry) -> None:
        frame.trace.append(self.budget.fit(entry))
        frame.entries[entry["nodeId"]] = entry

    def _note_failure(self, frame: Frame, node: PlannedNode, result: Any) -> None:
        if is_failure(result) and not node.handles_failure:
            frame.failed_nodes[node.id] = None

    def _check_resolved(self, frame: Frame, node: PlannedNode, unresolved: list[str]) -> None:
        """Note the placeholders that have no value; in a strict run they fail the node."""
        frame.warn(node.id, unresolved)
        if unresolved and (self.strict or frame.plan.strict):
            listed = ", ".join(unresolved)
            raise InvocationFailure(f"{listed} has no value, and the run is strict")

    def fail(self, frame: Frame, item: RunNode, entry: TraceEntry, reason: str) -> None:
        """Record a node's failure: its ON_FAIL edges go on, or else the run ends."""
        node = frame.plan.nodes[item.node]
        reason = readable(reason, _MAX_REASON_LENGTH)
        given, entry["error"] = entry["input"], reason
        self._record(frame, entry)
        if not node.handles_failure:
            raise NodeFailure(node.id, reason, given)
        entry["output"] = result = {"success": False, "error": reason}
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
            self._record(frame, entry)
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
            await self._call_workflow(frame, node, item)
        else:
            await self._run_component(frame, node, item)

    async def _pass_on(self, frame: Frame, node: PlannedNode, item: RunNode) -> None:
        """Run an Input or an Output node: its result is what came before, with an Input's own data over it."""
        result = given = frame.previous(item.activation)
        entry = trace_entry(node, given, None, 0.0)
        if node.type == "Input" and node.data:
            scope = self._scope(frame, item.activation)
            try:
                own = await fill_data(node, scope, self.budget.held_bytes)
                self._note_unresolved(frame, node, scope.unresolved, entry)
            except (InvocationFailure, TooLargeError) as problem:
                self.fail(frame, item, entry, str(problem))
                return
            result = {**given, **own} if isinstance(given, dict) else own
        entry["output"] = result
        self._record(frame, entry)
        self.complete(frame, item.node, item.activation, result)

    def _scope(self, frame: Frame, activation: Activation) -> Scope:
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
        scope = self._scope(frame, activation)
        builtin, took = BUILTINS.get(node.component or ""), None
        context = activation.values if builtin else {**activation.results, **activation.values}
        entry = trace_entry(node, context, None, 0.0)
        began = time.perf_counter()
        try:
            own = await fill_data(node, scope, self.budget.held_bytes)
            given = {**context, **own} if own else context
            entry["input"] = given
            self.current = (node.id, given)
            if scope.unresolved:
                self._note_unresolved(frame, node, scope.unresolved, entry)
            if builtin and not node.credentials:
                result = builtin(given)
            else:
                result, took = await self._invoker.step(
                    *(node, scope, context, own, self.budget.held_bytes),
                    workflow=frame.plan.graph.get("name") or None,
                    place=lambda: place_of(self.frames, node.id),
                )
                await self.budget.measure(result)
            self.check_result(result)
        except (InvocationFailure, ValueError) as problem:
            entry["duration_ms"] = milliseconds(began)
            self.fail(frame, item, entry, str(problem))
            return
        entry["duration_ms"] = milliseconds(began) if took is None else took
        entry["output"] = result
        self._record(frame, entry)
        task_id = awaited_task(result)
        if task_id:
            raise PauseRequest(task_id, item, node.id, result)
        self.complete(frame, item.node, activation, result)

    def _note_unresolved(
        self, frame: Frame, node: PlannedNode, sources: list[str], entry: TraceEntry
    ) -> None:
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
            self._begin_loop(frame, follow, edge)
        else:
            taken = self._takes(frame, edge, follow.activation)
            self._arrive(frame, edge.target, follow.activation if taken else None)

    def _takes(self, frame: Frame, edge: PlannedEdge, activation: Activation) -> bool:
        result = frame.executed[edge.source]
        if edge.type == "ON_SUCCESS":
            return not is_failure(result)
        if edge.type == "ON_FAIL":
            return is_failure(result)
        if edge.condition is not None:
            scope = self._scope(frame, activation)
            return edge.condition.holds(key_look_up(result, scope), scope.find_text)
        if edge.type == "ON_BRANCH":
            return read_branch(result) == edge.branch
        if edge.type in {"ON_TRUE", "ON_FALSE"}:
            return (read_branch(result) or "").lower() == edge.type[3:].lower()
        return True

    def _arrive(self, frame: Frame, target: int, activation: Activation | None) -> None:
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

    def _begin_loop(self, frame: Frame, follow: FollowEdges, edge: PlannedEdge) -> None:
        node = frame.plan.nodes[follow.node]
        result = frame.executed[follow.node]
        activation = follow.activation
        elements = find_list(result, {**activation.results, **activation.values}, edge.iterator)
        if elements is MISSING:
            if is_failure(result) and node.handles_failure:
                self._arrive(frame, edge.target, None)
                return
            raise NodeFailure(node.id, no_list(result, edge.iterator), activation.values)
        loop = ForEach(follow.node, follow.position, activation, elements)
        frame.for_each = loop
        self._next_element(frame, loop)

    def _next_element(self, frame: Frame, loop: ForEach) -> None:
        index = len(loop.results)
        if index == len(loop.elements):
            self._end_loop(frame, loop)
            return
        self._check_depth(frame.plan.nodes[loop.node].id)
        self.frames.append(element_frame(frame, loop, index))

    def _check_depth(self, node: str) -> None:
        if len(self.frames) > self.limits.depth:
            reason = (
                f"FOREACH and sub-workflows are nested deeper than {self.limits.depth} levels; "
                "does a workflow call itself?"
            )
            raise NodeFailure(node, reason, final=True)

    def _end_loop(self, frame: Frame, loop: ForEach) -> None:
        node = frame.plan.nodes[loop.node]
        if loop.first_failure and loop.failures == len(loop.elements):
            failed, reason = loop.first_failure
            raise NodeFailure(
                failed,
                f"all {loop.failures} elements of '{node.id}' failed; the first: {reason}",
                loop.first_input,
            )
        result = frame.executed[loop.node]
        result = {**(result if isinstance(result, dict) else {}), "results": loop.results}
        sizes = self.budget.sizes
        sizes.learn(loop.results, sizes.of_list(loop.results))
        try:
            frame.executed[loop.node] = self.check_result(result)
        except ValueError as problem:
            raise NodeFailure(node.id, str(problem), loop.activation.values) from None
        frame.for_each = None
        frame.last = loop.node
        if loop.position + 1 < len(node.outgoing):
            # The node's later edges are the next work: they see its result with `results` added.
            rest = frame.work[-1]
            assert isinstance(rest, FollowEdges), "the node's later edges are next"  # noqa: S101
            rest.activation = loop.activation.after(loop.node, node.id, result)
        target = node.outgoing[loop.position].target
        # The target ran in the frames of the elements; in this frame it never does.
        self._arrive(frame, target, None)

    def _leave(self, frame: Frame) -> None:
        """Hand the result of a frame that is done to the frame below."""
        if frame.sub_run:
            self._end_sub_run(frame, frame.sub_run, frame.data(), None)
            return
        result = frame.data()
        failed = None
        if is_failure(result) and frame.last is not None:
            failed = NodeFailure(
                frame.plan.nodes[frame.last].id, failure_reason(result), frame.root.values
            )
        self._end_element(result, failed)

    def _unwind(self, failure: NodeFailure) -> None:
        """Carry a failure to where it ends: an element of a FOREACH, a sub-workflow, or the run."""
        while True:
            self.frames[-1].note_failure(failure.node, failure.reason)
            if failure.final or len(self.frames) == 1:
                raise failure
            frame = self.frames.pop()
            try:
                if frame.sub_run:
                    self._end_sub_run(frame, frame.sub_run, None, failure)
                else:
                    frame.failed_nodes[failure.node] = None
                    self._end_element({"success": False, "error": str(failure)}, failure)
            except NodeFailure as outer:
                failure = outer
            else:
                return

    def _end_element(self, result: Any, failure: NodeFailure | None) -> None:
        frame = self.frames[-1]
        loop = frame.for_each
        assert loop is not None, "an element's frame stands on that of its FOREACH"  # noqa: S101
        loop.results.append(result)
        if failure:
            loop.failures += 1
            if loop.first_failure is None:
                loop.first_failure = (failure.node, failure.reason)
                loop.first_input = failure.given
        self._next_element(frame, loop)

    async def _call_workflow(self, frame: Frame, node: PlannedNode, item: RunNode) -> None:
        activation = item.activation
        scope = self._scope(frame, activation)
        given = {**activation.results, **activation.values}
        entry = trace_entry(node, given, None, 0.0)
        began, started = time.perf_counter(), self.environment.now()
        try:
            data = await fill_data(node, scope, self.budget.held_bytes)
            entry["input"] = given = {**given, **data}
            self.current = (node.id, given)
            self._note_unresolved(frame, node, scope.unresolved, entry)
            name, run_input = workflow_call(node, data, activation.values)
            plan = await find_workflow(name, self.environment)
        except (InvocationFailure, TooLargeError) as failure:
            entry["duration_ms"] = milliseconds(began)
            self.fail(frame, item, entry, str(failure))
            return
        self._check_depth(node.id)
        self.open(plan, run_input)
        by_edge = node.workflow is not None
        self.frames[-1].sub_run = SubRun(
            item.node, activation, entry, name, by_edge, began, started
        )

    def abandon(self, failure: NodeFailure) -> None:
        """Report the sub-workflows that a failure of the whole run cut off."""
        for frame in reversed(self.frames):
            if frame.sub_run:
                self._report(frame, frame.sub_run, None, failure)

    def _report(
        self, ended: Frame, sub_run: SubRun, data: Any, failure: NodeFailure | None
    ) -> float:
        duration = 0.0 if sub_run.began is None else milliseconds(sub_run.began)
        result = RunResult(
            success=failure is None,
            data=data,
            duration_ms=duration,
            error=None if failure is None else str(failure),
            failed_nodes=list(ended.failed_nodes),
        )
        self.environment.sub_run_ended(sub_run.name, sub_run.started, result)
        return duration

    def _end_sub_run(
        self, ended: Frame, sub_run: SubRun, data: Any, failure: NodeFailure | None
    ) -> None:
        frame = self.frames[-1]
        node = frame.plan.nodes[sub_run.node]
        item = RunNode(sub_run.node, sub_run.activation)
        duration = self._report(ended, sub_run, data, failure)
        entry = sub_run.entry or trace_entry(node, None, None, duration)
        entry["duration_ms"] = duration
        if failure and sub_run.by_edge:
            self.fail(frame, item, entry, f"the workflow '{sub_run.name}' failed: {failure}")
            return
        result = data
        if not sub_run.by_edge:
            failed_nodes = list(ended.failed_nodes)
            result = sub_result(sub_run.name, data, failure, failed_nodes, duration)
        entry["output"] = result
        self._record(frame, entry)
        self.complete(frame, sub_run.node, sub_run.activation, result)
