"""Running a stored workflow, and keeping a record of it."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arcrun_server.engine import FlowError, prepare_graph, run_graph
from arcrun_server.runs.environment import AccountEnvironment
from arcrun_server.web.answers import encode

if TYPE_CHECKING:
    from arcrun_server.engine import Graph, Plan, RunResult
    from arcrun_server.runs.components import Components
    from arcrun_server.store import Store

PLANS_KEPT = 512


@dataclass(frozen=True)
class Answer:
    """What a run's caller gets.

    Args:
        status: HTTP status.
        body: JSON.
    """

    status: int
    body: bytes


class Runner:
    """Runs workflows for any account.

    Args:
        store: Where accounts and workflows are.
        registry: The components of this engine.
    """

    def __init__(self, store: Store, registry: Components) -> None:
        self._store = store
        self._registry = registry
        self._plans: OrderedDict[str, Plan] = OrderedDict()

    async def run_named(self, account: str, name: str, run_input: dict[str, Any]) -> Answer | None:
        """Run a stored workflow and wait for its end; return None if there is no such workflow.

        Args:
            account: Whose workflow it is.
            name: Its name.
            run_input: The run's input.
        """
        revision = await self._store.workflows.revision(account, name)
        if revision is None:
            return None
        started_ms = time.time_ns() // 1_000_000
        plan = self._plans.get(revision)
        if plan is None:
            graph = await self._store.workflows.graph(account, name)
            if graph is None:
                return None
            try:
                plan = self._keep(revision, prepare_graph(graph))
            except FlowError as error:  # stored by an engine that checked less
                return _failed(f"the stored graph can't be run: {error.problems[0]}", 0.0)
        result, answer = await self._run(account, plan, run_input)
        self._store.executions.record(account, name, started_ms, result)
        return answer

    async def _run(
        self, account: str, plan: Plan | Graph, run_input: dict[str, Any]
    ) -> tuple[RunResult, Answer]:
        environment = AccountEnvironment(account, self._store, self._registry)
        result = await run_graph(plan, run_input, environment)
        if environment.used:
            self._store.credentials.mark_used(account, environment.used)
        return result, answer_of(result)

    def _keep(self, revision: str, plan: Plan) -> Plan:
        self._plans[revision] = plan
        if len(self._plans) > PLANS_KEPT:
            self._plans.popitem(last=False)
        return plan


def answer_of(result: RunResult) -> Answer:
    """Write a run's result as the contract says (CONTRACT.md §2)."""
    if result.paused is not None:
        return _failed(
            f"Node {result.paused.node_id} waits for a callback, and this engine can't resume runs yet",
            result.duration_ms,
            failed_node=result.paused.node_id,
        )
    if not result.success:
        return _failed(
            result.error or "the run failed",
            result.duration_ms,
            failed_node=result.failed_node,
            trace=result.trace_summary(),
        )
    try:
        body = encode(
            {"success": True, "data": result.data, "duration_ms": round(result.duration_ms, 3)}
        )
    except ValueError:
        return _failed(
            "the run's data holds a number that JSON can't write (NaN or Infinity)",
            result.duration_ms,
        )
    return Answer(200, body)


def _failed(error: str, duration_ms: float, **more: Any) -> Answer:
    body = {
        "success": False,
        "error": error,
        "code": "run_failed",
        "duration_ms": round(duration_ms, 3),
    }
    body |= {name: value for name, value in more.items() if value is not None}
    return Answer(500, encode(body))
