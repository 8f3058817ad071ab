"""Running workflows for an account, and keeping a record of it."""

from __future__ import annotations

import json
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from arcrun_server.engine import RunResult, prepare_graph, run_graph
from arcrun_server.runs.answer import Answer, full_answer, short_answer
from arcrun_server.runs.environment import AccountEnvironment
from arcrun_server.runs.repetition import Repetitions
from arcrun_server.web.answers import encode

if TYPE_CHECKING:
    from arcrun_server.calls import Calls
    from arcrun_server.components import Registry
    from arcrun_server.engine import Graph, Plan
    from arcrun_server.store import Store

# Plans are kept for graphs up to this many characters; a larger one is made ready for each of its runs.
REMEMBERED_LENGTH = 64 * 1024


class Runner:
    """Runs workflows for any account.

    Args:
        store: Where accounts and workflows are.
        registry: The components of this engine.
        calls: The components that are recipes.
    """

    def __init__(self, store: Store, registry: Registry, calls: Calls) -> None:
        self._store = store
        self._registry = registry
        self._calls = calls
        self._repetitions = Repetitions(store.idempotency)

    async def run_named(
        self,
        account: str,
        name: str,
        run_input: dict[str, Any],
        idempotency_key: str | None = None,
    ) -> Answer | None:
        """Run a stored workflow and wait for its end; return None if there is no such workflow.

        Args:
            account: Whose workflow it is.
            name: Its name.
            run_input: The run's input.
            idempotency_key: Under the same key the same request runs once.

        Raises:
            ApiError: 400 or 409, about the key.
        """
        text = await self._store.workflows.graph_text(account, name)
        if text is None:
            return None

        async def run() -> Answer:
            return await self._run_stored(account, name, text, run_input)

        if idempotency_key is None:
            return await run()
        request = encode([name, run_input])
        return await self._repetitions.once(account, idempotency_key, request, run)

    async def run_graph(
        self,
        account: str,
        graph: Graph,
        context: dict[str, Any],
        more: dict[str, Any] | None = None,
    ) -> Answer:
        """Run a graph that is not stored, and answer in full.

        Args:
            account: Whose run it is.
            graph: A graph that was checked.
            context: The run's input.
            more: Further fields of the answer.
        """
        return full_answer(await self._run(account, graph, context), more or {})

    async def _run_stored(
        self, account: str, name: str, text: str, run_input: dict[str, Any]
    ) -> Answer:
        started_ms = time.time_ns() // 1_000_000
        try:
            plan = _remembered(text) if len(text) <= REMEMBERED_LENGTH else _prepared(text)
        except ValueError as error:  # stored by an engine that checked less
            result = RunResult(success=False, error=f"the stored graph can't be run: {error}")
        else:
            result = await self._run(account, plan, run_input)
        self._store.executions.record(account, name, started_ms, result)
        return short_answer(result)

    async def _run(self, account: str, plan: Plan | Graph, run_input: dict[str, Any]) -> RunResult:
        environment = AccountEnvironment(account, self._store, self._registry, self._calls)
        result = await run_graph(plan, run_input, environment)
        if environment.used:
            self._store.credentials.mark_used(account, environment.used)
        return result


def _prepared(text: str) -> Plan:
    return prepare_graph(json.loads(text))


_remembered = lru_cache(maxsize=256)(_prepared)
