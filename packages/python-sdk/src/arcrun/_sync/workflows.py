# Generated from _async by scripts/unasync.py: edit there.
"""Workflows: stored, listed, run."""

from __future__ import annotations

import builtins
import os
import warnings
from collections.abc import Mapping
from typing import Any

from arcrun._concurrency import in_thread
from arcrun._core import operations, runs
from arcrun._core.errors import InvalidArgumentError, WorkflowWarning
from arcrun._core.graphs import (
    check_description,
    compile_graph,
    config_of,
    flow_of,
    is_document,
    strictness,
)
from arcrun._core.names import check_idempotency_key, check_workflow
from arcrun._core.operations import Page
from arcrun._core.request import Request
from arcrun._core.shapes import objects, text
from arcrun._core.types import (
    DeletedWorkflow,
    Execution,
    PushedWorkflow,
    ResumedRun,
    RunResult,
    Workflow,
    WorkflowSummary,
)
from arcrun._local import read_document

from .connection import Connection


class Workflows:
    """`client.workflows`: the workflows of your API key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def push(
        self,
        name: str,
        graph: Mapping[str, Any],
        *,
        description: str | None = None,
        config: Mapping[str, Any] | None = None,
        strict: bool | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> PushedWorkflow:
        """Store a workflow, or replace it.

        Args:
            name: letters A-Z a-z, digits, `_` and `-`.
            graph: a workflow document (`flow` and `config`, docs/workflow-language.md), which the
                engine compiles first, or a compiled graph (`nodes` and `edges`).
            description: one sentence; by default the document's own, else the name.
            config: settings of each node, which override those of the document.
            strict: whether placeholders that point nowhere are errors, now and in each run; by default
                as the document says.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            InvalidArgumentError: the document is not valid; nothing was stored.
            BadRequestError: the engine found faults; `details` says where.

        Example:
            >>> document = {"flow": ["input >> 完成後 >> 大寫"],
            ...             "config": {"大寫": {"component": "comp_uppercase"}}}
            >>> result = client.workflows.push("greet", document)
            >>> result["name"]
            'greet'
        """
        check_workflow(name)
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        connection.key()
        own, summary = config_of({"config": config}), check_description(description)
        is_flow, is_strict = is_document(graph), strictness(graph, strict)
        if is_flow:
            settings, flow = {**config_of(graph), **own}, flow_of(graph)
            summary = summary or check_description(graph.get("description"))
            compiled = connection.send(operations.compile_flow(flow))
            graph_to_push = compile_graph(name, compiled, settings, graph)
        else:
            settings, graph_to_push = own, {**graph, "id": name, "name": name}
            summary = summary or check_description(graph.get("description"))
        request = operations.push_workflow(
            name,
            graph_to_push,
            description=summary or name,
            config=settings,
            strict=is_strict,
        )
        return connection.send(request)

    def push_file(
        self,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        strict: bool | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> PushedWorkflow:
        """Store a workflow from a file: a document or a compiled graph, in YAML or JSON.

        Args:
            path: the file.
            name: the workflow's name; by default the document's `name`, else the file's, without its
                ending.
            strict: as for `push`.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            InvalidArgumentError: the file can't be read, or is not a valid document.
            BadRequestError: the engine found faults; `details` says where.

        Example:
            >>> import pathlib, tempfile
            >>> path = pathlib.Path(tempfile.mkdtemp(), "greet.yaml")
            >>> text = "{flow: [input >> 完成後 >> a], config: {a: {component: comp_uppercase}}}"
            >>> size = path.write_text(text, encoding="utf-8")
            >>> result = client.workflows.push_file(path)
            >>> result["name"]
            'greet'
        """
        document, stem = in_thread(lambda: read_document(path))
        chosen = name or text(document.get("name")) or stem
        return self.push(
            chosen,
            document,
            strict=strict,
            timeout=timeout,
            max_retries=max_retries,
            extra_headers=extra_headers,
        )

    def list(
        self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> list[WorkflowSummary]:
        """List all workflows.

        Args:
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            APIStatusError: the engine refused.

        Example:
            >>> found = client.workflows.list()
            >>> [workflow["name"] for workflow in found]
            ['greet']
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        return connection.send_all(operations.list_workflows)

    def get(
        self,
        name: str,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Workflow:
        """Return a workflow's graph and config.

        Args:
            name: the workflow's name.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such workflow.

        Example:
            >>> result = client.workflows.get("greet")
            >>> result["graph"]["name"]
            'greet'
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        return connection.send(operations.get_workflow(check_workflow(name)))

    def delete(
        self,
        name: str,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> DeletedWorkflow:
        """Delete a workflow.

        Args:
            name: the workflow's name.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such workflow.

        Example:
            >>> result = client.workflows.delete("greet")
            >>> result["deleted"]
            True
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        return connection.send(operations.delete_workflow(check_workflow(name)))

    def run(
        self,
        name: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - the contract's word
        *,
        run_async: bool = False,
        strict: bool = False,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> RunResult:
        """Run a workflow and return its result.

        What the engine warns of is in `warnings`, and is warned of as a `WorkflowWarning`, once. A run
        is retried only if the engine supports idempotency keys, which is asked once.

        Args:
            name: the workflow's name.
            input: the data that the run starts with.
            run_async: return as soon as the engine has accepted the run.
            strict: let a placeholder without a value fail its node; otherwise it is warned of.
            idempotency_key: your own, for a run that your program may ask for again; an engine that
                supports such keys returns the first run's result for 24 hours.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            WorkflowRunError: the workflow failed; `failed_node` says where.
            WorkflowPaused: the run waits for a callback.
            InvalidArgumentError: an argument is not valid, or the engine has no `run_async`.
            NotFoundError: there is no such workflow.

        Example:
            >>> result = client.workflows.run("greet", {"text": "hello"})
            >>> result["data"]["text"]
            'HELLO'
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        key = check_idempotency_key(idempotency_key)
        check_workflow(name)
        operations.run_workflow(name, input, strict=strict).content()
        connection.key()
        if run_async and connection.has("durable_runs") is False:
            raise InvalidArgumentError(
                "this engine does not run workflows in the background (it lists no durable_runs): leave "
                "run_async out"
            )
        retryable = connection.max_retries > 0 and bool(connection.has("idempotency_key"))
        if retryable and key is None:
            key = os.urandom(16).hex()
        request = operations.run_workflow(
            name,
            input,
            run_async=run_async,
            strict=strict,
            idempotency_key=key,
            retryable=retryable,
        )
        result = connection.send(request)
        _warn(name, result)
        return result

    def resume(
        self,
        task_id: str,
        data: Any = None,
        *,
        success: bool | None = None,
        error: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> ResumedRun:
        """Bring a paused run what it waits for, and return how it went on. It is not retried.

        A task that no run waits for, or no more, is a `noop`.

        Args:
            task_id: what the run waits for, as `WorkflowPaused` names it.
            data: the result of the node that waits.
            success: whether the task was done; otherwise its node fails. None: it was, unless there is an `error`.
            error: why it was not done.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            InvalidArgumentError: an argument is not valid, or the engine keeps no runs.
            APIStatusError: the engine refused.

        Example:
            >>> result = client.workflows.resume("review-7", {"approved": True})
            >>> result["noop"]
            True
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        request = runs.resume_run(task_id, data, success, error)
        request.content()
        connection.require(runs.CAPABILITY, runs.WHAT)
        return connection.send(request)

    def executions(
        self,
        name: str,
        *,
        limit: int | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> builtins.list[Execution]:
        """List a workflow's runs, latest first.

        Args:
            name: the workflow's name.
            limit: how many at most, of which the engine may return fewer; None for all.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such workflow.

        Example:
            >>> found = client.workflows.executions("greet", limit=1)
            >>> [run["verdict"] for run in found]
            ['success']
        """
        check_workflow(name)
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        if limit is not None:
            page = connection.send(operations.list_executions(name, limit))
            return page.items

        def page_at(cursor: str | None) -> Request[Page[Execution]]:
            return operations.list_executions(name, None, cursor)

        return connection.send_all(page_at)


def _warn(name: str, result: RunResult) -> None:
    """Warn of what the engine warns of."""
    found = objects(result.get("warnings"))
    if found:
        parts = [
            f"{each.get('placeholder')} at node {each.get('node')!r} has no value"
            for each in found[:5]
        ]
        more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
        warnings.warn(f"workflow {name!r}: {'; '.join(parts)}{more}", WorkflowWarning, stacklevel=3)
