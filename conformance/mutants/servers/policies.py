"""Defects in what nodes and workflows may say about failures."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from arcrun_server.engine import (
    attempts,
    check,
    elements,
    environment,
    failures,
    for_each,
    invoker,
    machine,
    plan,
    policy,
)
from arcrun_server.outbound import streams
from arcrun_server.runs import service
from arcrun_server.runs.service import RunService

# Repetitions


def invokes_once_more() -> None:
    right = policy._read_retry

    def read_retry(written: Any) -> Any:
        retry = right(written)
        return retry and replace(retry, times=retry.times + 1)

    policy._read_retry = read_retry


def waits_the_same_each_time() -> None:
    attempts.waiting_time = lambda retry, _attempts, _seed: retry.backoff_seconds


def does_not_heed_retry_after() -> None:
    right = attempts._after

    def after(retry: Any, kind: Any, status: Any, asked: Any) -> Any:
        seconds = right(retry, kind, status, asked)
        return min(seconds, 0.0) if seconds is not None and seconds < 100 else seconds

    attempts._after = after


def waits_for_tomorrow() -> None:
    right = machine.repeat

    async def repeat(*given: Any, longest: float, **named: Any) -> Any:
        return await right(*given, longest=longest * 10_000, **named)

    machine.repeat = repeat


def repeats_every_failure() -> None:
    policy.DEFAULT_ON = policy.DEFAULT_ON | {policy.ANY}


def takes_429_for_a_server_error() -> None:
    right = attempts.kind_of_status
    attempts.kind_of_status = lambda status: policy.SERVER_ERROR if status == 429 else right(status)


def names_no_kind_of_unreachable_hosts() -> None:
    streams.CONNECTION = None


def attempts_count_as_one_node() -> None:
    right = machine.repeat

    async def repeat(retry: Any, attempt: Any, _wait: Any, **named: Any) -> Any:
        async def wait(_number: int, seconds: float) -> None:
            await asyncio.sleep(seconds)

        return await right(retry, attempt, wait, **named)

    machine.repeat = repeat


# Time-outs


def time_outs_are_results() -> None:
    right = invoker.in_time

    async def in_time(seconds: float, work: Any) -> Any:
        try:
            return await right(seconds, work)
        except failures.InvocationFailure as failure:
            return {"success": False, "error": str(failure), "error_type": "timeout"}

    invoker.in_time = in_time


def takes_the_time_out_of_http_request() -> None:
    policy.OWN_PARAMETERS.clear()


# What follows a failure


def going_on_is_a_success() -> None:
    right = machine.Machine.fail

    def fail(self: Any, frame: Any, item: Any, *failure: Any) -> None:
        right(self, frame, item, *failure)
        frame.failed_nodes.pop(frame.plan.nodes[item.node].id, None)

    machine.Machine.fail = fail


def stops_before_on_fail_edges() -> None:
    right = machine.Machine._note_failure

    def note(self: Any, frame: Any, node: Any, result: Any) -> None:
        right(self, frame, replace(node, handles_failure=False), result)

    machine.Machine._note_failure = note


def stop_within_an_element_ends_the_run() -> None:
    right = machine.Machine._note_failure

    def note(self: Any, frame: Any, node: Any, result: Any) -> None:
        try:
            right(self, frame, node, result)
        except failures.NodeFailure as failure:
            failure.final = True
            raise

    machine.Machine._note_failure = note


def workflows_before_nodes() -> None:
    right = plan.node_policy

    def node_policy(node: Any, graph: Any, **named: Any) -> Any:
        said = {name: graph[name] for name in policy.DEFAULT_FIELDS if name in graph}
        return right({**node, **said}, graph, **named)

    plan.node_policy = node_policy


def tells_of_a_failure_twice() -> None:
    right = RunService._run_after_failure

    async def run_after_failure(self: Any, *given: Any) -> None:
        await right(self, *given)
        await right(self, *given)

    RunService._run_after_failure = run_after_failure


def tells_of_no_node() -> None:
    right = service.following_input

    def following_input(*given: Any) -> Any:
        told = right(*given)
        del told["failed_node"]
        return told

    service.following_input = following_input


def missing_failure_workflows_leave_no_trace() -> None:
    right = RunService._run_after_failure

    async def run_after_failure(
        self: Any, account: str, failed: str, name: Any, failure: Any
    ) -> None:
        if name and await self._store.workflows.graph_text(account, name) is not None:
            await right(self, account, failed, name, failure)

    RunService._run_after_failure = run_after_failure


# Elements at the same time


def _elements_at_once(number: Any) -> None:
    right = for_each.ForEach

    def made(node: int, position: int, activation: Any, items: Any, at_once: int = 1) -> Any:
        return right(node, position, activation, items, number(at_once))

    for_each.ForEach = made


def elements_run_alone() -> None:
    defaults = list(environment.RunLimits.__init__.__defaults__ or ())
    fields = list(environment.RunLimits.__dataclass_fields__)
    defaults[fields.index("concurrency")] = 1
    environment.RunLimits.__init__.__defaults__ = tuple(defaults)


def twice_as_many_at_once() -> None:
    _elements_at_once(lambda at_once: at_once * 2 if at_once > 1 else 1)


def results_in_the_order_of_their_ends() -> None:
    right = elements._take_over

    def take_over(run: Any, frame: Any, loop: Any) -> None:
        done = [lane for lane in run.lanes.values() if lane.is_done]
        first = run.lanes.get(len(loop.results))
        if done and first is not None and not first.is_done:
            other = done[0]
            first.index, other.index = other.index, first.index
            run.lanes[first.index], run.lanes[other.index] = first, other
        right(run, frame, loop)

    elements._take_over = take_over


# What a push checks


def policies_are_not_checked() -> None:
    check.policy_field_problems = lambda _owner, _path, _suggestions: []


def fields_without_effect_are_taken() -> None:
    check.policy_use_problems = lambda _node, _path, **_named: []
