# Generated from _async by scripts/unasync.py: edit there.
"""Runs that the engine has accepted: listed, read, cancelled, run again."""

from __future__ import annotations

from collections.abc import Mapping

from arcrun._core import runs
from arcrun._core.operations import Page
from arcrun._core.request import Request
from arcrun._core.types import AcceptedRun, Run, RunStatus, RunSummary

from .connection import Connection


class Runs:
    """`client.runs`: the runs that the engine has accepted, as with `run_async`, or that have paused."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(
        self,
        *,
        workflow: str | None = None,
        status: RunStatus | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> list[RunSummary]:
        """List the runs, newest first.

        Args:
            workflow: only runs of this workflow.
            status: only runs of this status, as `paused`.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            InvalidArgumentError: an argument is not valid, or the engine keeps no runs.
            APIStatusError: the engine refused.

        Example:
            >>> found = client.runs.list(status="paused")
            >>> [run["task_id"] for run in found if "task_id" in run]
            []
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)

        def page_at(cursor: str | None) -> Request[Page[RunSummary]]:
            return runs.list_runs(workflow, status, cursor)

        page_at(None)
        connection.require(runs.CAPABILITY, runs.WHAT)
        return connection.send_all(page_at)

    def get(
        self,
        run_id: str,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Run:
        """Return a run: its status, its input, its data or error, and its trace.

        Args:
            run_id: the run's id, as `workflows.run` returns it with `run_async`.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such run.
            InvalidArgumentError: the id is not valid, or the engine keeps no runs.

        Example:
            >>> accepted = client.workflows.run("greet", {"text": "hello"}, run_async=True)
            >>> run = client.runs.get(accepted["run_id"])
            >>> run["workflow"]
            'greet'
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        request = runs.get_run(run_id)
        connection.require(runs.CAPABILITY, runs.WHAT)
        return connection.send(request)

    def cancel(
        self,
        run_id: str,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Run:
        """End a run that has not ended, and return it. It is not retried.

        Args:
            run_id: the run's id.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such run.
            ConflictError: it has ended.
            InvalidArgumentError: the id is not valid, or the engine keeps no runs.

        Example:
            >>> from arcrun import NotFoundError
            >>> try:
            ...     run = client.runs.cancel("0" * 32)
            ... except NotFoundError as error:
            ...     print(error.code)
            run_not_found
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        request = runs.cancel_run(run_id)
        connection.require(runs.CAPABILITY, runs.WHAT)
        return connection.send(request)

    def retry(
        self,
        run_id: str,
        *,
        start: str | None = None,
        latest: bool = False,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> AcceptedRun:
        """Run again what an ended run has run, as a new run. It is not retried.

        Args:
            run_id: the id of the run that has ended.
            start: the node from which on it is run again; what ran before is taken from the first run.
            latest: run the workflow as it is stored now.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such run.
            ConflictError: it has not ended, or has no such node.
            InvalidArgumentError: an argument is not valid, or the engine keeps no runs.

        Example:
            >>> from arcrun import NotFoundError
            >>> try:
            ...     accepted = client.runs.retry("0" * 32, latest=True)
            ... except NotFoundError as error:
            ...     print(error.code)
            run_not_found
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        request = runs.retry_run(run_id, start, latest)
        connection.require(runs.CAPABILITY, runs.WHAT)
        return connection.send(request)
