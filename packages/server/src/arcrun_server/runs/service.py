"""Running workflows for an account, and keeping a record of it. It knows no HTTP: it returns results."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from arcrun_server import clock
from arcrun_server.engine import ExecutionPlan, RunLimits, RunResult, prepare_graph, run_graph
from arcrun_server.errors import StorageUnavailableError
from arcrun_server.json_text import encode
from arcrun_server.runs.environment import AccountEnvironment
from arcrun_server.runs.errors import RunNotFoundError
from arcrun_server.runs.following import following_id, following_input, missing_workflow
from arcrun_server.runs.idempotency import IdempotentResponse, IdempotentRuns
from arcrun_server.runs.run_ids import new_run_id
from arcrun_server.runs.run_request import RunRequest
from arcrun_server.runs.segments import result_of
from arcrun_server.slots import Slots
from arcrun_server.store.admission import WorkflowFullError
from arcrun_server.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from arcrun_server.components.registry import Registry
    from arcrun_server.engine import Graph
    from arcrun_server.recipes.resolver import RecipeResolver
    from arcrun_server.runs.accepted import AcceptedRuns
    from arcrun_server.runs.run_request import Once
    from arcrun_server.store import Store

# Plans are kept for graphs up to this many characters; a larger one is prepared for each of its runs. A plan can take
# a hundred times the memory of its text.
CACHED_LENGTH = 16 * 1024
_CACHED_PLANS = 128
DEFAULT_RUNS = 200
_log = logging.getLogger("arcrun_server.runs")


class WorkflowNotFoundError(Exception):
    """The account has no workflow of this name."""


class RunService:
    """Runs workflows for any account.

    Args:
        store: Where accounts and workflows are.
        registry: The components of this engine.
        recipes: Finds the components that are recipes.
        runs_per_account: How many runs of one account go on at once. One more raises NoSlotError.
        limits: How much each of them may use.
        accepted: Keeps runs that pause; without it they fail there.
        telemetry: Records each run.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        recipes: RecipeResolver,
        *,
        runs_per_account: int = DEFAULT_RUNS,
        limits: RunLimits | None = None,
        accepted: AcceptedRuns | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or Telemetry()
        self._accepted = accepted
        self._limits = limits or RunLimits()
        self._slots = Slots(runs_per_account, "runs")
        self._store = store
        self._registry = registry
        self._recipes = recipes
        self._idempotent = IdempotentRuns(store.idempotency)

    async def run_workflow(
        self, account: str, name: str, run_input: dict[str, Any], *, strict: bool = False
    ) -> RunResult:
        """Run a stored workflow and wait for its end.

        Args:
            account: Whose workflow it is.
            name: Its name.
            run_input: The run's input.
            strict: Whether a placeholder without a value fails its node.

        Raises:
            WorkflowNotFoundError: There is no such workflow.
            NoSlotError: Too many runs of the account go on.
        """
        graph = await self._graph_text(account, name)
        with self._slots.taken(account):
            return await self._run_stored(account, name, graph, run_input, strict=strict)

    async def run_workflow_once(
        self,
        account: str,
        name: str,
        run_input: dict[str, Any],
        key: str,
        render: Callable[[RunResult], Awaitable[IdempotentResponse]],
        *,
        strict: bool = False,
    ) -> IdempotentResponse:
        """Run a stored workflow unless it has run under this key, and return the first run's response.

        Args:
            account: Whose workflow it is.
            name: Its name.
            run_input: The run's input.
            key: The client's idempotency key.
            render: Renders the response that is kept under the key.
            strict: Whether a placeholder without a value fails its node.

        Raises:
            WorkflowNotFoundError: There is no such workflow.
            IdempotencyError: The key is not valid, was used for another request, or its first run was cut off.
            NoSlotError: Too many runs of the account go on.
        """
        graph = await self._graph_text(account, name)

        async def run() -> IdempotentResponse:
            result = await self._run_stored(account, name, graph, run_input, strict=strict)
            return await render(result)

        request = encode([name, run_input, *(["strict"] if strict else [])])
        # The slot is taken first: once a key is claimed, its run must begin.
        with self._slots.taken(account):
            return await self._idempotent.once(account, key, request, run)

    async def run_graph(self, account: str, graph: Graph, run_input: dict[str, Any]) -> RunResult:
        """Run a graph that is not stored.

        Args:
            account: Whose run it is.
            graph: A graph that was checked.
            run_input: The run's input.

        Raises:
            NoSlotError: Too many runs of the account go on.
        """
        with self._slots.taken(account):
            return await self._run(account, graph, run_input, strict=False)

    async def accept_workflow(
        self,
        accepted: AcceptedRuns,
        account: str,
        name: str,
        run_input: dict[str, Any],
        *,
        strict: bool,
        trigger: str = "api",
        run_id: str | None = None,
    ) -> str:
        """Accept a run of a stored workflow, and return its id.

        Args:
            accepted: Keeps it.
            account: Whose workflow it is.
            name: Its name.
            run_input: The run's input.
            strict: Whether a placeholder without a value fails its node.
            trigger: What makes the run.
            run_id: As in `RunRequest`.

        Raises:
            WorkflowNotFoundError: There is no such workflow.
        """
        graph = await self.workflow_graph(account, name)
        wanted = RunRequest(account, graph, run_input, name, strict, trigger, run_id)
        run_id = await accepted.accept(wanted)
        self._telemetry.tracing.note_run(run_id)
        return run_id

    async def accept_workflow_once(
        self,
        accepted: AcceptedRuns,
        account: str,
        name: str,
        run_input: dict[str, Any],
        once: Once,
        *,
        strict: bool,
        trigger: str = "api",
    ) -> IdempotentResponse:
        """Accept a run of a stored workflow unless one was accepted under the same key; return the first response.

        Args:
            accepted: Keeps it.
            account: Whose workflow it is.
            name: Its name.
            run_input: The run's input.
            once: The key.
            strict: Whether a placeholder without a value fails its node.
            trigger: What makes the run.

        Raises:
            WorkflowNotFoundError: There is no such workflow.
            IdempotencyError: The key was used for another request, or for a run that was cut off.
        """
        earlier = await accepted.earlier(account, once)
        if earlier is not None:
            return earlier
        graph = await self.workflow_graph(account, name)
        wanted = RunRequest(account, graph, run_input, name, strict, trigger)
        return await accepted.accept_once(wanted, once)

    def secret_of(self, account: str) -> Callable[[str], Awaitable[str | None]]:
        """Return what finds the credentials of an account, as its runs do."""
        recipes, limits = self._recipes, self._limits
        return AccountEnvironment(account, self._store, self._registry, recipes, limits).secret

    async def workflow_graph(self, account: str, name: str) -> Graph:
        """Return the graph of a stored workflow.

        Raises:
            WorkflowNotFoundError: There is no such workflow.
        """
        graph: Graph = json.loads(await self._graph_text(account, name))
        return graph

    async def secret(self, account: str, name: str) -> str | None:
        """Return a credential's plaintext, or None if the account has none of this name.

        Raises:
            InvocationFailure: It can't be opened, or the store can't be read.
        """
        environment = AccountEnvironment(
            account, self._store, self._registry, self._recipes, self._limits
        )
        return await environment.secret(name)

    async def _graph_text(self, account: str, name: str) -> str:
        text = await self._store.workflows.graph_text(account, name)
        if text is None:
            raise WorkflowNotFoundError(name)
        return text

    async def _run_stored(
        self, account: str, name: str, graph: str, run_input: dict[str, Any], *, strict: bool
    ) -> RunResult:
        result, plan = await self._run_and_record(account, name, graph, run_input, strict=strict)
        # A run that is kept is followed by another that is kept.
        if plan is not None and not result.success and result.run_id is None:
            await self._run_after_failure(account, name, plan.policy.on_failure_workflow, result)
        return result

    async def _run_and_record(
        self,
        account: str,
        name: str,
        graph: str,
        run_input: dict[str, Any],
        *,
        strict: bool,
        trigger: str = "api",
    ) -> tuple[RunResult, ExecutionPlan | None]:
        started_ms = int(clock.now() * 1000)
        plan = None
        try:
            plan = _cached_plan(graph) if len(graph) <= CACHED_LENGTH else _plan(graph)
        except ValueError as error:  # stored by an engine that checked less
            result = RunResult(success=False, error=f"the stored graph can't be run: {error}")
        else:
            result = await self._run_plan(
                account, name, plan, run_input, strict=strict, trigger=trigger
            )
        if result.run_id is None:  # that of a run which is kept is recorded at its end
            self._store.executions.record(account, name, started_ms, result)
        return result, plan

    async def _run_plan(
        self,
        account: str,
        name: str,
        plan: ExecutionPlan,
        run_input: dict[str, Any],
        *,
        strict: bool,
        trigger: str,
    ) -> RunResult:
        """Run a stored workflow: at once, or when it is its turn if the workflow limits how many runs go on."""
        if self._accepted is None or plan.policy.max_running is None:
            return await self._run(
                account, plan, run_input, strict=strict, workflow=name, trigger=trigger
            )
        run_id = await self._accepted.accept(
            RunRequest(account, plan.graph, run_input, name, strict, trigger)
        )
        self._telemetry.tracing.note_run(run_id)
        result = result_of(await self._accepted.ended(run_id))
        if not result.success and plan.policy.on_failure_workflow:
            with suppress(RunNotFoundError):
                await self._accepted.ended(following_id(self._store, account, run_id))
        return result

    async def _run_after_failure(
        self, account: str, failed: str, name: str | None, failure: RunResult
    ) -> None:
        """Run the workflow that is to be run after a failure; whatever comes of it changes nothing of the failed run.

        Its own `on_failure_workflow` is not looked at: no failure starts more than one run.
        """
        if name is None:
            return
        started_ms = int(clock.now() * 1000)
        run_input = following_input(failed, failure, new_run_id())
        try:
            graph = await self._graph_text(account, name)
            await self._run_and_record(
                account, name, graph, run_input, strict=False, trigger="failure"
            )
        except WorkflowNotFoundError:
            self._store.executions.record(account, name, started_ms, missing_workflow(name, failed))
        except WorkflowFullError as error:
            full = RunResult(success=False, error=f"the workflow '{name}' was not run: {error}")
            self._store.executions.record(account, name, started_ms, full)
        except StorageUnavailableError as error:
            _log.warning("the workflow %s could not be run after a failure: %s", name, error.reason)

    async def _run(
        self,
        account: str,
        plan: ExecutionPlan | Graph,
        run_input: dict[str, Any],
        *,
        strict: bool,
        workflow: str | None = None,
        trigger: str = "api",
    ) -> RunResult:
        run_id = "" if self._accepted is None else new_run_id()
        environment = AccountEnvironment(
            *(account, self._store, self._registry, self._recipes, self._limits, run_id),
            tracing=self._telemetry.tracing,
        )
        started = environment.now()
        with (
            self._telemetry.run(run_id, workflow, trigger) as span,
            self._registry.outbound.on_behalf_of(account),
        ):
            result = await run_graph(plan, run_input, environment, strict=strict, started=started)
            if result.paused is None or self._accepted is None:
                seconds = result.duration_ms / 1000
                self._telemetry.run_ended(span, trigger, result.status, seconds)
        if environment.used:
            self._store.credentials.mark_used(account, environment.used)
        result = replace(result, usage=environment.usage.as_json())
        if result.paused is None or self._accepted is None:
            return result
        await self._accepted.accept_paused(
            run_id,
            account,
            plan.graph if isinstance(plan, ExecutionPlan) else plan,
            run_input,
            workflow=workflow,
            strict=strict,
            started=started,
            result=result,
            pause=result.paused,
        )
        return replace(result, run_id=run_id)


def _plan(graph: str) -> ExecutionPlan:
    return prepare_graph(json.loads(graph))


_cached_plan = lru_cache(maxsize=_CACHED_PLANS)(_plan)
