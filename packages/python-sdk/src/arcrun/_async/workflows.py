"""Workflows: stored, listed, run."""

from __future__ import annotations

import builtins
import os
from collections.abc import Mapping
from typing import Any

from arcrun._core import operations
from arcrun._core.errors import InvalidArgumentError
from arcrun._core.graphs import compile_graph, config_of, flow_of, is_document
from arcrun._core.names import check_workflow
from arcrun._core.shapes import is_text
from arcrun._core.types import (
    DeletedWorkflow,
    Execution,
    PushedWorkflow,
    RunResult,
    Workflow,
    WorkflowSummary,
)

from .connection import AsyncConnection


class AsyncWorkflows:
    """`client.workflows`: the workflows of your API key."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def push(
        self,
        name: str,
        graph: Mapping[str, Any],
        *,
        description: str | None = None,
        config: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> PushedWorkflow:
        """Store a workflow, or replace it.

        Args:
            name: letters A-Z a-z, digits, `_` and `-`.
            graph: a workflow document (`flow` and `config`, docs/workflow-language.md), which the
                engine compiles first, or a compiled graph (`nodes` and `edges`).
            description: one sentence; by default the document's own, else the name.
            config: settings of each node, which override those of the document.
            timeout: seconds for each attempt; None for the client's own.

        Raises:
            InvalidArgumentError: the document is not valid; nothing was stored.
            BadRequestError: the engine found faults; `details` says where.

        Example:
            >>> document = {"flow": ["input >> 完成後 >> 大寫"],
            ...             "config": {"大寫": {"component": "comp_uppercase"}}}
            >>> result = await client.workflows.push("greet", document)
            >>> result["name"]
            'greet'
        """
        check_workflow(name)
        settings = config or {}
        if is_document(graph):
            settings = {**config_of(graph), **settings}
            compiled = await self._connection.send(operations.compile_flow(flow_of(graph)), timeout)
            graph_to_push = compile_graph(name, compiled, settings)
        else:
            graph_to_push = {**graph, "id": name, "name": name}
        summary = description if description is not None else graph.get("description") or name
        if not is_text(summary) or not summary.strip():
            raise InvalidArgumentError("description must be non-empty text")
        request = operations.push_workflow(
            name, graph_to_push, description=summary, config=settings
        )
        return await self._connection.send(request, timeout)

    async def list(self, *, timeout: float | None = None) -> list[WorkflowSummary]:
        """List the workflows.

        Args:
            timeout: seconds for each attempt; None for the client's own.

        Raises:
            APIStatusError: the engine refused.

        Example:
            >>> found = await client.workflows.list()
            >>> [workflow["name"] for workflow in found]
            ['greet']
        """
        return await self._connection.send(operations.list_workflows(), timeout)

    async def get(self, name: str, *, timeout: float | None = None) -> Workflow:
        """Return a workflow's graph and config.

        Args:
            name: the workflow's name.
            timeout: seconds for each attempt; None for the client's own.

        Raises:
            NotFoundError: there is no such workflow.

        Example:
            >>> result = await client.workflows.get("greet")
            >>> result["graph"]["name"]
            'greet'
        """
        return await self._connection.send(operations.get_workflow(check_workflow(name)), timeout)

    async def delete(self, name: str, *, timeout: float | None = None) -> DeletedWorkflow:
        """Delete a workflow.

        Args:
            name: the workflow's name.
            timeout: seconds for each attempt; None for the client's own.

        Raises:
            NotFoundError: there is no such workflow.

        Example:
            >>> result = await client.workflows.delete("greet")
            >>> result["deleted"]
            True
        """
        return await self._connection.send(
            operations.delete_workflow(check_workflow(name)), timeout
        )

    async def run(
        self,
        name: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - the contract's word
        *,
        run_async: bool = False,
        timeout: float | None = None,
    ) -> RunResult:
        """Run a workflow and return its result.

        A run is retried only if the engine supports idempotency keys, which is asked once.

        Args:
            name: the workflow's name.
            input: the data that the run starts with.
            run_async: return as soon as the engine has accepted the run.
            timeout: seconds for each attempt; None for the client's own.

        Raises:
            WorkflowRunError: the workflow failed; `failed_node` says where.
            WorkflowPaused: the run waits for a callback.
            NotFoundError: there is no such workflow.

        Example:
            >>> result = await client.workflows.run("greet", {"text": "hello"})
            >>> result["data"]["text"]
            'HELLO'
        """
        connection, key = self._connection, None
        check_workflow(name)
        operations.run_workflow(name, input, run_async=run_async, idempotency_key=None).content()
        connection.key()
        if connection.max_retries and await connection.has("idempotency_key", timeout):
            key = os.urandom(16).hex()
        request = operations.run_workflow(name, input, run_async=run_async, idempotency_key=key)
        return await connection.send(request, timeout)

    async def executions(
        self, name: str, *, limit: int | None = None, timeout: float | None = None
    ) -> builtins.list[Execution]:
        """List a workflow's runs, latest first.

        Args:
            name: the workflow's name.
            limit: how many at most; None for the engine's own limit.
            timeout: seconds for each attempt; None for the client's own.

        Raises:
            NotFoundError: there is no such workflow.

        Example:
            >>> found = await client.workflows.executions("greet", limit=1)
            >>> [run["verdict"] for run in found]
            ['success']
        """
        request = operations.list_executions(check_workflow(name), limit)
        return await self._connection.send(request, timeout)
